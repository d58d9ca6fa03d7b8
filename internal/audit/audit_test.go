package audit_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"waveadmin/internal/audit"
	"waveadmin/internal/auth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ auth.Auditor = (*audit.Log)(nil)

func TestWriteJSON_tellsEverything(t *testing.T) {
	at := &clock{time.Date(2026, 11, 22, 1, 2, 3, 4000, time.UTC)}
	j := newJournal(t, func(o *audit.Options) {
		o.Now = at.now
		o.Origin = func(context.Context) (string, string) { return "req-1", "192.0.2.7" }
	})
	err := j.Record(t.Context(), audit.Event{
		Kind: audit.ChangeKind("sent"), Actor: auth.Actor{Issuer: "i", Subject: "s", Name: "a\x00b\xff"},
		Account: "u-1", Change: "c-1", Details: map[string]string{"reason": "<依頼>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	at.at = at.at.Add(24 * time.Hour)
	j.fill(t, 1)

	read := func(from, to time.Time) []map[string]any {
		t.Helper()
		var out bytes.Buffer
		if err := audit.WriteJSON(t.Context(), j.db.Read(), &out, from, to); err != nil {
			t.Fatal(err)
		}
		var all []map[string]any
		for line := range strings.Lines(out.String()) {
			var e map[string]any
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			all = append(all, e)
		}
		return all
	}
	all := read(time.Time{}, time.Time{})
	if len(all) != 2 {
		t.Fatalf("%d events", len(all))
	}
	first := all[0]
	if all[1]["prev_mac"] != first["mac"] {
		t.Error("the chain is not in the export")
	}
	delete(first, "mac")
	delete(first, "key_id")
	want := map[string]any{
		"seq": 1.0, "at": "2026-11-22T01:02:03.000004Z", "kind": "change_sent",
		"actor_issuer": "i", "actor_subject": "s", "actor_name": "ab\uFFFD", "account": "u-1", "change_id": "c-1",
		"request_id": "req-1", "remote_address": "192.0.2.7", "details": map[string]any{"reason": "<依頼>"}, "prev_mac": "",
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for name, tt := range map[string]struct {
		from, to time.Time
		want     int
	}{
		"from the second":   {at.at, time.Time{}, 1},
		"before the second": {time.Time{}, at.at, 1},
		"between":           {at.at.Add(-time.Hour), at.at, 0},
	} {
		if got := read(tt.from, tt.to); len(got) != tt.want {
			t.Errorf("%s: %d events, want %d", name, len(got), tt.want)
		}
	}

	j.tamper(t, "UPDATE audit_events SET details = 'no JSON' WHERE seq = 1")
	if got := read(time.Time{}, time.Time{}); got[0]["details"] != "no JSON" {
		t.Errorf("details that someone broke: %v", got[0]["details"])
	}
}

func TestAppend_manyAtOnce(t *testing.T) {
	j := newJournal(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 20 {
				if err := j.Record(t.Context(), audit.Event{Kind: audit.Export, Change: fmt.Sprint(i, "/", k)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() { // verified meanwhile, the log is whole at every moment
		for range 10 {
			if r := j.verify(t, [][]byte{secret}); !r.OK() {
				t.Error(r.Problems)
			}
		}
	})
	wg.Wait()
	if r := j.verify(t, [][]byte{secret}); !r.OK() || r.Events != 160 {
		t.Errorf("%d events: %v", r.Events, r.Problems)
	}
}

func TestAppend_detailsThatAreNone(t *testing.T) {
	j := newJournal(t)
	if err := j.Record(t.Context(), audit.Event{Kind: audit.Export, Details: func() {}}); err == nil {
		t.Error("recorded")
	}
	if n := j.count(t, "1 = 1"); n != 0 {
		t.Errorf("%d events", n)
	}
}

func TestRefusals_areRationed(t *testing.T) {
	at := &clock{time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
	j := newJournal(t, func(o *audit.Options) { o.Now = at.now })
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
}

func TestSignOut_isNotStoppedByABrokenLog(t *testing.T) {
	j := newJournal(t)
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
}

func TestRun_anchors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); j.Run(ctx) }()
		check := func(when string, want ...int64) {
			t.Helper()
			synctest.Wait()
			var got []int64
			if strings.Contains(j.out.String(), "audit anchor") {
				for _, a := range j.anchors(t) {
					got = append(got, a.Seq)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		check("an empty log")
		j.fill(t, 3)
		time.Sleep(4 * time.Minute)
		check("too early")
		time.Sleep(time.Minute)
		check("after 5 minutes", 3)
		time.Sleep(time.Hour)
		check("nothing is new", 3)
		j.fill(t, 997)
		j.fill(t, 1)
		synctest.Wait()
		last := j.anchors(t)[1] // of event 1,000, or of the one that told of it
		if last.Seq < 1000 {
			t.Errorf("after 1,001 events the last anchor is of event %d", last.Seq)
		}
		check("1,000 events", 3, last.Seq)
		j.fill(t, 2)
		stop()
		<-done
		j.Anchor(t.Context())
		check("at the end", 3, last.Seq, 1003)
		if r := j.verify(t, [][]byte{secret}, j.anchors(t)...); !r.OK() {
			t.Error(r.Problems)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	j := newJournal(b)
	err := j.db.Write(b.Context(), func(tx *sql.Tx) error { // what an event adds to a transaction
		for b.Loop() {
			if err := j.Append(b.Context(), tx, audit.Event{Kind: audit.Export, Actor: tanaka, Account: "u-1"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkVerify reads a log of 100,000 events.
func BenchmarkVerify(b *testing.B) {
	j := newJournal(b)
	j.fill(b, 100_000)
	for b.Loop() {
		if r := j.verify(b, [][]byte{secret}); !r.OK() || r.Events != 100_000 {
			b.Fatal(r.Problems)
		}
	}
}
