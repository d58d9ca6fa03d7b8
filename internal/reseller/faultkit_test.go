package reseller_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
	"waveadmin/internal/waveapi"
)

// A rig is the program from Service down: the real client, the sandbox of the API
// and the real ledger. The network between them is in memory, so that the time of
// a synctest bubble passes. It is asked for one write.
type rig struct {
	*reseller.Service
	write
	t        *testing.T
	wave     *sandbox.Sandbox
	dir      *reseller.Directory
	ledger   *change.Ledger
	accounts int  // when it started
	removed  bool // somebody else has removed u1

	beforeWrite func() // called as a call that changes something arrives
}

// newRig starts a rig with u1 among a few accounts, all of whose flags are off. It
// has read the list once.
func newRig(t *testing.T, d *db.DB, w write) *rig {
	t.Helper()
	r := &rig{t: t, write: w, wave: sandbox.New(sandbox.Options{Accounts: 24, ListMethod: sandbox.ListByBoth})}
	if err := r.wave.AddAccount(account("u1")); err != nil {
		t.Fatal(err)
	}
	r.accounts = r.wave.Len()
	net := &wire{conns: make(chan net.Conn), closed: make(chan struct{})}
	srv := &http.Server{Handler: http.HandlerFunc(r.serve), ErrorLog: log.New(io.Discard, "", 0)}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(net) }()
	t.Cleanup(func() { srv.Close(); <-served })
	r.start(d, "http://localhost", &http.Transport{DialContext: net.dial, IdleConnTimeout: 30 * time.Second})
	return r
}

// start puts the program on d and the API at address.
func (r *rig) start(d *db.DB, address string, over http.RoundTripper) {
	r.t.Helper()
	client, err := waveapi.New(waveapi.Options{
		BaseURL: address + sandbox.BasePath, TokenURL: address + sandbox.TokenPath,
		ClientID: sandbox.DemoClientID, ClientSecret: sandbox.DemoClientSecret, Transport: over,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(client.Close)
	r.dir = newDirectory(r.t, client)
	r.t.Cleanup(r.dir.Close)
	if r.ledger, err = change.NewLedger(r.t.Context(), d, change.Options{Fold: strings.ToLower}); err != nil {
		r.t.Fatal(err)
	}
	r.Service = reseller.NewService(client, r.dir, r.ledger, reseller.Rules{PasswordMin: 8, PasswordMax: 18}, slog.New(slog.DiscardHandler), nil)
	if _, err := r.dir.Refresh(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.wave.ResetJournal()
}

func (r *rig) errorf(format string, args ...any) {
	r.t.Helper()
	r.t.Errorf("%s: "+format, append([]any{r.kind}, args...)...)
}

func (r *rig) serve(w http.ResponseWriter, req *http.Request) {
	writes := req.Method == http.MethodPut || req.Method == http.MethodDelete || req.Method == http.MethodPost && req.ContentLength > 0
	if writes && req.URL.Path != sandbox.TokenPath && r.beforeWrite != nil {
		r.beforeWrite()
	}
	r.wave.ServeHTTP(w, req)
}

// A wire is a network in memory with one server, whose listener it is.
type wire struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (w *wire) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case w.conns <- theirs:
		return ours, nil
	case <-w.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error { close(w.closed); return nil }

func (w *wire) Addr() net.Addr { return &net.TCPAddr{} }

// A write is one of the four that the API has.
type write struct {
	kind change.Kind
	op   string // as the sandbox names it
	ask  func(context.Context, *rig) error
	has  func(*rig) bool // whether Wave is as it was asked to be
}

var writes = []write{
	{
		change.Meta, sandbox.OpMeta,
		func(ctx context.Context, r *rig) error {
			_, err := r.ChangeMeta(ctx, set(tanaka, "u1", true, "invoice"))
			return err
		},
		func(r *rig) bool { a, _ := r.wave.Get("u1"); return a.Meta.On("invoice") },
	},
	{
		change.Create, sandbox.OpCreate,
		func(ctx context.Context, r *rig) error { _, _, err := r.Create(ctx, creation()); return err },
		func(r *rig) bool {
			n := 0
			for _, a := range r.wave.Accounts() {
				if a.Email == creation().Email {
					n++
				}
			}
			return n == 1
		},
	},
	{
		change.Delete, sandbox.OpDelete,
		func(ctx context.Context, r *rig) error {
			_, err := r.Delete(ctx, reseller.Deletion{Actor: tanaka, UserID: "u1", Confirm: "u1@example.com"})
			return err
		},
		func(r *rig) bool { _, there := r.wave.Get("u1"); return !there },
	},
	{
		change.Password, sandbox.OpPassword,
		func(ctx context.Context, r *rig) error {
			_, err := r.ReplacePassword(ctx, reseller.PasswordChange{
				Actor: tanaka, UserID: "u1", NewPassword: wave.NewPassword{Input: wave.Custom, Password: "Secret-123"},
			})
			return err
		},
		func(r *rig) bool { return len(r.wave.Passwords("u1")) == 1 },
	},
}

// do asks for the write.
func (r *rig) do() error { return r.ask(r.t.Context(), r) }

// An outcome is what a table wants of a write.
type outcome struct {
	told  string       // the kind of the fault that the caller got, "" for none
	state change.State // of the change, once it is settled as far as it can be
	calls int          // that reached the API, refused ones included
	done  bool         // one of them was applied
}

// outcomes are those of the four writes.
type outcomes map[change.Kind]outcome

// each is the same outcome for all.
func each(o outcome) outcomes {
	return outcomes{change.Meta: o, change.Create: o, change.Delete: o, change.Password: o}
}

// but is os with another outcome for some.
func (os outcomes) but(o outcome, kinds ...change.Kind) outcomes {
	other := outcomes{}
	for kind, old := range os {
		other[kind] = old
	}
	for _, kind := range kinds {
		other[kind] = o
	}
	return other
}

// onEachWrite does test for each write on a rig of its own, in a bubble. Url is of
// a database that no other test uses.
func onEachWrite(t *testing.T, url string, test func(*rig)) {
	synctest.Test(t, func(t *testing.T) {
		d := dbtest.Open(t, url)
		for _, w := range writes {
			err := d.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), "DELETE FROM change_flags; DELETE FROM known_accounts; DELETE FROM changes")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			test(newRig(t, d, w))
		}
	})
}

// check asserts what became of a write: what the caller was told, what is recorded
// when it is settled, what was sent, and what Wave has; and that these are the
// same thing.
func (r *rig) check(err error, wanted outcomes) {
	r.t.Helper()
	want := wanted[r.kind]
	got := outcome{told: kindOf(err), calls: r.wave.Count(r.op)}
	first := r.recorded()
	r.wave.ClearFaults()
	settled := r.settle(first)
	got.state = settled.State
	possible := 0
	for _, e := range r.wave.Journal() {
		if e.Op != r.op {
			continue
		}
		got.done = got.done || e.Applied
		if e.Applied || e.Status == 0 || e.Status >= 500 || e.Status < 300 {
			possible++ // as far as the program can know
		}
	}
	if got != want {
		r.errorf("%+v, want %+v (%v; %s)", got, want, err, settled.Detail)
	}

	_, doubt := errors.AsType[*reseller.DoubtError](err)
	if doubt != (got.told == "uncertain") || doubt != (first.State == change.InDoubt) {
		r.errorf("a DoubtError: %v, told %q, recorded as %s", doubt, got.told, first.State)
	}
	switch {
	case got.told == "" && !got.done:
		r.errorf("told that it was done, and it was not")
	case got.told != "" && !doubt && got.done:
		r.errorf("told that it was not done, and it was")
	case settled.State == change.Done && !got.done, settled.State == change.Failed && got.done:
		r.errorf("recorded as %s, done: %v", settled.State, got.done)
	case settled.State.Open():
		r.errorf("left open as %s", settled.State)
	}
	if has := r.has(r); has != got.done && !(r.removed && r.kind == change.Delete) {
		r.errorf("Wave has it: %v, a call was applied: %v", has, got.done)
	}
	if n := r.wave.Count(r.op); n != got.calls {
		r.errorf("%d more calls while it was settled", n-got.calls)
	}
	if (r.kind == change.Create || r.kind == change.Password) && possible > 1 {
		r.errorf("%d calls may have been applied", possible)
	}
}

// recorded returns the change of the write.
func (r *rig) recorded() change.Change {
	r.t.Helper()
	list, _, err := r.ledger.List(r.t.Context(), change.Filter{}, 10)
	if err != nil {
		r.t.Fatal(err)
	}
	var found []change.Change
	for _, c := range list {
		if c.Kind == r.kind {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		r.t.Fatalf("%d changes are recorded, want 1", len(found))
	}
	return found[0]
}

// settle runs the service until c is final, or for longer than it has to find out.
func (r *rig) settle(c change.Change) change.Change {
	r.t.Helper()
	ctx, stop := context.WithCancel(r.t.Context())
	stopped := make(chan struct{})
	go func() { defer close(stopped); r.Run(ctx) }()
	defer func() { stop(); <-stopped }()
	for pause := time.Second; pause < 2*time.Minute && c.State == change.InDoubt; pause *= 3 {
		time.Sleep(pause)
		c = r.recorded()
	}
	return c
}

// retryAfter returns how long the caller of a call that failed is told to wait.
func retryAfter(err error) time.Duration {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return 0
	}
	return f.RetryAfter
}
