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

// Ledger is the part of change.Ledger that Service needs.
type Ledger interface{}

// Service is the only code that writes to Wave.
type Service struct{}

func NewService(api API, dir *Directory, ledger Ledger, rules Rules, log *slog.Logger, now func() time.Time) *Service {
	return new(Service)
}

func (s *Service) Run(ctx context.Context) {}

func (s *Service) Get(ctx context.Context, id wave.UserID) (wave.Reseller, error) {
	return wave.Reseller{}, errSoon
}

func (s *Service) ChangeMeta(ctx context.Context, c MetaChange) (MetaResult, error) {
	return MetaResult{}, errSoon
}

func (s *Service) UndoMeta(ctx context.Context, u Undo) (MetaResult, error) {
	return MetaResult{}, errSoon
}

func (s *Service) Create(ctx context.Context, c Creation) (change.Change, wave.Reseller, error) {
	return change.Change{}, wave.Reseller{}, errSoon
}

func (s *Service) ReplacePassword(ctx context.Context, p PasswordChange) (change.Change, error) {
	return change.Change{}, errSoon
}

func (s *Service) Delete(ctx context.Context, d Deletion) (change.Change, error) {
	return change.Change{}, errSoon
}

func (s *Service) History(ctx context.Context, id wave.UserID, limit int) ([]change.Change, error) {
	return nil, errSoon
}

func (s *Service) Change(ctx context.Context, changeID string) (change.Change, error) {
	return change.Change{}, errSoon
}
