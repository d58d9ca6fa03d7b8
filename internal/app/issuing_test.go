package app

import (
	"context"
	"errors"
	"testing"

	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// issuer creates accounts, or fails with err.
type issuer struct {
	bulk.Service
	err error
}

func (s issuer) Create(context.Context, reseller.Creation) (change.Change, wave.Reseller, error) {
	return change.Change{ID: "c"}, wave.Reseller{UserID: "u"}, s.err
}

// TestIssuing: presets are asked to look for each account that is there, and for no other.
func TestIssuing(t *testing.T) {
	for _, fails := range []error{nil, errors.New("away")} {
		n := 0
		made, account, err := issuing{issuer{err: fails}, func() { n++ }}.Create(t.Context(), reseller.Creation{})
		if made.ID != "c" || account.UserID != "u" || !errors.Is(err, fails) {
			t.Errorf("it says %+v, %+v, %v", made, account, err)
		}
		if (n == 1) != (fails == nil) {
			t.Errorf("with %v it is told %d times", fails, n)
		}
	}
}
