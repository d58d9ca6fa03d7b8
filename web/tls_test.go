package web

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestServer_speaksTLS: what old clients offer is refused, and the newest that both
// know is taken.
func TestServer_speaksTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(nil)
	s.Config = NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	s.TLS = s.Config.TLSConfig
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	tests := []struct {
		name   string
		client *tls.Config
		want   uint16 // version; 0 for none
	}{
		{"a browser", &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, tls.VersionTLS13},
		{"TLS 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, tls.VersionTLS12},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, 0},
		{"CBC with SHA-1", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}}, 0},
		{"keys without forward secrecy", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, 0},
		{"RC4", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA}}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.client.InsecureSkipVerify = true // the certificate is the test's own
			conn, err := tls.Dial("tcp", s.Listener.Addr().String(), tt.client)
			var got uint16
			if err == nil {
				got = conn.ConnectionState().Version
				conn.Close()
			}
			if got != tt.want {
				t.Errorf("%s, %v; want %s", tls.VersionName(got), err, tls.VersionName(tt.want))
			}
		})
	}
}
