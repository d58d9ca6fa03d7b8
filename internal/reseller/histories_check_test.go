package reseller_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// A line is the Wave API as the service of a process sees it.
type line struct{ *life }

var _ reseller.API = line{}

func (l line) List(ctx context.Context) ([]wave.Reseller, error) {
	l.takeTime()
	l.m.mu.Lock()
	off := l.m.gone || l.dead
	if len(l.step.Away) > 0 {
		off = off || l.step.Away[0]
		l.step.Away = l.step.Away[1:]
	}
	l.m.mu.Unlock()
	if off {
		return nil, away
	}
	return l.m.wave.List(ctx)
}

func (l line) ListBillingGroups(ctx context.Context) ([]wave.BillingGroup, error) {
	return l.m.wave.ListBillingGroups(ctx)
}

func (l line) Create(ctx context.Context, n wave.NewReseller) error {
	return l.write(ctx, change.Create, held(change.Create, "", n.Email), func(ctx context.Context, _ change.Change, _ reply) error { return l.m.wave.Create(ctx, n) })
}

func (l line) ReplacePassword(ctx context.Context, id wave.UserID, p wave.NewPassword) error {
	return l.write(ctx, change.Password, string(id), func(ctx context.Context, _ change.Change, _ reply) error { return l.m.wave.ReplacePassword(ctx, id, p) })
}

func (l line) Delete(ctx context.Context, id wave.UserID) error {
	return l.write(ctx, change.Delete, string(id), func(ctx context.Context, _ change.Change, _ reply) error { return l.m.wave.Delete(ctx, id) })
}

// ReplaceMeta sees that no flag changes but those that the person wanted. One
// that arrives late may take back what was done outside meanwhile: Wave has no
// conditional writes.
func (l line) ReplaceMeta(ctx context.Context, id wave.UserID, meta wave.Meta) error {
	return l.write(ctx, change.Meta, string(id), func(ctx context.Context, c change.Change, how reply) error {
		before, _ := l.m.wave.get(id)
		err := l.m.wave.ReplaceMeta(ctx, id, meta)
		l.m.mu.Lock()
		defer l.m.mu.Unlock()
		for _, moved := range wave.Diff(before.Meta, meta) {
			on, wanted := c.Wanted[moved.Key]
			if err == nil && !(wanted && moved.To == wave.StateOf(on)) && !(how == late && slices.Contains(l.m.touched[id], moved.Key)) {
				l.m.problem("%s of %s was lost", moved.Key, id)
			}
		}
		return err
	})
}

// takeTime lets a call take a moment in which others can do something.
func (l *life) takeTime() {
	l.m.mu.Lock()
	beside := l.step.Run != ""
	l.m.mu.Unlock()
	if beside {
		time.Sleep(7 * time.Millisecond)
	}
}

// queue is what an item of a run waits between its list and its lock.
func (l *life) queue() {
	l.m.mu.Lock()
	queues := l.step.Queues
	l.m.mu.Unlock()
	time.Sleep(queues)
}

// write does one call, of a change that holds something, as the step says.
func (l *life) write(ctx context.Context, kind change.Kind, holds string, apply func(context.Context, change.Change, reply) error) error {
	l.takeTime()
	m := l.m
	m.mu.Lock()
	c, how := m.current[holds], applied
	if len(l.step.Answers) > 0 {
		how, l.step.Answers = l.step.Answers[0], l.step.Answers[1:]
	}
	if l.dead {
		m.mu.Unlock()
		return away
	}
	l.dead = l.step.Dies == sent
	once := kind == change.Create || kind == change.Password
	if how == late && !once && !l.dead {
		how = lostBefore // what is sent again while a person waits must not be on its way
	}
	m.calls[c.ID]++
	if c.ID == "" || c.Kind != kind {
		m.problem("a %s without an intent", kind)
	}
	if once && m.calls[c.ID] > 1 {
		m.problem("the %s of %s was sent again", kind, c.Email)
	}
	m.mu.Unlock()

	do := func(ctx context.Context) error {
		err := apply(ctx, c, how)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.applied[c.ID] = m.applied[c.ID] || err == nil
		return err
	}
	switch how {
	case refused:
		return rejected
	case tooBusy:
		return busy
	case lostBefore:
		return lost
	case late:
		time.AfterFunc(20*time.Second, func() { _ = do(m.t.Context()) })
		return lost
	case lostAfter:
		_ = do(ctx)
		return lost
	}
	return do(ctx)
}

// muddy notes whose doubt cannot be settled any more because of what happens
// outside now.
func (m *model) muddy(s step) {
	at, _ := m.wave.get(s.Account)
	if s.What == "outside create" {
		at = wave.Reseller{Email: s.Email}
	}
	doubts, err := m.life.ledger.InDoubt(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range doubts {
		if c.Account == at.UserID && c.Account != "" || c.Kind == change.Create && strings.EqualFold(c.Email, at.Email) {
			m.muddied[c.ID] = true
		}
	}
	if s.What == "outside flag" {
		m.touched[s.Account] = append(m.touched[s.Account], s.Keys...)
	}
}

// checkTold: what was said to be done is, what was said to be in doubt is recorded
// so, unless someone else has read meanwhile what became of it, and what was said to
// have failed did nothing. Whoever has died was told nothing.
func (m *model) checkTold(run bool, id string, state change.State, err error) {
	m.mu.Lock()
	opened, dead := m.opened[run], m.life.dead
	m.mu.Unlock()
	if dead {
		return
	}
	var changes []change.Change
	for _, id := range opened {
		changes = append(changes, m.get(id))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	settled := m.life.step.Run != ""
	if err == nil && (state == change.Done) != m.applied[id] {
		m.problem("it was said to be %s, applied: %v", state, m.applied[id])
	}
	doubt := fault.Is(err, fault.Uncertain)
	for _, c := range changes {
		switch {
		case doubt && settled && !c.State.Open(): // by another one, which waited for it
		case c.State.Open() || doubt != (c.State == change.InDoubt):
			m.problem("it is recorded as %s, and was said to be so: %v", c.State, err)
		case err != nil && !doubt && (c.State == change.Done || m.applied[c.ID]):
			m.problem("it was said to have failed (%v); it is recorded as %s, applied: %v", err, c.State, m.applied[c.ID])
		}
	}
}

// checkEnd: everything is settled, to the truth; nothing is locked; and the
// histories tell of each write that Wave did, once.
func (m *model) checkEnd() {
	all := m.everyChange()
	told := make(map[string]int)
	accounts := make(map[wave.UserID]bool)
	for _, c := range all {
		accounts[c.Account] = true
	}
	for id := range accounts {
		for _, c := range m.history(id) {
			if c.State == change.Done {
				told[c.ID]++
			}
		}
	}
	m.mu.Lock()
	for _, c := range all {
		done := m.applied[c.ID]
		switch {
		case c.State != m.states[c.ID] || c.State.Open() || c.Holds:
			m.problem("the %s of %s is %s, and was %s; holds %v", c.Kind, c.Email, c.State, m.states[c.ID], c.Holds)
		case m.muddied[c.ID]:
		case c.State == change.InDoubt && c.Kind != change.Password:
			m.problem("the %s of %s is left to a person: %s", c.Kind, c.Email, c.Detail)
		case c.State != change.InDoubt && (c.State == change.Done) != done:
			m.problem("the %s of %s is %s (%s), applied: %v", c.Kind, c.Email, c.State, c.Detail, done)
		case c.State == change.Done && told[c.ID] != 1:
			m.problem("the %s of %s is told of %d times", c.Kind, c.Email, told[c.ID])
		}
	}
	m.mu.Unlock()
	if _, err := m.life.dir.Refresh(m.t.Context()); err != nil { // some were created outside
		m.t.Fatal(err)
	}
	list, err := m.wave.List(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	for _, a := range list {
		r, err := m.life.ChangeMeta(m.t.Context(), set(suzuki, a.UserID, !a.Meta.On("budgetalerts"), "budgetalerts"))
		if err != nil || r.Change.State != change.Done {
			m.mu.Lock()
			m.problem("%s cannot be changed: %s (%v)", a.UserID, r.Change.State, err)
			m.mu.Unlock()
		}
	}
}

// unsettled reports whether a reading may still tell what became of a change.
func (m *model) unsettled() bool {
	doubts, err := m.life.ledger.InDoubt(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	return slices.ContainsFunc(doubts, func(c change.Change) bool { return c.Holds })
}

// everyChange returns the changes through the program.
func (m *model) everyChange() (all []change.Change) {
	m.mu.Lock()
	ids := slices.Sorted(maps.Keys(m.states))
	m.mu.Unlock()
	for _, id := range ids {
		all = append(all, m.get(id))
	}
	return all
}

func (m *model) history(id wave.UserID) []change.Change {
	list, err := m.life.ledger.ListByAccount(m.t.Context(), id, 1000)
	if err != nil {
		m.t.Fatal(err)
	}
	return list
}

func (m *model) get(id string) change.Change {
	c, err := m.life.ledger.Get(m.t.Context(), id)
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}
