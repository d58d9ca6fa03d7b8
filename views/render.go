// Package views draws pages and fragments from props. A component never calls a
// service: what it shows stands in its props, its texts in the catalogues.
package views

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"

	"github.com/a-h/templ"
)

// pages keeps buffers for reuse; a list page is about 100 KB.
var pages = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Render writes c as the whole response. It renders into memory first, so that a
// component that fails yields an error and not half a page.
func Render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	page := pages.Get().(*bytes.Buffer)
	defer pages.Put(page)
	page.Reset()
	if err := c.Render(r.Context(), page); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "HX-Request") // a page and its fragment share an address
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the status is out; a reader who left is no error of ours
	return nil
}
