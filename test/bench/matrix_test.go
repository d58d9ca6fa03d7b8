package bench

import (
	"net/http/httptest"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/wave"
)

// BenchmarkMatrix measures the matrix of 100 of 10,000 accounts by all flags, the whole
// page of someone signed in, against a bare server with a plain templ of the same cells.
func BenchmarkMatrix(b *testing.B) {
	const path = "/matrix?size=100"
	s := newSite(b, 10_000)
	bare := chi.NewRouter()
	bare.Get("/matrix", templ.Handler(plainMatrix(s.byEmail(100))).ServeHTTP)
	floor := httptest.NewRequest("GET", "/matrix", nil)

	boxes := func(w *httptest.ResponseRecorder) (out []string) {
		doc, err := goquery.NewDocumentFromReader(w.Body)
		if err != nil {
			b.Fatal(err)
		}
		doc.Find("tbody input").Each(func(_ int, box *goquery.Selection) {
			if _, known := wave.Lookup(wave.Key(box.AttrOr("data-flag", ""))); known {
				_, on := box.Attr("checked")
				out = append(out, box.AttrOr("aria-label", "")+" "+wave.StateOf(on).String())
			}
		})
		return out
	}
	ours, theirs := httptest.NewRecorder(), httptest.NewRecorder()
	s.handler.ServeHTTP(ours, s.request("GET", path, nil, "Accept-Language: en"))
	bare.ServeHTTP(theirs, floor)
	if diff := cmp.Diff(boxes(theirs), boxes(ours)); diff != "" {
		b.Fatalf("the plain matrix has other boxes than ours (-plain +ours):\n%s", diff)
	}

	b.Run("page", func(b *testing.B) {
		byTurns(b, ask(b, s.handler, s.request("GET", path, nil)), ask(b, bare, floor))
	})
	b.Run("page_compressed", func(b *testing.B) {
		r := httptest.NewRequest("GET", "/matrix", nil)
		setHeader(r, encodings)
		byTurns(b, ask(b, s.handler, s.request("GET", path, nil, encodings)), ask(b, compressed(b, bare), r))
	})
	b.Run("by_a_flag", func(b *testing.B) {
		byTurns(b, ask(b, s.handler, s.request("GET", path+"&sort=-flag.open_api", nil)), ask(b, bare, floor))
	})
}
