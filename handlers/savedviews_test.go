package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/handlers"
	"waveadmin/internal/auth"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/savedview"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// viewForm returns a form of the menu of views with where it leads.
func viewForm(t *testing.T, p testkit.Page, action string) (string, url.Values) {
	t.Helper()
	form := p.Find(`#views form[action$="` + action + `"]`)
	return form.AttrOr("action", ""), fields(t, form)
}

// menu is the views of the menu, the marked one with a star.
func menu(p testkit.Page) string {
	var out []string
	links := p.Find("#views .menu a")
	for i := range links.Length() {
		name := shown(links.Eq(i).Find(".grow"))
		if links.Eq(i).AttrOr("aria-current", "") != "" {
			name = "*" + name
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

func TestViews(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 30})
	c := s.SignedIn(t, testkit.Editor)
	all := says("view.everything")
	if got := menu(c.Get("/resellers")); got != "*"+all {
		t.Errorf("at first the menu has %s", got)
	}

	path, form := viewForm(t, c.Get("/resellers?on=invoice&sort=-updated&cols=email,changed&page=2&size=25"), "/views")
	form.Set("name", "  Invoice\tof the week ")
	p := c.Post(path, form)
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, ".notice-line.success", says("view.saved"))
	id := p.URL.Query().Get("view")
	if got := p.URL.Query(); id == "" || got.Get("on") != "invoice" || got.Get("cols") != "email,changed" || got.Get("sort") != "-updated" {
		t.Errorf("it leads to %q", p.URL)
	}
	if got := menu(p); got != all+", *Invoice of the week" {
		t.Errorf("the menu has %s", got)
	}
	if p.Find(`[data-testid="view-modified"]`).Length() > 0 {
		t.Error("modified as soon as it is saved")
	}

	// From elsewhere, by its link in the menu.
	link, _ := c.Get("/resellers?q=a").Find("#views .menu a").Eq(1).Attr("href")
	if want := "/resellers?cols=email%2Cchanged&on=invoice&size=25&sort=-updated&view=" + id; link != want {
		t.Errorf("the link is %q, want %q", link, want)
	}
	if p := c.Get(link + "&page=2"); p.Find(`[data-testid="view-modified"]`).Length() > 0 {
		t.Error("another page counts as modified")
	}
	p = c.Get(link + "&drift=1")
	if all, mine := p.Find("#views form"), p.Find(`#views form > input[name="as"]:not([value=""])`); all.Length() != 4 || mine.Length() != 4 {
		t.Errorf("%d of %d forms say to whom they were given, want 4 of 4", mine.Length(), all.Length())
	}
	wantText(t, p, "#views > summary", says("view.modified"))
	if f := c.Get(link+"&drift=1", htmx); f.Find(`#views[hx-swap-oob] [data-testid="view-modified"]`).Length() != 1 || f.Find("#views[open]").Length() > 0 {
		t.Error("a search does not bring the menu along")
	}
	if v := fields(t, p.Find("#list-form")); v.Get("view") != "" {
		t.Error("the view is in the form twice")
	} else if hidden := p.Find(`input[form="list-form"][name=view]`).AttrOr("value", ""); hidden != id {
		t.Error("a search forgets the view")
	}
	for i := range p.Find("a.chip").Length() {
		if !strings.Contains(p.Find("a.chip").Eq(i).AttrOr("href", ""), "view="+id) {
			t.Error("a chip forgets the view")
		}
	}

	path, form = viewForm(t, p, "/query")
	p = c.Post(path, form)
	if p.Status != http.StatusOK || p.URL.Query().Get("drift") != "1" || p.Find(`[data-testid="view-modified"]`).Length() > 0 {
		t.Errorf("replaced = %d at %s, modified: %d", p.Status, p.URL, p.Find(`[data-testid="view-modified"]`).Length())
	}
	path, form = viewForm(t, p, "/views/"+id)
	form.Set("name", "Drift of invoices")
	form.Set("shared", "1")
	p = c.Post(path, form)
	if got := menu(p); got != all+", *Drift of invoices" || p.Find("#views h2").Text() != says("view.shared") {
		t.Errorf("renamed and shared, the menu has %s under %s", got, p.Find("#views h2").Text())
	}

	// A viewer sees what is shared and may not touch it.
	viewer := s.SignedIn(t, testkit.Viewer)
	p = viewer.Get("/resellers?view=" + id)
	if got := menu(p); got != all+", *Drift of invoices" || p.Find("#views form").Length() != 1 || p.Find("#views [name=shared]").Length() > 0 {
		t.Errorf("a viewer has %s and %d forms", got, p.Find("#views form").Length())
	}
	wantText(t, p, "#views .menu", editorName)
	for _, part := range []string{"", "/query", "/delete"} {
		p := viewer.Post("/views/"+id+part, url.Values{"name": {"mine"}, "list": {"q=x"}})
		wantStatus(t, p, http.StatusForbidden)
		if !strings.Contains(p.Text(), says("view.not_yours")) {
			t.Errorf("%s says %s", part, short(p.Find("body")))
		}
	}
	p = viewer.Post("/views", url.Values{"name": {"mine"}, "shared": {"1"}, "list": {"q=x"}})
	wantStatus(t, p, http.StatusForbidden)
	if p.Find(`#views[open] input[name=name][value="mine"]`).Length() != 1 || p.Find(`input[name=q][value="x"]`).Length() != 1 {
		t.Error("what was typed, or the table, is lost")
	}
	wantStatus(t, viewer.Post("/views", url.Values{"name": {"mine"}, "list": {"q=x"}}), http.StatusOK)
	if got := menu(c.Get("/resellers")); got != "*"+all+", Drift of invoices" {
		t.Errorf("the own view of another is in the menu: %s", got)
	}

	path, form = viewForm(t, c.Get("/resellers?view="+id), "/delete")
	p = c.Post(path, form)
	wantText(t, p, ".notice-line.success", says("view.deleted"))
	if got := menu(p); got != "*"+all {
		t.Errorf("deleted, the menu has %s", got)
	}
	p = viewer.Get(link)
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, "#views", says("view.gone"))
	p = viewer.Post("/views/"+id+"/delete", url.Values{})
	wantStatus(t, p, http.StatusNotFound)
}

func TestViews_refused(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	wantStatus(t, c.Post("/views", url.Values{"name": {"one"}, "list": {"q=a"}}), http.StatusOK)
	for _, tt := range []struct{ name, say string }{
		{"", says("view.no_name")},
		{strings.Repeat("長", 61), says("view.long_name", "max", 60)},
		{"one", says("view.taken", "name", "one")},
	} {
		p := c.Post("/views", url.Values{"name": {tt.name}, "list": {"on=invoice"}})
		wantStatus(t, p, http.StatusUnprocessableEntity)
		field := p.Find(`#views[open] form[action="/views"] input[name=name][aria-invalid]`)
		if field.AttrOr("value", "") != tt.name {
			t.Errorf("%q: what was typed is lost", tt.name)
		}
		wantText(t, p, "#"+field.AttrOr("aria-describedby", "none"), tt.say)
		if p.Find(`a.chip`).Length() != 1 {
			t.Errorf("%q: the table is another", tt.name)
		}
	}
	// What no form of ours keeps is no state.
	p := c.Post("/views", url.Values{"name": {"odd"}, "list": {"%zz&q=b&evil=1&size=7&view=x&page=9&cols=,"}})
	wantStatus(t, p, http.StatusOK)
	if got := p.URL.Query(); got.Get("q") != "b" || got.Has("evil") || got.Has("size") {
		t.Errorf("kept %v", got)
	}
}

// lostViews are views that cannot be read.
type lostViews struct{ handlers.SavedViews }

func (lostViews) List(context.Context, auth.Actor) ([]savedview.View, error) {
	return nil, errors.New("no database")
}

// The table is shown without its views when these cannot be read.
func TestViews_away(t *testing.T) {
	s := newShelf(t, accountOf("u-1"))
	s.Views = lostViews{}
	w := httptest.NewRecorder()
	ctx := i18n.WithLang(t.Context(), "en")
	if err := s.List(w, httptest.NewRequestWithContext(ctx, "GET", "/resellers?view=x", nil)); err != nil {
		t.Fatal(err)
	}
	if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, `data-user-id="u-1"`) || !strings.Contains(body, says("view.away")) {
		t.Errorf("%d: %s", w.Code, body)
	}
}

// slowAPI lists when it is told to.
type slowAPI struct {
	reseller.API
	ready chan error
}

func (a slowAPI) List(ctx context.Context) ([]wave.Reseller, error) {
	select {
	case err := <-a.ready:
		return []wave.Reseller{accountOf("u-1")}, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A page does not wait long for the first list: it says that it loads, and asks for
// the table by itself.
func TestResellers_firstList(t *testing.T) {
	s := newShelf(t)
	api := slowAPI{ready: make(chan error, 1)}
	dir := reseller.NewDirectory(api, reseller.DirectoryOptions{MaxAge: time.Hour, Fold: i18n.Fold})
	t.Cleanup(dir.Close)
	s.Directory, s.Views = dir, lostViews{}
	ctx := i18n.WithLang(t.Context(), "en")
	ask := func(headers ...string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(ctx, "GET", "/resellers?sort=-updated", nil)
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		if err := s.List(w, r); err != nil {
			t.Fatal(err)
		}
		return w
	}
	w := ask()
	if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, says("list.loading")) || !strings.Contains(body, `hx-get="/resellers?sort=-updated"`) {
		t.Fatalf("%d: %s", w.Code, body)
	}
	api.ready <- errors.New("Wave is away")
	if w := ask(htmx, "HX-Target: list"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), says("list.failed")) {
		t.Errorf("the part that was to come says %d: %s", w.Code, w.Body)
	}
	api.ready <- nil
	if _, err := dir.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w := ask(htmx, "HX-Target: list"); !strings.Contains(w.Body.String(), `data-user-id="u-1"`) {
		t.Errorf("the table does not come: %s", w.Body)
	}
}
