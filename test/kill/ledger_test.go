package kill

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

// row is a change as the database has it.
type row struct {
	id, kind, state        string
	account                wave.UserID
	email, submitID        string
	holds                  bool
	before, after          *wave.Meta
	created, sent, settled time.Time // zero for never
	detail                 string
}

// rows returns the changes through the program, oldest first.
func (w *world) rows() []row {
	w.t.Helper()
	found, err := w.read.QueryContext(w.t.Context(), `SELECT id, kind, state, account, email, COALESCE(submit_id, ''), lock_key IS NOT NULL,
		COALESCE(before_meta, ''), COALESCE(after_meta, ''), created_at, sent_at, finished_at, detail FROM changes WHERE source <> 'outside' ORDER BY id`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer found.Close()
	var rows []row
	for found.Next() {
		var r row
		var before, after string
		var created, sent, settled int64
		if err := found.Scan(&r.id, &r.kind, &r.state, &r.account, &r.email, &r.submitID, &r.holds, &before, &after, &created, &sent, &settled, &r.detail); err != nil {
			w.t.Fatal(err)
		}
		r.before, r.after = w.meta(before), w.meta(after)
		r.created, r.sent, r.settled = db.Time(created), db.Time(sent), db.Time(settled)
		rows = append(rows, r)
	}
	if err := found.Err(); err != nil {
		w.t.Fatal(err)
	}
	return rows
}

func (w *world) meta(text string) *wave.Meta {
	w.t.Helper()
	if text == "" {
		return nil
	}
	m := new(wave.Meta)
	if err := m.UnmarshalJSON([]byte(text)); err != nil {
		w.t.Fatal(err)
	}
	return m
}

// count returns how many changes a condition selects.
func (w *world) count(where string, args ...any) int {
	w.t.Helper()
	n := 0
	if err := w.read.QueryRowContext(w.t.Context(), "SELECT count(*) FROM changes WHERE "+where, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// final are the states that a change ends in.
var final = []string{"done", "no_change", "conflict", "failed", "cancelled"}

// checkRows: every change is in one state, and its other columns agree.
func (w *world) checkRows(rows []row) {
	w.t.Helper()
	for _, r := range rows {
		ends := slices.Contains(final, r.state)
		switch {
		case !ends && r.state != "in_doubt":
			w.t.Errorf("%s of %s%s is still %s", r.kind, r.account, r.email, r.state)
		case ends == r.settled.IsZero():
			w.t.Errorf("%s is %s and ended at %v", r.id, r.state, r.settled)
		case r.holds:
			w.t.Errorf("%s of %s%s is %s and keeps the account", r.kind, r.account, r.email, r.state)
		case r.state == "in_doubt" && r.kind != "password":
			w.t.Errorf("%s of %s%s is left to a person, though a list tells: %s", r.kind, r.account, r.email, r.detail)
		case r.sent.IsZero() && (r.state == "done" || r.state == "in_doubt"):
			w.t.Errorf("%s is %s and was never sent", r.id, r.state)
		}
	}
}

// mark is what tells calls apart, of a body that Wave got.
type mark struct{ Email, Password string }

func readMark(body []byte) (m mark) {
	_ = json.Unmarshal(body, &m) // what is no JSON has no mark, and is found by that
	return m
}

// calls returns how often Wave got each change, by its id. A call belongs to the
// newest intent that it may belong to.
func (w *world) calls(rows []row) map[string]int {
	w.t.Helper()
	sent := make(map[string]int)
	for _, e := range w.wave.Journal() {
		var mine func(row) bool
		switch mark := readMark(e.Body); e.Op {
		case sandbox.OpMeta, sandbox.OpDelete:
			mine = func(r row) bool { return string(r.account) == e.UserID }
		case sandbox.OpPassword:
			mine = func(r row) bool { return r.submitID == mark.Password && string(r.account) == e.UserID }
		case sandbox.OpCreate:
			mine = func(r row) bool { return r.email == mark.Email }
		default:
			continue
		}
		of := ""
		for _, r := range rows {
			if r.kind == e.Op && mine(r) && !r.sent.IsZero() && !r.sent.After(e.At) {
				of = r.id
			}
		}
		if of == "" {
			w.t.Errorf("Wave got a %s of %q at %v, before which nothing was intended", e.Op, e.UserID, e.At)
			continue
		}
		sent[of]++
	}
	return sent
}

// checkCalls: what must not be done twice was sent once an intent at most.
func (w *world) checkCalls(rows []row) {
	w.t.Helper()
	calls := w.calls(rows)
	for _, r := range rows {
		most := 3 // and after a reading only
		if r.kind == "create" || r.kind == "password" {
			most = 1
		}
		if calls[r.id] > most {
			w.t.Errorf("the %s of %s%s was sent %d times", r.kind, r.account, r.email, calls[r.id])
		}
		if r.state == "done" && calls[r.id] == 0 {
			w.t.Errorf("the %s of %s%s is done, and was never sent", r.kind, r.account, r.email)
		}
	}
}

// checkTruth: what is recorded as done is at Wave, and what failed is not. Only
// flags that rows moved may differ from the beginning, and the last one counts.
func (w *world) checkTruth(rows []row) {
	w.t.Helper()
	meta := make(map[wave.UserID]wave.Meta)
	there := make(map[wave.UserID]bool)
	for id, a := range w.before {
		meta[id], there[id] = a.Meta, true
	}
	set := make(map[wave.UserID][]string)
	var doubtful []string // passwords of which nobody knows
	for _, r := range slices.SortedFunc(slices.Values(rows), func(a, b row) int { return cmp.Or(a.sent.Compare(b.sent), strings.Compare(a.id, b.id)) }) {
		switch {
		case r.kind == "password" && r.state == "in_doubt":
			doubtful = append(doubtful, r.submitID)
		case r.state != "done":
		case r.kind == "meta":
			for _, m := range wave.Diff(*r.before, *r.after) {
				meta[r.account] = meta[r.account].With(m.Key, m.To == wave.On)
			}
		case r.kind == "create":
			meta[r.account], there[r.account] = *r.after, true
		case r.kind == "delete":
			delete(there, r.account)
		case r.kind == "password":
			set[r.account] = append(set[r.account], r.submitID)
		}
	}
	for _, a := range w.wave.Accounts() {
		if !there[a.UserID] {
			w.t.Errorf("Wave has %s, and nothing says that it was created, or it was deleted", a.Email)
			continue
		}
		delete(there, a.UserID)
		if moved := wave.Diff(meta[a.UserID], a.Meta); len(moved) > 0 {
			w.t.Errorf("of %s Wave has another state than is recorded: %v", a.UserID, moved)
		}
		var got []string
		for _, p := range w.wave.Passwords(a.UserID) {
			if !slices.Contains(doubtful, p.Password) {
				got = append(got, p.Password)
			}
		}
		if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(set[a.UserID]))) {
			w.t.Errorf("of %s Wave got the passwords %v, recorded are %v", a.UserID, got, set[a.UserID])
		}
	}
	for id := range there {
		w.t.Errorf("Wave does not have %s, and nothing says that it was deleted", id)
	}
}

// check is all that must be true once nothing is under way any more.
func (w *world) check() {
	w.t.Helper()
	rows := w.rows()
	w.checkRows(rows)
	w.checkCalls(rows)
	w.checkTruth(rows)
}
