package handlers_test

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// htmx is how a request says that it wants a fragment.
const htmx = "HX-Request: true"

// japanese is how a browser asks for the other language.
const japanese = "Accept-Language: ja"

var english = i18n.WithLang(context.Background(), "en")

// says is a sentence in English, which is what the client asks for.
func says(key string, args ...any) string { return i18n.T(english, key, args...) }

// savedText is how the sentence of a save begins.
func savedText(n int) string {
	return strings.TrimSuffix(says("save.done", "count", n, "time", ""), ".")
}

// undoneText is how the sentence of an undo begins.
func undoneText(n int) string {
	return strings.TrimSuffix(says("save.undone", "count", n, "time", ""), ".")
}

// ways are the two ways in which a form is sent: as a plain one, and by htmx.
var ways = []struct {
	name    string
	headers []string
}{
	{"plain", nil},
	{"htmx", []string{htmx}},
}

// accountOf is an account for a test of its own, beside the seeded ones.
func accountOf(id string) wave.Reseller {
	return wave.Reseller{
		UserID: wave.UserID(id), Email: id + "@example.co.jp",
		BillingGroup: wave.BillingGroup{CompanyID: "k-" + id, ID: "BG-" + id, Name: "テスト商事"},
		Meta:         wave.Defaults(),
	}
}

// add puts the account into Wave and into what the site shows.
func add(t *testing.T, s *testkit.Site, c *testkit.Client, a wave.Reseller) {
	t.Helper()
	if err := s.Wave.AddAccount(a); err != nil {
		t.Fatal(err)
	}
	refresh(t, c)
}

// appear is add, and waits until it is on record that the account came from outside.
func appear(t *testing.T, s *testkit.Site, c *testkit.Client, a wave.Reseller) {
	t.Helper()
	add(t, s, c, a)
	until(t, "the account is on record", func() bool {
		return c.Get("/changes?by=outside&kind=create&account="+string(a.UserID)).Find("tr[data-change]").Length() == 1
	})
}

// until waits for what the site does by itself.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// refresh makes the site list again.
func refresh(t *testing.T, c *testkit.Client) {
	t.Helper()
	if p := c.Unredirected().Post("/refresh", url.Values{}); p.Status != http.StatusSeeOther {
		t.Fatalf("refresh = %d: %s", p.Status, p.Text())
	}
}

// fields reads a form as a browser without scripts sends it, its submit buttons
// left out.
func fields(t *testing.T, form *goquery.Selection) url.Values {
	t.Helper()
	if form.Length() != 1 {
		t.Fatalf("the page has %d such forms, want one", form.Length())
	}
	v := url.Values{}
	form.Find("input, select, textarea").Each(func(_ int, in *goquery.Selection) {
		name, ok := in.Attr("name")
		_, checked := in.Attr("checked")
		kind := in.AttrOr("type", "text")
		if !ok || (kind == "checkbox" || kind == "radio") && !checked {
			return
		}
		value := in.AttrOr("value", "")
		if goquery.NodeName(in) == "select" {
			value = in.Find("option[selected]").AttrOr("value", in.Find("option").First().AttrOr("value", ""))
		}
		v.Add(name, value)
	})
	return v
}

// permForm returns the fields of the grid on the page.
func permForm(t *testing.T, p testkit.Page) url.Values {
	t.Helper()
	return fields(t, p.Find(`form[data-testid="perm-form"]`))
}

// check ticks or clears a box of the grid.
func check(form url.Values, key wave.Key, on bool) {
	form.Del("is." + string(key))
	if on {
		form.Set("is."+string(key), "on")
	}
}

// edit is a form that brings one touched flag alone.
func edit(key wave.Key, was, is bool) url.Values {
	form := url.Values{"was." + string(key): {wave.StateOf(was).String()}}
	check(form, key, is)
	return form
}

// boxOn reports whether a box of the grid is ticked.
func boxOn(p testkit.Page, key wave.Key) bool {
	return p.Find(`input[type=checkbox][name="is.`+string(key)+`"][checked]`).Length() == 1
}

// state returns what Wave has of a flag.
func state(t *testing.T, s *testkit.Site, id wave.UserID, key wave.Key) wave.State {
	t.Helper()
	a, ok := s.Wave.Get(id)
	if !ok {
		t.Fatalf("Wave has no account %s", id)
	}
	return a.Meta.State(key)
}

// writes returns the calls that a test made Wave get, lists and tokens left out.
func writes(s *testkit.Site) []sandbox.Entry {
	return slices.DeleteFunc(s.Wave.Journal(), func(e sandbox.Entry) bool {
		return e.Op == sandbox.OpList || e.Op == sandbox.OpToken || e.Op == sandbox.OpBillingGroups
	})
}

// sentMeta returns the flags in the body of a call.
func sentMeta(t *testing.T, e sandbox.Entry) map[string]json.RawMessage {
	t.Helper()
	var body struct {
		Meta map[string]json.RawMessage `json:"meta"`
	}
	if err := json.Unmarshal(e.Body, &body); err != nil {
		t.Fatalf("body of %s %s: %v", e.Method, e.Path, err)
	}
	return body.Meta
}

// wantStatus fails the test unless the page has the status.
func wantStatus(t *testing.T, p testkit.Page, status int) {
	t.Helper()
	if p.Status != status {
		t.Fatalf("status = %d, want %d: %s", p.Status, status, short(p.Find("main, form, body").First()))
	}
}

// wantText fails the test unless the selected part of the page says text.
func wantText(t *testing.T, p testkit.Page, selector, text string) {
	t.Helper()
	if part := p.Find(selector); !strings.Contains(shown(part), text) {
		t.Errorf("%s says %q, want %q in it", selector, short(part), text)
	}
}

// wantFragment fails the test unless the answer is a whole page exactly when it
// was asked for by a plain form.
func wantFragment(t *testing.T, p testkit.Page, headers []string) {
	t.Helper()
	fragment := !strings.Contains(p.Body, "<!doctype html>") && !strings.Contains(p.Body, "<!DOCTYPE html>")
	if want := slices.Contains(headers, htmx); fragment != want {
		t.Errorf("the answer is a fragment: %v, want %v", fragment, want)
	}
}

// short is the beginning of what a part of a page says, for messages.
func short(s *goquery.Selection) string {
	text := []rune(shown(s))
	return string(text[:min(len(text), 400)])
}

// shown is the text of a part of a page in one line, without data for scripts.
func shown(s *goquery.Selection) string {
	s = s.Clone()
	s.Find("script").Remove()
	return strings.Join(strings.Fields(s.Text()), " ")
}

// databaseHas reports whether the database files in dir hold the text.
func databaseHas(t *testing.T, dir, text string) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatalf("database files: %v, %v", entries, err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(dir + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), text) {
			return true
		}
	}
	return false
}

// editorName is what testkit.Editor is called on pages.
const editorName = "田中 美咲"

// secondEditorName is what the person of secondEditor is called.
const secondEditorName = "Hana Sasaki"

// secondEditor returns a client of a second person who may change accounts.
func secondEditor(t *testing.T, s *testkit.Site) *testkit.Client {
	t.Helper()
	s.IDP.Script(idp.Script{Claims: func(claims map[string]any) {
		claims["sub"], claims["name"] = "hana", secondEditorName
	}})
	defer s.IDP.Script(idp.Script{})
	return s.SignedIn(t, testkit.Editor)
}

// said is all that an answer tells a person: its text and, under htmx, the toast.
func said(p testkit.Page) string {
	var trigger map[string]struct{ Message string }
	if err := json.Unmarshal([]byte(cmp.Or(p.Header.Get("HX-Trigger"), "{}")), &trigger); err != nil {
		return err.Error()
	}
	text := shown(p.Selection)
	for _, event := range trigger {
		text += " " + event.Message
	}
	return text
}
