package web_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/auth"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// ticked are the numbers of the rows that are selected, from 1.
const ticked = `[...document.querySelectorAll("tbody tr")].flatMap((tr, i) => tr.querySelector("input[name=user]:checked") ? [i + 1] : []).join(" ")`

// pick is the box of a row, from 1.
func pick(row int) string { return fmt.Sprintf(`tbody tr:nth-child(%d) input[name=user]`, row) }

// shiftClick clicks the middle of an element with the Shift key down.
func shiftClick(b *testkit.Browser, sel string) {
	x := testkit.Eval[float64](b, fmt.Sprintf(`(r => r.x + r.width / 2)(document.querySelector(%q).getBoundingClientRect())`, sel))
	y := testkit.Eval[float64](b, fmt.Sprintf(`(r => r.y + r.height / 2)(document.querySelector(%q).getBoundingClientRect())`, sel))
	b.Run("click with Shift", chromedp.MouseClickXY(x, y, chromedp.ButtonModifiers(chromedp.ModifierShift)))
}

func TestTable_selection(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 60})
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, "/resellers?size=25")
	is := func(want, count string) {
		t.Helper()
		if got := testkit.Eval[string](b, ticked); got != want {
			t.Errorf("selected are the rows %q, want %q", got, want)
		}
		if got := b.Text(`[data-testid="selected-count"]`); got != count {
			t.Errorf("it says %q, want %q", got, count)
		}
	}
	count := func(n string) string { return say(t, "en", "js.selected", "count", n) }
	top := `document.querySelector("tbody tr").getBoundingClientRect().top`

	before := testkit.Eval[float64](b, top)
	b.Click(pick(3))
	is("3", count("1"))
	if after := testkit.Eval[float64](b, top); after != before {
		t.Errorf("the rows move by %v px", after-before)
	}
	shiftClick(b, pick(6))
	is("3 4 5 6", count("4"))
	shiftClick(b, pick(1)) // from the one that was clicked last without Shift
	is("1 2 3 4 5 6", count("6"))
	b.Click(pick(2))
	is("1 3 4 5 6", count("5"))
	shiftClick(b, pick(4)) // what it makes of the last, it makes of all
	is("1 5 6", count("3"))

	// By keyboard.
	b.Until(fmt.Sprintf(`(document.querySelector(%q).focus(), true)`, pick(8)))
	b.Press(" ")
	is("1 5 6 8", count("4"))

	// The page, then all that match.
	if testkit.Eval[bool](b, `document.querySelector("[data-select-page]").indeterminate`) != true {
		t.Error("the box of the page does not show that some are selected")
	}
	b.Click(`[data-select-page]`)
	b.Until(`document.querySelectorAll("input[name=user]:checked").length === document.querySelectorAll("input[name=user]").length`)
	b.Click(`[data-select-all] input`)
	if got := b.Text(`[data-testid="selected-count"]`); got != count("60") {
		t.Errorf("all that match: %q", got)
	}
	if sent := testkit.Eval[string](b, `new URLSearchParams(new FormData(document.getElementById("selection"))).get("all")`); sent != "1" {
		t.Errorf("all is sent as %q", sent)
	}
	b.Click(pick(1)) // one less: not all any more
	if testkit.Eval[bool](b, `new FormData(document.getElementById("selection")).has("all")`) {
		t.Error("one was taken out and all are sent")
	}
	if rows := testkit.Eval[int](b, `new FormData(document.getElementById("selection")).getAll("user").length`); rows != testkit.Eval[int](b, `document.querySelectorAll("input[name=user]").length`)-1 {
		t.Errorf("%d rows are sent", rows)
	}
	b.Click(`[data-select-none]`)
	is("", count("0"))
	if testkit.Eval[bool](b, `document.querySelector("#selection .acting").checkVisibility()`) {
		t.Error("what can be done with the selection is offered without one")
	}
	if focus := testkit.Eval[bool](b, `document.activeElement.matches("[data-select-page]")`); !focus {
		t.Error("the focus is lost with the button")
	}
}

// Nothing that is not shown stays selected, and what goes is said.
func TestTable_selectionFollowsTheRows(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 60})
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, "/resellers?size=25")
	mark := `(document.getElementById("list").dataset.old = "1", true)`
	fresh := `document.getElementById("list") && !document.getElementById("list").dataset.old`
	note := func() string { return b.Text(`[data-select-note]`) }

	for _, row := range []int{1, 2, 3} {
		b.Click(pick(row))
	}
	shown := testkit.Eval[string](b, `document.querySelector("tbody tr:nth-child(2) th a").textContent`)
	b.Until(mark)
	b.Type(`input[name="q"]`, strings.ToUpper(shown))
	b.Until(fresh)
	if got := testkit.Eval[string](b, ticked); got != "" || note() != say(t, "en", "js.selection_cleared") {
		t.Errorf("after a search %q is selected, and it says %q", got, note())
	}
	b.Until(fmt.Sprintf(`document.getElementById("sr-status").textContent.includes(%q)`, say(t, "en", "js.selection_cleared")))

	b.Open("/resellers?size=25")
	b.Click(pick(1))
	b.Click(pick(25))
	b.Until(mark)
	b.Click(`thead th:nth-child(2) .sort`) // from the end: the first are others
	b.Until(fresh)
	if got := testkit.Eval[string](b, ticked); got != "" || note() != say(t, "en", "js.selection_left", "count", 2) {
		t.Errorf("after sorting %q is selected, and it says %q", got, note())
	}
	b.Click(pick(2))
	b.Until(mark)
	b.Until(`(document.querySelector("select[name=size]").value = "100", document.querySelector("select[name=size]").dispatchEvent(new Event("change", {bubbles: true})), true)`)
	b.Until(fresh)
	if got := testkit.Eval[string](b, ticked); got != "2" || note() != "" || b.Text(`[data-testid="selected-count"]`) != say(t, "en", "js.selected", "count", "1") {
		t.Errorf("a row that is still shown: %q is selected, and it says %q", got, note())
	}
	b.Until(mark)
	b.Click(pick(2))
	b.Click(`[data-select-page]`)
	b.Until(`(document.querySelector("[name=drift]").checked = true, document.getElementById("list-form").requestSubmit(), true)`)
	b.Wait(`.empty`)
	if testkit.Eval[int](b, `document.querySelectorAll("input[name=user]").length`) != 0 {
		t.Error("rows without a match")
	}
}

// TestTable_withoutScripts: the boxes of the page are fields of a form; filter,
// columns and views are forms and links.
// TestTable_selectionStaysInSight: how many are selected, and what can be done with them,
// also from the rows at the end of a long page, which do not move when the first is ticked.
func TestTable_selectionStaysInSight(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 60})
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/resellers?size=50")
	for _, width := range []int64{1280, 390} {
		b.Size(width, 800)
		b.Reload()
		b.Wait(pick(1))
		const top = `Math.round(document.querySelector("tbody tr").getBoundingClientRect().top + scrollY)`
		before := testkit.Eval[int](b, top)
		b.Until(fmt.Sprintf(`(document.querySelector(%q).focus(), true)`, pick(45)))
		b.Press(" ")
		b.Until(`document.querySelector("#selection.any")`)
		if after := testkit.Eval[int](b, top); after != before && width > 700 {
			t.Errorf("at %d the rows moved from %d to %d", width, before, after)
		}
		b.Until(`(() => {
			const box = document.querySelector("#selection button.primary").getBoundingClientRect();
			return box.top >= 0 && box.bottom < innerHeight && document.elementFromPoint(box.x + 5, box.y + 5).closest("#selection");
		})()`)
		b.Shot(fmt.Sprintf("selection-far-down-%d", width))
		b.Press(kb.Tab, chromedp.KeyModifiers(8)) // Shift: to what lies above, and not under it
		b.Until(`document.activeElement.getBoundingClientRect().top >= document.querySelector("#selection").getBoundingClientRect().bottom`)
	}
}

func TestTable_withoutScripts(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 60})
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, "/resellers?size=25")
	b.Run("turn scripts off", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
	b.Reload()
	if testkit.Eval[bool](b, `document.querySelector("[data-select-page]").checkVisibility()`) {
		t.Error("a box that does nothing is shown")
	}
	b.Click(`.list-bar form details:nth-of-type(2) summary`)
	b.Click(`[name=cols][value=password_updated]`)
	b.Click(`[data-testid="columns"] + .bar button`)
	b.Until(`location.search.includes("password_updated")`)
	b.Click(`#views > summary`)
	b.Type(`#views [name=name]`, "Passwords")
	b.Click(`#views form[action="/views"] button`)
	b.Until(`document.querySelector("#views > summary").innerText.includes("Passwords")`)
	b.Click(pick(2))
	b.Click(pick(4))
	id := testkit.Eval[string](b, fmt.Sprintf(`document.querySelector(%q).value`, pick(2)))
	b.Click(`#selection .acting > button.primary`)
	b.Until(`location.pathname === "/bulk/new" && document.readyState === "complete"`)
	if a, _ := s.Wave.Get(wave.UserID(id)); !strings.Contains(testkit.Eval[string](b, `document.querySelector("main").textContent`), a.Email) {
		t.Errorf("the form does not name %s: %s", a.Email, b.Text("main"))
	}
}

// tablePast gives the table presets, changes and views to show.
func tablePast(t *testing.T, s *testkit.Site) (presetID string) {
	t.Helper()
	by := auth.Actor{Issuer: "idp", Subject: "1", Name: "田中", Role: auth.Editor}
	standard := wave.Wanted{"invoice": true, "usage_tag": true, "open_api": false}
	made, err := s.Presets.Save(t.Context(), by,
		preset.Edit{Content: preset.Content{Name: "スタンダード", Flags: standard}},
		preset.Edit{Content: preset.Content{Name: "エンタープライズ（西日本支社）", Flags: wave.Wanted{"open_api": true}}})
	if err != nil {
		t.Fatal(err)
	}
	var ids [2][]wave.UserID
	for i, a := range s.Wave.Accounts() {
		if i%4 != 3 && a.Flaw == wave.NoFlaw {
			ids[i%4%2] = append(ids[i%4%2], a.UserID)
		}
	}
	for i, p := range made {
		if _, err := s.Presets.Assign(t.Context(), by, p.ID, ids[i]); err != nil {
			t.Fatal(err)
		}
	}
	c := s.SignedIn(t, testkit.Editor)
	for name, list := range map[string]string{
		"差分のあるアカウント": "drift=1&sort=-drift", "今週変更したもの": "changed_days=7&sort=-changed",
	} {
		c.Post("/views", url.Values{"name": {name}, "list": {list}, "shared": {"1"}})
	}
	c.Post("/views", url.Values{"name": {"未登録"}, "list": {"never_registered=1"}})
	for _, a := range s.Wave.Accounts()[1:9] { // the first is one of which nothing is on record
		on := map[bool]string{true: "on", false: "off"}
		form := url.Values{"was.usage_tag": {on[a.Meta.On("usage_tag")]}}
		if !a.Meta.On("usage_tag") {
			form.Set("is.usage_tag", "on")
		}
		c.Post("/resellers/"+string(a.UserID)+"/meta", form)
	}
	return made[0].ID
}

// TestTable_pictures takes the pictures of the table's states, and looks whether the
// row's links stay in the window of a desk.
func TestTable_pictures(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 200})
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/resellers")
	id := tablePast(t, s)
	for _, lang := range i18n.Languages {
		b.Open("/resellers?lang=" + lang)
		view := testkit.Eval[string](b, `[...document.querySelectorAll("#views .menu a")].find(a => a.href.includes("drift")).getAttribute("href")`)
		for _, mode := range map[string][]string{"ja": {"light", "dark"}, "en": {"light", "phone"}}[lang] {
			b.Size(1280, 900)
			if mode == "phone" {
				b.Size(390, 844)
			}
			b.Dark(mode == "dark")
			shot := func(name string) { b.Shot("table-" + name + "-" + lang + "-" + mode) }
			b.Open(view + "&preset=" + id)
			b.Click(pick(2))
			shiftClick(b, pick(4))
			shot("selected")
			if over := testkit.Eval[float64](b, `document.querySelector("tbody .acts").getBoundingClientRect().right - document.querySelector(".card.scroll").getBoundingClientRect().right`); over > 0 && mode != "phone" {
				t.Errorf("%s: a row is %v px wider than its frame", lang, over)
			}
			b.Click(`#views > summary`)
			shot("views")
			b.Open("/resellers?cols=email,company_id,password_updated,preset&on=usage_tag")
			b.Click(`.list-bar form details:nth-of-type(2) summary`)
			shot("columns")
			b.Open("/resellers")
			b.Click(`.list-bar form details:nth-of-type(1) summary`)
			shot("filter")
		}
	}
}
