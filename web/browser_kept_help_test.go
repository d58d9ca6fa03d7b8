package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// opens reads what the browser keeps as whoever is signed in could, with the key that
// their pages bring: values by name, as JSON, once nothing is being written any more.
const opens = `(async () => {
	const settled = async () => {
		for (let before = null; ;) {
			const now = JSON.stringify([localStorage, sessionStorage]);
			if (now === before) return;
			before = now;
			await new Promise((done) => setTimeout(done, 150));
		}
	};
	await settled();
	const page = new DOMParser().parseFromString(await (await fetch("/sessions")).text(), "text/html");
	const raw = Uint8Array.from(atob(page.body.dataset.key), (c) => c.charCodeAt(0));
	const base = await crypto.subtle.importKey("raw", raw, "HKDF", false, ["deriveKey"]);
	const key = await crypto.subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new TextEncoder().encode("values") },
		base, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
	const found = {};
	for (const [place, sealed] of [localStorage, sessionStorage].flatMap((all) => Object.entries(all))) try {
		const bytes = Uint8Array.from(atob(sealed), (c) => c.charCodeAt(0));
		const clear = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes.subarray(0, 12), additionalData: new TextEncoder().encode(place) }, key, bytes.subarray(12));
		const [name, value] = JSON.parse(new TextDecoder().decode(clear));
		found[name] = JSON.stringify(value);
	} catch { /* of someone else */ }
	return JSON.stringify(found);
})()`

func keptIn(b *testkit.Browser) map[string]string {
	testkit.Eval[bool](b, `(window.keptNow = "", `+opens+`.then((found) => { window.keptNow = found; }), true)`)
	b.Until(`window.keptNow`)
	kept := make(map[string]string)
	if err := json.Unmarshal([]byte(testkit.Eval[string](b, `window.keptNow`)), &kept); err != nil {
		panic(err)
	}
	return kept
}

// draftOf returns the drafts of accounts that the browser keeps of who is signed in.
func draftOf(b *testkit.Browser) string {
	kept := keptIn(b)
	maps.DeleteFunc(kept, func(name, _ string) bool { return !strings.HasPrefix(name, "waveadmin.draft.") })
	var all strings.Builder
	for _, draft := range kept {
		all.WriteString(draft)
	}
	return all.String()
}

// places are what stands in the storages of the site, whoever asks: [place, value].
const places = `[localStorage, sessionStorage].flatMap((all) => Object.entries(all))`

// beforeScripts runs a script in each page before its own.
func beforeScripts(source string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: source})
		return none, err
	}
}

// staging is someone with unsaved work on every screen that keeps it.
type staging struct {
	*testkit.Browser
	s *testkit.Site
	a wave.Reseller
}

const keptReason = "ticket 4711"

func stagedEverywhere(t *testing.T, now func() time.Time) staging {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Config: onlyWhenAsked, Now: now})
	b := staging{s.NewBrowser(t, "en"), s, account(t, s, map[wave.Key]bool{"invoice": false, "open_api": false})}
	b.SignIn(testkit.Editor, "/presets/new")
	b.Type(`[name="name"]`, "Preset nobody knows")
	b.Until(`document.querySelector("[data-preset-unsaved]").textContent.includes("1")`)
	b.Open("/flags/open_api?q=" + url.QueryEscape(b.a.Email))
	b.Click(oneBox(string(b.a.UserID)))
	b.Open("/matrix?q=" + url.QueryEscape(b.a.Email))
	b.Click(fmt.Sprintf(`input[data-user-id=%q][data-flag="usage_tag"]`, b.a.UserID))
	openPalette(b.Browser)
	retype(b.Browser, b.a.Email)
	b.Until(`document.querySelector("#palette [role=option][aria-selected=true] .label")`)
	b.Press("\r")
	b.Until(`location.pathname === "/resellers/` + string(b.a.UserID) + `" && document.querySelector("[data-unsaved]")?.textContent`)
	b.Click(box("invoice"))
	b.Type(`.savebar [name="reason"]`, keptReason)
	return b
}
