package handlers_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"waveadmin/handlers"
	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/preset"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// creates is a service that creates whatever it is asked for.
type creates struct{ handlers.ChangeGetter }

func (creates) Create(_ context.Context, c reseller.Creation) (change.Change, wave.Reseller, error) {
	return change.Change{ID: "change-1", Kind: change.Create, State: change.Done, Account: "u-1"},
		wave.Reseller{UserID: "u-1", Email: c.Email}, nil
}

// brokenPromises are presets that can be read and not written.
type brokenPromises struct{}

func (brokenPromises) Book() *preset.Book { return preset.NewBook(nil, nil, "") }

func (brokenPromises) Promise(context.Context, auth.Actor, string, string) error {
	return errors.New("database away")
}

func (brokenPromises) Redeem(context.Context, string, wave.UserID) error {
	return errors.New("database away")
}

// TestCreate_notAssigned: an account whose preset could not be assigned was created all
// the same, and the next page says what is missing.
func TestCreate_notAssigned(t *testing.T) {
	h := &handlers.Creation{Service: creates{}, Presets: brokenPromises{}, Log: slog.New(slog.DiscardHandler)}
	form := url.Values{
		"email": {"new@example.co.jp"}, "company_id": {"k"}, "input_type": {"Auto"}, "submit_id": {"12345678"},
		"preset": {preset.Defaults}, "filled_preset": {preset.Defaults}, "filled_copy": {""}, "copy": {""},
	}
	r := httptest.NewRequest(http.MethodPost, "/resellers", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	if err := h.Create(w, r); err != nil {
		t.Fatalf("the creation looks failed: %v", err)
	}
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/resellers/u-1" {
		t.Errorf("%d to %s", w.Code, w.Header().Get("Location"))
	}
	if cookie := w.Header().Get("Set-Cookie"); !strings.Contains(cookie, "unassigned=1") || !strings.Contains(cookie, "change=change-1") {
		t.Errorf("the next page hears %q", cookie)
	}
}
