package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// History is the part of change.Ledger that pages about changes read.
type History interface {
	List(ctx context.Context, f change.Filter, limit int) (list []change.Change, more bool, err error)
	Count(ctx context.Context, f change.Filter) (int, error)
	People(ctx context.Context) ([]auth.Actor, error)
	Origins
	Following(ctx context.Context, c change.Change) ([]change.Change, error)
}

// Changes serves the table of all changes, its exports, and the page of one.
type Changes struct {
	Directory Directory
	History   History
	Service   ChangeService
	Exports   ExportRecorder
}

// changesSize is how many changes stand on a page.
const changesSize = 50

// List answers GET /changes: the page, or under htmx the part that a search
// replaces.
func (h *Changes) List(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	people, err := h.History.People(ctx)
	if err != nil {
		return err
	}
	q, f := changesQuery(ctx, r.URL.Query(), people)
	if r.URL.Query().Has("by") && !hx.WantsFragment(r) && r.URL.RequestURI() != q.URL() { // the filter's form, without scripts
		hx.Redirect(w, r, q.URL())
		return nil
	}
	list, more, err := h.History.List(ctx, f, changesSize)
	if err == nil && q.Newer != "" && !more { // the first page, and a full one
		q.Newer, f.Newer = "", ""
		list, more, err = h.History.List(ctx, f, changesSize)
	}
	if err != nil {
		return err
	}
	origins, err := originsOf(ctx, h.History, list)
	if err != nil {
		return err
	}
	p := views.ChangesProps{Query: q, People: peopleOptions(ctx, people), Rows: changeRows(ctx, list, origins, h.standing(ctx))}
	for _, kind := range change.Kinds {
		p.Kinds = append(p.Kinds, string(kind))
	}
	for _, state := range change.States {
		p.Outcomes = append(p.Outcomes, string(state))
	}
	if len(list) > 0 && (more || q.Newer != "") {
		p.Older = q.AtPage(list[len(list)-1].ID, "")
	}
	if len(list) > 0 && (q.Older != "" || q.Newer != "") {
		p.Newer = q.AtPage("", list[0].ID)
	}
	if hx.WantsFragment(r) {
		hx.PushURL(w, q.URL())
		return views.Render(w, r, http.StatusOK, views.ChangesFragment(p))
	}
	return views.Render(w, r, http.StatusOK, views.ChangesPage(p))
}

// standing returns what tells whether an account is there and can be changed by
// who asks. Without a list of accounts none is.
func (h *Changes) standing(ctx context.Context) func(wave.UserID) bool {
	snapshot, err := h.Directory.Current(ctx)
	if err != nil || !auth.ActorFrom(ctx).MayModify() {
		return func(wave.UserID) bool { return false }
	}
	return func(id wave.UserID) bool {
		account, ok := snapshot.Get(id)
		return ok && account.Flaw == wave.NoFlaw
	}
}

// peopleOptions names everyone; of those who are called the same, also the email.
func peopleOptions(ctx context.Context, people []auth.Actor) []views.Person {
	names := make(map[string]int)
	for _, a := range people {
		names[a.Display()]++
	}
	options := make([]views.Person, len(people))
	for i, a := range people {
		options[i] = views.Person{Mark: views.MarkOf(a), Name: a.Display()}
		if names[a.Display()] > 1 && a.Email != "" {
			options[i].Name = i18n.T(ctx, "changes.namesake", "name", a.Display(), "email", a.Email)
		}
	}
	return options
}

// changesQuery reads the parameters of the table, and what they select. What is no
// valid value counts as absent.
func changesQuery(ctx context.Context, v url.Values, people []auth.Actor) (views.ChangesQuery, change.Filter) {
	q := views.ChangesQuery{
		Text:    cut(strings.TrimSpace(v.Get("q")), maxText),
		Account: wave.UserID(cut(v.Get("account"), maxText)),
		Older:   changeID(v.Get("older")),
	}
	f := change.Filter{Text: q.Text, Account: q.Account}
	if q.Older == "" {
		q.Newer = changeID(v.Get("newer"))
	}
	f.Older, f.Newer = q.Older, q.Newer
	if by := v.Get("by"); by == views.OutsideMark {
		q.By, f.Outside = by, true
	} else if i := slices.IndexFunc(people, func(a auth.Actor) bool { return views.MarkOf(a) == by }); i >= 0 {
		q.By, q.ByName, f.By = by, people[i].Display(), people[i]
	}
	if flags := keys(v.Get("flag")); len(flags) > 0 {
		q.Flag, f.Flag = flags[0], flags[0]
	}
	if kind := change.Kind(v.Get("kind")); slices.Contains(change.Kinds, kind) {
		q.Kind, f.Kind = string(kind), kind
	}
	if state := change.State(v.Get("outcome")); slices.Contains(change.States, state) {
		q.Outcome, f.States = string(state), []change.State{state}
	}
	q.From, f.From = day(ctx, v.Get("from"), 0)
	q.To, f.To = day(ctx, v.Get("to"), 1)
	return q, f
}

// day reads a date of the zone of ctx, and returns the moment at which it begins,
// or another one that many days later.
func day(ctx context.Context, text string, later int) (string, time.Time) {
	t, err := time.ParseInLocation(time.DateOnly, text, i18n.Zone(ctx))
	if err != nil || t.Year() < 1970 {
		return "", time.Time{}
	}
	return text, t.AddDate(0, 0, later)
}

// changeID returns text if it can be the id of a change, else nothing.
func changeID(text string) string {
	if len(text) > 36 || strings.Trim(text, "0123456789abcdef-") != "" {
		return ""
	}
	return text
}
