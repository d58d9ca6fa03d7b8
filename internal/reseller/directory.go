package reseller

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

var errSoon = fault.New(fault.Unavailable, errors.New("not built yet"))

// DirectoryOptions are the settings of a Directory.
type DirectoryOptions struct {
	MaxAge time.Duration       // a snapshot older than this is refreshed
	Fold   func(string) string // makes texts comparable for search and order
	Now    func() time.Time    // time.Now when nil
	Log    *slog.Logger        // slog.Default when nil
}

// Directory holds all accounts as Wave last listed them.
type Directory struct{}

// Status is how fresh a Directory is.
type Status struct {
	AsOf       time.Time  // of the snapshot; zero while there is none
	LastTry    time.Time  // start of the last list call that ended
	Failed     bool       // whether that call failed
	LastError  fault.Kind // why, when Failed
	Refreshing bool       // a list call is under way
}

// Snapshot is all accounts at one moment.
type Snapshot struct{}

func NewDirectory(api API, o DirectoryOptions) *Directory { return new(Directory) }

func (d *Directory) Current(ctx context.Context) (*Snapshot, error) { return nil, errSoon }

func (d *Directory) NotBefore(ctx context.Context, t time.Time) (*Snapshot, error) {
	return nil, errSoon
}
func (d *Directory) Refresh(ctx context.Context) (*Snapshot, error) { return nil, errSoon }
func (d *Directory) Status() Status                                 { return Status{} }
func (d *Directory) Run(ctx context.Context)                        {}
func (d *Directory) BillingGroups(ctx context.Context) (groups []wave.BillingGroup, complete bool, err error) {
	return nil, false, errSoon
}

func (s *Snapshot) Find(q Query, last func(wave.UserID) (change.Last, bool)) Result { return Result{} }
func (s *Snapshot) Get(id wave.UserID) (wave.Reseller, bool)                        { return wave.Reseller{}, false }
func (s *Snapshot) AsOf() time.Time                                                 { return time.Time{} }
func (s *Snapshot) Len() int                                                        { return 0 }
func (s *Snapshot) CountOn(key wave.Key) int                                        { return 0 }
