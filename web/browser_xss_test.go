package web_test

import (
	"encoding/csv"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// payloads run pwned where a page takes text for markup, an attribute, a script, a
// style, an address or a template.
var payloads = []string{
	`<script>pwned=1</script>`, `"><script>pwned=1</script>`, `'><script>pwned=1</script>`, `</script><script>pwned=1</script>`,
	`<ScRiPt>pwned=1</sCrIpT>`, `<script src="data:text/javascript,pwned=1"></script>`, `<script type=module>window.pwned=1</script>`,
	`<img src=x onerror=pwned=1>`, `"><img src=x onerror=pwned=1>`, `'><img src=x onerror=pwned=1>`, `<img/src/onerror=pwned=1>`,
	`<svg onload=pwned=1>`, `<svg><script>pwned=1</script></svg>`, `<svg><animate onbegin=pwned=1 attributeName=x dur=1s>`,
	`<math><mtext></form><form><mglyph><style></math><img src onerror=pwned=1>`, `<body onload=pwned=1>`, `<iframe srcdoc="<script>parent.pwned=1</script>">`,
	`<iframe src="javascript:parent.pwned=1">`, `<object data="javascript:pwned=1">`, `<embed src="javascript:pwned=1">`,
	`<a href="javascript:pwned=1">x</a>`, `javascript:pwned=1`, `data:text/html,<script>pwned=1</script>`, `<base href="javascript:pwned=1//">`,
	`<input autofocus onfocus=pwned=1>`, `<details open ontoggle=pwned=1>`, `<video><source onerror=pwned=1>`, `<marquee onstart=pwned=1>`,
	`" autofocus onfocus=pwned=1 x="`, `' autofocus onfocus=pwned=1 x='`, `" onmouseover=pwned=1 style=position:fixed;inset:0 x="`,
	`<style>@import'javascript:pwned=1';</style>`, `<link rel=stylesheet href="data:text/css,*{background:red}">`, `<meta http-equiv=refresh content="0;url=javascript:pwned=1">`,
	`<div hx-get="/resellers" hx-trigger="load" hx-on::load="pwned=1">`, `<div hx-on:htmx:load="pwned=1" hx-vals='js:{a:pwned=1}'>`, `<div data-hx-trigger="load[pwned=1]" data-hx-get="/">`,
	`{{constructor.constructor('pwned=1')()}}`, "${pwned=1}`+(pwned=1)+`", `<!--><img src=x onerror=pwned=1>-->`, `<noscript><p title="</noscript><img src=x onerror=pwned=1>">`,
	`<template><script>pwned=1</script></template><slot onslotchange=pwned=1>`, `%3Cscript%3Epwned=1%3C/script%3E`, `&lt;script&gt;pwned=1&lt;/script&gt;`, `\u003cscript\u003epwned=1\u003c/script\u003e`,
}

// foreign finds what no page of ours has: the payload became a part of the page.
const foreign = `(() => {
  const out = [];
  if (typeof pwned !== "undefined") out.push("it ran");
  for (const e of document.querySelectorAll("*")) {
    if (e.matches("script:not([src], #texts[type='application/json'], #more-texts[type='application/json']), iframe, object, embed, base, math, marquee, video, template:not([id]), meta[http-equiv=refresh], img, slot, style")) out.push(e.outerHTML.slice(0, 120));
    for (const { name, value } of e.attributes) {
      if (/^on/i.test(name) || /^(data-)?hx-on/i.test(name) || /^\s*(javascript|data):/i.test(value) && /^(href|src|action|formaction|data|xlink:href|hx-.*)$/i.test(name)) out.push(e.outerHTML.slice(0, 120));
    }
  }
  return out.join("\n");
})()`

// attackedID is the id of the account whose texts are payload n, without what no
// address takes.
func attackedID(n int) string {
	return fmt.Sprintf("x%02d", n) + strings.NewReplacer("/", " ", "\\", " ").Replace(payloads[n])
}

// attacked is a site where every text that can come from outside is a payload.
func attacked(t *testing.T) *testkit.Site {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Accounts: 1, Config: onlyWhenAsked})
	for n, p := range payloads {
		meta := wave.Defaults().WithRaw(wave.Key(p), []byte("true")).WithRaw("odd"+wave.Key(p), fmt.Appendf(nil, "%q", p))
		err := s.Wave.AddAccount(wave.Reseller{
			UserID: wave.UserID(attackedID(n)), Email: fmt.Sprint(n, p, "@example.co.jp"), Meta: meta,
			BillingGroup: wave.BillingGroup{CompanyID: fmt.Sprint("c", n, p), ID: fmt.Sprint("BG", n, p), Name: p},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	c := s.SignedIn(t, testkit.Editor)
	c.Post("/refresh", url.Values{})
	var ids []string
	for n, p := range payloads {
		id := attackedID(n)
		ids = append(ids, id)
		c.Post("/presets", url.Values{"name": {p}, "note": {p}, "description": {p}, "flag.invoice": {"on"}})
		c.Post("/views", url.Values{"name": {p}, "query": {"q=" + p}, "list": {"?q=" + url.QueryEscape(p)}, "shared": {"1"}})
		at := "/resellers/" + url.PathEscape(id)
		if page := post(t, c, at+"/meta", url.Values{"was.open_api": {"off"}, "is.open_api": {"on"}, "reason": {p}}); page.Find(`[data-testid="perm-form"]`).Length() != 1 {
			t.Fatalf("%s has no form", at)
		}
	}
	c.Post("/bulk", url.Values{"user": ids, "paste": {strings.Join(payloads, "\n")}, "flag.invoice": {"off"}, "reason": {payloads[0]}})
	return s
}

// accountFile is a file of accounts whose every text is a payload, also in columns that
// are not known. None of its rows can be issued, but for those that good adds.
func accountFile(good bool) string {
	columns := []string{"email", "company_id", "notification", "preset", "invoice"}
	var out strings.Builder
	w := csv.NewWriter(&out) // a builder takes it all
	_ = w.Write(append(columns, payloads...))
	for n, p := range payloads {
		row := func(id string) []string {
			return []string{"new-" + id + "@example.co.jp", fmt.Sprint("c", n, p), "on", "", "on"}
		}
		if good {
			_ = w.Write(row(fmt.Sprint(n)))
		}
		for i := range columns {
			bad := row(fmt.Sprint(n, "-", i))
			bad[i] = "no " + p
			_ = w.Write(bad)
		}
	}
	w.Flush()
	return out.String()
}

// TestBrowser_payloads: whatever text Wave, a form, an address, a file or an error
// brings, it stays text on every page, and no policy has to stop it.
func TestBrowser_payloads(t *testing.T) {
	t.Parallel()
	if len(payloads) < 40 {
		t.Fatalf("%d payloads", len(payloads))
	}
	s := attacked(t)
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, "/")
	look := func(path string) {
		t.Helper()
		if found := testkit.Eval[string](b, foreign); found != "" {
			t.Errorf("%.200s: %s", path, found)
		}
		for _, c := range b.Complaints() {
			t.Errorf("%.200s: the page complained: %s", path, c)
		}
	}
	plan, _ := s.SignedIn(t, testkit.Editor).Get("/bulk").Find(`[data-testid="bulk-list"] tbody a`).Attr("href")
	first := "/resellers/" + url.PathEscape(attackedID(0))
	for _, path := range []string{
		"/", "/resellers?size=100", "/matrix?size=100", "/presets", "/changes?size=100", "/bulk", plan, plan + "?show=changes", "/sessions",
		"/flags/" + url.PathEscape(payloads[0]), "/resellers/new", "/bulk/new", "/resellers/import", first, first + "/history",
	} {
		b.Open(path)
		b.Wait("main")
		look(path)
	}
	for n, p := range payloads {
		id := url.PathEscape(attackedID(n))
		q := url.QueryEscape(p)
		paths := []string{
			"/resellers/" + id, "/resellers?q=" + q + "&sort=" + q, "/matrix?q=" + q + "&hide=" + q, "/changes?account=" + q + "&outcome=" + q,
			"/compare?a=" + id + "&b=" + q, "/presets/" + url.PathEscape(p), "/no/such/" + url.PathEscape(p) + "?return_to=" + q,
		}
		for _, path := range []string{paths[n%len(paths)], paths[(n+3)%len(paths)]} { // each payload on two of them
			b.Open(path)
			b.Wait("main")
			look(path)
		}
	}
	for _, page := range []struct {
		good  bool
		shows string
		texts []string
	}{
		{false, `[data-testid="import-problems"]`, []string{"no " + payloads[0], payloads[1] + ", " + payloads[2]}},
		{true, `[data-testid="bulk-preview"]`, []string{"no " + payloads[0], payloads[1] + ", " + payloads[2], "c44" + payloads[44]}},
	} {
		b.Open("/resellers/import")
		chooseFile(b, accountFile(page.good))
		b.Click(`[data-testid="import-check"]`)
		b.Wait(page.shows)
		look("a file of accounts, " + page.shows)
		text := b.Text("main")
		for _, want := range page.texts {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not show %q", page.shows, want)
			}
		}
	}
	for _, p := range payloads[:5] { // what an error of Wave brings
		stop := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Status: 400, Body: fmt.Sprintf(`{"error":%q,"message":%q}`, p, p)})
		b.Open(first)
		b.Wait(`[data-testid="perm-form"]`)
		b.Click(`input[name="is.open_api"]`)
		b.Click(`[data-testid="save"]`)
		b.Until(`document.querySelector("[data-form-error], [role=alert]")?.textContent.trim()`)
		look("an error of Wave")
		b.Click(`[data-testid="discard"]`) // or the page asks before it is left
		stop()
	}
}
