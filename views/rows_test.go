package views

import (
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"pgregory.net/rapid"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

func TestMarkup_textIsEscaped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune(`ab&<>"'é社`)))).Draw(t, "text")
		var m markup
		m.text(s)
		if want := html.EscapeString(s); string(m) != want {
			t.Fatalf("%q became %q, want %q", s, m, want)
		}
	})
}

// TestResellerRows_neverTrustAnAccount gives every field of an account letters
// that would leave their place.
func TestResellerRows_neverTrustAnAccount(t *testing.T) {
	evil := func(field string) string { return `"'><script>` + field + `</script>&amp;` }
	row := ResellerRow{
		Reseller: wave.Reseller{
			UserID: wave.UserID(evil("id")), Email: evil("email"), Flaw: wave.DuplicateID,
			BillingGroup:    wave.BillingGroup{Name: evil("name"), ID: evil("group"), CompanyID: evil("company")},
			Registered:      time.Date(2026, 11, 22, 14, 3, 22, 0, time.UTC),
			PasswordUpdated: time.Date(2026, 11, 21, 14, 3, 22, 0, time.UTC),
			Updated:         time.Date(2026, 11, 23, 14, 3, 22, 0, time.UTC),
		},
		LastAt: time.Date(2026, 11, 24, 14, 3, 22, 0, time.UTC), LastBy: evil("who"),
		Preset: evil("preset"), Drift: 2,
	}
	fine := row
	fine.Flaw = wave.NoFlaw
	lost := row
	lost.Flaw = wave.MissingID
	var b strings.Builder
	b.WriteString("<table>")
	if err := resellerRows(ListQuery{Cols: allColumns()}, []ResellerRow{row, fine, lost}).Render(i18n.WithLang(t.Context(), "en"), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String() + "</table>"))
	if err != nil {
		t.Fatal(err)
	}
	if n := doc.Find("script").Length(); n > 0 {
		t.Errorf("%d scripts came out of the fields", n)
	}
	if n := doc.Find("tr").Length(); n != 3 {
		t.Fatalf("%d rows, want 3", n)
	}
	first := doc.Find("tr").First()
	attr := func(sel, name string) string { return first.Find(sel).AddBack().Filter(sel).AttrOr(name, "") }
	for _, tt := range []struct{ what, got, want string }{
		{"the id of the row", attr("tr", "data-user-id"), evil("id")},
		{"the address", attr("th a", "href"), AccountURL(row.UserID, "")},
		{"the email", first.Find("th a").Text(), evil("email")},
		{"the title of the email", attr("th", "title"), evil("email")},
		{"the name of the group", first.Find("td .pair:not(.preset) > span").Not(".mono").Text(), evil("name")},
		{"its title", first.Find("td .pair").Eq(0).AttrOr("title", ""), evil("name")},
		{"its id", first.Find(".pair .mono").Text(), evil("group")},
		{"the company", first.Find("td.mono").Text(), evil("company")},
		{"the preset", first.Find(".preset > span").Eq(0).Text(), evil("preset")},
		{"the title of the preset", first.Find(".preset").AttrOr("title", ""), evil("preset")},
		{"the drift", first.Find(".preset .tag").Text(), "2 differ"},
		{"the day", first.Find("time").Eq(0).Text(), "2026/11/22"},
		{"the day's title", first.Find("time").Eq(0).AttrOr("title", ""), "2026/11/22 14:03:22 UTC"},
		{
			"who changed it last", first.Find("time").Eq(3).AttrOr("title", ""),
			i18n.T(i18n.WithLang(t.Context(), "en"), "list.changed_by", "name", evil("who"), "time", "2026/11/24 14:03:22 UTC"),
		},
		{"the meter", strings.TrimSpace(first.Find(".meter").Text()), "0/35"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	boxes := doc.Find("input[name=user]")
	if boxes.Length() != 1 || boxes.AttrOr("value", "") != evil("id") || boxes.AttrOr("aria-label", "") != evil("email") {
		t.Errorf("%d boxes, the first for %q, want one, of the account without a flaw", boxes.Length(), boxes.AttrOr("value", ""))
	}
	if links := doc.Find("tr").Last().Find("a").Length(); links > 0 {
		t.Error("an account without an id has a link")
	}
}

func TestOnceEachLanguage(t *testing.T) {
	for _, lang := range i18n.Languages {
		var b strings.Builder
		if err := scriptTexts.Render(i18n.WithLang(t.Context(), lang), &b); err != nil {
			t.Fatal(err)
		}
		want := i18n.RawUnder(i18n.WithLang(t.Context(), lang), "js.")["unsaved_none"]
		if want == "" || !strings.Contains(b.String(), want) {
			t.Errorf("%s: the texts lack %q", lang, want)
		}
	}
}

func allColumns() []string {
	var ids []string
	for _, c := range columns {
		ids = append(ids, c.id)
	}
	return ids
}

func TestChosenColumns(t *testing.T) {
	for _, tt := range []struct {
		name string
		ids  []string
		want string // "nil" for the usual ones
	}{
		{"none", nil, "nil"},
		{"an empty text", []string{""}, "nil"},
		{"no columns", []string{"colour", "size"}, "nil"},
		{"the email alone", []string{"email"}, "[]"},
		{"in any order, twice, with others", []string{"changed", "x", "company_id", "changed"}, "[company_id changed]"},
		{"the usual ones", []string{"email", "billing_group", "company_id", "registered", "updated", "flags_on", "preset", "changed"}, "nil"},
		{"all", allColumns(), fmt.Sprint(allColumns())},
	} {
		got := ChosenColumns(tt.ids)
		if s := fmt.Sprint(got); (got == nil) != (tt.want == "nil") || got != nil && s != tt.want {
			t.Errorf("%s: %v (nil: %v), want %s", tt.name, got, got == nil, tt.want)
		}
	}
}
