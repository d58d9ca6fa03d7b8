package web_test

import (
	"testing"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// TestCreate_fillKeepsAll: another preset or account changes the functions and nothing
// else that was typed, the password included, which is not sent for it.
func TestCreate_fillKeepsAll(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s, b, id := startPair(t, lang, "/resellers/new")
			group := s.Wave.Groups()[3]
			b.Type(`#email`, "new.customer@example.co.jp")
			b.Type(`#company_id`, group.CompanyID)
			b.Type(`#reason`, "依頼 7")
			b.Click(`input[name="input_type"][value="Custom"]`)
			b.Type(`#password`, "correct-horse-9")
			b.Click(`#f-report_filters`)
			b.Until(`window.sent = [], document.addEventListener("htmx:configRequest", (e) => sent.push(Object.keys(e.detail.parameters).join())), true`)
			b.Until(`(() => { const s = document.querySelector("#preset"); s.focus(); s.value = ` + quoted(id) + `; s.dispatchEvent(new Event("change", { bubbles: true })); return true })()`)
			b.Until(`document.querySelector("[name=filled_preset]").value === ` + quoted(id))
			const kept = `[document.querySelector("#email").value, document.querySelector("#reason").value, document.querySelector("#password").value,
				document.querySelector("#f-report_filters").checked, document.querySelector("#f-invoice").checked, document.querySelector("#f-open_api").checked,
				sent.some((names) => names.includes("password")), document.activeElement.id].join(" ")`
			if got := testkit.Eval[string](b, kept); got != "new.customer@example.co.jp 依頼 7 correct-horse-9 true true true false preset" {
				t.Errorf("after the choice of a preset: %s", got)
			}
			b.Until(`(scrollTo(0, 0), true)`)
			b.Shot("issue-preset-" + lang + "-light")
			b.Type(`#pick-copy`, "pair-b")
			b.Click(`[data-testid="fill"]`)
			b.Until(`document.querySelector("[name=filled_copy]").value === "pair-b@kyoto-foods.example.co.jp"`)
			if got := testkit.Eval[string](b, kept); got != "new.customer@example.co.jp 依頼 7 correct-horse-9 true false true false fill" {
				t.Errorf("after the choice of an account: %s", got)
			}
			b.Click(`[data-testid="create-save"]`)
			b.Wait(`[data-testid="follow-line"]`)
			b.Shot("account-issued-" + lang + "-light")
		})
	}
}

// TestCreate_fillWaits: while an account is being issued, and while it is looked for,
// nothing else is filled in: what became of it is told.
func TestCreate_fillWaits(t *testing.T) {
	t.Parallel()
	s, b, id := startPair(t, "en", "/resellers/new")
	const fixed = `document.querySelector("#preset").disabled && document.querySelector("#fill").disabled`
	const choose = `(p => { p.disabled = false; p.value = ""; p.dispatchEvent(new Event("change", { bubbles: true })); return true; })(document.querySelector("#preset"))`
	b.Type(`#email`, "new.customer@example.co.jp")
	b.Type(`#company_id`, s.Wave.Groups()[3].CompanyID)
	b.Until(`(p => { p.value = ` + quoted(id) + `; return p.dispatchEvent(new Event("change", { bubbles: true })); })(document.querySelector("#preset"))`)
	b.Until(`document.querySelector("[name=filled_preset]").value === ` + quoted(id))
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpCreate, When: sandbox.After, Delay: time.Second, Reset: true})
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Times: 1000, Status: 503})
	if !testkit.Eval[bool](b, `document.querySelector("[data-testid=create-save]").click() ?? (`+fixed+`)`) {
		t.Error("another preset can be chosen while the account is being issued")
	}
	testkit.Eval[bool](b, choose)
	b.Wait(`.outcome.checking`)
	if !testkit.Eval[bool](b, fixed) {
		t.Error("another preset can be chosen while the account is looked for")
	}
	if got := testkit.Eval[string](b, `new FormData(document.querySelector("#create-form")).getAll("preset").join()`); got != id {
		t.Errorf("sent again, the preset would be %q, want %q", got, id)
	}
	s.Wave.ClearFaults()
	b.Wait(`[data-testid="follow-line"]`)
	if n := s.Wave.Count(sandbox.OpCreate); n != 1 {
		t.Errorf("%d accounts were issued", n)
	}
}
