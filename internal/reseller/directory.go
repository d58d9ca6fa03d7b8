package reseller

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

const (
	patience     = 500 * time.Millisecond // of a page that has an old snapshot at hand
	lookPatience = 5 * time.Second        // of a page about an account that an old snapshot lacks
	lookingFor   = 5 * time.Minute        // after a page, the snapshot is kept fresh so long
	listTimeout  = time.Minute            // of one refresh
	retryPause   = time.Second            // after a failed refresh, doubled each time
	retryMax     = 10 * time.Second
	retryNothing = 2 * time.Second // the same, while there is no snapshot at all
	staleAge     = 2 * time.Second // at which a snapshot is refreshed that lacks what others did
)

// DirectoryOptions are the settings of a Directory.
type DirectoryOptions struct {
	MaxAge time.Duration       // a snapshot older than this is refreshed
	Fold   func(string) string // makes texts comparable for search and order
	Now    func() time.Time    // time.Now when nil
	Log    *slog.Logger        // slog.Default when nil
}

// Directory holds all accounts as Wave last listed them. Any number of callers
// share one list call, which goes on when they leave. It is safe for concurrent
// use.
type Directory struct {
	api    API
	o      DirectoryOptions
	groups groupCache

	life   context.Context // of list calls; Close ends it
	end    context.CancelFunc
	flying sync.WaitGroup // list calls under way

	snap atomic.Pointer[Snapshot] // written under mu
	used atomic.Int64             // when a page last asked, in nanoseconds since 1970

	took   atomic.Int64             // of the last list, a time.Duration
	stale  atomic.Int64             // lists of before lack what another server did, in nanoseconds since 1970
	listed atomic.Pointer[Snapshot] // the last list, as Wave gave it
	news   chan struct{}            // says that there is one; see Watcher

	mu       sync.Mutex
	running  *flight       // the list call under way
	queued   *flight       // the one after it
	launched time.Time     // when the last one began, by a clock that nobody sets
	due      chan struct{} // closed when a list may be asked for that nobody is in a hurry for; nil while nobody waits for that
	dueTimer *time.Timer   // closes due
	hurried  bool          // someone is in a hurry for the next one after all
	status   Status
	err      error // of the last list call
	failures int   // since the last success
	recent   []replacement
	gone     []wave.Reseller // that left the list, the oldest first
}

// Status is how fresh a Directory is.
type Status struct {
	AsOf       time.Time  // of the snapshot; zero while there is none
	LastTry    time.Time  // start of the last list call that ended
	Failed     bool       // whether that call failed
	LastError  fault.Kind // why, when Failed
	Refreshing bool       // a list call is under way
}

// NewDirectory returns an empty Directory over api.
func NewDirectory(api API, o DirectoryOptions) *Directory {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	d := &Directory{api: api, o: o, news: make(chan struct{}, 1)}
	d.life, d.end = context.WithCancel(context.Background())
	return d
}

// Close ends the list call under way and waits for it. What is asked for later
// fails with fault.Unavailable; the last snapshot stays.
func (d *Directory) Close() {
	d.end()
	d.flying.Wait()
}

// Current returns the snapshot for a page. One that is older than MaxAge is
// refreshed in the background: the caller waits for that half a second at most,
// and not at all while Wave is away. Only without any snapshot does it wait, and
// fail with the fault of the list call.
func (d *Directory) Current(ctx context.Context) (*Snapshot, error) {
	now := d.o.Now()
	d.used.Store(now.UnixNano())
	snap := d.snap.Load()
	if snap != nil && now.Sub(snap.asOf) <= d.maxAge(snap) {
		return snap, nil
	}
	f, failing := d.attempt(now)
	if snap == nil {
		if f == nil {
			return nil, failing
		}
		return f.snapshot(ctx)
	}
	if f == nil || failing != nil {
		return snap, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if fresh, err := f.snapshot(ctx); err == nil {
		return fresh, nil
	}
	return snap, nil
}

// CurrentWith returns the snapshot for a page about one account, as Current does.
// When that lacks the account it may only be too old: another server may have
// created it a moment ago. Then a list is asked for first, at most every two
// seconds, and not while Wave is away.
func (d *Directory) CurrentWith(ctx context.Context, id wave.UserID) (*Snapshot, error) {
	snap, err := d.Current(ctx)
	if err != nil {
		return nil, err
	}
	since := d.o.Now().Add(-staleAge)
	if _, found := snap.find(id); found || !snap.asOf.Before(since) || d.Status().Failed {
		return snap, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	if fresh, err := d.join(since).snapshot(ctx); err == nil {
		return fresh, nil
	}
	return snap, nil
}

// maxAge is the age from which snap is to be refreshed.
func (d *Directory) maxAge(snap *Snapshot) time.Duration {
	if snap.asOf.UnixNano() < d.stale.Load() {
		return min(staleAge, d.o.MaxAge)
	}
	return d.o.MaxAge
}

// Outdate says that a list which was asked for before t lacks something. The next
// page has it refreshed, though not more often than every two seconds.
func (d *Directory) Outdate(t time.Time) { d.stale.Store(t.UnixNano()) }

// Last returns the snapshot that there is, or nil. It asks nobody, and unlike
// Current it is no reason to keep the snapshot fresh: for what a page does by
// itself.
func (d *Directory) Last() *Snapshot { return d.snap.Load() }

// NotBefore returns the list, as Wave gave it, of a call that started at t or later:
// what Put and Remove laid over the snapshot meanwhile is not in it. It fails
// with the fault of that call, or with fault.Unavailable when ctx ends first. With a
// context from Patiently it lets the callers of patientGap share a call.
func (d *Directory) NotBefore(ctx context.Context, t time.Time) (*Snapshot, error) {
	if IsPatient(ctx) {
		if err := d.awaitOthers(ctx, t); err != nil {
			return nil, err
		}
	}
	list, f := d.ask(t)
	if list != nil {
		return list, nil
	}
	if err := f.wait(ctx); err != nil {
		return nil, err
	}
	return f.listed, nil
}

// tookLast returns how long the last list took, or 0 before the first.
func (d *Directory) tookLast() time.Duration { return time.Duration(d.took.Load()) }

// Refresh asks Wave now. See NotBefore.
func (d *Directory) Refresh(ctx context.Context) (*Snapshot, error) {
	return d.NotBefore(ctx, d.o.Now())
}

// Status returns how fresh d is.
func (d *Directory) Status() Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.status
	s.Refreshing = d.running != nil
	if snap := d.snap.Load(); snap != nil {
		s.AsOf = snap.asOf
	}
	return s
}

// Run fetches the first snapshot and keeps it fresh while people look at pages,
// so that these do not wait. It returns when ctx ends.
func (d *Directory) Run(ctx context.Context) {
	d.attempt(d.o.Now())
	ticker := time.NewTicker(max(d.o.MaxAge*4/5, time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := d.o.Now()
		if d.snap.Load() == nil || now.Sub(time.Unix(0, d.used.Load())) < lookingFor {
			d.attempt(now)
		}
	}
}

// A replacement is what this program knows of one account that a list may not
// know yet.
type replacement struct {
	at      time.Time // of the answer that told
	account wave.Reseller
	removed bool
}

// Put lays an account over the snapshot, as a write has left it. A list that was
// asked for after it wins.
func (d *Directory) Put(r wave.Reseller) { d.replace(replacement{account: r}) }

// Remove takes an account out of the snapshot; see Put.
func (d *Directory) Remove(id wave.UserID) {
	d.replace(replacement{account: wave.Reseller{UserID: id}, removed: true})
}

func (d *Directory) replace(r replacement) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r.at = d.o.Now()
	d.recent = slices.DeleteFunc(d.recent, func(old replacement) bool { return old.account.UserID == r.account.UserID })
	d.recent = append(d.recent, r)
	if snap := d.snap.Load(); snap != nil {
		d.snap.Store(r.over(snap))
	}
}

func (r replacement) over(s *Snapshot) *Snapshot {
	if r.removed {
		return s.without(r.account.UserID)
	}
	return s.with(r.account)
}
