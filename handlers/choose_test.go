package handlers_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// outsideAt is what stands for someone outside, with the time when it was seen.
var outsideAt = regexp.MustCompile(`outside this tool, [0-9:/ ]+`)

// conflicted returns the form that comes back when merged invoice CSVs were wanted
// on and someone outside turned their parent, invoices, on meanwhile.
func conflicted(t *testing.T, s *testkit.Site, c *testkit.Client, headers []string) testkit.Page {
	t.Helper()
	add(t, s, c, accountOf("acme"))
	form := permForm(t, c.Get("/resellers/acme"))
	if err := s.Wave.SetFlag("acme", "invoice", "true"); err != nil {
		t.Fatal(err)
	}
	check(form, "invoice_download_csv_merged", true)
	form.Set("reason", "ticket 41")
	p := c.Post("/resellers/acme/meta", form, headers...)
	wantStatus(t, p, http.StatusConflict)
	return p
}

// TestConflict_choices: each flag of the dialog has its result to choose, as fields
// of the form. The merge is chosen unless the person says otherwise; a box that is
// switched in the grid instead counts as well.
func TestConflict_choices(t *testing.T) {
	const mine, theirs wave.Key = "invoice_download_csv_merged", "invoice"
	tests := []struct {
		name         string
		form         func(url.Values) // what the person does with the form that came back
		mine, theirs wave.State       // what it comes to
	}{
		{"nothing: the merge", func(url.Values) {}, wave.On, wave.On},
		{"mine as it is now", func(f url.Values) { f.Set("choose."+string(mine), "now") }, wave.Off, wave.On},
		{"theirs back to what I saw", func(f url.Values) { f.Set("choose."+string(theirs), "seen") }, wave.On, wave.Off},
		{"as if I had seen nothing and wanted nothing", func(f url.Values) {
			f.Set("choose."+string(mine), "now")
			f.Set("choose."+string(theirs), "seen")
		}, wave.Off, wave.Off},
		{"my box cleared in the grid", func(f url.Values) { check(f, mine, false) }, wave.Off, wave.On},
		{"their box cleared in the grid", func(f url.Values) { check(f, theirs, false) }, wave.On, wave.Off},
		{"both the box and the choice", func(f url.Values) {
			check(f, theirs, false)
			f.Set("choose."+string(theirs), "seen")
		}, wave.On, wave.Off},
		{"without the dialog's fields", func(f url.Values) {
			f.Del("choose." + string(mine))
			f.Del("choose." + string(theirs))
		}, wave.On, wave.On},
		{"a choice for a flag that is not on the form", func(f url.Values) { f.Set("choose.nonsense", "seen") }, wave.On, wave.On},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				s := testkit.Start(t, testkit.Options{Accounts: 3})
				c := s.SignedIn(t, testkit.Editor)
				p := conflicted(t, s, c, way.headers)
				form := permForm(t, p)
				tt.form(form)
				wantStatus(t, c.Post("/resellers/acme/meta", form, way.headers...), http.StatusOK)
				if m, o := state(t, s, "acme", mine), state(t, s, "acme", theirs); m != tt.mine || o != tt.theirs {
					t.Errorf("mine is %v and theirs %v, want %v and %v", m, o, tt.mine, tt.theirs)
				}
			})
		}
	}
}

// TestConflict_dialog: what it shows of each flag, and where its ways out lead.
func TestConflict_dialog(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	p := conflicted(t, s, c, nil)
	rows := p.Find("#conflict tbody tr").Map(func(_ int, tr *goquery.Selection) string {
		return strings.Join(tr.Children().Map(func(_ int, cell *goquery.Selection) string {
			cell.Find("legend").Remove()
			return outsideAt.ReplaceAllString(shown(cell), "outside this tool") // the list may show it already
		}), " | ")
	})
	want := []string{
		"Merged invoice CSV | off | off | on | on (yours) off (as it is now)",
		"Invoices | off | on outside this tool | not touched | on (as it is now) off (as you saw it)",
	}
	if strings.Join(rows, "\n") != strings.Join(want, "\n") {
		t.Errorf("the dialog says\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
	for selector, n := range map[string]int{
		`form[data-testid="perm-form"] #conflict input[type=radio][name="choose.invoice"]`:           2,
		`#conflict input[name="choose.invoice"][value="mine"][checked]`:                              1,
		`#conflict input[name="choose.invoice_download_csv_merged"][value="mine"][checked][data-on]`: 1,
		`#conflict button[type=button][data-close][autofocus]`:                                       1,
		`#conflict a[href="#f-invoice_download_csv_merged"]`:                                         1, // the same without scripts
		`#conflict button[type=submit][data-reviewed]`:                                               1,
		`input[name="reason"][value="ticket 41"]`:                                                    1,
	} {
		if got := p.Find(selector).Length(); got != n {
			t.Errorf("%d of %s, want %d", got, selector, n)
		}
	}
}

// TestConflict_unset: a flag that was not set and is off now, or the other way
// round, leaves nothing to choose.
func TestConflict_unset(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	form := permForm(t, c.Get("/resellers/acme"))
	if err := s.Wave.SetFlag("acme", "invoice", ""); err != nil {
		t.Fatal(err)
	}
	check(form, "invoice_download_csv_merged", true)
	p := c.Post("/resellers/acme/meta", form)
	wantStatus(t, p, http.StatusConflict)
	wantText(t, p, "#conflict tbody tr:last-child td:last-child", says("conflict.choose_now", "state", "not set"))
	if p.Find(`[name="choose.invoice"]`).Length() != 0 {
		t.Error("there is a choice between not set and off")
	}
}

// TestConflict_again: what moves while the dialog is open is asked about too.
func TestConflict_again(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c, other := s.SignedIn(t, testkit.Editor), secondEditor(t, s)
	p := conflicted(t, s, c, []string{htmx})
	wantStatus(t, other.Post("/resellers/acme/meta", edit("invoice", true, false)), http.StatusOK)
	p = c.Post("/resellers/acme/meta", permForm(t, p), htmx)
	wantStatus(t, p, http.StatusConflict)
	wantText(t, p, "#conflict tbody", secondEditorName)
	wantStatus(t, c.Post("/resellers/acme/meta", permForm(t, p), htmx), http.StatusOK)
	if m, o := state(t, s, "acme", "invoice_download_csv_merged"), state(t, s, "acme", "invoice"); m != wave.On || o != wave.Off {
		t.Errorf("mine is %v, theirs %v", m, o)
	}
}

// TestIncluded: one sentence for each author, with all of their flags.
func TestIncluded(t *testing.T) {
	for lang, want := range map[string]string{
		"en": "2 other changes by Hana Sasaki at ",
		"ja": "Hana Sasakiさんによるほかの変更2件も含まれています（",
	} {
		for _, way := range ways {
			t.Run(lang+", "+way.name, func(t *testing.T) {
				s := testkit.Start(t, testkit.Options{Accounts: 3})
				c, other := s.SignedIn(t, testkit.Editor), secondEditor(t, s)
				add(t, s, c, accountOf("acme"))
				form := permForm(t, c.Get("/resellers/acme"))
				for _, key := range []wave.Key{"open_api", "users_management"} {
					wantStatus(t, other.Post("/resellers/acme/meta", edit(key, false, true)), http.StatusOK)
				}
				check(form, "invoice", true)
				headers := append([]string{"Accept-Language: " + lang}, way.headers...)
				p := c.Post("/resellers/acme/meta", form, headers...)
				wantStatus(t, p, http.StatusOK)
				if got := p.Find("[data-outcome] p"); got.Length() != 1 || !strings.Contains(shown(got), want) {
					t.Errorf("says %q, want one sentence with %q", shown(got), want)
				}
				for _, key := range []wave.Key{"open_api", "users_management"} {
					f, _ := wave.Lookup(key)
					wantText(t, p, "[data-outcome] p", f.Label.In(lang))
				}
			})
		}
	}
}
