package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
)

var allStates = []string{"queued", "running", "sent", "done", "no_change", "conflict", "failed", "in_doubt", "cancelled"}

// row inserts a change in a state, with what the checks ask of one.
func row(id, state, source string) string {
	lock, sent, finished := "NULL", 0, 1
	switch state {
	case "running", "sent", "in_doubt":
		lock, finished = "'account:"+id+"'", 0
	case "queued":
		finished = 0
	}
	if state == "sent" || state == "in_doubt" || state == "done" && source != "outside" {
		sent = 1
	}
	return fmt.Sprintf(`INSERT INTO changes (id, kind, state, lock_key, account, email, email_before, company, actor_issuer, actor_subject, actor_name,
		actor_email, reason, source, before_meta, after_meta, password_before, input_type, notify, upstream_status, fault, detail, decided_issuer,
		decided_subject, decided_name, decided_reason, lease_owner, lease_until, since_at, created_at, sent_at, finished_at)
		VALUES ('%s', 'meta', '%s', %s, '%s', '', '', '', '', '', '', '', '', '%s', '{}', '{}', 0, '', 0, 0, '', '', '', '', '', '', '', 0, 0, 1, %d, %d)`,
		id, state, lock, id, source, sent, finished)
}

// TestChanges_steps tries every step from every state: the database itself refuses
// those that the ledger never takes, and lets nothing return from a final state.
func TestChanges_steps(t *testing.T) {
	drawn := map[string]string{ // as docs/architecture.md has it, the renewal of a lease and the release of a doubt included
		"queued": "running cancelled", "running": "running sent no_change conflict failed cancelled",
		"sent": "sent done failed in_doubt", "in_doubt": "in_doubt done failed",
	}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := e.New(t)
		for _, from := range allStates {
			for _, to := range allStates {
				id := from + "-" + to
				// Rows come into states by steps alone, so the guard is away while one is made.
				unguarded(t, d, e, row(id, from, "page"))
				lock, finished, sent := "NULL", 1, 1
				if to == "running" || to == "sent" || to == "in_doubt" {
					lock, finished = "'account:"+id+"'", 0
				}
				if to == "queued" {
					finished = 0
				}
				err := exec(t, d, fmt.Sprintf("UPDATE changes SET state = '%s', lock_key = %s, finished_at = %d, sent_at = %d WHERE id = '%s'", to, lock, finished, sent, id))
				want := slices.Contains(strings.Fields(drawn[from]), to)
				if (err == nil) != want {
					t.Errorf("%s → %s: error %v, want it allowed: %v", from, to, err, want)
				}
				if err != nil && !strings.Contains(err.Error(), "changes: ") {
					t.Errorf("%s → %s is refused by something else: %v", from, to, err)
				}
			}
		}
	})
}

func unguarded(t *testing.T, d *db.DB, e dbtest.Engine, insert string) {
	t.Helper()
	if e.Name == "postgres" {
		mustExec(t, d, "ALTER TABLE changes DISABLE TRIGGER changes_step")
		mustExec(t, d, insert)
		mustExec(t, d, "ALTER TABLE changes ENABLE TRIGGER changes_step")
		return
	}
	var guard string
	if err := d.Read().QueryRow("SELECT sql FROM sqlite_master WHERE name = 'changes_first'").Scan(&guard); err != nil {
		t.Fatal(err)
	}
	mustExec(t, d, "DROP TRIGGER changes_first")
	mustExec(t, d, insert)
	mustExec(t, d, guard)
}

func TestChanges_first(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := e.New(t)
		for _, source := range []string{"page", "outside"} {
			for _, state := range allStates {
				err := exec(t, d, row(source+state, state, source))
				want := state == "queued" || state == "running"
				if source == "outside" {
					want = state == "done"
				}
				if (err == nil) != want {
					t.Errorf("a change from %s that starts as %s: error %v, want it allowed: %v", source, state, err, want)
				}
			}
		}
	})
}

// TestMigrate_keepsTheLedger: a ledger of before has all its rows afterwards, and
// is found by flags.
func TestMigrate_keepsTheLedger(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := dbtest.Open(t, e.Empty(t))
		if err := d.MigrateTo(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		old := `INSERT INTO changes (id, kind, state, lock_key, account, email, company, actor_issuer, actor_subject, actor_name, actor_email, reason, source,
			undo_of, wanted, before_meta, after_meta, password_before, input_type, notify, upstream_status, fault, detail, lease_owner, lease_until, created_at, sent_at, finished_at)
			VALUES ('%s', 'meta', '%s', %s, 'u-1', 'a@b.c', 'c1', 'i', 's', 'n', 'e', '依頼', 'page', %s, '{"invoice":true,"open_api":false}', '{}', '{}', 0, '', 0, 200, '', '', '', 0, 1, 2, %d)`
		mustExec(t, d, fmt.Sprintf(old, "a", "done", "NULL", "NULL", 3))
		mustExec(t, d, fmt.Sprintf(old, "b", "done", "NULL", "'a'", 3))
		mustExec(t, d, fmt.Sprintf(old, "c", "in_doubt", "'account:u-1'", "NULL", 0))
		if err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := number(t, d, "SELECT count(*) FROM changes WHERE reason = '依頼' AND sent_at = 2 AND upstream_status = 200"); n != 3 {
			t.Errorf("%d of 3 rows are left", n)
		}
		if n := number(t, d, "SELECT count(*) FROM changes c JOIN changes u ON u.id = c.undo_of"); n != 1 {
			t.Error("the undo lost what it took back")
		}
		if n := number(t, d, "SELECT count(*) FROM change_flags WHERE flag = 'open_api'"); n != 3 {
			t.Errorf("%d of 3 are found by a flag", n)
		}
		if err := exec(t, d, row("x", "running", "page")); err != nil {
			t.Error(err)
		}
		if err := exec(t, d, strings.Replace(row("u-1", "running", "page"), "('u-1'", "('y'", 1)); !db.IsUnique(err) {
			t.Errorf("a second lock of one account: %v, want it refused", err)
		}
		if err := exec(t, d, "UPDATE changes SET undo_of = 'nowhere' WHERE id = 'c'"); err == nil {
			t.Error("an undo of nothing is taken")
		}
	})
}
