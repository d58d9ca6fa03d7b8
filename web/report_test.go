package web

import (
	"io"
	"strings"
	"testing"
)

// body returns what the fields Body and ContentLength of a request want.
func body(s string) (io.ReadCloser, int64) {
	return io.NopCloser(strings.NewReader(s)), int64(len(s))
}

func TestReports(t *testing.T) {
	tests := []struct {
		name, media, body string
		status            int
		logs              []string // parts of the line; none for no line
	}{
		{
			"the old form", "application/csp-report",
			`{"csp-report":{"document-uri":"https://wave.example.com/resellers?q=secret","violated-directive":"script-src","blocked-uri":"inline"}}`,
			204,
			[]string{"document=https://wave.example.com/resellers ", "directive=script-src", "blocked=inline"},
		},
		{
			"the new form", "application/reports+json; charset=utf-8",
			`[{"type":"csp-violation","body":{"documentURL":"https://wave.example.com/","effectiveDirective":"img-src","blockedURL":"https://u:p@evil.example/x?secret#secret"}},{"type":"deprecation","body":{}}]`,
			204,
			[]string{"directive=img-src", "blocked=https://evil.example/x "},
		},
		{"a data address", "application/csp-report", `{"csp-report":{"blocked-uri":"data:text/html,secret"}}`, 204, []string{"blocked=data: "}},
		{"no address", "application/csp-report", `{"csp-report":{"blocked-uri":"http://[secret"}}`, 204, []string{"blocked=unreadable"}},
		{"lines for the log", "application/csp-report", `{"csp-report":{"effective-directive":"x\nlevel=ERROR secret` + `"}}`, 204, []string{`directive="x\nlevel=ERROR`}},
		{"no JSON", "application/csp-report", `secret`, 400, nil},
		{"another type", "application/json", `{}`, 400, nil},
		{"no type", "", `{}`, 400, nil},
		{"too large", "application/csp-report", `{"csp-report":{"x":"` + strings.Repeat("a", 16<<10) + `"}}`, 413, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSite(t, everyGroup)
			r := request("POST", "/csp-report", "Sec-Fetch-Site: cross-site", "Content-Type: "+tt.media)
			r.Body, r.ContentLength = body(tt.body)
			if w := s.do(r); w.Code != tt.status || w.Body.Len() > 0 {
				t.Errorf("answer = %d %q, want %d without a body", w.Code, w.Body, tt.status)
			}
			line := ""
			for l := range strings.Lines(s.log.String()) {
				if strings.Contains(l, "violated") {
					line += strings.TrimSpace(l) + " "
				}
			}
			if (line != "") != (tt.logs != nil) {
				t.Fatalf("logged %q", line)
			}
			for _, want := range tt.logs {
				if !strings.Contains(line, want) {
					t.Errorf("logged %q, want %q in it", line, want)
				}
			}
			if strings.Contains(line, "q=secret") || strings.Contains(line, "u:p") || strings.Contains(line, "?secret") {
				t.Errorf("logged %q: a query or a user", line)
			}
		})
	}
}

func TestReports_cannotFillTheLog(t *testing.T) {
	s := newTestSite(t, everyGroup)
	many := "[" + strings.TrimSuffix(strings.Repeat(`{"type":"csp-violation","body":{}},`, 100), ",") + "]"
	refused := 0
	for range 60 {
		r := request("POST", "/csp-report", "Content-Type: application/reports+json")
		r.Body, r.ContentLength = body(many)
		if s.do(r).Code == 429 {
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("%d of 60 requests at once were refused, want most", refused)
	}
	if n := strings.Count(s.log.String(), "violated"); n > 40*maxReports {
		t.Errorf("%d lines were logged", n)
	}
}
