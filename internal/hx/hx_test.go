package hx

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"pgregory.net/rapid"
)

func TestToast_isASCIIAndSurvivesTheRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.OneOf(
			rapid.String(),
			rapid.SampledFrom([]string{`「保存」しました "ok" 🎉`, "a\r\nSet-Cookie: b", "\x7f", "</script>"}),
		).Draw(t, "message")
		w := httptest.NewRecorder()
		Toast(w, "success", want)

		header := w.Header().Get("HX-Trigger")
		for i := range len(header) {
			if header[i] < 0x20 || header[i] > 0x7E {
				t.Fatalf("HX-Trigger = %q has the byte %#x, want printable ASCII", header, header[i])
			}
		}
		var got struct {
			Toast struct{ Level, Message string }
		}
		if err := json.Unmarshal([]byte(header), &got); err != nil {
			t.Fatal(err)
		}
		if got.Toast.Message != want || got.Toast.Level != "success" {
			t.Errorf("the page reads %+v, want level success and message %q", got.Toast, want)
		}
	})
}

func TestWantsFragment(t *testing.T) {
	tests := []struct {
		name       string
		headers    []string
		fragment   bool
		fromScript bool
	}{
		{"a navigation", nil, false, false},
		{"an htmx request", []string{"HX-Request"}, true, true},
		{"a boosted link", []string{"HX-Request", "HX-Boosted"}, false, true},
		{"a history restore", []string{"HX-Request", "HX-History-Restore-Request"}, false, true},
		{"a navigation with a stray header", []string{"HX-Boosted"}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			for _, h := range tt.headers {
				r.Header.Set(h, "true")
			}
			if got := WantsFragment(r); got != tt.fragment {
				t.Errorf("WantsFragment = %v, want %v", got, tt.fragment)
			}
			if got := IsHTMX(r); got != tt.fromScript {
				t.Errorf("IsHTMX = %v, want %v", got, tt.fromScript)
			}
		})
	}
}

func TestRedirect(t *testing.T) {
	tests := []struct {
		name, hxRequest      string
		status               int
		location, hxRedirect string
	}{
		{"a form without script", "", http.StatusSeeOther, "/resellers/r-1", ""},
		{"htmx", "true", http.StatusNoContent, "", "/resellers/r-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/resellers", nil)
			r.Header.Set("HX-Request", tt.hxRequest)
			w := httptest.NewRecorder()
			Redirect(w, r, "/resellers/r-1")

			if w.Code != tt.status {
				t.Errorf("status = %d, want %d", w.Code, tt.status)
			}
			if got := w.Header().Get("Location"); got != tt.location {
				t.Errorf("Location = %q, want %q", got, tt.location)
			}
			if got := w.Header().Get("HX-Redirect"); got != tt.hxRedirect {
				t.Errorf("HX-Redirect = %q, want %q", got, tt.hxRedirect)
			}
		})
	}
}

func TestCurrentURL(t *testing.T) {
	tests := []struct{ name, header, want string }{
		{"is absent", "", "<none>"},
		{"is a URL", "https://a.example/resellers?q=%E6%9D%B1", "https://a.example/resellers?q=%E6%9D%B1"},
		{"is no URL", "http://[::1", "<none>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("HX-Current-URL", tt.header)
			got := "<none>"
			if u := CurrentURL(r); u != nil {
				got = u.String()
			}
			if got != tt.want {
				t.Errorf("CurrentURL = %s, want %s", got, tt.want)
			}
		})
	}
}
