package web_test

import (
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

// TestCreate_fillKeepsAll: another preset or account changes the functions and nothing
// else that was typed, the password included, which is not sent for it.
func TestCreate_fillKeepsAll(t *testing.T) {
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
