package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/auth"
	"waveadmin/internal/preset"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// presetMaker may write presets.
var presetMaker = auth.Actor{Issuer: "idp", Subject: "maker", Name: "Preset Maker", Role: auth.Editor}

// newPreset makes a preset and assigns it to accounts.
func newPreset(t *testing.T, s *testkit.Site, name string, flags wave.Wanted, accounts ...wave.UserID) *preset.Preset {
	t.Helper()
	saved, err := s.Presets.Save(t.Context(), presetMaker, preset.Edit{Content: preset.Content{Name: name, Flags: flags}})
	if err != nil {
		t.Fatal(err)
	}
	if len(accounts) > 0 {
		if _, err := s.Presets.Assign(t.Context(), presetMaker, saved[0].ID, accounts); err != nil {
			t.Fatal(err)
		}
	}
	return saved[0]
}

// comparable makes two accounts that differ in four flags, one of them in the
// catalogue's and one outside it that only b has.
func comparable(t *testing.T, s *testkit.Site, c *testkit.Client) {
	t.Helper()
	a, b := accountOf("aaa"), accountOf("bbb")
	a.Meta = a.Meta.With("invoice", true).With("open_api", false).With("x_both", true)
	b.Meta = b.Meta.With("invoice", false).With("open_api", true).With("x_both", false).With("x_only_b", true)
	add(t, s, c, a)
	add(t, s, c, b)
}

// compared is what the table says: a line for each flag.
func compared(p testkit.Page) []string {
	return p.Find(`[data-testid="compare"] tr[data-flag]`).Map(func(_ int, row *goquery.Selection) string {
		cells := row.Children().Map(func(_ int, cell *goquery.Selection) string { return shown(cell) })
		_, box := row.Find(`input[name="only"]`).Attr("checked")
		return row.AttrOr("data-flag", "") + ": " + strings.Join(cells[len(cells)-3:], " | ") + map[bool]string{true: " [x]"}[box]
	})
}

func TestCompare(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	comparable(t, s, c)
	p1 := newPreset(t, s, "Standard", wave.Wanted{"invoice": true, "open_api": true}, "aaa")
	s.Wave.ResetJournal()

	p := c.Get("/compare?a=aaa&b=bbb")
	wantStatus(t, p, http.StatusOK)
	want := []string{
		"invoice: on | off | ≠ differs [x]",
		"open_api: off | on | ≠ differs [x]",
		"x_both: on | off | ≠ differs [x]",
		"x_only_b: not set | on | ≠ differs only one has it; not copied",
	}
	if got := compared(p); strings.Join(slices.Sorted(slices.Values(got)), "\n") != strings.Join(want, "\n") {
		t.Errorf("the table says\n%s", strings.Join(got, "\n"))
	}
	wantText(t, p, "main", says("compare.sum", "count", 4, "same", len(wave.Flags)-2))
	wantText(t, p, `#side-A ~ .facts`, "Standard (version 1) 1 difference")
	if p.Find(`#side-A ~ .facts a[href="/presets/`+p1.ID+`"]`).Length() != 1 {
		t.Error("the preset is no link")
	}
	wantText(t, p, `#side-B ~ .facts`, says("follow.none"))
	if n := len(compared(c.Get("/compare?a=aaa&b=bbb&show=all"))); n != len(wave.Flags)+2 {
		t.Errorf("all shows %d flags", n)
	}
	if href := p.Find(`[data-testid="swap"]`).AttrOr("href", ""); href != "/compare?a=bbb&b=aaa" {
		t.Errorf("swap leads to %s", href)
	}
	if len(writes(s)) != 0 {
		t.Error("a comparison wrote")
	}
}

// TestCompare_picks: an account is named by id, email or words of the search; what
// cannot be one account is said beside the field, and nothing typed is lost.
func TestCompare_picks(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	comparable(t, s, c)
	tests := []struct {
		name, a, b string
		status     int
		error      string // beside a field
		leads      string // where it ends
	}{
		{"ids", "aaa", "bbb", http.StatusOK, "", "/compare?a=aaa&b=bbb"},
		{"emails", " AAA@example.co.jp ", "ｂｂｂ@example.co.jp", http.StatusOK, "", "/compare?a=aaa&b=bbb"},
		{"words", "k-aaa", "BG-bbb", http.StatusOK, "", "/compare?a=aaa&b=bbb"},
		{"none", "", "", http.StatusOK, "", ""},
		{"one", "aaa", "", http.StatusOK, "", ""},
		{"unknown", "aaa", "nobody@example.co.jp", http.StatusNotFound, says("pick.none", "text", "nobody@example.co.jp"), ""},
		{"several", "aaa", "テスト商事", http.StatusUnprocessableEntity, says("pick.many", "text", "テスト商事"), ""},
		{"twice", "aaa", "aaa", http.StatusUnprocessableEntity, says("compare.same_account"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := c.Get("/compare?" + url.Values{"a": {tt.a}, "b": {tt.b}}.Encode())
			wantStatus(t, p, tt.status)
			if tt.leads != "" {
				if got := p.URL.RequestURI(); got != tt.leads || p.Find(`[data-testid="compare"]`).Length() != 1 {
					t.Errorf("ends at %s", got)
				}
				return
			}
			if p.Find(`[data-testid="compare-empty"]`).Length() != 1 {
				t.Error("does not say what to do")
			}
			wantText(t, p, ".pickers", tt.error)
			if b := p.Find(`[name="b"]`).AttrOr("value", ""); tt.b != "aaa" && b != tt.b {
				t.Errorf("b is %q, was typed as %q", b, tt.b)
			}
			if a := p.Find(`[name="a"]`).AttrOr("value", ""); tt.a == "aaa" && a != "aaa@example.co.jp" {
				t.Errorf("a is %q", a)
			}
		})
	}
	p := c.Get("/compare?a=aaa&b=" + url.QueryEscape("テスト商事"))
	if p.Find(`.pick-choices a[href="/compare?a=aaa&b=bbb"]`).Length() != 1 {
		t.Error("the choice does not lead on")
	}
	p = c.Get("/compare/accounts?b="+url.QueryEscape("テスト"), htmx)
	if p.Find(`#list-b option[value="bbb@example.co.jp"]`).Length() != 1 {
		t.Errorf("the field offers %s", p.Body)
	}
}

// TestCompare_viewer sees the difference and can stage nothing.
func TestCompare_viewer(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	comparable(t, s, c)
	p := c.Get("/compare?a=aaa&b=bbb")
	wantStatus(t, p, http.StatusOK)
	if p.Find(`#compare-rows input[type=checkbox], #compare-rows button`).Length() != 0 || p.Find(`#compare-rows .btn[aria-disabled="true"]`).Length() != 2 {
		t.Error("a viewer is offered to stage")
	}
	wantText(t, p, "main", says("account.viewer"))
}

// TestCompare_waveAway: what is known is compared, and said to be old.
func TestCompare_waveAway(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	comparable(t, s, c)
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpList, Times: 1000, Status: 503})
	refresh(t, c)
	p := c.Get("/compare?a=aaa&b=bbb")
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, ".fresh", says("fresh.away"))
	wantStatus(t, c.Get("/compare?a=aaa&b=nobody"), http.StatusNotFound)
}
