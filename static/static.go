// Package static holds the files that browsers may keep for ever: styles,
// scripts, icons. Their address carries one hash of the whole tree, so a new
// build has new addresses, and the relative imports between ES modules keep
// working.
package static

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Prefix is where Handler is to be mounted.
const Prefix = "/static/"

// Everything in a folder; the Go files beside the folders stay out.
//
//go:embed */*
var embedded embed.FS

var tree = mustLoad(embedded)

// URL returns the address of a file, "/static/<hash>/js/app.js" for "js/app.js".
// It panics on a name that is not embedded: a page that links it is broken.
func URL(name string) string { return tree.get(name).url }

// Integrity returns the file's digest for the integrity attribute, "sha384-…".
// It panics as URL does.
func Integrity(name string) string { return tree.get(name).integrity }

// Handler serves GET and HEAD of the addresses that URL returns, and 404 for all
// else: there are no listings, and no file is served under another hash.
func Handler() http.Handler { return tree }

// comments are the lines of a script of ours that say why, a sixth of what would
// travel. They are left empty, so that a browser tells of the lines that we know. No text
// of a script goes over several lines.
var comments = regexp.MustCompile(`(?m)^[ \t]*//.*$`)

// files is a tree of files by name.
type files struct {
	hash   string
	byName map[string]*file
}

type file struct {
	url       string
	integrity string
	mediaType string
	raw       []byte
	zstd      func() []byte // made when first asked for; nil when no smaller
	gzip      func() []byte
}

// mustLoad panics if fsys cannot be read: it is part of the program.
func mustLoad(fsys fs.FS) *files {
	contents := make(map[string][]byte)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		contents[name], err = fs.ReadFile(fsys, name)
		if strings.HasPrefix(name, "js/") {
			contents[name] = comments.ReplaceAll(contents[name], nil)
		}
		return err
	})
	if err != nil {
		panic(err)
	}

	t := &files{hash: hashOf(contents), byName: make(map[string]*file, len(contents))}
	for name, raw := range contents {
		sum := sha512.Sum384(raw)
		t.byName[name] = &file{
			url:       Prefix + t.hash + "/" + name,
			integrity: "sha384-" + base64.StdEncoding.EncodeToString(sum[:]),
			mediaType: mediaType(name),
			raw:       raw,
			zstd:      sync.OnceValue(func() []byte { return smaller(raw, zstdOf(raw)) }),
			gzip:      sync.OnceValue(func() []byte { return smaller(raw, gzipOf(raw)) }),
		}
	}
	return t
}

// hashOf changes when any name or content does.
func hashOf(contents map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		fmt.Fprintf(h, "%q %d\n", name, len(contents[name]))
		h.Write(contents[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func (t *files) get(name string) *file {
	f, ok := t.byName[name]
	if !ok {
		panic(fmt.Sprintf("static: no file %q", name))
	}
	return f
}

func (t *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, Prefix+t.hash+"/")
	f := t.byName[name]
	if !ok || f == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}

	body, encoding := f.encoded(r.Header.Get("Accept-Encoding"))
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	h.Set("Vary", "Accept-Encoding")
	h.Set("Content-Type", f.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // a reader who left is no error of ours
	}
}

// encoded returns the smallest form of f that the client accepts, and its name.
func (f *file) encoded(accept string) (body []byte, encoding string) {
	body = f.raw
	for _, c := range []struct {
		name string
		form func() []byte
	}{{"zstd", f.zstd}, {"gzip", f.gzip}} {
		if !accepts(accept, c.name) {
			continue
		}
		if b := c.form(); b != nil && len(b) < len(body) {
			body, encoding = b, c.name
		}
	}
	return body, encoding
}

// accepts reports whether an Accept-Encoding header names coding and does not
// refuse it with q=0. Preferences among the rest do not matter to us.
func accepts(header, coding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, ok := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return !ok || strings.Trim(q, "0.") != ""
	}
	return false
}

func zstdOf(raw []byte) []byte {
	// The window must fit in what RFC 9659 lets a browser assume: 8 MB.
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression),
		zstd.WithWindowSize(8<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // the options are constants
	}
	return w.EncodeAll(raw, nil)
}

func gzipOf(raw []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = w.Write(raw) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

func smaller(raw, packed []byte) []byte {
	if len(packed) >= len(raw) {
		return nil
	}
	return packed
}

// mediaTypes does not depend on what the machine has in /etc/mime.types.
var mediaTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json",
	".svg":   "image/svg+xml; charset=utf-8",
	".png":   "image/png",
	".ico":   "image/x-icon",
	".woff2": "font/woff2",
}

func mediaType(name string) string {
	if t, ok := mediaTypes[path.Ext(name)]; ok {
		return t
	}
	return "text/plain; charset=utf-8"
}
