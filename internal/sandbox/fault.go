package sandbox

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"waveadmin/internal/wave"
)

// When says on which side of a change a Fault strikes.
type When string

const (
	Before When = "before" // the change is not applied
	After  When = "after"  // it is applied, and the client does not learn it
)

// A Fault makes calls fail. Which ones: those of Op on UserID, from the Nth on,
// Times in number. How: Delay comes first, and is all when nothing else is set.
// Then comes the answer with Status, Header and Body, or the API's own answer
// with Header added to it. Cut ends it in its body; Reset and Hang say how. Cut
// or Hang without Status before a change is applied lie: they begin to answer
// success.
type Fault struct {
	Op     string        // empty for any
	UserID wave.UserID   // empty for any
	Nth    int           // 1 is the next call that matches; 0 is every one from now on
	Times  int           // how many calls it strikes; 0 for one if Nth is set, else for no end
	When   When          // empty for Before
	Delay  time.Duration // ends when the client leaves
	Status int           // answered instead; 0 for the API's own answer
	Header http.Header
	Body   string // with Status 0, answered with 200
	Cut    int    // the connection breaks after so many bytes of the body; -1 for after the header
	Reset  bool   // it breaks with RST, without Cut before anything was answered
	Hang   bool   // it stays open until the client leaves, without Cut before anything was answered
}

// faults are the switched on ones in the order of their Fail.
type faults struct {
	mu  sync.Mutex
	all []*activeFault
}

// activeFault is a Fault and how many calls have matched it.
type activeFault struct {
	Fault
	matched int
	done    chan struct{} // closed by cancel: lets hanging calls go
}

// Fail switches f on until it is used up or cancel is called. Several faults may
// be on: each counts the calls that match it, whether another struck them or not;
// delays and headers add up, and the first that ends a call decides its end.
// Cancel breaks off the calls that hang on f. It may be called again.
func (s *Sandbox) Fail(f Fault) (cancel func()) {
	if f.When == "" {
		f.When = Before
	}
	if f.Times == 0 && f.Nth > 0 {
		f.Times = 1
	}
	if f.Body != "" && f.Status == 0 {
		f.Status = http.StatusOK
	}
	active := &activeFault{Fault: f, done: make(chan struct{})}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.all = append(s.faults.all, active)
	return func() { s.faults.cancel(active) }
}

// ClearFaults cancels every fault.
func (s *Sandbox) ClearFaults() {
	s.faults.mu.Lock()
	all := slices.Clone(s.faults.all)
	s.faults.mu.Unlock()
	for _, f := range all {
		s.faults.cancel(f)
	}
}

func (fs *faults) cancel(f *activeFault) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if i := slices.Index(fs.all, f); i >= 0 {
		fs.all = slices.Delete(fs.all, i, i+1)
		close(f.done)
	}
}

// strike counts c and returns the faults that hit it.
func (fs *faults) strike(c call) []*activeFault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var hit []*activeFault
	for _, f := range fs.all {
		if f.Op != "" && f.Op != c.op || f.UserID != "" && f.UserID != c.id {
			continue
		}
		f.matched++
		n := f.matched - max(f.Nth, 1) // calls that it struck before this one
		if n >= 0 && (f.Times == 0 || n < f.Times) {
			hit = append(hit, f)
		}
	}
	return hit
}

// pass lets the faults of one side happen. It returns the first that ends the
// call, and fails when the client leaves.
func (fs *faults) pass(ctx context.Context, struck []*activeFault, when When) (*activeFault, error) {
	for _, f := range struck {
		if f.When != when {
			continue
		}
		if err := sleep(ctx, f.Delay); err != nil {
			return nil, err
		}
		if f.Status != 0 || f.breaks() {
			return f, nil
		}
	}
	return nil, nil
}

// breaks reports whether the client gets no whole answer.
func (f *Fault) breaks() bool { return f.Cut != 0 || f.Reset || f.Hang }

// silent reports whether the client gets no answer at all.
func (f *Fault) silent() bool { return f.breaks() && f.Cut == 0 }

// instead returns what f answers where the API would answer own.
func (f *Fault) instead(own answer) answer {
	if f.Status == 0 {
		return own
	}
	return answer{status: f.Status, header: http.Header{}, body: [][]byte{[]byte(f.Body)}, applied: own.applied}
}

// breakOff sends what f lets through of ans and breaks the connection. It does
// not return.
func (f *activeFault) breakOff(w http.ResponseWriter, ctx context.Context, ans answer) {
	rc := http.NewResponseController(w)
	if f.Cut != 0 {
		writeFirst(w, ans, max(f.Cut, 0))
		rc.Flush()
	}
	if f.Hang {
		select {
		case <-ctx.Done():
		case <-f.done:
		}
	}
	if f.Reset {
		if conn, _, err := rc.Hijack(); err == nil {
			if tcp, ok := conn.(interface{ SetLinger(sec int) error }); ok {
				tcp.SetLinger(0) // so that Close sends RST
			}
			conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}
