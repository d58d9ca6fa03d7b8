package views

import (
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
			BillingGroup: wave.BillingGroup{Name: evil("name"), ID: evil("group"), CompanyID: evil("company")},
			Registered:   time.Date(2026, 11, 22, 14, 3, 22, 0, time.UTC),
			Updated:      time.Date(2026, 11, 23, 14, 3, 22, 0, time.UTC),
		},
		LastAt: time.Date(2026, 11, 24, 14, 3, 22, 0, time.UTC), LastBy: evil("who"),
	}
	lost := row
	lost.Flaw = wave.MissingID
	var b strings.Builder
	b.WriteString("<table>")
	if err := resellerRows([]ResellerRow{row, lost}).Render(i18n.WithLang(t.Context(), "en"), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String() + "</table>"))
	if err != nil {
		t.Fatal(err)
	}
	if n := doc.Find("script").Length(); n > 0 {
		t.Errorf("%d scripts came out of the fields", n)
	}
	if n := doc.Find("tr").Length(); n != 2 {
		t.Fatalf("%d rows, want 2", n)
	}
	first := doc.Find("tr").First()
	attr := func(sel, name string) string { return first.Find(sel).AddBack().Filter(sel).AttrOr(name, "") }
	for _, tt := range []struct{ what, got, want string }{
		{"the id of the row", attr("tr", "data-user-id"), evil("id")},
		{"the address", attr("a", "href"), AccountURL(row.UserID, "")},
		{"the email", first.Find("a").Text(), evil("email")},
		{"the title of the email", attr("th", "title"), evil("email")},
		{"the name of the group", first.Find(".pair > span").Not(".mono").Not(".tag").Text(), evil("name")},
		{"its title", first.Find("td").Eq(0).AttrOr("title", ""), evil("name")},
		{"its id", first.Find(".pair .mono").Text(), evil("group")},
		{"the company", first.Find("td").Eq(1).Text(), evil("company")},
		{"the day", first.Find("time").Eq(0).Text(), "2026/11/22"},
		{"the day's title", first.Find("time").Eq(0).AttrOr("title", ""), "2026/11/22 14:03:22 UTC"},
		{
			"who changed it last", first.Find("time").Eq(2).AttrOr("title", ""),
			i18n.T(i18n.WithLang(t.Context(), "en"), "list.changed_by", "name", evil("who"), "time", "2026/11/24 14:03:22 UTC"),
		},
		{"the meter", strings.TrimSpace(first.Find(".meter").Text()), "0/35"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %q, want %q", tt.what, tt.got, tt.want)
		}
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
