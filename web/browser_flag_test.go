package web_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/config"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// flagPage is a site with the page of open_api open, and the accounts that it shows.
func flagPage(t *testing.T, lang, path string) (s *testkit.Site, b *testkit.Browser, rows []string) {
	t.Helper()
	s = testkit.Start(t, testkit.Options{Accounts: 60, Config: onlyWhenAsked})
	b = s.NewBrowser(t, lang)
	b.SignIn(testkit.Editor, path)
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	return s, b, shownAccounts(b)
}

func shownAccounts(b *testkit.Browser) []string {
	return testkit.Eval[[]string](b, `[...document.querySelectorAll("tr[data-user-id]")].map(r => r.dataset.userId)`)
}

func oneBox(id string) string { return fmt.Sprintf(`tr[data-user-id="%s"] .tick`, id) }

// marked returns the accounts that are marked as changed on this page.
func marked(b *testkit.Browser) string {
	return testkit.Eval[string](b, `[...document.querySelectorAll("tr[data-dirty]")].map(r => r.dataset.userId).join(" ")`)
}

func unsavedIs(t *testing.T, b *testkit.Browser, lang string, count, on, off int) {
	t.Helper()
	want := say(t, lang, "js.unsaved", "count", count, "on", on, "off", off)
	if count == 0 {
		want = say(t, lang, "js.unsaved_none")
	}
	if got := b.Text(`[data-testid="unsaved-count"]`); got != want {
		t.Errorf("the save bar says %q, want %q", got, want)
	}
}

// TestFlag_staging: what is staged survives search, filter, pages and a reload; a
// second click takes it back; the buttons take only what is shown.
func TestFlag_staging(t *testing.T) {
	t.Parallel()
	const lang = "en"
	_, b, rows := flagPage(t, lang, "/flags/open_api?size=25&state=off")
	b.Click(oneBox(rows[0]))
	b.Click(oneBox(rows[3]))
	b.Click(oneBox(rows[4]))
	b.Click(fmt.Sprintf(`tr[data-user-id="%s"] [data-revert]`, rows[4]))
	unsavedIs(t, b, lang, 2, 2, 0)
	if got, want := marked(b), rows[0]+" "+rows[3]; got != want {
		t.Errorf("marked: %s, want %s", got, want)
	}
	email := testkit.Eval[string](b, fmt.Sprintf(`document.querySelector('tr[data-user-id="%s"]').dataset.email`, rows[3]))

	b.Click(`[rel="next"]`)
	b.Until(fmt.Sprintf(`!document.querySelector('tr[data-user-id="%s"]')`, rows[0]))
	unsavedIs(t, b, lang, 2, 2, 0)
	if got, want := b.Text(`[data-unsaved-list]`), say(t, lang, "js.staged_hidden", "count", 2); !strings.HasPrefix(got, want) {
		t.Errorf("of what is on another page it says %q, want %q", got, want)
	}
	b.Type(`input[name="q"]`, email)
	b.Until(`document.querySelectorAll("tr[data-user-id]").length === 1`)
	if got := marked(b); got != rows[3] {
		t.Errorf("after a search %q is marked, want %s", got, rows[3])
	}
	b.Reload()
	b.Until(`document.querySelector("tr[data-dirty]")`)
	unsavedIs(t, b, lang, 2, 2, 0)
	b.Click(`.segments a:nth-child(2)`) // those that are on: none of them
	b.Until(`document.querySelectorAll("tr[data-user-id]").length === 0`)
	unsavedIs(t, b, lang, 2, 2, 0)

	b.Open("/flags/open_api?size=25")
	b.Until(`document.querySelector("tr[data-dirty]")`)
	b.Click(`[data-set="off"]`)
	on := testkit.Eval[int](b, `document.querySelectorAll("tr[data-was=on]").length`)
	if got := testkit.Eval[int](b, `document.querySelectorAll(".flag-list input:checked").length`); got != 0 || on == 0 {
		t.Errorf("%d boxes are on, %d were", got, on)
	}
	here := testkit.Eval[int](b, `[...document.querySelectorAll("tr[data-user-id]")].filter(r => ["`+rows[0]+`", "`+rows[3]+`"].includes(r.dataset.userId)).length`)
	unsavedIs(t, b, lang, 2-here+on, 2-here, on)
	b.Click(`[data-testid="discard"]`)
	unsavedIs(t, b, lang, 0, 0, 0)
	b.Click(`[data-testid="save"]`)
	b.Until(fmt.Sprintf(`document.querySelector("[data-unsaved]").textContent === %q`, say(t, lang, "js.nothing_to_save")))
}

// TestFlag_savesOne: one account is saved as from its own page, with this flag alone,
// and its undo is offered here.
func TestFlag_savesOne(t *testing.T) {
	t.Parallel()
	const lang = "en"
	s, b, rows := flagPage(t, lang, "/flags/open_api?state=off")
	id := wave.UserID(rows[2])
	a, _ := s.Wave.Get(id)
	b.Click(oneBox(rows[2]))
	b.Type(`input[name="reason"]`, "ticket 7")
	s.Wave.ResetJournal()
	testkit.Eval[bool](b, `window.really = HTMLFormElement.prototype.submit, window.sends = 0, HTMLFormElement.prototype.submit = function() { sends++; this.remove(); }, true`)
	openPalette(b)
	b.Press("s", ctrl)
	b.Press(kb.Escape)
	b.Until(`!` + paletteOpen)
	const held = `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "s", ctrlKey: true, repeat: true, bubbles: true, cancelable: true}))`
	if testkit.Eval[bool](b, held+` || sends > 0`) {
		t.Error("Ctrl+S saved behind a dialog, or as it was held down")
	}
	b.Press("s", ctrl)
	b.Click(`[data-testid="save"]`)
	if n := testkit.Eval[int](b, `sends`); n != 1 {
		t.Errorf("two presses sent %d forms", n)
	}
	testkit.Eval[bool](b, `HTMLFormElement.prototype.submit = really, dispatchEvent(new Event("pageshow"))`)
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
	unsavedIs(t, b, lang, 0, 0, 0)
	if got := testkit.Eval[string](b, `location.pathname + location.search`); got != "/flags/open_api?state=off" {
		t.Errorf("the save leads to %s", got)
	}
	if got := b.Text(`[data-outcome]`); !strings.Contains(got, a.Email) {
		t.Errorf("it says %q, want %s in it", got, a.Email)
	}
	if n := s.Wave.Count(sandbox.OpMeta); n != 1 || !flagOn(t, s, id, "open_api") {
		t.Errorf("%d calls, and it is on: %v", n, flagOn(t, s, id, "open_api"))
	}
	after, _ := s.Wave.Get(id)
	if moved := wave.Diff(a.Meta, after.Meta); len(moved) != 1 {
		t.Errorf("moved: %v", moved)
	}
	b.Click(`[data-testid="undo"]`)
	b.Until(`document.querySelector("[data-outcome]") && !document.querySelector("[data-testid=undo]")`)
	if flagOn(t, s, id, "open_api") || testkit.Eval[string](b, `location.pathname`) != "/flags/open_api" {
		t.Error("it was not taken back, or not from here")
	}
}

// TestFlag_asksFirst: the change of one account, too, is looked over first when the
// settings want every save to be, or the list is old.
func TestFlag_asksFirst(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, confirm string
		old, asks     bool
	}{{"always", "always", false, true}, {"risky", "risky", true, true}, {"risky, of now", "risky", false, false}, {"never", "never", true, false}} {
		t.Run(tt.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 10, Config: func(c *config.Config) {
				onlyWhenAsked(c)
				c.UI.Confirm = tt.confirm
			}})
			b := s.NewBrowser(t, "en")
			b.SignIn(testkit.Editor, "/flags/open_api?state=off")
			b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
			if tt.old {
				testkit.Eval[string](b, `document.getElementById("list").dataset.asOf = "2020-01-01T00:00:00Z"`)
			}
			b.Click(oneBox(shownAccounts(b)[0]))
			want := "/flags/open_api"
			if tt.asks {
				want = "/bulk/"
				if got, words := b.Text(`[data-testid="save"]`), say(t, "en", "js.preview", "count", 1); got != words {
					t.Errorf("the button says %q, want %q", got, words)
				}
			}
			b.Click(`[data-testid="save"]`)
			b.Until(`location.pathname.startsWith("/bulk/") || document.querySelector("[data-outcome]")`)
			if got := testkit.Eval[string](b, `location.pathname`); !strings.HasPrefix(got, want) {
				t.Errorf("the save led to %s, want %s", got, want)
			}
			if n := s.Wave.Count(sandbox.OpMeta); (n > 0) == tt.asks {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// TestFlag_refused: a save of one that meets something ends on that account's page,
// and stays staged here.
func TestFlag_refused(t *testing.T) {
	t.Parallel()
	s, b, rows := flagPage(t, "en", "/flags/open_api?state=off")
	b.Click(oneBox(rows[0]))
	s.Wave.RemoveAccount(wave.UserID(rows[0]))
	b.Click(`[data-testid="save"]`)
	b.Until(`location.pathname !== "/flags/open_api"`)
	b.Open("/flags/open_api?state=off")
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	unsavedIs(t, b, "en", 1, 1, 0)

	s.WaveLeaves()
	rows = shownAccounts(b)
	b.Click(oneBox(rows[5]))
	b.Click(`[data-testid="save"]`)
	b.Until(`document.querySelector("[data-form-error]").textContent !== ""`) // a preview needs a list of now
	unsavedIs(t, b, "en", 2, 2, 0)
}

// TestFlag_pageTurnFails: that a page did not come is no failed save, and is not told as
// one beside the button.
func TestFlag_pageTurnFails(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			_, b, _ := flagPage(t, lang, "/flags/open_api?size=25")
			b.Run("cut the network", disconnected(true))
			b.Click(`[rel="next"]`)
			b.Until(`document.querySelector(".toast.error p")`)
			if got, want := b.Text(`.toast.error p`), say(t, lang, "js.read_no_connection"); got != want {
				t.Errorf("it says %q, want %q", got, want)
			}
			b.Run("join the network", disconnected(false))
			b.Until(`(htmx.ajax("GET", "/flags/no_such_function", {source: '[rel="next"]'}), true)`)
			b.Until(`document.querySelectorAll(".toast.error").length === 2`)
			if got := b.Text(`[data-form-error]`); got != "" {
				t.Errorf("beside the button stands %q", got)
			}
		})
	}
}

// TestFlag_handsOver: more than one account goes to the preview of a bulk change, with
// what was seen and what is wanted; after it nothing is staged, but can be again.
func TestFlag_handsOver(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s, b, rows := flagPage(t, lang, "/flags/open_api")
			type item struct {
				User string            `json:"user"`
				Seen map[string]string `json:"seen"`
				Want map[string]string `json:"want"`
			}
			var want []item
			on := 0
			isOn := testkit.Eval[string](b, `document.querySelector("tr[data-was=on]").dataset.userId`)
			chosen := slices.DeleteFunc(rows, func(id string) bool { return id == isOn })
			for _, id := range []string{chosen[1], isOn, chosen[4]} {
				b.Click(oneBox(id))
				i := item{id, map[string]string{"open_api": "off"}, map[string]string{"open_api": "on"}}
				a, _ := s.Wave.Get(wave.UserID(id))
				switch {
				case a.Meta.On("open_api"):
					i.Seen, i.Want = i.Want, i.Seen
				case a.Meta.State("open_api") == wave.Unset:
					i.Seen["open_api"] = "unset"
				}
				if i.Want["open_api"] == "on" {
					on++
				}
				want = append(want, i)
			}
			unsavedIs(t, b, lang, 3, on, 3-on)
			if got, want := b.Text(`[data-testid="save"]`), say(t, lang, "js.preview", "count", 3); got != want {
				t.Errorf("the button says %q, want %q", got, want)
			}
			b.Shot("flag-staged-" + lang + "-light")
			b.Until(`(document.addEventListener("htmx:configRequest", e => sessionStorage.sent = JSON.stringify(e.detail.parameters)), true)`)
			b.Click(`[data-testid="save"]`)
			b.Wait(`[data-testid="bulk-preview"]`)
			var sent map[string]string
			var plan struct {
				Source string `json:"source"`
				Items  []item `json:"items"`
			}
			if err := json.Unmarshal([]byte(testkit.Eval[string](b, `sessionStorage.sent`)), &sent); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(sent["plan"]), &plan); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, plan.Items); diff != "" || plan.Source != "flag" || len(sent) > 3 {
				t.Errorf("sent %v (-want +got):\n%s", sent, diff)
			}
			for _, i := range want {
				a, _ := s.Wave.Get(wave.UserID(i.User))
				if !strings.Contains(b.Text("main"), a.Email) {
					t.Errorf("the preview lacks %s", a.Email)
				}
			}
			if s.Wave.Count(sandbox.OpMeta) != 0 {
				t.Error("the preview has changed something")
			}

			b.Open("/flags/open_api")
			b.Wait(`[data-bring-back]`)
			unsavedIs(t, b, lang, 0, 0, 0)
			b.Click(`[data-bring-back]`)
			unsavedIs(t, b, lang, 3, on, 3-on)
		})
	}
}
