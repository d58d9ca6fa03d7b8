package static

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// vendored are the files of others, each with the SHA-256 that it has in the
// package it is from and the file beside it that holds its licence.
var vendored = map[string]struct{ from, sum, licence string }{
	"vendor/htmx-2.0.11.min.js": {
		"dist/htmx.min.js of htmx.org 2.0.11 in npm",
		"d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717", "vendor/htmx-LICENSE.txt",
	},
	"vendor/htmx-ext-sse-2.2.4.min.js": {
		"dist/sse.min.js of htmx-ext-sse 2.2.4 in npm",
		"98a46496de0c3605fbffdce9167ba427bdd9553184f83f149c261891a92c0136", "vendor/htmx-ext-sse-LICENSE.txt",
	},
}

func TestVendor_isAsItsAuthorsPublishedIt(t *testing.T) {
	licences := make(map[string]bool)
	for name, v := range vendored {
		f := tree.byName[name]
		if f == nil {
			t.Errorf("%s is not embedded", name)
			continue
		}
		if sum := sha256.Sum256(f.raw); hex.EncodeToString(sum[:]) != v.sum {
			t.Errorf("%s has the SHA-256 %x, it is not %s", name, sum, v.from)
		}
		if l := tree.byName[v.licence]; l == nil || len(l.raw) < 200 {
			t.Errorf("%s is without its licence, %s", name, v.licence)
		}
		licences[v.licence] = true
	}
	for name := range tree.byName {
		if _, known := vendored[name]; strings.HasPrefix(name, "vendor/") && !known && !licences[name] {
			t.Errorf("%s is of others and has no checksum here", name)
		}
	}
}

// ours returns the styles and scripts that are written here.
func ours(ext string) map[string]string {
	texts := make(map[string]string)
	for name, f := range tree.byName {
		if path.Ext(name) == ext && !strings.HasPrefix(name, "vendor/") {
			texts[name] = string(f.raw)
		}
	}
	return texts
}

var (
	imported = regexp.MustCompile(`(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]`)
	fetches  = regexp.MustCompile(`(?i)\bhttps?:|['"(]\s*//|\burl\(|@import\b|\bimportScripts\b|\bWorker\(`)
	evals    = regexp.MustCompile(`\beval\(|\bnew Function\b|\.innerHTML\b|\.outerHTML\b|insertAdjacentHTML|document\.write`)
)

func TestScripts_importWhatIsThere(t *testing.T) {
	seen := 0
	for name, text := range ours(".js") {
		for _, m := range imported.FindAllStringSubmatch(text, -1) {
			seen++
			if !strings.HasPrefix(m[1], "./") && !strings.HasPrefix(m[1], "../") {
				t.Errorf("%s imports %q, which no browser finds without a build", name, m[1])
			} else if target := path.Join(path.Dir(name), m[1]); tree.byName[target] == nil {
				t.Errorf("%s imports %s, which is not there", name, target)
			}
		}
	}
	if seen == 0 {
		t.Error("no import was looked at")
	}
}

func TestFiles_askNoOtherHostAndRunNoText(t *testing.T) {
	for _, ext := range []string{".css", ".js"} {
		for name, text := range ours(ext) {
			if found := fetches.FindString(text); found != "" {
				t.Errorf("%s has %q: files come from here alone", name, found)
			}
			if found := evals.FindString(text); ext == ".js" && found != "" {
				t.Errorf("%s has %q: texts are no programs", name, found)
			}
		}
	}
	for _, bad := range []string{`fetch("https://a.example")`, `url(x.png)`, `@import "a"`, `src = '//a.example'`} {
		if !fetches.MatchString(bad) {
			t.Errorf("%s passes", bad)
		}
	}
}

// TestWeight: what every first visit loads, as it travels, with as much as any page
// may have of its own.
func TestWeight(t *testing.T) {
	const limit = 45 << 10
	everywhere := []string{"css/app.css", "js/page.js", "js/palette.js", "vendor/htmx-2.0.11.min.js"}
	matrix := []string{"css/matrix.css", "js/matrix.js", "js/matrixcells.js"}
	const own = 4 // files of one other page, the heaviest of them all
	sum, ofMatrix := 0, 0
	var others []int
	for name, f := range tree.byName {
		if ext := path.Ext(name); ext != ".css" && ext != ".js" {
			continue
		}
		body, encoding := f.encoded("gzip")
		if encoding == "" {
			t.Errorf("%s travels as it is, %d bytes", name, len(body))
		}
		switch {
		case slices.Contains(everywhere, name):
			sum += len(body)
		case slices.Contains(matrix, name):
			ofMatrix += len(body)
		default:
			others = append(others, len(body))
		}
	}
	slices.Sort(others)
	ofOther := 0
	for _, size := range others[max(0, len(others)-own):] {
		ofOther += size
	}
	sum += max(ofMatrix, ofOther)
	t.Logf("%d bytes with gzip", sum)
	if sum > limit {
		t.Errorf("styles and scripts weigh %d bytes, want at most %d", sum, limit)
	}
}
