package views

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// These rules keep out what the content security policy and htmx's settings
// cannot: trigger filters, js: values and hx-on fail open under allowEval false,
// and a raw string is a script of whoever wrote it.

// mark is one start tag of a template: its text from < to >, expressions and
// conditional attributes as they stand.
type mark struct {
	name string // of the element
	text string
	line int
}

var tagStart = regexp.MustCompile(`^<([a-zA-Z][a-zA-Z0-9-]*)[\s/>]`)

// marks returns the start tags of a template. Braces hold Go, in which > and
// quotes have another meaning.
func marks(source string) []mark {
	var found []mark
	for i := 0; i < len(source); i++ {
		m := tagStart.FindStringSubmatch(source[i:min(i+40, len(source))])
		if m == nil {
			continue
		}
		end, depth, quoted := i, 0, byte(0)
		for ; end < len(source); end++ {
			c := source[end]
			switch {
			case quoted != 0:
				if c == quoted {
					quoted = 0
				}
			case c == '"' || c == '`':
				quoted = c
			case c == '{':
				depth++
			case c == '}':
				depth--
			}
			if c == '>' && depth == 0 && quoted == 0 {
				break
			}
		}
		text := source[i:min(end+1, len(source))]
		found = append(found, mark{m[1], text, 1 + strings.Count(source[:i], "\n")})
		i = end
	}
	return found
}

// value returns the value of an attribute as it stands, quotes or braces
// included, and whether the tag has it.
func (m mark) value(attribute string) (string, bool) {
	v := regexp.MustCompile(`(?s)\s` + regexp.QuoteMeta(attribute) + `(?:\?)?(?:=("[^"]*"|\{[^}]*\}))?(?:[\s/>]|$)`).FindStringSubmatch(m.text)
	if v == nil {
		return "", false
	}
	return v[1], true
}

func (m mark) has(attribute string) bool {
	_, ok := m.value(attribute)
	return ok
}

var (
	handler   = regexp.MustCompile(`(?i)\son[a-z]+\??=`)
	hxOn      = regexp.MustCompile(`(?i)\s(data-)?hx-on[:\w-]*\??=`)
	inherited = regexp.MustCompile(`\s(hx-[a-z-]+)\??=(?:"([^"]*)"|\{([^}]*)\})`)
	spread    = regexp.MustCompile(`\{\s*[\w.()]+\.\.\.\s*\}`)
)

// complaints returns what is wrong with a template.
func complaints(source string) []string {
	var found []string
	for _, word := range []string{"templ.Raw", "templ.SafeURL", "templ.JSFuncCall", "templ.JSUnsafeFuncCall", "templ.SafeCSS", "css "} {
		if regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(word) + `|[@{(\s]` + regexp.QuoteMeta(strings.TrimSpace(word)) + `\(`).MatchString(source) {
			found = append(found, strings.TrimSpace(word))
		}
	}
	if regexp.MustCompile(`(?m)^script \w+\(`).MatchString(source) {
		found = append(found, "a script template")
	}
	for _, m := range marks(source) {
		say := func(format string, args ...any) {
			found = append(found, fmt.Sprintf("line %d: <%s>: ", m.line, m.name)+fmt.Sprintf(format, args...))
		}
		switch {
		case m.name == "style" || m.has("style"):
			say("a style of its own")
		case handler.MatchString(m.text):
			say("an on… attribute")
		case hxOn.MatchString(m.text):
			say("hx-on")
		case spread.MatchString(m.text):
			say("spread attributes: nobody sees which")
		case m.name == "script":
			if nonce, _ := m.value("nonce"); nonce != "{ templ.GetNonce(ctx) }" || !m.has("src") || !m.has("integrity") {
				say("a script without our nonce, src and integrity")
			}
		}
		if stream, _ := m.value("sse-connect"); strings.Contains(stream, "//") {
			say("a stream of another host")
		}
		for _, a := range inherited.FindAllStringSubmatch(m.text, -1) {
			name, value := a[1], strings.TrimSpace(a[2]+a[3])
			switch {
			case strings.HasPrefix(value, "js:") || strings.HasPrefix(value, "javascript:") || strings.Contains(value, `"js:`):
				say("%s runs a script", name)
			case name == "hx-trigger" && strings.Contains(value, "["):
				say("a trigger filter")
			case name == "hx-ext" && value == "sse" && m.has("sse-connect"): // a stream, on the element that listens
			case name == "hx-ext" || name == "hx-boost" || name == "hx-inherit":
				say("%s", name)
			case isVerb(name) && strings.Contains(value, "//"):
				say("%s leads to another host", name)
			}
			if isVerb(name) || name == "hx-ext" && m.has("sse-connect") {
				swap, _ := m.value("hx-swap")
				if swap == "" || !m.has("hx-target") && swap != `"none"` {
					say("%s without its own hx-target and hx-swap", name)
				}
			}
		}
	}
	return found
}

func isVerb(name string) bool {
	switch name {
	case "hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete":
		return true
	}
	return false
}

func TestTemplates(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".templ" {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		seen += len(marks(string(source)))
		for _, c := range complaints(string(source)) {
			t.Errorf("%s: %s", name, c)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 200 {
		t.Errorf("only %d tags were looked at", seen)
	}
}

var byHand = regexp.MustCompile("(?s)\\.html\\((`[^`]*`|\"(?:[^\"\\\\]|\\\\.)*\")\\)")

// handDrawn returns the HTML that a Go file writes with markup, expressions left
// out, and whether all of it stands in the program.
func handDrawn(source string) (html string, constant bool) {
	for _, m := range byHand.FindAllStringSubmatch(source, -1) {
		html += m[1][1 : len(m[1])-1]
	}
	return html, !regexp.MustCompile(`\bconstant\(`).MatchString(source)
}

// TestHandDrawn holds what is drawn without a template to the same rules.
func TestHandDrawn(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	tags := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		html, constant := handDrawn(string(source))
		if !constant {
			t.Errorf("%s makes a constant of what is none", name)
		}
		tags += len(marks(html))
		for _, c := range complaints(html) {
			t.Errorf("%s: %s", name, c)
		}
	}
	if tags < 10 {
		t.Errorf("only %d tags were looked at", tags)
	}

	html, constant := handDrawn("m.html(`<td onclick=\"`)\nm.text(s)\nm.html(`\">`)\nm.html(constant(s))")
	if len(complaints(html)) != 1 || constant {
		t.Errorf("a bad row passes: %s", html)
	}
}

func TestComplaints(t *testing.T) {
	good := `templ x() {
	<form method="post" hx-post={ AccountURL(id, "meta") } hx-target="this" hx-swap="outerHTML" hx-trigger="submit, wa:search delay:200ms">
		<input name="on" value="on" aria-label={ t(ctx, "a > b") }/>
		<form hx-post={ SignOutURL } hx-swap="none"></form>
		<p hx-ext="sse" sse-connect={ EventsURL() } sse-swap="a" hx-target="#a" hx-swap="outerHTML"></p>
	</form>
	<script type="module" nonce={ templ.GetNonce(ctx) } src={ static.URL("a.js") } integrity={ static.Integrity("a.js") }></script>
}`
	if got := complaints(good); len(got) > 0 {
		t.Errorf("a good template: %v", got)
	}
	const swaps = ` hx-target="#a" hx-swap="outerHTML"`
	for name, bad := range map[string]string{
		"raw text":                `templ x() { @templ.Raw(s) }`,
		"a URL that is trusted":   `<a href={ templ.SafeURL(s) }>`,
		"a call of a script":      `<a hx-vals={ templ.JSFuncCall("f") }>`,
		"a script template":       "script f(x string) {\n}",
		"a style template":        "css red() {\n}",
		"an inline style":         `<p style="color: red">`,
		"an inline style, by Go":  `<p style={ s }>`,
		"a style element":         "<style>p{}</style>",
		"a handler":               `<p onclick="f()">`,
		"a handler after others":  "<p\n\tclass=\"a\"\n\tONLOAD={ s }>",
		"a handler of htmx":       `<p hx-on:click="f()">`,
		"the same in long":        `<p data-hx-on-click="f()">`,
		"spread attributes":       `<p { attrs... }>`,
		"a script inside":         `<script>f()</script>`,
		"a script without nonce":  `<script src={ static.URL("a") } integrity={ static.Integrity("a") }></script>`,
		"a script of another one": `<script nonce={ n } src="a" integrity="b"></script>`,
		"a script without digest": `<script nonce={ templ.GetNonce(ctx) } src={ static.URL("a") }></script>`,
		"values from a script":    `<a hx-get="/a" hx-vals="js:{a: 1}"` + swaps + `>`,
		"the same, by Go":         `<a hx-get="/a" hx-headers={ "js:" + s }` + swaps + `>`,
		"a trigger filter":        `<a hx-get="/a" hx-trigger="click[ctrlKey]"` + swaps + `>`,
		"another host":            `<a hx-get="https://example.com/"` + swaps + `>`,
		"another host, same way":  `<a hx-get="//example.com/"` + swaps + `>`,
		"no target":               `<a hx-get={ u } hx-swap="outerHTML">`,
		"no swap":                 `<a hx-post={ u } hx-target="this">`,
		"neither":                 `<a hx-post={ u }>`,
		"an extension":            `<body hx-ext="sse">`,
		"another extension":       `<p hx-ext="ws" sse-connect={ u }` + swaps + `>`,
		"a stream of another":     `<p hx-ext="sse" sse-connect="https://example.com/"` + swaps + `>`,
		"a stream for others":     `<p hx-ext="sse" sse-connect={ u } hx-swap="outerHTML">`,
		"boosted links":           `<body hx-boost="true">`,
	} {
		if got := complaints(bad); len(got) != 1 {
			t.Errorf("%s: %d complaints, want one: %v", name, len(got), got)
		}
	}
}
