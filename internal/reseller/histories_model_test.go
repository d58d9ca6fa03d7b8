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

	current change.Change              // the one whose call may be sent now
	opened  []string                   // in this step
	states  map[string]change.State    // as the audit log was told
	calls   map[string]int             // by change
	applied map[string]bool            // likewise: Wave did it
	muddied map[string]bool            // someone outside was at the account while it was in doubt
	touched map[wave.UserID][]wave.Key // flags that were set outside
	gone    bool                       // Wave's lists
	forms   int
}

// life is one process: when it is dead it does nothing any more.
type life struct {
	*reseller.Service
	m      *model
	dir    *reseller.Directory
	ledger *change.Ledger
	step   step
	dead   bool
	stop   func()
}

var (
	errDead                 = errors.New("the process is dead")
	_       change.Appender = (*model)(nil)
)

func newModel(t *testing.T) *model {
	m := &model{
		t: t, db: dbtest.SQLite.New(t), wave: newWave(),
		states: map[string]change.State{}, calls: map[string]int{}, applied: map[string]bool{}, muddied: map[string]bool{},
		touched: map[wave.UserID][]wave.Key{},
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
	l.dir = newDirectory(m.t, line{l})
	var err error
	if l.ledger, err = change.NewLedger(m.t.Context(), m.db, change.Options{Fold: strings.ToLower, Audit: m}); err != nil {
		m.t.Fatal(err)
	}
	if _, _, err := l.ledger.Recover(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	l.Service = reseller.NewService(line{l}, l.dir, mortal{l.ledger, l}, reseller.Rules{PasswordMin: 8, PasswordMax: 18}, slog.New(slog.DiscardHandler), nil)
	ctx, cancel := context.WithCancel(m.t.Context())
	stopped := make(chan struct{})
	go func() { l.Run(ctx); close(stopped) }()
	l.stop = func() { cancel(); <-stopped; l.dir.Close() }
}

// end stops the process.
func (m *model) end() { m.life.stop() }

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
	if err := g.l.alive(); err != nil {
		return c, err
	}
	c, err := g.Ledger.Open(ctx, c)
	if err == nil {
		g.l.reach(opened, func(m *model) { m.opened = append(m.opened, c.ID) })
	}
	return c, err
}

func (g mortal) Intend(ctx context.Context, c change.Change) (change.Change, error) {
	if err := g.l.alive(); err != nil {
		return c, err
	}
	c, err := g.Ledger.Intend(ctx, c)
	if err == nil {
		g.l.reach(intended, func(m *model) { m.current = c })
	}
	return c, err
}

func (g mortal) Close(ctx context.Context, c change.Change) (change.Change, error) {
	g.l.reach(answered, func(m *model) { m.current = change.Change{} })
	if err := g.l.alive(); err != nil {
		return c, err
	}
	return g.Ledger.Close(ctx, c)
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
