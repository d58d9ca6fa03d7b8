package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// TestRefusedForm: a form that was refused says why, on top and at the field,
// and keeps all that was typed, the password included.
func TestRefusedForm(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"ja", "en"} {
		t.Run(lang, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{})
			b := s.NewBrowser(t, lang)
			b.SignIn(testkit.Editor, "/resellers/new")
			b.Type(`#email`, "not an address")
			b.Type(`#company_id`, "company-1")
			b.Click(`input[name="input_type"][value="Custom"]`)
			b.Type(`#password`, "short")
			b.Click(`#f-open_api`)
			b.Click(`[data-testid="create-save"]`)
			b.Until(`document.activeElement.matches(".form-error")`)
			b.Shot("issue-refused-" + lang + "-light")

			if got := testkit.Eval[string](b, `document.title`); !strings.HasPrefix(got, say(t, lang, "form.error_title", "title", "")) {
				t.Errorf("the title is %q, want it to begin with the word for an error", got)
			}
			for field, want := range map[string]string{"email": "not an address", "company_id": "company-1", "password": "short"} {
				if got := testkit.Eval[string](b, `document.getElementById("`+field+`").value`); got != want {
					t.Errorf("%s holds %q, want what was typed: %q", field, got, want)
				}
			}
			for _, field := range []string{"email", "password"} {
				if b.Text("#"+field+"-error") == "" {
					t.Errorf("nothing stands at the field %s", field)
				}
			}
			if !checked(b, "open_api") {
				t.Error("the edit of the flags was lost")
			}
			b.Click(`.form-error a[href="#email"]`)
			if got := testkit.Eval[string](b, `document.activeElement.id`); got != "email" {
				t.Errorf("the summary leads to %q, want the field", got)
			}

			// Mended, it is sent, and the second press of an impatient person is not.
			b.Run("empty the field", chromedp.Clear(chromedp.CSS("#email")))
			b.Type(`#email`, "right@example.co.jp")
			b.Type(`#password`, "-but-longer")
			testkit.Eval[bool](b, `document.querySelector("[data-testid=create-save]").click(), document.querySelector("[data-testid=create-save]").click(), true`)
			b.Until(`location.pathname !== "/resellers/new" && document.querySelector(".notice-line.success")`)
			if n := s.Wave.Count(sandbox.OpCreate); n != 1 {
				t.Errorf("%d calls created, want 1", n)
			}
			if strings.Contains(b.Text("html"), "short-but-longer") {
				t.Error("the page shows the password")
			}
		})
	}
}

// TestNoConnection: a save that never left says so beside the button, and can be
// pressed again.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	s, b, a := editing(t, "ja")
	b.Click(box("invoice"))
	b.Run("cut the network", disconnected(true))
	b.Click(`[data-testid="save"]`)
	b.Until(fmt.Sprintf(`document.querySelector(".savebar [data-form-error]").textContent === %q`, say(t, "ja", "js.no_connection")))
	if !checked(b, "invoice") {
		t.Error("the edit was lost")
	}
	b.Run("join the network", disconnected(false))
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
	if !flagOn(t, s, a.UserID, "invoice") {
		t.Error("the second press did not save")
	}
}

// disconnected cuts the window off from every server, or joins it again.
func disconnected(off bool) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		p := offlineParams{Offline: off}
		p.MatchedNetworkConditions = []*network.Conditions{}
		if off {
			p.MatchedNetworkConditions = append(p.MatchedNetworkConditions, &network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
		}
		emulate := cdp.Command[offlineParams, network.EmulateNetworkConditionsByRuleResult]{Method: network.CommandEmulateNetworkConditionsByRule}
		_, err := chromedp.Call(ctx, emulate, p)
		return chromedp.Void{}, err
	}
}

// offlineParams suit every Chromium: up to 148 it wants offline besides the conditions,
// and later ones in them.
type offlineParams struct {
	Offline bool `json:"offline"`
	network.EmulateNetworkConditionsByRuleParams
}

// TestSearchKeys: "/" goes to the search field, Escape empties it, and nothing
// is searched while an input method composes.
func TestSearchKeys(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, "/resellers")
	rows := func() int { return testkit.Eval[int](b, `document.querySelectorAll("tbody tr").length`) }
	all := rows()

	b.Run("press /", keyDown("/"))
	if !testkit.Eval[bool](b, `document.activeElement.matches("[data-search]") && document.activeElement.value === ""`) {
		t.Fatal("/ did not go to the search field, or was typed into it")
	}
	b.Run("compose", compose("さ"))
	time.Sleep(600 * time.Millisecond) // three times what a search waits
	if got := testkit.Eval[string](b, `location.search`); got != "" {
		t.Errorf("half a word was searched: %s", got)
	}
	b.Press(kb.Escape)
	b.Until(`document.querySelector("[data-search]").value === ""`)
	b.Type(`[data-search]`, "no such account")
	b.Until(`document.querySelectorAll("tbody tr").length === 0`)
	b.Press(kb.Escape)
	b.Until(fmt.Sprintf(`document.querySelectorAll("tbody tr").length === %d`, all))
	b.Until(`location.search === ""`)
}

// keyDown presses a key as hardware does: what the page prevents types nothing.
func keyDown(key string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key})
		return chromedp.Void{}, err
	}
}

// compose types as an input method does that has not finished.
func compose(text string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, input.ImeSetComposition, input.ImeSetCompositionParams{Text: text, SelectionStart: 1, SelectionEnd: 1})
		return chromedp.Void{}, err
	}
}
