package reseller

import (
	"context"
	"log/slog"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// Ledger is the part of change.Ledger that Service needs; see there.
type Ledger interface {
	Open(ctx context.Context, c change.Change) (change.Change, error)
	Intend(ctx context.Context, c change.Change) (change.Change, error)
	Close(ctx context.Context, c change.Change) (change.Change, error)
	Settle(ctx context.Context, c change.Change) (change.Change, error)
	Release(ctx context.Context, c change.Change) (change.Change, error)
	Expire(ctx context.Context, working []string) (failed, inDoubt int64, err error)
	Get(ctx context.Context, id string) (change.Change, error)
	ListByAccount(ctx context.Context, id wave.UserID, limit int) ([]change.Change, error)
	InDoubt(ctx context.Context) ([]change.Change, error)
	Creating(ctx context.Context, email string) (*change.Change, error)
	Mark(ctx context.Context, id wave.UserID) (change.Mark, error)
	Hurry(ctx context.Context) error
}

// Service is the only code that writes to Wave. Each write is a change in the
// ledger: it locks its account, is merged into a list that is not older than the
// lock, or after which none of our writes can have begun, is recorded, sent, and read
// back. A change that was sent is finished
// though the caller leaves. It is safe for concurrent use.
//
// A write fails with fault.Forbidden, Invalid, NotFound (no such account) or
// Conflict before anything is sent; with Uncertain and a *DoubtError when the
// outcome is not known, which Run then finds out; and with the fault of the API
// when that surely did nothing.
type Service struct {
	api    API
	dir    *Directory
	ledger Ledger
	rules  Rules
	log    *slog.Logger
	now    func() time.Time
	work   work
	wake   chan struct{} // says that there is something to do for Run
	turns  chan struct{} // held by the patient writes that are opened and sent
}

// NewService returns a Service. Now and log may be nil for the usual ones; now
// must be the clock of dir and of ledger.
func NewService(api API, dir *Directory, ledger Ledger, rules Rules, log *slog.Logger, now func() time.Time) *Service {
	if log == nil {
		log = slog.Default()
	}
	if now == nil {
		now = time.Now
	}
	return &Service{
		api: api, dir: dir, ledger: ledger, rules: rules, log: log, now: now,
		work: work{under: make(map[string]bool), waiting: make(map[string]time.Time)}, wake: make(chan struct{}, 1),
		turns: make(chan struct{}, patientTurns),
	}
}

// Get returns one account of the current snapshot.
func (s *Service) Get(ctx context.Context, id wave.UserID) (wave.Reseller, error) {
	snap, err := s.dir.CurrentWith(ctx, id)
	if err != nil {
		return wave.Reseller{}, err
	}
	return s.getFrom(snap, id)
}

func (s *Service) getFrom(snap *Snapshot, id wave.UserID) (wave.Reseller, error) {
	account, ok := snap.Get(id)
	if !ok {
		return wave.Reseller{}, &fault.Error{Kind: fault.NotFound, Say: fault.Say("error.no_account")}
	}
	return account, nil
}

// seen returns what is known of an account without asking anyone, if it is known.
// Else it is as Get.
func (s *Service) seen(ctx context.Context, id wave.UserID) (wave.Reseller, error) {
	if snap := s.dir.snap.Load(); snap != nil {
		if account, ok := snap.Get(id); ok {
			return account, nil
		}
	}
	return s.Get(ctx, id)
}

// History returns the newest changes of an account, newest first.
func (s *Service) History(ctx context.Context, id wave.UserID, limit int) ([]change.Change, error) {
	return s.ledger.ListByAccount(ctx, id, limit)
}

// Change returns one change, or fails with fault.NotFound.
func (s *Service) Change(ctx context.Context, changeID string) (change.Change, error) {
	return s.ledger.Get(ctx, changeID)
}

func mayModify(actor auth.Actor) error {
	if actor.MayModify() {
		return nil
	}
	return &fault.Error{Kind: fault.Forbidden, Say: fault.Say("error.forbidden_editor")}
}
