package app_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"waveadmin/internal/config"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// A mine is a log that breaks whoever writes a certain message to it, deep in the
// program and with everything in hand that was needed to come there. It panics with
// all settings, which is worse than what a slip of ours would show.
type mine struct {
	slog.Handler
	under *atomic.Pointer[string] // the message and the op that it names; goes off once
	with  *config.Config
}

func (m mine) Handle(ctx context.Context, rec slog.Record) error {
	message := rec.Message
	rec.Attrs(func(a slog.Attr) bool {
		if a.Key == "op" {
			message += " " + a.Value.String()
		}
		return true
	})
	if at := m.under.Load(); at != nil && message == *at && m.under.CompareAndSwap(at, nil) {
		panic(*m.with)
	}
	return m.Handler.Handle(ctx, rec)
}

func (m mine) WithAttrs(attrs []slog.Attr) slog.Handler {
	return mine{m.Handler.WithAttrs(attrs), m.under, m.with}
}

func (m mine) WithGroup(name string) slog.Handler {
	return mine{m.Handler.WithGroup(name), m.under, m.with}
}

// panics breaks new passwords of accounts that nothing else needs, a page and an answer
// under htmx, and a sign-in, in their middle.
func panics(t *testing.T, c *canaries, s *testkit.Site, client *testkit.Client, under *atomic.Pointer[string]) {
	t.Helper()
	password := func(account wave.UserID, headers ...string) func() testkit.Page {
		return func() testkit.Page {
			return client.Post("/resellers/"+url.PathEscape(string(account))+"/password", url.Values{"input_type": {"Custom"}, "password": {canary}}, headers...)
		}
	}
	others := s.Wave.Accounts()
	for _, step := range []struct {
		what, under string
		do          func() testkit.Page
	}{
		{"a password", "wave call replace password", password(others[0].UserID)},
		{"a fragment of a password", "wave call replace password", password(others[1].UserID, "HX-Request: true")},
		{"a sign-in", "signed in", func() testkit.Page {
			s.IDP.AutoChoose(testkit.Editor)
			defer s.IDP.AutoChoose("")
			return s.Client(t).Get("/resellers")
		}},
	} {
		under.Store(&step.under)
		page := step.do()
		if page.Status != http.StatusInternalServerError || under.Load() != nil {
			t.Errorf("%s that panics = %d", step.what, page.Status)
		}
		c.page(step.what+" that panics", page)
	}
}
