// Package hx reads the request headers that htmx sends and writes the response
// headers that it obeys. No other package reads or sets an HX- header.
package hx

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf16"
)

// Vary names the request header by which a page and its fragment differ: both
// share a URL, so a response that may be either carries it in Vary.
const Vary = "HX-Request"

// IsHTMX reports whether htmx sent r. Such a request follows no redirect to
// another page: see Redirect.
func IsHTMX(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// WantsFragment reports whether r should be answered with a fragment. A boosted
// link and a request that restores history want the whole page although htmx
// sends them.
func WantsFragment(r *http.Request) bool {
	return IsHTMX(r) &&
		r.Header.Get("HX-Boosted") != "true" &&
		r.Header.Get("HX-History-Restore-Request") != "true"
}

// Target returns the id of the element that htmx will swap, or "".
func Target(r *http.Request) string { return r.Header.Get("HX-Target") }

// CurrentURL returns the address that the browser shows while it sends r. It is
// whatever the client claims, and nil if it claims nothing or no URL.
func CurrentURL(r *http.Request) *url.URL {
	claimed := r.Header.Get("HX-Current-URL")
	if claimed == "" {
		return nil
	}
	u, err := url.Parse(claimed)
	if err != nil {
		return nil
	}
	return u
}

// Redirect ends the response by sending the browser to url: under htmx with 204
// and HX-Redirect, because its XMLHttpRequest would follow a 303 and swap the new
// page into the target; else with a 303.
func Redirect(w http.ResponseWriter, r *http.Request, url string) {
	if !IsHTMX(r) {
		http.Redirect(w, r, url, http.StatusSeeOther)
		return
	}
	RedirectOn(w, url)
	w.WriteHeader(http.StatusNoContent)
}

// RedirectOn asks htmx to load url as a page, whatever status the response gets.
func RedirectOn(w http.ResponseWriter, url string) { w.Header().Set("HX-Redirect", url) }

// PushURL asks htmx to make url the address, as a new step of the history.
func PushURL(w http.ResponseWriter, url string) { w.Header().Set("HX-Push-Url", url) }

// ReplaceURL asks htmx to make url the address in place of the present one.
func ReplaceURL(w http.ResponseWriter, url string) { w.Header().Set("HX-Replace-Url", url) }

// Retarget asks htmx to swap the response into the element that the CSS selector
// names, and not into the one of the request.
func Retarget(w http.ResponseWriter, selector string) { w.Header().Set("HX-Retarget", selector) }

// Reswap asks htmx to swap in another way than the element says: "outerHTML".
func Reswap(w http.ResponseWriter, how string) { w.Header().Set("HX-Reswap", how) }

// Toast asks the page to show message. Level is "success", "info" or "error".
// htmx obeys it whatever the status is, but not together with HX-Redirect. A
// response carries at most one toast: the last one set.
func Toast(w http.ResponseWriter, level, message string) {
	detail := map[string]map[string]string{"toast": {"level": level, "message": message}}
	b, err := json.Marshal(detail)
	if err != nil {
		return // a map of strings always marshals
	}
	w.Header().Set("HX-Trigger", ascii(string(b)))
}

// SwapAnyway marks an answer that is an error and yet what the page asked for:
// its form, with what is wrong. htmx knows nothing of it; our script page.js
// swaps what bears it, and no error of a proxy in between does.
func SwapAnyway(w http.ResponseWriter) { w.Header().Set("HX-Form", "again") }

// ascii escapes every rune above U+007E of a JSON text. Browsers read the bytes
// of a header as Latin-1, so raw Japanese would reach the page as mojibake.
func ascii(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < 0x7F:
			b.WriteRune(r)
		case r > 0xFFFF:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
