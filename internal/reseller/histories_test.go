package reseller_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// A step is something that happens, with all that goes wrong at it.
type step struct {
	What    string
	Account wave.UserID
	Who     auth.Actor
	Keys    []wave.Key
	On      bool
	Stale   bool   // the form showed the account as it was in the beginning
	Email   string // of a creation
	Again   bool   // the submission of the last form once more
	Wrong   bool   // what confirms a deletion is not the email
	Answers []reply
	Dies    moment
	Away    []bool // lists that cannot be had, from the next one on
	Pause   time.Duration

	// What an item of a run does to the account at the same time, if anything: it begins
	// by so much before the person, on the same server or elsewhere, and has to wait once
	// it has its list.
	Run       change.Kind
	RunKeys   []wave.Key
	Ahead     time.Duration
	Elsewhere bool
	Queues    time.Duration
}

// reply is what becomes of a call.
type reply string

const (
	applied    reply = "applied"
	lostAfter  reply = "applied, and the answer is lost"
	lostBefore reply = "lost before it was applied"
	late       reply = "lost, and applied 20 seconds later"
	refused    reply = "refused"
	tooBusy    reply = "busy"
)

// moment is when the process dies.
type moment string

const (
	lives    moment = ""
	opened   moment = "once the change is open"
	intended moment = "once it is intended"
	sent     moment = "during the call"
	answered moment = "before the outcome is recorded"
)

// accounts that there are in the beginning.
var accounts = []wave.UserID{"u1", "u2"}

// steps draws a history.
func steps() *rapid.Generator[[]step] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			What:    rapid.SampledFrom([]string{"meta", "meta", "meta", "undo", "undo", "create", "password", "delete", "outside flag", "outside password", "outside delete", "outside create", "leave", "return"}).Draw(t, "what"),
			Account: rapid.SampledFrom([]wave.UserID{"u1", "u1", "u1", "u2", "new-1", "new-1", "new-2"}).Draw(t, "account"),
			Who:     rapid.SampledFrom([]auth.Actor{tanaka, suzuki}).Draw(t, "who"),
			Keys:    rapid.SliceOfNDistinct(rapid.SampledFrom([]wave.Key{"usage_tag", "usage_group", "invoice", "new_in_2027"}), 1, 3, rapid.ID).Draw(t, "keys"),
			On:      rapid.Bool().Draw(t, "on"),
			Stale:   rapid.Bool().Draw(t, "stale"),
			Email:   rapid.SampledFrom([]string{"new@example.com", "New@Example.com", "other@example.com"}).Draw(t, "email"),
			Again:   rapid.IntRange(0, 3).Draw(t, "again") == 3,
			Wrong:   rapid.IntRange(0, 7).Draw(t, "wrong") == 7,
			Answers: rapid.SliceOfN(rapid.SampledFrom([]reply{applied, applied, lostAfter, lostBefore, late, refused, tooBusy}), 0, 3).Draw(t, "answers"),
			Dies:    rapid.SampledFrom([]moment{lives, lives, lives, lives, opened, intended, sent, answered}).Draw(t, "dies"),
			Away:    rapid.SliceOfN(rapid.SampledFrom([]bool{false, false, false, true}), 0, 6).Draw(t, "away"),
			Pause:   rapid.SampledFrom([]time.Duration{0, 0, 0, time.Second, 10 * time.Second, 70 * time.Second}).Draw(t, "pause"),

			Run:       rapid.SampledFrom([]change.Kind{"", "", "", change.Meta, change.Meta, change.Meta, change.Password, change.Delete}).Draw(t, "run"),
			RunKeys:   rapid.SliceOfNDistinct(rapid.SampledFrom([]wave.Key{"open_api", "aqua_link"}), 1, 2, rapid.ID).Draw(t, "run's keys"),
			Ahead:     rapid.SampledFrom([]time.Duration{0, 15 * time.Millisecond, time.Second, 2500 * time.Millisecond, 2505 * time.Millisecond, 2515 * time.Millisecond, 5 * time.Second}).Draw(t, "ahead"),
			Elsewhere: rapid.Bool().Draw(t, "elsewhere"),
			Queues:    rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond, 2 * time.Second}).Draw(t, "queues"),
		}
	}), 5, 12)
}

// Whatever goes wrong, in whatever order: what was told is true, what is in doubt
// is settled to the truth or left to a person, and no flag is lost.
func TestService_historiesAreTrue(t *testing.T) { checkHistories(t, steps()) }

func checkHistories(t *testing.T, histories *rapid.Generator[[]step]) {
	rapid.Check(t, func(rt *rapid.T) {
		history := histories.Draw(rt, "history")
		var problems []string
		synctest.Test(t, func(t *testing.T) {
			problems = play(t, history)
		})
		for _, p := range problems {
			rt.Error(p)
		}
	})
}

// play lets history happen, and returns what is not as it should be.
func play(t *testing.T, history []step) []string {
	m := newModel(t)
	m.begin()
	for i, s := range history {
		time.Sleep(s.Pause)
		m.prepare(fmt.Sprintf("step %d, %s", i+1, s.What), s)
		m.do(s)
	}
	m.prepare("in the end", step{What: "return"})
	time.Sleep(25 * time.Second)                              // what is late arrives
	for pauses := 0; pauses < 13 && m.unsettled(); pauses++ { // two minutes is the longest between readings
		time.Sleep(10 * time.Second)
	}
	m.checkEnd()
	m.end()
	return m.problems
}

// prepare is the start of a step: what was left of the one before is over.
func (m *model) prepare(now string, s step) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now, m.life.step = now, s
	clear(m.opened)
	switch s.What {
	case "leave":
		m.gone = true
	case "return":
		m.gone = false
	}
}

// do does one step on the service of the moment.
func (m *model) do(s step) {
	m.meanwhile(s, func() { m.ask(s) })
	if m.life.alive() != nil {
		m.begin() // nobody was told anything
	}
}

// ask does what the person of a step wants.
func (m *model) ask(s step) {
	var id string
	var state change.State
	var err error
	switch s.What {
	case "meta":
		id, state, err = m.changeMeta(s)
	case "undo":
		id, state, err = m.undo(s)
	case "create":
		c, _, e := m.life.Create(m.t.Context(), reseller.Creation{
			Actor: s.Who, SubmitID: m.submitID(s),
			NewReseller: wave.NewReseller{Email: s.Email, CompanyID: "c-new", Input: wave.Auto, Meta: wave.Defaults()},
		})
		id, state, err = c.ID, c.State, e
	case "password":
		c, e := m.life.ReplacePassword(m.t.Context(), reseller.PasswordChange{
			Actor: s.Who, UserID: s.Account, SubmitID: m.submitID(s), NewPassword: wave.NewPassword{Input: wave.Auto},
		})
		id, state, err = c.ID, c.State, e
	case "delete":
		email := string(s.Account) + "@example.com"
		if a, ok := m.wave.get(s.Account); ok {
			email = a.Email
		}
		if s.Wrong {
			email = "x" + email
		}
		c, e := m.life.Delete(m.t.Context(), reseller.Deletion{Actor: s.Who, UserID: s.Account, Confirm: email})
		id, state, err = c.ID, c.State, e
	default:
		m.outside(s)
		return
	}
	m.checkTold(false, id, state, err)
}

func (m *model) changeMeta(s step) (string, change.State, error) {
	c := reseller.MetaChange{Actor: s.Who, UserID: s.Account, Want: wave.Wanted{}}
	for _, key := range s.Keys {
		c.Want[key] = s.On
	}
	if s.Stale {
		c.Seen = wave.SeenIn(account(s.Account).Meta)
	}
	r, err := m.life.ChangeMeta(m.t.Context(), c)
	if a, _ := m.wave.get(s.Account); err == nil && len(wave.Merge(nil, c.Want, a.Meta).Apply) > 0 {
		m.mu.Lock()
		m.problem("it was said to be done, and Wave shows %v", wave.Merge(nil, c.Want, a.Meta).Apply)
		m.mu.Unlock()
	}
	return r.Change.ID, r.Change.State, err
}

// undo takes back the newest meta change of the account.
func (m *model) undo(s step) (string, change.State, error) {
	for _, c := range m.history(s.Account) {
		if c.Kind == change.Meta && c.State == change.Done {
			r, err := m.life.UndoMeta(m.t.Context(), reseller.Undo{Actor: s.Who, UserID: s.Account, ChangeID: c.ID})
			return r.Change.ID, r.Change.State, err
		}
	}
	return "", "", nil
}

func (m *model) submitID(s step) string {
	if !s.Again {
		m.forms++
	}
	return fmt.Sprintf("submission-%d-%s", m.forms, s.What)
}

// outside does what happens without this program.
func (m *model) outside(s step) {
	m.muddy(s)
	a, there := m.wave.get(s.Account)
	switch s.What {
	case "outside flag":
		if there {
			m.wave.set(s.Account, s.On, s.Keys...)
		}
	case "outside password":
		if there {
			_ = m.wave.ReplacePassword(m.t.Context(), a.UserID, wave.NewPassword{Input: wave.Auto}) // it is there
		}
	case "outside delete":
		if there {
			_ = m.wave.Delete(m.t.Context(), a.UserID) // likewise
		}
	case "outside create":
		_ = m.wave.Create(m.t.Context(), wave.NewReseller{Email: s.Email, CompanyID: "c-new", Input: wave.Auto, Meta: wave.Defaults()}) // unless there is one
	}
}
