package reseller_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

// newRealRig is newRig over real sockets and on real time, for what a network in
// memory does not show.
func newRealRig(t *testing.T, w write, s *sandbox.Sandbox) *rig {
	t.Helper()
	r := &rig{t: t, write: w, wave: s}
	if err := s.AddAccount(account("u1")); err != nil {
		t.Fatal(err)
	}
	r.accounts = s.Len()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	over := &http.Transport{}
	t.Cleanup(over.CloseIdleConnections)
	r.start(dbtest.SQLite.New(t), srv.URL, over)
	return r
}

// TestFaults_resets: on TCP a connection is reset by a segment of its own, which may
// overtake what was sent before it.
func TestFaults_resets(t *testing.T) {
	tests := []struct {
		name  string
		fault sandbox.Fault
		want  outcomes // without those that take a minute to settle
	}{
		{"before the answer, once", once(sandbox.Fault{Reset: true}), lostOnce},
		{"before the answer, but done", afterwards(sandbox.Fault{Reset: true}), doneUnheard},
		{"in the answer, but done", afterwards(sandbox.Fault{Reset: true, Cut: 9}), doneUnheard},
	}
	for _, tt := range tests {
		for _, w := range writes {
			if tt.want[w.kind].state != "done" {
				continue
			}
			t.Run(tt.name+"/"+string(w.kind), func(t *testing.T) {
				t.Parallel()
				r := newRealRig(t, w, sandbox.New(sandbox.Options{Accounts: 24, ListMethod: sandbox.ListByBoth}))
				f := tt.fault
				f.Op = r.op
				r.wave.Fail(f)
				r.check(r.do(), tt.want)
			})
		}
	}
}

// TestFaults_200000Accounts: so many are read whole, in bounded memory, and one can
// be changed. The records are short, to leave the time to the number of them.
func TestFaults_200000Accounts(t *testing.T) {
	const accounts = 200_000
	s := sandbox.New(sandbox.Options{ListMethod: sandbox.ListByBoth})
	for i := range accounts - 1 {
		s.AddRecord(fmt.Sprintf(`{"user_id":"id-%06d","email":"person-%06[1]d@example.com","meta":{"invoice":true}}`, i))
	}
	before := heap()
	start := time.Now()
	r := newRealRig(t, writes[0], s)
	snap, err := r.dir.Current(t.Context())
	if err != nil || snap.Len() != accounts {
		t.Fatalf("the list was not read whole: %v", err)
	}
	if _, ok := snap.Get(wave.UserID(fmt.Sprintf("id-%06d", accounts-2))); !ok {
		t.Error("the last one is missing")
	}
	t.Logf("read in %v", time.Since(start))
	if grown := heap() - before; grown > accounts*450 {
		t.Errorf("the snapshot takes %d bytes an account, want 450 at most", grown/accounts)
	}
	runtime.KeepAlive(snap)
	start = time.Now()
	r.check(r.do(), saved)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("a save took %v", took)
	}
}

// heap returns how many bytes are in use.
func heap() int {
	runtime.GC()
	runtime.GC() // what had finalizers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
