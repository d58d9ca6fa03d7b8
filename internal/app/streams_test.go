package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// TestRun_endsStreams: a stop does not wait for pages that are open, and does not cut
// them off either.
func TestRun_endsStreams(t *testing.T) {
	var log bytes.Buffer
	a, address := newApp(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	a.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		<-a.ending
		_, _ = io.WriteString(w, "the last of it")
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stop()
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.HasSuffix(string(body), "the last of it") {
		t.Errorf("the stream ends with %q, %v", body, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
	if strings.Contains(log.String(), "cut off") {
		t.Errorf("it was cut off:\n%s", &log)
	}
}
