package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is what the operators see of this process. It is safe for concurrent
// use; a nil Metrics counts nothing.
type Metrics struct {
	Registry *prometheus.Registry // others may register theirs
	requests *prometheus.HistogramVec
	streams  *prometheus.HistogramVec
	open     prometheus.Gauge // streams
}

// NewMetrics returns the metrics of the Go runtime, the process and the requests.
func NewMetrics() *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "waveadmin_http_request_duration_seconds",
			Help:    "Time to answer a request, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route", "status"}),
		streams: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "waveadmin_http_stream_duration_seconds",
			Help:    "How long answers went on that end when their page is closed, by route.",
			Buckets: []float64{1, 15, 60, 300, 900, 3600},
		}, []string{"route"}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "waveadmin_http_streams",
			Help: "Answers that go on at this moment.",
		}),
	}
	m.Registry.MustRegister(m.requests, m.streams, m.open, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe counts a request. Its labels are bounded whatever clients send.
func (m *Metrics) observe(method, route string, status int, took time.Duration) {
	if m == nil {
		return
	}
	if route == "" {
		route = "none"
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		method = "other"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// streamOpen counts a stream as open until the returned function is called.
func (m *Metrics) streamOpen() (end func()) {
	if m == nil {
		return func() {}
	}
	m.open.Inc()
	return m.open.Dec
}

// streamEnded counts a stream. It is no request that was answered slowly.
func (m *Metrics) streamEnded(route string, took time.Duration) {
	if m != nil {
		m.streams.WithLabelValues(route).Observe(took.Seconds())
	}
}

// NewOps returns what operators may ask, for a listener of its own: it checks
// neither who asks nor from where.
func NewOps(log *slog.Logger, ready func(context.Context) error, m *Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", readyz(log, ready))
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol) // many addresses at once
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// healthz says that the process answers, and knows nothing of what it depends
// on: a restart would not mend that.
func healthz(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") }

// maxReadyWait is shorter than the patience of the usual prober.
const maxReadyWait = 2 * time.Second

// readyz says whether requests should be sent here. Why not is in the log only.
func readyz(log *slog.Logger, ready func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), maxReadyWait)
		defer cancel()
		if err := ready(ctx); err != nil {
			log.WarnContext(r.Context(), "not ready", "err", err)
			plain(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		plain(w, http.StatusOK, "ready")
	}
}

func plain(w http.ResponseWriter, status int, word string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, word+"\n") // a prober who left is no error of ours
}
