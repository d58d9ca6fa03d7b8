package audit_test

import (
	"bytes"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/audit"
	"waveadmin/internal/db/dbtest"
)

// columns of the table, beside the number.
var columns = []string{
	"at", "kind", "actor_issuer", "actor_subject", "actor_name", "account", "change_id",
	"request_id", "remote_address", "details", "key_id", "prev_mac", "mac",
}

// tampering is what someone does to a log of 8 events.
type tampering struct {
	name       string
	statements []string
	want       string // what one of the problems must begin with
}

// tamperings are those that both engines understand.
func tamperings() []tampering {
	return []tampering{
		{"a row deleted", []string{"DELETE FROM audit_events WHERE seq = 4"}, "event 5: event 4 before it is missing"},
		{"the first row deleted", []string{"DELETE FROM audit_events WHERE seq = 1"}, "event 2: event 1 before it is missing"},
		{"several rows deleted", []string{"DELETE FROM audit_events WHERE seq IN (3, 4, 5)"}, "event 6: events 3 to 5 before it are missing"},
		{"a row deleted and the numbers closed", []string{
			"DELETE FROM audit_events WHERE seq = 4", "UPDATE audit_events SET seq = seq + 100 WHERE seq > 4",
			"UPDATE audit_events SET seq = seq - 101 WHERE seq > 100",
		}, "event 4: does not follow"},
		{"two rows swapped", []string{
			"UPDATE audit_events SET seq = 99 WHERE seq = 3", "UPDATE audit_events SET seq = 3 WHERE seq = 4", "UPDATE audit_events SET seq = 4 WHERE seq = 99",
		}, "event 3: does not follow"},
		{"a row put between", []string{
			"UPDATE audit_events SET seq = seq + 100 WHERE seq > 3", "UPDATE audit_events SET seq = seq - 99 WHERE seq > 100",
			`INSERT INTO audit_events SELECT 4, at, kind, actor_issuer, actor_subject, 'Someone else', account, change_id, request_id,
				remote_address, details, key_id, mac, '` + strings.Repeat("0", 64) + `' FROM audit_events WHERE seq = 3`,
		}, "event 4: was edited"},
		{"a row put at the end", []string{
			`INSERT INTO audit_events SELECT 9, at, kind, actor_issuer, actor_subject, 'Someone else', account, change_id, request_id,
				remote_address, details, key_id, mac, mac FROM audit_events WHERE seq = 8`,
		}, "event 9: was edited"},
		{"a copy of a row", []string{
			`INSERT INTO audit_events SELECT 9, at, kind, actor_issuer, actor_subject, actor_name, account, change_id, request_id,
				remote_address, details, key_id, prev_mac, mac FROM audit_events WHERE seq = 8`,
		}, "event 9: does not follow"},
		{"text moved to the column beside", []string{
			"UPDATE audit_events SET actor_subject = actor_subject || actor_name, actor_name = '' WHERE seq = 4",
		}, "event 4: was edited"},
		{"the MAC of another row", []string{"UPDATE audit_events SET mac = (SELECT mac FROM audit_events WHERE seq = 5) WHERE seq = 4"}, "event 4: was edited"},
	}
}

// flip changes the first letter of a column of event 4 in the words of an engine.
func flip(e dbtest.Engine, column string) tampering {
	flipped := "char(unicode(substr(" + column + " || 'x', 1, 1)) + 1) || substr(" + column + ", 2)"
	if e.Name == "postgres" {
		flipped = "chr(ascii(substr(" + column + " || 'x', 1, 1)) + 1) || substr(" + column + ", 2)"
	}
	want := "event 4: was edited"
	switch column {
	case "at":
		flipped = "at + 1"
	case "key_id":
		want = "event 4: is signed with the key"
	case "prev_mac":
		want = "event 4: does not follow"
	}
	return tampering{"a byte of " + column + " flipped", []string{"UPDATE audit_events SET " + column + " = " + flipped + " WHERE seq = 4"}, want}
}

func TestVerify_findsWhatWasDoneToTheLog(t *testing.T) {
	onEach(t, func(t *testing.T, j *journal) {
		all := tamperings()
		for _, c := range columns {
			all = append(all, flip(j.engine, c))
		}
		if j.engine.Name == "sqlite" { // whose columns take anything
			all = append(all, tampering{"a number that is none", []string{"UPDATE audit_events SET seq = 'x' WHERE seq = 8"}, `behind event 7: a row that has the number "x"`})
		}
		for _, tt := range all {
			t.Run(tt.name, func(t *testing.T) {
				j.tamper(t, "DELETE FROM audit_events")
				j.fill(t, 8)
				if r := j.verify(t, [][]byte{secret}); !r.OK() || r.Events != 8 || r.Head.Seq != 8 {
					t.Fatalf("before: %+v", r)
				}
				j.tamper(t, tt.statements...)
				var said strings.Builder
				for _, p := range j.verify(t, [][]byte{secret}).Problems {
					said.WriteString("\n" + p.String())
				}
				if !strings.Contains(said.String(), "\n"+tt.want) {
					t.Errorf("said:%s\nwant one that begins %q", &said, tt.want)
				}
			})
		}
	})
}

// TestVerify_aCutTail is found with anchors, and without them it cannot be.
func TestVerify_aCutTail(t *testing.T) {
	onEach(t, func(t *testing.T, j *journal) {
		j.fill(t, 5)
		j.Anchor(t.Context())
		early := j.anchors(t)
		j.fill(t, 3)
		j.Anchor(t.Context())
		all := j.anchors(t)
		if r := j.verify(t, [][]byte{secret}, all...); !r.OK() {
			t.Fatalf("before: %v", r.Problems)
		}
		j.tamper(t, "DELETE FROM audit_events WHERE seq > 6")
		if r := j.verify(t, [][]byte{secret}); !r.OK() {
			t.Errorf("without anchors nobody can know, but: %v", r.Problems)
		}
		if r := j.verify(t, [][]byte{secret}, early...); !r.OK() {
			t.Errorf("with an anchor from before the cut: %v", r.Problems)
		}
		r := j.verify(t, [][]byte{secret}, all...)
		if r.OK() || !strings.Contains(r.Problems[0].What, "there is an anchor of event 8") {
			t.Errorf("with the anchor of the end: %v", r.Problems)
		}

		j.fill(t, 2) // the server goes on from the cut, and grows over it
		if r := j.verify(t, [][]byte{secret}); !r.OK() || r.Events != 8 {
			t.Errorf("the chain itself: %v", r.Problems)
		}
		r = j.verify(t, [][]byte{secret}, all...)
		if r.OK() || r.Problems[0].Seq != 8 || !strings.Contains(r.Problems[0].What, "not the one of its anchor") {
			t.Errorf("after growing over the cut: %v", r.Problems)
		}
	})
}

func TestHolds(t *testing.T) {
	onEach(t, func(t *testing.T, j *journal) {
		check := func(what string, a audit.Anchor, want bool) {
			t.Helper()
			if got, err := audit.Holds(t.Context(), j.db.Read(), a); got != want || err != nil {
				t.Errorf("%s is held: %v, %v, want %v", what, got, err, want)
			}
		}
		head := func() audit.Anchor {
			t.Helper()
			a, err := audit.Head(t.Context(), j.db.Read())
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		none := head()
		check("nothing", none, true)
		j.fill(t, 2)
		last := head()
		if last.Seq != 2 {
			t.Errorf("the last event is %d, want 2", last.Seq)
		}
		j.fill(t, 1)
		check("an event", last, true)
		check("an event that has the MAC of another", audit.Anchor{Seq: 1, MAC: last.MAC}, false)
		j.tamper(t, "DELETE FROM audit_events WHERE seq > 1")
		check("an event that was cut off", last, false)
	})
}

func TestVerify_aNewSecret(t *testing.T) {
	onEach(t, func(t *testing.T, j *journal) {
		j.fill(t, 3)
		j.restart(t, func(o *audit.Options) { o.Secrets = [][]byte{secret, oldSecret} })
		j.fill(t, 3)
		if r := j.verify(t, [][]byte{secret, oldSecret}); !r.OK() || r.Events != 6 {
			t.Errorf("with both: %v", r.Problems)
		}
		for name, tt := range map[string]struct {
			secrets [][]byte
			at      int64
		}{"without the old one": {[][]byte{secret}, 1}, "without the new one": {[][]byte{oldSecret}, 4}} {
			r := j.verify(t, tt.secrets)
			if r.Found != 1 || r.Problems[0].Seq != tt.at || !strings.Contains(r.Problems[0].What, "previous_secrets") {
				t.Errorf("%s: %v, want to be told once, at event %d", name, r.Problems, tt.at)
			}
		}
		j.tamper(t, "UPDATE audit_events SET actor_name = 'x' WHERE seq = 2")
		if r := j.verify(t, [][]byte{secret, oldSecret}); r.OK() {
			t.Error("an edit of a row of the old secret was not found")
		}
	}, func(o *audit.Options) { o.Secrets = [][]byte{oldSecret} })
}

func TestVerify_aLogOfSeveralPages(t *testing.T) {
	onEach(t, func(t *testing.T, j *journal) {
		j.fill(t, 1003)
		if r := j.verify(t, [][]byte{secret}); !r.OK() || r.Events != 1003 {
			t.Errorf("%d events: %v", r.Events, r.Problems)
		}
		var out bytes.Buffer
		if err := audit.WriteJSON(t.Context(), j.db.Read(), &out, time.Time{}, time.Time{}); err != nil || strings.Count(out.String(), "\n") != 1003 {
			t.Errorf("%d lines exported, %v", strings.Count(out.String(), "\n"), err)
		}
		j.tamper(t, "DELETE FROM audit_events WHERE seq = 1001")
		if r := j.verify(t, [][]byte{secret}); r.Found != 1 || r.Problems[0].Seq != 1002 {
			t.Errorf("the first row of the second page deleted: %v", r.Problems)
		}
		if j.engine.Name != "sqlite" {
			return
		}
		j.tamper(t, "UPDATE audit_events SET seq = 'x' || seq") // ends, though no number leads on
		if r := j.verify(t, [][]byte{secret}); r.OK() {
			t.Error("numbers that are none were not found")
		}
	})
}

func TestVerify_listsNoEndOfProblems(t *testing.T) {
	onEach(t, func(t *testing.T, j *journal) {
		j.fill(t, 150)
		j.tamper(t, "UPDATE audit_events SET actor_name = 'x'")
		if r := j.verify(t, [][]byte{secret}); r.Found != 150 || len(r.Problems) != 100 {
			t.Errorf("%d found, %d listed", r.Found, len(r.Problems))
		}
	})
}

func TestTable_isAppendOnly(t *testing.T) {
	everywhere := []string{
		"UPDATE audit_events SET actor_name = 'x' WHERE seq = 2",
		"UPDATE audit_events SET mac = mac",
		"DELETE FROM audit_events WHERE seq = 3",
		"DELETE FROM audit_events",
		"INSERT INTO audit_events SELECT * FROM audit_events WHERE seq = 3 ON CONFLICT (seq) DO UPDATE SET actor_name = 'x'",
	}
	own := map[string][]string{
		"sqlite": {
			"INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events WHERE seq = 3",
			"REPLACE INTO audit_events SELECT * FROM audit_events WHERE seq = 3",
			"UPDATE OR REPLACE audit_events SET seq = 3 WHERE seq = 2",
		},
		"postgres": {"TRUNCATE audit_events", "TRUNCATE audit_events CASCADE"},
	}
	onEach(t, func(t *testing.T, j *journal) {
		j.fill(t, 3)
		exec := func(statement string) error {
			return j.db.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(statement); return err })
		}
		for _, statement := range slices.Concat(everywhere, own[j.engine.Name]) {
			if err := exec(statement); err == nil || !strings.Contains(err.Error(), "audit_events: rows are never ") {
				t.Errorf("%s: %v, want that it is refused", statement, err)
			}
		}
		if err := exec("INSERT INTO audit_events SELECT * FROM audit_events WHERE seq = 3"); err == nil {
			t.Error("the same number twice")
		}
		if r := j.verify(t, [][]byte{secret}); !r.OK() || r.Events != 3 {
			t.Errorf("afterwards: %v", r.Problems)
		}
	})
}

func TestAppend_isUndoneWithItsTransaction(t *testing.T) {
	onEach(t, func(t *testing.T, j *journal) {
		j.fill(t, 2)
		stop := errors.New("stop")
		err := j.db.Write(t.Context(), func(tx *sql.Tx) error {
			if err := j.Append(t.Context(), tx, audit.Event{Kind: audit.Export}); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		j.fill(t, 1)
		if r := j.verify(t, [][]byte{secret}); !r.OK() || r.Events != 3 {
			t.Errorf("%d events: %v", r.Events, r.Problems)
		}
	})
}
