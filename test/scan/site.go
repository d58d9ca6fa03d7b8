package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"waveadmin/internal/app"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/web"
)

// site is the program as serve builds it, over TLS, between the sandboxes. Nobody can
// sign out of it.
type site struct {
	url, port string
	certFile  string
	roots     *x509.CertPool
	people    *idp.Provider
	stop      func()

	answers [6]atomic.Int64 // counted by the first digit of the status
}

// startSite runs it until stop. What it writes goes into dir.
func startSite(ctx context.Context, dir string) (*site, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return nil, err
	}
	s := &site{url: "https://localhost:" + port, port: port, certFile: filepath.Join(dir, "cert.pem"), roots: x509.NewCertPool()}
	keyFile := filepath.Join(dir, "key.pem")
	if err := s.certify(keyFile); err != nil {
		return nil, err
	}

	wave := httptest.NewServer(sandbox.New(sandbox.Options{Accounts: 30, ListMethod: sandbox.ListByBoth, BillingGroups: true}))
	provider := httptest.NewUnstartedServer(nil)
	issuer := "http://" + provider.Listener.Addr().String()
	cfg := app.DemoConfig(s.url, wave.URL, issuer, dir)
	s.people = idp.New(idp.Options{
		Issuer: issuer, ClientID: cfg.Auth.ClientID, ClientSecret: cfg.Auth.ClientSecret.Reveal(),
		RedirectURIs: []string{s.url + "/auth/callback"}, PostLogout: []string{s.url + "/auth/signed-out"},
	})
	provider.Config.Handler = s.people
	provider.Start()

	a, err := app.New(ctx, cfg, app.Options{})
	if err != nil {
		return nil, err
	}
	srv := web.NewServer(s.counted(staySignedIn(a.Handler())), slog.New(slog.DiscardHandler))
	working, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { a.Work(working) })
	wg.Go(func() { _ = srv.ServeTLS(web.LimitConns(ln, 0), s.certFile, keyFile) }) // until it is closed
	s.stop = func() {
		srv.Close()
		cancel()
		wg.Wait()
		a.Close()
		provider.Close()
		wave.Close()
	}
	return s, nil
}

// staySignedIn keeps a scanner from ending its own session, after which it would see
// nothing. The wapiti of Debian cannot be told to leave an address out.
func staySignedIn(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/auth/logout" {
			r.URL.Path, r.RequestURI = "/none", "/none"
		}
		h.ServeHTTP(w, r)
	})
}

// counted counts what is answered, so that a scanner that saw nothing does not pass for one
// that found nothing.
func (s *site) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		h.ServeHTTP(ww, r)
		s.answers[min(ww.Status()/100, 5)].Add(1)
	})
}

// forget begins to count again.
func (s *site) forget() (counted [6]int64) {
	for i := range s.answers {
		counted[i] = s.answers[i].Swap(0)
	}
	return counted
}

// sayAnswers prints what was answered since forget, and fails if the program did or if
// nothing was seen.
func (s *site) sayAnswers() error {
	n := s.forget()
	fmt.Printf("answers: %d with 2xx, %d with 3xx, %d with 4xx, %d with 5xx\n", n[2], n[3], n[4], n[5])
	if n[5] > 0 {
		return fmt.Errorf("%d requests were answered with 5xx", n[5])
	}
	if n[2] == 0 {
		return errors.New("nothing was seen")
	}
	return nil
}

// client returns one that believes the certificate of the site.
func (s *site) client() *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}}}
}

// stillIn fails when a session has ended, if there is one: what a scanner saw after that
// was the way to sign in.
func (s *site) stillIn(ctx context.Context, cookie string) error {
	if cookie == "" {
		return nil
	}
	client := s.client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/resellers", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Cookie", cookie)
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the session has ended: /resellers is answered with %d", resp.StatusCode)
	}
	return nil
}

// certify makes a certificate for localhost.
func (s *site) certify(keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	certText := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	s.roots.AppendCertsFromPEM(certText)
	if err := os.WriteFile(s.certFile, certText, 0o600); err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}

// signIn returns the cookies of a new session of person.
func (s *site) signIn(ctx context.Context, person string) (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	client := s.client()
	client.Jar = jar
	s.people.AutoChoose(person)
	defer s.people.AutoChoose("")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/resellers", nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("sign-in of %s ended with %d", person, resp.StatusCode)
	}
	home, err := url.Parse(s.url)
	if err != nil {
		return "", err
	}
	var cookies []string
	for _, c := range jar.Cookies(home) {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	return strings.Join(cookies, "; "), nil
}
