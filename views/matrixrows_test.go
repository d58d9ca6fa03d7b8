package views

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/auth"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// matrixDrawn returns the body of a matrix of the rows, drawn for an editor in English.
func matrixDrawn(t *testing.T, p MatrixProps) *goquery.Document {
	t.Helper()
	ctx := i18n.WithLang(auth.WithActor(t.Context(), auth.Actor{Subject: "a", Role: auth.Editor}), "en")
	var b strings.Builder
	b.WriteString("<table>")
	if err := matrixRows(p, shown(p.columns(ctx))).Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String() + "</table>"))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestMatrixRows_neverTrustAnAccount gives every field, and a flag, letters that would
// leave their place.
func TestMatrixRows_neverTrustAnAccount(t *testing.T) {
	evil := func(field string) string { return `"'><script>` + field + `</script>&amp;` }
	key := wave.Key(evil("key"))
	account := wave.Reseller{
		UserID: wave.UserID(evil("id")), Email: evil("email"), BillingGroup: wave.BillingGroup{Name: evil("name")},
		Meta: wave.Defaults().With(key, true),
	}
	lost := account
	lost.Flaw, lost.UserID = wave.MissingID, ""
	doc := matrixDrawn(t, MatrixProps{Rows: []wave.Reseller{account, lost}, Others: []wave.Key{key}})
	if n := doc.Find("script").Length(); n > 0 {
		t.Errorf("%d scripts came out of the fields", n)
	}
	box := doc.Find("tr").First().Find("input").Last()
	for _, tt := range []struct{ what, got, want string }{
		{"the id of the row", doc.Find("tr").First().AttrOr("data-user-id", ""), evil("id")},
		{"the id of the box", box.AttrOr("data-user-id", ""), evil("id")},
		{"the key", box.AttrOr("data-flag", ""), string(key)},
		{"the name of the box", box.AttrOr("aria-label", ""), string(key) + " – " + evil("email")},
		{"the address", doc.Find("tr a").AttrOr("href", ""), AccountURL(account.UserID, "")},
		{"the email", doc.Find("tr a").Text(), evil("email")},
		{"the group", doc.Find("tr").First().Find("th .muted").Text(), evil("name")},
		{"the title", doc.Find("tr").First().Find("th").AttrOr("title", ""), evil("email") + " – " + evil("name")},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	second := doc.Find("tr").Last()
	if second.Find("a").Length() > 0 || second.Find("input:not([aria-disabled])").Length() > 0 {
		t.Error("an account without an id has a link, or a box that can be switched")
	}
}

func TestMatrixRows_marks(t *testing.T) {
	account := wave.Reseller{UserID: "a", Email: "a@example.com", Meta: wave.Meta{}.
		With("invoice", false).With("invoice_download_csv_merged", true).
		With("usage_tag", true).With("usage_tag_graph", true).
		WithRaw("open_api", []byte(`"yes"`))}
	box := matrixDrawn(t, MatrixProps{Rows: []wave.Reseller{account}, Others: []wave.Key{"new_in_2027"}}).Find("input")
	says := func(key string, args ...any) string { return i18n.T(i18n.WithLang(t.Context(), "en"), key, args...) }
	for key, want := range map[string]struct {
		class, title string
		on, disabled bool
	}{
		"invoice":                     {"", "", false, false},
		"usage_tag":                   {"", "", true, false},
		"usage_tag_graph":             {"", "", true, false},
		"invoice_download_csv_merged": {"i", says("grid.idle", "parent", "Invoices"), true, false},
		"report_filters":              {"u", says("js.matrix_unset"), false, false},
		"open_api":                    {"o", says("js.matrix_odd"), false, false},
		"new_in_2027":                 {"n", says("js.matrix_none"), false, true},
	} {
		b := box.FilterFunction(func(_ int, s *goquery.Selection) bool { return s.AttrOr("data-flag", "") == key })
		class := strings.TrimSpace(strings.TrimPrefix(b.Parent().AttrOr("class", ""), "g"))
		_, on := b.Attr("checked")
		_, disabled := b.Attr("aria-disabled")
		if b.Length() != 1 || class != want.class || on != want.on || disabled != want.disabled {
			t.Errorf("%s: class %q, on %v, fixed %v; want %+v", key, class, on, disabled, want)
		}
		if title := b.AttrOr("title", ""); title != want.title {
			t.Errorf("%s: title %q, want %q", key, title, want.title)
		}
	}
}

func TestIdleBits(t *testing.T) {
	for i, f := range wave.Flags {
		on := wave.Meta{}.With(f.Key, true)
		if _, known := wave.Index(f.Parent); known != (idleBits(on.Bits()) == 1<<i) {
			t.Errorf("%s alone: idle %b", f.Key, idleBits(on.Bits()))
		}
		if idle := idleBits(on.With(f.Parent, true).Bits()); f.Parent != "" && idle>>i&1 == 1 {
			t.Errorf("%s is idle with its parent on", f.Key)
		}
	}
}
