package audit_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/audit"
	"waveadmin/internal/auth"
	"waveadmin/internal/db/dbtest"
)

func TestRefusals_areRationed(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		at := &clock{time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
		j := newJournal(t, e, func(o *audit.Options) { o.Now = at.now })
		known := auth.WithActor(t.Context(), tanaka)
		for range 500 { // a stranger's flood
			j.SignInRefused(t.Context(), auth.Actor{}, "state")
			j.WriteRefused(t.Context(), "POST", "/resellers/"+strings.Repeat("x", 1000), 401)
		}
		if n := j.count(t, "1 = 1"); n != 60 {
			t.Errorf("%d events of a flood, want 60", n)
		}
		j.WriteRefused(known, "POST", "/resellers", 403)
		if n := j.count(t, `actor_subject = 'u1' AND kind = 'refused' AND details LIKE '%403%'`); n != 1 {
			t.Error("the flood of a stranger hides who is known")
		}
		at.at = at.at.Add(30 * time.Second)
		j.SignInRefused(t.Context(), auth.Actor{}, "state")
		j.SignInRefused(t.Context(), auth.Actor{}, "state")
		if n := j.count(t, `details LIKE '%"unrecorded_before":940%'`); n != 1 || j.count(t, "1 = 1") != 62 {
			t.Error("what was not recorded is not counted")
		}
		j.Anchor(t.Context())
		j.Anchor(t.Context())
		if n := j.count(t, `details = '{"of_strangers":true,"unrecorded_before":1}'`); n != 1 || j.count(t, "1 = 1") != 63 {
			t.Error("what was not recorded last is not told at the end, once")
		}
		if n := j.count(t, "length(details) > 300"); n != 0 {
			t.Error("a long path is kept whole")
		}
		if r := j.verify(t, [][]byte{secret}); !r.OK() {
			t.Error(r.Problems)
		}
	})
}

func TestSignOut_isNotStoppedByABrokenLog(t *testing.T) {
	onEach(t, func(t *testing.T, j *journal) {
		gone, leave := context.WithCancel(t.Context())
		leave()
		j.SignedOut(gone, tanaka) // who left has left all the same
		if n := j.count(t, "kind = 'sign_out'"); n != 1 {
			t.Errorf("%d events", n)
		}
		j.tamper(t, "ALTER TABLE audit_events RENAME TO gone")
		j.SignedOut(t.Context(), tanaka)
		if !strings.Contains(j.out.String(), "audit event lost") {
			t.Errorf("logged %s", j.out)
		}
		err := j.db.Write(t.Context(), func(tx *sql.Tx) error { return j.SignedIn(t.Context(), tx, tanaka) })
		if err == nil {
			t.Error("someone came in without a record")
		}
	})
}
