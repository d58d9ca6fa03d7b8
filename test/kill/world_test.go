package kill

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/wave"
)

// publicURL is what the servers are called. Nobody listens there: clients connect
// to where a server listens at the moment.
const publicURL = "http://127.0.0.1:8080"

// world is what stands around the servers and outlives them: Wave, the provider
// of sign-in, the settings and the database.
type world struct {
	t      testing.TB
	dir    string
	config string // file of settings
	wave   *sandbox.Sandbox
	wire   *wire // between the servers and Wave
	people *idp.Provider
	read   *sql.DB
	before map[wave.UserID]wave.Reseller // the accounts at the beginning
}

// worldOptions describe a world.
type worldOptions struct {
	engine   dbtest.Engine
	accounts int
	latency  time.Duration // of Wave
	people   []idp.Person  // nil for those of the demo
}

func newWorld(t testing.TB, o worldOptions) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), before: make(map[wave.UserID]wave.Reseller)}
	w.wave = sandbox.New(sandbox.Options{Accounts: o.accounts, Latency: o.latency, ListMethod: sandbox.ListByBoth})
	for _, a := range w.wave.Accounts() {
		w.before[a.UserID] = a
	}
	database := o.engine.Ready(t)
	var err error
	if w.read, err = db.OpenReadOnly(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	w.read.SetMaxOpenConns(2) // of many worlds at once
	t.Cleanup(func() { w.read.Close() })

	api := httptest.NewServer(http.HandlerFunc(w.serveWave))
	t.Cleanup(api.Close)
	t.Cleanup(w.wave.ClearFaults) // lets the calls go that hang
	w.wire = newWire(t, api.Listener.Addr().String())

	provider := httptest.NewUnstartedServer(nil)
	issuer := "http://" + provider.Listener.Addr().String()
	secret := rand.Text()
	w.people = idp.New(idp.Options{
		Issuer: issuer, ClientID: "waveadmin", ClientSecret: secret,
		RedirectURIs: []string{publicURL + "/auth/callback"}, People: o.people,
	})
	provider.Config.Handler = w.people
	provider.Start()
	t.Cleanup(provider.Close)

	key := make([]byte, 32)
	rand.Read(key) // never fails
	w.config = filepath.Join(w.dir, "waveadmin.yaml")
	settings := fmt.Sprintf(`
server: {listen: "127.0.0.1:0", ops_listen: "", public_url: %q}
wave: {base_url: %q, token_url: %q, client_id: %q, client_secret: %q, rate_per_second: 100}
auth: {issuer: %q, client_id: waveadmin, client_secret: %q, roles: {editor: [%q]}}
session: {secret: %q}
database: {url: %q}
`, publicURL, "http://"+w.wire.addr()+sandbox.BasePath, api.URL+sandbox.TokenPath, sandbox.DemoClientID, sandbox.DemoClientSecret,
		issuer, secret, idp.EditorGroup, base64.StdEncoding.EncodeToString(key), database)
	if err := os.WriteFile(w.config, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// serveWave is Wave with a witness: no call that changes something may arrive
// before the database shows that just this is intended.
func (w *world) serveWave(rw http.ResponseWriter, r *http.Request) {
	if kind, account := written(r.Method, r.URL.Path); kind != "" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // half a request is none
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		column, value := "account", account
		if kind == sandbox.OpCreate {
			column, value = "email", readMark(body).Email
		}
		intended := 0
		err = w.read.QueryRowContext(w.t.Context(), "SELECT count(*) FROM changes WHERE kind = $1 AND "+column+" = $2 AND state IN ('sent', 'in_doubt')",
			kind, value).Scan(&intended)
		if err != nil || intended == 0 {
			w.t.Errorf("a %s of %s arrived, and no intent is committed (%v)", kind, value, err)
		}
	}
	w.wave.ServeHTTP(rw, r)
}

// until waits for a condition that another process brings about.
func (w *world) until(what string, within time.Duration, is func() bool) {
	w.t.Helper()
	if !soon(within, is) {
		w.t.Fatalf("%v later, still not: %s", within, what)
	}
}

func soon(within time.Duration, is func() bool) bool {
	for end := time.Now().Add(within); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}
