package bench

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzhttp"

	"waveadmin/static"
)

const (
	encodings = "Accept-Encoding: gzip, deflate, br, zstd"
	fragment  = "HX-Request: true"
	chemistry = "%E5%8C%96%E5%AD%A6" // in the name of every 26th company
)

// BenchmarkPage measures requests to a site with 10,000 accounts against a bare
// page with 100 rows.
func BenchmarkPage(b *testing.B) {
	s := newSite(b, 10_000)
	rows := s.byEmail(100)
	bare := newFloor(rows)
	floor := ask(b, bare, httptest.NewRequest("GET", "/resellers", nil))
	checkFloor(b, bare, s)

	for _, page := range []struct{ name, path, header string }{
		{"list", "/resellers?size=100", ""},
		{"search", "/resellers?size=100&q=" + chemistry, ""},
		{"search_as_you_type", "/resellers?size=100&q=" + chemistry, fragment},
		{"search_matches_all", "/resellers?size=100&q=@", ""},
		{"flag_filter", "/resellers?size=100&on=invoice&off=open_api", ""},
		{"sort", "/resellers?size=100&sort=-updated", ""},
		{"sort_by_drift", "/resellers?size=100&sort=-drift", ""},
		{"all_columns", "/resellers?size=100&cols=billing_group,company_id,registered,updated,password_updated,flags_on,preset,changed", ""},
		{"account", "/resellers/" + string(rows[50].UserID), ""},
		{"overview", "/", ""},
		{"nothing", "/resellers?flag=invoice", ""}, // session and middleware around a redirect
		{"static", static.URL("css/app.css"), encodings},
	} {
		b.Run(page.name, func(b *testing.B) {
			byTurns(b, ask(b, s.handler, s.request("GET", page.path, nil, page.header)), floor)
		})
	}
	b.Run("list_compressed", func(b *testing.B) {
		r := httptest.NewRequest("GET", "/resellers", nil)
		setHeader(r, encodings)
		byTurns(b, ask(b, s.handler, s.request("GET", "/resellers?size=100", nil, encodings)), ask(b, compressed(b, bare), r))
	})
}

// checkFloor fails unless the bare page has the cells of ours.
func checkFloor(b *testing.B, bare http.Handler, s *site) {
	b.Helper()
	ours := cells(b, s.handler, s.request("GET", "/resellers?size=100", nil, "Accept-Language: en"))
	theirs := cells(b, bare, httptest.NewRequest("GET", "/resellers", nil))
	if diff := cmp.Diff(theirs, ours); diff != "" {
		b.Fatalf("the bare page has other rows than ours (-bare +ours):\n%s", diff)
	}
}

// cells returns the text of each cell of the page's table.
func cells(b *testing.B, h http.Handler, r *http.Request) []string {
	b.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	doc, err := goquery.NewDocumentFromReader(w.Body)
	if err != nil {
		b.Fatal(err)
	}
	return doc.Find("tbody th, tbody td").Map(func(_ int, cell *goquery.Selection) string {
		return strings.Join(strings.Fields(cell.Text()), " ")
	})
}

// compressed packs what h answers as quickly as it can.
func compressed(b *testing.B, h http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.PreferZstd(true), gzhttp.ZstdCompressionLevel(1))
	if err != nil {
		b.Fatal(err)
	}
	return wrap(h)
}
