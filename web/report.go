package web

import (
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/time/rate"
)

// reportPath is where browsers tell what the Content-Security-Policy stopped.
const reportPath = "/csp-report"

const (
	maxReportBytes = 16 << 10
	maxReports     = 10 // of one request that are logged
	maxReportText  = 200
)

// violation is what we log of a report. The two media types name things
// differently; each field is the first one that is there.
type violation struct{ document, directive, blocked, source string }

// reports accepts reports from anyone, signed in or not, and answers 204 to what
// it can read. It takes 5 a second, so that nobody fills the log through it.
func (s *site) reports() http.HandlerFunc {
	limit := rate.NewLimiter(5, 20)
	return func(w http.ResponseWriter, r *http.Request) {
		if !limit.Allow() {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReportBytes))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		found, ok := readReports(r.Header.Get("Content-Type"), body)
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, v := range found[:min(len(found), maxReports)] {
			s.log.LogAttrs(r.Context(), slog.LevelWarn, "content security policy violated",
				slog.String("request_id", RequestID(r.Context())),
				slog.String("document", v.document), slog.String("directive", v.directive),
				slog.String("blocked", v.blocked), slog.String("source", v.source))
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// readReports reads the old form, one report, or the new one, a list. It is
// false for anything else.
func readReports(contentType string, body []byte) (found []violation, ok bool) {
	media, _, _ := mime.ParseMediaType(contentType) // an odd one is no report
	switch media {
	case "application/csp-report":
		var old struct {
			Report struct {
				Document  string `json:"document-uri"`
				Directive string `json:"effective-directive"`
				Violated  string `json:"violated-directive"`
				Blocked   string `json:"blocked-uri"`
				Source    string `json:"source-file"`
			} `json:"csp-report"`
		}
		if json.Unmarshal(body, &old) != nil {
			return nil, false
		}
		v := old.Report
		if v.Directive == "" {
			v.Directive = v.Violated
		}
		return []violation{{place(v.Document), short(v.Directive), place(v.Blocked), place(v.Source)}}, true

	case "application/reports+json":
		var list []struct {
			Type string
			Body struct {
				Document  string `json:"documentURL"`
				Directive string `json:"effectiveDirective"`
				Blocked   string `json:"blockedURL"`
				Source    string `json:"sourceFile"`
			}
		}
		if json.Unmarshal(body, &list) != nil {
			return nil, false
		}
		for _, item := range list {
			if v := item.Body; item.Type == "csp-violation" {
				found = append(found, violation{place(v.Document), short(v.Directive), place(v.Blocked), place(v.Source)})
			}
		}
		return found, true
	}
	return nil, false
}

// place cuts a URL down to what may be logged: no query, no fragment, no user.
// Blocked "URLs" may also be words: inline, eval, data.
func place(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "unreadable"
	}
	if u.Opaque != "" {
		return short(u.Scheme + ":")
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return short(u.String())
}

func short(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxReportText)], "")
}
