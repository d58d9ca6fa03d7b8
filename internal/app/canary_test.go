package app_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"waveadmin/internal/app"
	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

// canaries are secrets by what they are, and what was seen of the program by where.
type canaries struct {
	mu      sync.Mutex
	secrets map[string]string
	seen    map[string][]byte
}

func (c *canaries) secret(what, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(text) < 8 {
		panic(what + " is no secret: " + text)
	}
	c.secrets[fmt.Sprintf("%s %d", what, len(c.secrets))] = text
}

// session knows the cookie of a session, and the id in it, of which the database may
// have only the hash.
func (c *canaries) session(t *testing.T, client *testkit.Client) {
	t.Helper()
	cookies := client.Cookies()
	i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == "waveadmin" })
	if i < 0 {
		t.Fatalf("no session among %v", cookies)
	}
	raw, err := base64.RawURLEncoding.DecodeString(cookies[i].Value)
	if err != nil || len(raw) != 64 {
		t.Fatalf("a cookie of %d bytes, %v", len(raw), err)
	}
	c.secret("a session cookie", cookies[i].Value)
	c.secret("the id of a session", string(raw[:32]))
}

// keep knows the key of what a person's browser keeps. The database has it as it is.
func (c *canaries) keep(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets[ofBrowser] = key
}

func (c *canaries) of(what string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secrets[what]
}

const ofBrowser = "the key of what a browser keeps"

func (c *canaries) see(where string, text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[where] = append(c.seen[where], text...)
}

// keptKey is where a page gives its person the key of what their browser keeps.
var keptKey = regexp.MustCompile(` data-key="([^"]+)"`)

// page sees an answer: its body without the place of the key of what the browser keeps,
// and its headers but those that bring a cookie or lead to the provider, which carry what
// belongs there.
func (c *canaries) page(where string, p testkit.Page) {
	if key := keptKey.FindStringSubmatch(p.Body); key != nil {
		c.keep(html.UnescapeString(key[1]))
		p.Body = strings.Replace(p.Body, key[0], "", 1)
	}
	head := maps.Clone(p.Header)
	delete(head, "Set-Cookie")
	if !strings.HasPrefix(head.Get("Location"), "/") {
		delete(head, "Location")
	}
	c.see(where, fmt.Appendf([]byte(p.Body), "\n%v", head))
}

// forms are how a text can stand somewhere.
func forms(text string) map[string]string {
	quoted, _ := json.Marshal(text)
	return map[string]string{
		"as it is": text, "in JSON": strings.Trim(string(quoted), `"`), "in an address": url.QueryEscape(text), "in hex": hex.EncodeToString([]byte(text)),
		"in base64": base64.RawStdEncoding.EncodeToString([]byte(text)), "in base64 for addresses": base64.RawURLEncoding.EncodeToString([]byte(text)),
	}
}

// find returns where secrets stand that must not, and how many of them were looked for
// in how many places. The program may go on meanwhile.
func (c *canaries) find() (found []string, secrets, places int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for what, secret := range c.secrets {
		for how, form := range forms(secret) {
			for where, text := range c.seen {
				if what == ofBrowser && (where == "the table kept_keys" || strings.HasPrefix(where, "the file ")) {
					continue
				}
				if i := bytes.Index(text, []byte(form)); i >= 0 {
					found = append(found, fmt.Sprintf("%s is in %s, %s: …%q", what, where, how, text[max(0, i-60):i]))
				}
			}
		}
	}
	return found, len(c.secrets), len(c.seen)
}

// wiretap stands between the program and Wave: it notes tokens, and while it echoes it
// answers calls with an error that repeats all that came.
func wiretap(t *testing.T, c *canaries, wave string, echo *atomic.Bool) *httptest.Server {
	to, err := url.Parse(wave)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	tap := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			c.secret("Wave's token", token)
		}
		if echo.Load() {
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, `{"code":"5000","message":%q}`, r.Header.Get("Authorization")+" "+string(body))
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(tap.Close)
	return tap
}

// TestCanaries: after a day on which every secret was used, with an API that repeats
// what it is sent and handlers that panic, none of them stands in a log, page, header,
// export, metric, profile, table, database file or backup.
func TestCanaries(t *testing.T) {
	dbtest.OnEach(t, canaryDay)
}

func canaryDay(t *testing.T, e dbtest.Engine) {
	c := &canaries{secrets: make(map[string]string), seen: make(map[string][]byte)}
	log, plain := new(logs), new(logs)
	dir := t.TempDir()
	ops := freePort(t)
	var cfg config.Config
	var echo atomic.Bool
	var under atomic.Pointer[string]
	s := testkit.Start(t, testkit.Options{
		Accounts: 2, Wave: acme(t),
		Log: slog.New(mine{slog.NewMultiHandler(
			slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}), slog.NewTextHandler(plain, &slog.HandlerOptions{Level: slog.LevelDebug}),
		), &under, &cfg}),
		Config: func(to *config.Config) {
			tap := wiretap(t, c, strings.TrimSuffix(to.Wave.TokenURL, "/ripple/access_token"), &echo)
			for _, at := range []*string{&to.Wave.BaseURL, &to.Wave.TokenURL} {
				u, _ := url.Parse(*at)
				*at = tap.URL + u.Path
			}
			to.Server.OpsListen = ops
			to.Database.URL = config.DatabaseURL("sqlite:" + filepath.Join(dir, "wave.db"))
			if e.Name == "postgres" {
				c.secret("the database's password", "Canary-db/pw!")
				to.Database.URL = config.DatabaseURL(withPassword(t, e.Ready(t), "Canary-db/pw!"))
			}
			to.Session.PreviousSecrets = []config.Secret{config.NewSecret(base64.StdEncoding.EncodeToString([]byte("Canary!of/last\x00year+0123456789ab")))}
			cfg = *to
		},
	})
	for what, secret := range map[string]config.Secret{"Wave's client secret": cfg.Wave.ClientSecret, "the provider's client secret": cfg.Auth.ClientSecret, "the session secret": cfg.Session.Secret, "the former one": cfg.Session.PreviousSecrets[0]} {
		c.secret(what, secret.Reveal())
	}
	for _, key := range cfg.Session.Keys() {
		c.secret("a session key", string(key))
	}
	c.secret("a password", canary)
	s.IDP.Script(idp.Script{
		IDToken: func(raw string) string { c.secret("an ID token", raw); return raw },
		Token: func(answer map[string]any) {
			c.secret("the provider's token", fmt.Sprint(answer["access_token"]))
		},
		Callback: func(query url.Values) { c.secret("a code", query.Get("code")) },
	})

	client := s.SignedIn(t, testkit.Editor)
	c.session(t, client)
	c.page("a refresh", client.Post("/refresh", url.Values{}))
	key := offKey(t, s)
	broken := url.Values{"email": {"no address"}, "company_id": {"k-1"}, "input_type": {"Custom"}, "password": {canary}, "submit_id": {"12345678"}}
	c.page("a creation that is refused", client.Post("/resellers", broken))
	c.page("a password that is refused", client.Post("/resellers/acme/password", url.Values{"input_type": {"Custom"}, "password": {canary + canary}}))
	for name, form := range map[string]url.Values{"meta": turnOn(key), "password": {"input_type": {"Custom"}, "password": {canary}}} {
		c.page("a "+name, client.Post("/resellers/acme/"+name, form))
	}
	panics(t, c, s, client, &under)
	for _, stderr := range []*logs{log, plain} {
		if n := bytes.Count(stderr.copy(), []byte("panic: {")); n != 3 {
			t.Errorf("%d panics are in the log", n)
		}
	}
	echo.Store(true)
	for name, form := range map[string]url.Values{"meta": {"was." + string(key): {"on"}}, "password": {"input_type": {"Custom"}, "password": {canary}}, "delete": {"confirm": {"acme@example.co.jp"}}} {
		c.page("an echoed "+name, client.Post("/resellers/acme/"+name, form))
		c.page("an echoed fragment of "+name, client.Post("/resellers/acme/"+name, form, "HX-Request: true"))
	}
	echo.Store(false)
	c.page("a made-up callback", s.Client(t).Get("/auth/callback?state="+url.QueryEscape(canary)+"&code="+url.QueryEscape(canary)))
	for _, path := range []string{
		"/", "/resellers", "/resellers/acme", "/resellers/acme/history", "/resellers/acme/details", "/changes", "/presets", "/bulk", "/matrix",
		"/changes.csv", "/changes.jsonl", "/resellers.csv", "/presets.yaml", "/nowhere",
	} {
		c.page(path, client.Get(path))
	}
	for _, path := range []string{"/metrics", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1", "/readyz"} {
		c.see("ops "+path, fetch(t, "http://"+ops+path))
	}
	text, _ := export(t, cfg)
	c.see("the audit export", []byte(text))
	var printed bytes.Buffer
	if err := config.Print(&printed, cfg, nil); err != nil {
		t.Fatal(err)
	}
	c.see("config print", fmt.Appendf(printed.Bytes(), "%+v %v", cfg, config.Values(cfg)))
	stored := func() {
		t.Helper()
		seeTables(t, c, e.Name, openRaw(t, cfg.Database.URL.Reveal()))
		if e.Name == "sqlite" {
			seeFiles(t, c, dir)
		}
	}
	if e.Name == "sqlite" {
		if _, err := app.Backup(t.Context(), cfg.Database, filepath.Join(dir, "backup.db")); err != nil {
			t.Fatal(err)
		}
	}
	stored()
	c.page("the sign-out", client.Unredirected().Post("/auth/logout", url.Values{}))
	stored()
	c.see("the log", log.copy())
	c.see("the log as text", plain.copy())

	found, secrets, places := c.find()
	for _, f := range found {
		t.Error(f)
	}
	if key := c.of(ofBrowser); len(key) != 44 {
		t.Errorf("no page brought a key: %q", key)
	}
	if secrets < 10 || places < 30 {
		t.Errorf("only %d secrets in %d places", secrets, places)
	}
	t.Logf("%d secrets in 6 forms, %d places", secrets, places)
}
