package auth

import (
	"net/url"
	"testing"
)

func TestConfig_mayCall(t *testing.T) {
	tests := []struct {
		name   string
		issuer string
		url    string
		want   bool
	}{
		{"the issuer itself", "https://login.example.co.jp/tenant", "https://login.example.co.jp/keys", true},
		{"another port of it", "https://login.example.co.jp", "https://login.example.co.jp:8443/keys", false},
		{"an allowed host", "https://login.example.co.jp", "https://keys.example.co.jp/", true},
		{"below an allowed host", "https://login.example.co.jp", "https://x.keys.example.co.jp/", false},
		{"plain http", "https://login.example.co.jp", "http://login.example.co.jp/keys", false},
		{"plain http on our own machine", "https://login.example.co.jp", "http://localhost/keys", false},
		{"plain http on our own machine, where the issuer is", "http://127.0.0.1:9000", "http://localhost/keys", true},
		{"with a password", "https://login.example.co.jp", "https://u:p@login.example.co.jp/keys", false},
		{"a file", "https://login.example.co.jp", "file://login.example.co.jp/keys", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := url.Parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			cfg := Config{Issuer: tt.issuer, AllowedHosts: []string{"keys.example.co.jp", "localhost"}}
			if got := cfg.mayCall(u); got != tt.want {
				t.Errorf("mayCall(%s) = %v, want %v", tt.url, got, tt.want)
			}
		})
	}
}
