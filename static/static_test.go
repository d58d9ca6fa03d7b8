package static

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const script = "export const name = 'waveadmin';\n"

func sample() *files {
	return mustLoad(fstest.MapFS{
		"js/app.js":     {Data: []byte(strings.Repeat(script, 50))},
		"css/app.css":   {Data: []byte("body { margin: 0 }")},
		"icons/i.svg":   {Data: []byte("<svg/>")},
		"vendor/NOTICE": {Data: []byte("MIT")},
	})
}

// TestLoad_leavesCommentsOut: of scripts of ours, whose lines keep their numbers, and
// nothing else.
func TestLoad_leavesCommentsOut(t *testing.T) {
	const text = "// Why.\na = 1; // odd\n\t// And why.\n\nb = '//x';\n  /c/\n"
	f := mustLoad(fstest.MapFS{"js/a.js": {Data: []byte(text)}, "vendor/a.js": {Data: []byte(text)}})
	if got, want := string(f.get("js/a.js").raw), "\na = 1; // odd\n\n\nb = '//x';\n  /c/\n"; got != want {
		t.Errorf("a script travels as %q, want %q", got, want)
	}
	if got := string(f.get("vendor/a.js").raw); got != text {
		t.Errorf("a file of others travels as %q", got)
	}
	for name, script := range ours(".js") {
		if n := strings.Count(script, "`"); n%2 != 0 || severalLines.MatchString(script) {
			t.Errorf("%s has a text that goes over several lines, which may lose some", name)
		}
	}
}

// severalLines is a text in backquotes that does not end on its line, as far as lines with
// an odd number of them tell.
var severalLines = regexp.MustCompile("(?m)^[^`\n]*(`[^`\n]*`[^`\n]*)*`[^`\n]*$")

func (t *files) do(method, target, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	w := httptest.NewRecorder()
	t.ServeHTTP(w, r)
	return w
}

func TestServe_whatMayBeAsked(t *testing.T) {
	f := sample()
	at := Prefix + f.hash + "/"
	tests := []struct {
		name, method, target string
		status               int
		mediaType            string
	}{
		{"a script", "GET", at + "js/app.js", 200, "text/javascript; charset=utf-8"},
		{"only its headers", "HEAD", at + "js/app.js", 200, "text/javascript; charset=utf-8"},
		{"a style", "GET", at + "css/app.css", 200, "text/css; charset=utf-8"},
		{"an icon", "GET", at + "icons/i.svg", 200, "image/svg+xml; charset=utf-8"},
		{"a file of no known type", "GET", at + "vendor/NOTICE", 200, "text/plain; charset=utf-8"},
		{"a write", "POST", at + "js/app.js", 405, "text/plain; charset=utf-8"},
		{"another build's hash", "GET", Prefix + "0123456789abcdef/js/app.js", 404, "text/plain; charset=utf-8"},
		{"no hash", "GET", Prefix + "js/app.js", 404, "text/plain; charset=utf-8"},
		{"a file that is not there", "GET", at + "js/other.js", 404, "text/plain; charset=utf-8"},
		{"a folder", "GET", at + "js/", 404, "text/plain; charset=utf-8"},
		{"the root", "GET", at, 404, "text/plain; charset=utf-8"},
		{"a way out", "GET", at + "../static.go", 404, "text/plain; charset=utf-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := f.do(tt.method, tt.target, "")
			if w.Code != tt.status {
				t.Fatalf("status = %d, want %d", w.Code, tt.status)
			}
			h := w.Header()
			if got := h.Get("Content-Type"); got != tt.mediaType {
				t.Errorf("Content-Type = %q, want %q", got, tt.mediaType)
			}
			if got := h.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options = %q, want nosniff", got)
			}
			if kept := strings.Contains(h.Get("Cache-Control"), "immutable"); kept != (tt.status == 200) {
				t.Errorf("kept for ever = %v with status %d", kept, tt.status)
			}
			if tt.method == "HEAD" && (w.Body.Len() > 0 || h.Get("Content-Length") == "") {
				t.Errorf("HEAD wrote %d bytes with Content-Length %q", w.Body.Len(), h.Get("Content-Length"))
			}
		})
	}
}

func TestServe_compressesWhatTheClientAccepts(t *testing.T) {
	f := sample()
	tests := []struct{ name, file, accept, want string }{
		{"nothing", "js/app.js", "", ""},
		{"gzip", "js/app.js", "gzip", "gzip"},
		{"zstd", "js/app.js", "zstd", "zstd"},
		{"what a browser sends", "js/app.js", "gzip, deflate, br, zstd", "zstd"},
		{"zstd refused", "js/app.js", "zstd;q=0, gzip", "gzip"},
		{"both refused", "js/app.js", "zstd; q=0.000,gzip;q=0.0", ""},
		{"weights", "js/app.js", "GZIP;q=0.5", "gzip"},
		{"another coding", "js/app.js", "xgzip, br", ""},
		{"too small to gain", "icons/i.svg", "gzip, zstd", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := f.do("GET", Prefix+f.hash+"/"+tt.file, tt.accept)
			if got := w.Header().Get("Content-Encoding"); got != tt.want {
				t.Fatalf("Content-Encoding = %q, want %q", got, tt.want)
			}
			if got := w.Header().Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("Vary = %q, want Accept-Encoding", got)
			}
			if got := unpack(t, w); !bytes.Equal(got, f.byName[tt.file].raw) {
				t.Errorf("unpacked to %d bytes, want the file", len(got))
			}
		})
	}
}

func unpack(t *testing.T, w *httptest.ResponseRecorder) []byte {
	t.Helper()
	body := io.Reader(w.Body)
	switch w.Header().Get("Content-Encoding") {
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = z
	case "zstd":
		z, err := zstd.NewReader(body, zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHash_changesWithAnyNameOrContent(t *testing.T) {
	base := sample().hash
	if again := sample().hash; again != base {
		t.Errorf("the same tree has the hashes %s and %s", base, again)
	}
	others := []fstest.MapFS{
		{},
		{"js/a.js": {Data: []byte("1")}},
		{"js/b.js": {Data: []byte("1")}},
		{"js/a.js": {Data: []byte("2")}},
		{"js/a.js": {Data: []byte("1")}, "js/b.js": {}},
	}
	seen := map[string]bool{base: true}
	for i, tree := range others {
		if h := mustLoad(tree).hash; seen[h] {
			t.Errorf("tree %d has the hash of another", i)
		} else {
			seen[h] = true
		}
	}
}

func TestURLAndIntegrity_ofWhatIsEmbedded(t *testing.T) {
	for name, f := range tree.byName {
		sum := sha512.Sum384(f.raw)
		want := "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
		if diff := cmp.Diff(want, Integrity(name)); diff != "" {
			t.Errorf("Integrity(%q) (-want +got):\n%s", name, diff)
		}
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, URL(name), nil))
		if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), f.raw) {
			t.Errorf("GET %s = %d with %d bytes, want the file", URL(name), w.Code, w.Body.Len())
		}
		if strings.HasSuffix(name, ".go") {
			t.Errorf("%s is served", name)
		}
	}
}

func TestURL_panicsOnAFileThatIsNotThere(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("URL returned, want a panic")
		}
	}()
	URL("js/none.js")
}
