package reseller_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// model knows what really happened: it stands between a service and Wave, and
// between the service and its ledger. Writes are done one after the other.
type model struct {
	t    *testing.T
	db   *db.DB
	wave *fakeWave
	life *life

	now string // what happens, for problems

	mu       sync.Mutex // of all below, and of life: Run works beside
	problems []string

	current map[string]change.Change   // those whose call may be sent now, by what they hold
	opened  map[bool][]string          // in this step, by people and by a run
	states  map[string]change.State    // as the audit log was told
	calls   map[string]int             // by change
	applied map[string]bool            // likewise: Wave did it
	muddied map[string]bool            // someone outside was at the account while it was in doubt
	touched map[wave.UserID][]wave.Key // flags that were set outside
	gone    bool                       // Wave's lists
	forms   int
}

// life is one process, with one besides that has runs: when it is dead both do nothing
// any more.
type life struct {
	*reseller.Service
	m      *model
	dir    *reseller.Directory
	ledger *change.Ledger
	runs   *reseller.Service
	step   step
	dead   bool
	stop   []func()
}

var (
	errDead                 = errors.New("the process is dead")
	_       change.Appender = (*model)(nil)
)

func newModel(t *testing.T) *model {
	m := &model{
		t: t, db: dbtest.SQLite.New(t), wave: newWave(),
		states: map[string]change.State{}, calls: map[string]int{}, applied: map[string]bool{}, muddied: map[string]bool{},
		touched: map[wave.UserID][]wave.Key{}, current: map[string]change.Change{}, opened: map[bool][]string{},
	}
	for _, id := range accounts {
		a := account(id)
		a.Meta = a.Meta.With("new_in_2027", false) // a flag that the program does not know
		m.wave.accounts[id] = a
	}
	return m
}

// problem notes what is not as it should be. The caller holds mu.
func (m *model) problem(format string, args ...any) {
	m.problems = append(m.problems, m.now+": "+fmt.Sprintf(format, args...))
}

// begin starts a process, after the one before has died.
func (m *model) begin() {
	if m.life != nil {
		m.end()
	}
	l := &life{m: m}
	m.life = l
	l.Service, l.dir, l.ledger = l.server()
	l.runs, _, _ = l.server()
	if _, _, err := l.ledger.Recover(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	for _, s := range []*reseller.Service{l.Service, l.runs} {
		ctx, cancel := context.WithCancel(m.t.Context())
		stopped := make(chan struct{})
		go func() { s.Run(ctx); close(stopped) }()
		l.stop = append([]func(){func() { cancel(); <-stopped }}, l.stop...)
	}
}

// server returns the parts of a server that ends with l.
func (l *life) server() (*reseller.Service, *reseller.Directory, *change.Ledger) {
	dir := newDirectory(l.m.t, line{l})
	l.stop = append(l.stop, dir.Close)
	ledger, err := change.NewLedger(l.m.t.Context(), l.m.db, change.Options{Fold: strings.ToLower, Audit: l.m})
	if err != nil {
		l.m.t.Fatal(err)
	}
	rules := reseller.Rules{PasswordMin: 8, PasswordMax: 18}
	return reseller.NewService(line{l}, dir, mortal{ledger, l}, rules, slog.New(slog.DiscardHandler), nil), dir, ledger
}

// end stops the process.
func (m *model) end() {
	for _, stop := range m.life.stop {
		stop()
	}
}

// transitions are the states that may follow on one.
var transitions = map[change.State][]change.State{
	"":             {change.Running},
	change.Running: {change.Sent, change.NoChange, change.Conflict, change.Failed, change.Cancelled},
	change.Sent:    {change.Done, change.Failed, change.InDoubt},
	change.InDoubt: {change.Done, change.Failed, change.InDoubt}, // the last when it is left to a person
}

// Append sees each state of each change.
func (m *model) Append(_ context.Context, _ *sql.Tx, c change.Change) error {
	if c.Source == change.Outside { // seen, not done
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if from := m.states[c.ID]; !slices.Contains(transitions[from], c.State) {
		m.problem("the %s of %s went from %q to %s", c.Kind, c.Email, from, c.State)
	}
	m.states[c.ID] = c.State
	return nil
}

// mortal is the ledger of a process.
type mortal struct {
	*change.Ledger
	l *life
}

// alive fails when the process is dead.
func (l *life) alive() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.dead {
		return errDead
	}
	return nil
}

// reach notes what was reached, and ends the process if it dies there.
func (l *life) reach(at moment, note func(m *model)) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	note(l.m)
	l.dead = l.dead || l.step.Dies == at
}

func (g mortal) Open(ctx context.Context, c change.Change) (change.Change, error) {
	if reseller.IsPatient(ctx) {
		g.l.queue()
	}
	if err := g.l.alive(); err != nil {
		return c, err
	}
	c, err := g.Ledger.Open(ctx, c)
	if err == nil {
		g.l.reach(opened, func(m *model) { m.opened[reseller.IsPatient(ctx)] = append(m.opened[reseller.IsPatient(ctx)], c.ID) })
	}
	return c, err
}

func (g mortal) Intend(ctx context.Context, c change.Change) (change.Change, error) {
	if err := g.l.alive(); err != nil {
		return c, err
	}
	c, err := g.Ledger.Intend(ctx, c)
	if err == nil {
		g.l.reach(intended, func(m *model) { m.current[held(c.Kind, c.Account, c.Email)] = c })
	}
	return c, err
}

func (g mortal) Close(ctx context.Context, c change.Change) (change.Change, error) {
	g.l.reach(answered, func(m *model) { delete(m.current, held(c.Kind, c.Account, c.Email)) })
	if err := g.l.alive(); err != nil {
		return c, err
	}
	return g.Ledger.Close(ctx, c)
}

// Hurry tells the server that has runs, and that of people, which has them too.
func (g mortal) Hurry(context.Context) error {
	if err := g.l.alive(); err != nil {
		return err
	}
	g.l.runs.Hurried()
	g.l.Hurried()
	return nil
}

// held names what a change holds.
func held(kind change.Kind, id wave.UserID, email string) string {
	if kind == change.Create {
		return strings.ToLower(email)
	}
	return string(id)
}

func (g mortal) Settle(ctx context.Context, c change.Change) (change.Change, error) {
	if err := g.l.alive(); err != nil {
		return c, err
	}
	return g.Ledger.Settle(ctx, c)
}

func (g mortal) Release(ctx context.Context, c change.Change) (change.Change, error) {
	if err := g.l.alive(); err != nil {
		return c, err
	}
	return g.Ledger.Release(ctx, c)
}

func (g mortal) Expire(ctx context.Context, working []string) (failed, inDoubt int64, err error) {
	if err := g.l.alive(); err != nil {
		return 0, 0, err
	}
	return g.Ledger.Expire(ctx, working)
}
