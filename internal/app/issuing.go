package app

import (
	"context"

	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// issuing is what bulk runs write through: once an account is there, it is told.
type issuing struct {
	bulk.Service
	issued func()
}

// Create implements bulk.Service.
func (s issuing) Create(ctx context.Context, c reseller.Creation) (change.Change, wave.Reseller, error) {
	made, account, err := s.Service.Create(ctx, c)
	if err == nil {
		s.issued()
	}
	return made, account, err
}
