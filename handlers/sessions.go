package handlers

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"waveadmin/internal/auth"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// OwnSessions is the part of auth.Auth that Sessions needs. Who ends a session names it
// by its key, and reaches only those of the same person.
type OwnSessions interface {
	Sessions(ctx context.Context, who auth.Actor) ([]auth.Session, error)
	EndSession(ctx context.Context, who auth.Actor, key string) (int, error)
	EndOthers(ctx context.Context, who auth.Actor, key string) (int, error)
}

// Sessions serves the list of the browsers in which a person is signed in.
type Sessions struct {
	Auth OwnSessions
}

// List answers GET /sessions.
func (h *Sessions) List(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := h.Auth.Sessions(ctx, auth.ActorFrom(ctx))
	if err != nil {
		return err
	}
	p := views.SessionsProps{Notice: saidNotice(w, r)}
	for _, s := range all {
		p.Rows = append(p.Rows, views.SessionRow{
			Key: s.Key, Here: s.Key == auth.StandingOf(ctx).Key, Browser: browserName(ctx, s.Agent), Address: s.Address,
			Started: s.Started, Seen: s.Seen,
		})
	}
	return views.Render(w, r, http.StatusOK, views.SessionsPage(p))
}

// Left answers GET /sessions/left, which pages ask by themselves, with the seconds that
// the session goes on unless it is used.
func (h *Sessions) Left(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := fmt.Fprintf(w, "%.0f", auth.StandingOf(r.Context()).Left.Seconds())
	return err
}

// End answers POST /sessions/{key}/end, to who has proved a short time ago who they are.
// One that has ended meanwhile is as good.
func (h *Sessions) End(w http.ResponseWriter, r *http.Request) error {
	return h.end(w, r, h.Auth.EndSession, r.PathValue("key"))
}

// EndOthers answers POST /sessions/end-others: all but the one that asks.
func (h *Sessions) EndOthers(w http.ResponseWriter, r *http.Request) error {
	return h.end(w, r, h.Auth.EndOthers, auth.StandingOf(r.Context()).Key)
}

func (h *Sessions) end(w http.ResponseWriter, r *http.Request, do func(context.Context, auth.Actor, string) (int, error), key string) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if !auth.StandingOf(r.Context()).Recent { // who found the browser open must not lock its person out
		return &ProofError{Back: views.SessionsURL, Err: auth.ErrProofNeeded}
	}
	n, err := do(r.Context(), auth.ActorFrom(r.Context()), key)
	if err != nil {
		return err
	}
	sayNext(w, r, "sessions.ended", n)
	hx.Redirect(w, r, views.SessionsURL)
	return nil
}

// A known part of what browsers call themselves, and its name. The first that occurs
// counts: most of them name those that they resemble, too.
type known struct{ part, name string }

var (
	browsers = []known{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"Chrome/", "Chrome"},
		{"CriOS/", "Chrome"},
		{"Safari/", "Safari"},
	}
	systems = []known{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"Windows", "Windows"},
		{"Mac OS X", "macOS"},
		{"CrOS", "ChromeOS"},
		{"Linux", "Linux"},
	}
)

// browserName says in short which browser calls itself so.
func browserName(ctx context.Context, agent string) string {
	browser, system := nameIn(browsers, agent), nameIn(systems, agent)
	switch {
	case browser == "" && agent != "" && system == "":
		return agent // such as that of a script
	case browser == "":
		browser = i18n.T(ctx, "sessions.unknown")
	}
	if system == "" {
		return browser
	}
	return i18n.T(ctx, "sessions.browser_on", "browser", browser, "system", system)
}

func nameIn(list []known, agent string) string {
	for _, k := range list {
		if strings.Contains(agent, k.part) {
			return k.name
		}
	}
	return ""
}
