package reseller

import (
	"math"
	"strings"
	"time"

	"waveadmin/internal/wave"
)

// entry is an account, packed: times as microseconds, texts shared where they
// are parts of each other.
type entry struct {
	id         wave.UserID
	email      string
	text       string // what search looks in: folded fields, the email first, on a line each
	group      *group
	meta       wave.Meta
	updated    int64
	password   int64
	registered int64
	flaw       wave.Flaw
	unusual    bool
}

// group is a billing group with its name as it is ordered.
type group struct {
	wave.BillingGroup
	key string
}

// noTime stands for a time that the API did not give.
const noTime = math.MinInt64

// builder makes entries and shares what they have in common.
type builder struct {
	fold   func(string) string
	old    *Snapshot
	groups map[wave.BillingGroup]*group
}

func (b *builder) entry(r wave.Reseller) entry {
	e := entry{
		id: r.UserID, email: r.Email, meta: r.Meta, flaw: r.Flaw,
		updated: micros(r.Updated), password: micros(r.PasswordUpdated), registered: micros(r.Registered),
		unusual: r.Flaw != wave.NoFlaw || r.Meta.HasOdd() || len(r.Meta.Unknown()) > 0,
	}
	if before := b.before(r); before != nil {
		e.id, e.email, e.text = before.id, before.email, before.text
		e.group = b.group(r.BillingGroup, before.group)
		return e
	}
	e.group = b.group(r.BillingGroup, nil)
	email, id := b.fold(r.Email), b.fold(string(r.UserID))
	g := e.group
	e.text = strings.Join([]string{email, id, g.key, b.fold(g.ID), b.fold(g.CompanyID)}, "\n")
	if email == r.Email { // nearly always: keep one copy of the letters
		e.email = e.text[:len(email)]
	}
	if id == string(r.UserID) {
		e.id = wave.UserID(e.text[len(email)+1:][:len(id)])
	}
	return e
}

// before returns the entry of r in the old snapshot if its texts are the same.
func (b *builder) before(r wave.Reseller) *entry {
	if b.old == nil || r.Flaw != wave.NoFlaw {
		return nil
	}
	slot, ok := b.old.find(r.UserID)
	if !ok {
		return nil
	}
	e := b.old.at(slot)
	if e.email != r.Email || e.group.BillingGroup != r.BillingGroup {
		return nil
	}
	return e
}

// group returns the one copy of g, which is known if it was there before.
func (b *builder) group(g wave.BillingGroup, known *group) *group {
	if have, ok := b.groups[g]; ok {
		return have
	}
	if known == nil {
		known = &group{g, b.fold(g.Name)}
	}
	b.groups[g] = known
	return known
}

// reseller unpacks e.
func (e *entry) reseller() wave.Reseller {
	return wave.Reseller{
		UserID: e.id, Email: e.email, BillingGroup: e.group.BillingGroup, Meta: e.meta, Flaw: e.flaw,
		Updated: fromMicros(e.updated), PasswordUpdated: fromMicros(e.password), Registered: fromMicros(e.registered),
	}
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == noTime {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
