package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/wave"
)

// At whatever moment a server dies under load, and however often.
func TestKill_atRandomMoments(t *testing.T) {
	t.Parallel()
	w := newLoadedWorld(t, dbtest.SQLite)
	s := w.newServer("server")
	s.start()
	load := w.newLoad(s)
	for range 100 {
		load.work()
		died := s.kill()
		s.start()
		if n := w.count("state IN ('running', 'sent') AND created_at < $1", db.Micros(died)); n > 0 {
			t.Errorf("%d changes are under way after the start", n)
		}
	}
	load.end()
	s.kill()
	w.verifyAudit(s)
}

// The same of two servers, of which the other one goes on.
func TestKill_eitherOfTwoAtRandomMoments(t *testing.T) {
	t.Parallel()
	w := newLoadedWorld(t, dbtest.Postgres)
	servers := []*server{w.newServer("one"), w.newServer("two")}
	for _, s := range servers {
		s.start()
	}
	load := w.newLoad(servers...)
	for range 30 {
		load.work()
		s := servers[rand.IntN(len(servers))]
		s.kill()
		s.start()
	}
	load.end()
	for _, s := range servers {
		s.kill()
	}
	w.verifyAudit(servers...)
}

const people = 6

// theirFlags are the flags that the people turn, one each: so each knows what a
// flag of theirs must be.
var theirFlags = [people]wave.Key{"invoice", "open_api", "usage_tag", "usage_group", "dashboard_graph", "usage_account"}

// newLoadedWorld has an account for each change that may be in doubt at a time,
// and Wave takes so long that servers die in the middle of calls.
func newLoadedWorld(t *testing.T, e dbtest.Engine) *world {
	o := worldOptions{engine: e, accounts: 150, latency: 10 * time.Millisecond}
	for i := range people {
		name := fmt.Sprint("person-", i)
		o.people = append(o.people, idp.Person{Key: name, Name: name, Email: name + "@example.co.jp", Groups: []string{idp.EditorGroup}})
	}
	return newWorld(t, o)
}

// load is people at work.
type load struct {
	w        *world
	accounts []wave.Reseller
	stop     context.CancelFunc
	people   []*person
	working  sync.WaitGroup
	forms    atomic.Int64
	answers  atomic.Int64
	calm     func() // ends the trouble of the moment

	mu    sync.Mutex
	later map[wave.UserID]time.Time // accounts that people leave alone until then
}

func (w *world) newLoad(servers ...*server) *load {
	ctx, stop := context.WithCancel(w.t.Context())
	l := &load{w: w, accounts: w.wave.Accounts(), stop: stop, calm: func() {}, later: make(map[wave.UserID]time.Time)}
	for i := range people {
		p := &person{load: l, client: w.newClient(servers[i%len(servers)], fmt.Sprint("person-", i)), flag: theirFlags[i], told: make(map[wave.UserID]bool)}
		l.people = append(l.people, p)
		l.working.Go(func() {
			for ctx.Err() == nil {
				p.act()
			}
		})
	}
	return l
}

// work lets people work for a while, half of the time after one was answered: a
// server that has just started is busy with itself.
func (l *load) work() {
	l.trouble()
	if rand.IntN(2) == 0 {
		before := l.answers.Load()
		soon(startTime, func() bool { return l.answers.Load() > before })
	}
	time.Sleep(30*time.Millisecond + rand.N(370*time.Millisecond))
}

// trouble loses the answer to one of the next calls, without any server dying.
func (l *load) trouble() {
	l.calm()
	when := sandbox.Before
	if rand.IntN(2) == 0 {
		when = sandbox.After
	}
	l.calm = l.w.wave.Fail(sandbox.Fault{Op: kinds[rand.IntN(len(kinds))], Nth: 2, When: when, Reset: true})
}

// end lets everyone come to an end, waits until all doubts are settled that can
// be, and checks everything.
func (l *load) end() {
	w := l.w
	w.t.Helper()
	l.calm()
	l.stop()
	l.working.Wait()
	stopped := time.Now()
	w.until("nothing is under way", closedWithin, func() bool { return w.count("state IN ('running', 'sent')") == 0 })
	w.until("the doubts are settled", settledWithin, func() bool {
		return w.count("state = 'in_doubt' AND (lock_key IS NOT NULL OR sent_at > $1)", db.Micros(time.Now().Add(-time.Minute-5*time.Second))) == 0
	})
	w.t.Logf("settled %v after the last kill", time.Since(stopped).Round(time.Second))
	w.check()
	for _, p := range l.people {
		p.check()
	}

	before, within := w.count("detail LIKE '%the server stopped before it was sent%'"), w.count("detail LIKE '%the server stopped before it was answered%'")
	done := w.count("state = 'done'")
	w.t.Logf("%d changes, %d done; %d servers died before the intent of one and %d after it", len(w.rows()), done, before, within)
	if before < 10 || within < 10 || done < 50 {
		w.t.Error("that is too little to prove anything")
	}
	for _, kind := range kinds {
		if w.count("kind = $1 AND state = 'done'", kind) == 0 {
			w.t.Errorf("no %s was done", kind)
		}
	}
}

// person does one thing after the other, with a flag of their own.
type person struct {
	load    *load
	client  *client
	flag    wave.Key
	told    map[wave.UserID]bool // what the page said that the flag is; absent when it could not say
	created []wave.Reseller      // and not deleted yet
}

// act does one thing, whatever comes of it.
func (p *person) act() {
	account, ok := p.pick()
	if !ok {
		return
	}
	form := newSubmission(p.load.forms.Add(1))
	switch n := rand.IntN(20); {
	case n < 12:
		on := !p.told[account.UserID]
		a, err := p.client.setFlag(account.UserID, p.flag, on)
		switch {
		case err == nil && a.status == http.StatusSeeOther:
			p.told[account.UserID] = on
			p.load.answers.Add(1)
		case err == nil && a.status == http.StatusConflict: // not sent
			p.load.leave(account)
		default:
			delete(p.told, account.UserID)
			p.load.leave(account)
		}
	case n < 15:
		if a, err := form.create(p.client); err == nil && a.status == http.StatusSeeOther {
			id, _ := strings.CutPrefix(a.to, "/resellers/")
			p.created = append(p.created, wave.Reseller{UserID: wave.UserID(id), Email: form.email()})
		}
	case n < 18:
		if _, err := form.replacePassword(p.client, account.UserID); err != nil {
			p.load.leave(account)
		}
	case len(p.created) > 0: // once, whatever comes of it
		_, _ = p.client.remove(p.created[0])
		p.created = p.created[1:]
	}
	soon(startTime, func() bool { _, err := p.client.server.address(); return err == nil })
}

// pick returns an account that is nobody's trouble, as a rule.
func (p *person) pick() (wave.Reseller, bool) {
	account := p.load.accounts[rand.IntN(len(p.load.accounts))]
	p.load.mu.Lock()
	defer p.load.mu.Unlock()
	return account, time.Now().After(p.load.later[account.UserID]) || rand.IntN(50) == 0
}

// leave keeps people from an account until a doubt about it is over.
func (l *load) leave(a wave.Reseller) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.later[a.UserID] = time.Now().Add(65 * time.Second)
}

// check: what the pages said is so at Wave.
func (p *person) check() {
	for id, on := range p.told {
		if a, ok := p.load.w.wave.Get(id); !ok || a.Meta.On(p.flag) != on {
			p.load.w.t.Errorf("%s of %s was said to be %v, and is not", p.flag, id, on)
		}
	}
	for _, made := range p.created {
		if a, ok := p.load.w.wave.Get(made.UserID); !ok || a.Email != made.Email {
			p.load.w.t.Errorf("%s was said to be created as %q, and is not", made.Email, made.UserID)
		}
	}
}
