package web_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"waveadmin/internal/testkit"
	"waveadmin/views"
	"waveadmin/web"
)

// Whose business it is that a fragment runs nothing. The policy stops all of them; htmx
// by its settings those of its own attributes and whole scripts.
const (
	byPolicy       = iota
	byPolicyWithin // told in a frame of its own
	byBoth
)

// hostile are fragments that set pwned, by themselves or when #press is clicked.
var hostile = []struct {
	name, html string
	stoppedBy  int
}{
	{"a script", `<script>window.pwned=1</script>`, byBoth},
	{"a script deep within", `<div><p><span><script>window.pwned=1</script></span></p></div>`, byBoth},
	{"a script in a drawing", `<svg><script>window.pwned=1</script></svg>`, byBoth},
	{"a module", `<script type="module">window.pwned=1</script>`, byBoth},
	{"a script of the server", `<script src="/script"></script>`, byBoth},
	{"a script in an address", `<script src="data:text/javascript,window.pwned=1"></script>`, byBoth},
	{"a script out of band", `<div id="toasts" hx-swap-oob="true"><script>window.pwned=1</script></div>`, byBoth},
	{"a script in a whole page", `<!DOCTYPE html><html><body><script>window.pwned=1</script></body></html>`, byBoth},
	{"hx-on of an event", `<button id="press" hx-on:click="window.pwned=1">x</button>`, byBoth},
	{"hx-on of htmx", `<div hx-on::load="window.pwned=1"></div>`, byBoth},
	{"hx-on of htmx in full", `<div hx-on:htmx:load="window.pwned=1"></div>`, byBoth},
	{"hx-on with dashes", `<div hx-on--load="window.pwned=1"></div>`, byBoth},
	{"hx-on as data", `<div data-hx-on::load="window.pwned=1"></div>`, byBoth},
	{"values", `<div hx-get="/nothing" hx-trigger="load" hx-vals="js:{a: window.pwned=1}"></div>`, byBoth},
	{"values of a script", `<div hx-get="/nothing" hx-trigger="load" hx-vals="javascript:{a: window.pwned=1}"></div>`, byBoth},
	{"variables", `<div hx-get="/nothing" hx-trigger="load" hx-vars="a: window.pwned=1"></div>`, byBoth},
	{"headers", `<div hx-get="/nothing" hx-trigger="load" hx-headers="js:{a: window.pwned=1}"></div>`, byBoth},
	{"the settings of a request", `<div hx-get="/nothing" hx-trigger="load" hx-request="js: timeout: window.pwned=1"></div>`, byBoth},
	{"a filter of load", `<div hx-get="/nothing" hx-trigger="load[window.pwned=1]"></div>`, byBoth},
	{"a filter of a click", `<button id="press" hx-get="/nothing" hx-trigger="click[window.pwned=1]">x</button>`, byBoth},
	{"a filter as data", `<div data-hx-get="/nothing" data-hx-trigger="load[window.pwned=1]"></div>`, byBoth},
	{"an image that fails", `<img src="/no-such.png" onerror="window.pwned=1">`, byPolicy},
	{"an image that fails in a drawing", `<svg><image href="/no-such.png" onerror="window.pwned=1"></image></svg>`, byPolicy},
	{"an image that fails below a root of its own", `<div><template shadowrootmode="open"><img src="/no-such.png" onerror="window.pwned=1"></template></div>`, byPolicy},
	{"details that open", `<details open ontoggle="window.pwned=1">x</details>`, byPolicy},
	{"an animation", `<svg><animate attributeName="x" dur="1s" onbegin="window.pwned=1"></animate></svg>`, byPolicy},
	{"a button", `<button id="press" onclick="window.pwned=1">x</button>`, byPolicy},
	{"a link", `<a id="press" href="javascript:void(window.pwned=1)">x</a>`, byPolicy},
	{"a link in a drawing", `<svg><a id="press" href="javascript:void(window.pwned=1)"><text>x</text></a></svg>`, byPolicy},
	{"a form", `<form action="javascript:void(window.pwned=1)"><button id="press">x</button></form>`, byPolicy},
	{"a button of a form", `<form><button id="press" formaction="javascript:void(window.pwned=1)">x</button></form>`, byPolicy},
	{"a frame", `<iframe src="javascript:void(parent.pwned=1)"></iframe>`, byPolicy},
	{"a frame with a page", `<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>`, byPolicyWithin},
	{"a filter of time", `<div hx-get="/nothing" hx-trigger="every 10ms [window.pwned=1]"></div>`, byBoth}, // the last: it goes on while the next is asked for
}

// swapSite serves a page of ours and the hostile fragments, through the chain of the
// site, which weaken changes.
func swapSite(t *testing.T, weaken func(*httptest.ResponseRecorder)) *testkit.Site {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	at := &url.URL{Scheme: "http", Host: server.Listener.Addr().String()}
	pages := map[string]http.HandlerFunc{
		"/page": func(w http.ResponseWriter, r *http.Request) {
			_ = views.Render(w, r, http.StatusOK, views.ErrorPage(views.ErrorProps{Title: "a page"})) // the browser would see
		},
		"/script": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, "pwned=1")
		},
		"/nothing": func(http.ResponseWriter, *http.Request) {},
	}
	for n, f := range hostile {
		pages[fmt.Sprintf("/hostile/%d", n)] = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, f.html) }
	}
	site := web.NewPages(t, at, pages)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding") // it is read here
		rec := httptest.NewRecorder()
		site.ServeHTTP(rec, r)
		weaken(rec)
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
	server.Start()
	t.Cleanup(server.Close)
	return &testkit.Site{URL: at.String()}
}

func noPolicy(rec *httptest.ResponseRecorder) { rec.Header().Del("Content-Security-Policy") }

func noSettings(rec *httptest.ResponseRecorder) {
	for _, name := range []string{"allowEval", "allowScriptTags"} {
		setting := name + "&#34;: "
		rec.Body = bytes.NewBuffer(bytes.ReplaceAll(rec.Body.Bytes(), []byte(setting+"false"), []byte(setting+"true")))
	}
}

// prepare notes what the policy stops, and lets a page click in a fragment that has been
// swapped in. A while after that over is true.
const prepare = `(() => {
	document.addEventListener("securitypolicyviolation", (e) => reports.push(e.effectiveDirective + " " + e.blockedURI));
	document.addEventListener("htmx:afterOnLoad", (e) => {
		if (e.detail.pathInfo.requestPath !== window.path) return;
		document.querySelector("#press")?.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
		setTimeout(() => { window.over = true; }, 150);
	});
	return true;
})()`

// swap brings hostile fragment n into the page.
const swap = `(() => {
	window.path = "/hostile/%d";
	window.reports = [];
	delete window.pwned;
	delete window.over;
	htmx.ajax("GET", path, {target: "#main", swap: "innerHTML"});
	return true;
})()`

// TestBrowser_swapsRunNothing: no fragment that is swapped into a page runs script. The
// policy sees to that alone, and htmx alone to what would be its own doing, so that the
// policy has nothing to stop there. Without both everything runs: the fragments are what
// they say.
func TestBrowser_swapsRunNothing(t *testing.T) {
	t.Parallel()
	never, always := func(int) bool { return false }, func(int) bool { return true }
	tests := []struct {
		name    string
		weaken  func(*httptest.ResponseRecorder)
		runs    func(stoppedBy int) bool
		reports func(stoppedBy int) bool
	}{
		{"as it is", func(*httptest.ResponseRecorder) {}, never, func(by int) bool { return by == byPolicy }},
		{"htmx would run it", noSettings, never, func(by int) bool { return by != byPolicyWithin }},
		{"no policy", noPolicy, func(by int) bool { return by != byBoth }, never},
		{"neither", func(rec *httptest.ResponseRecorder) { noPolicy(rec); noSettings(rec) }, always, never},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := swapSite(t, tt.weaken).NewBrowser(t, "en")
			b.Open("/page")
			b.Until(`window.htmx && document.readyState === "complete" && document.documentElement.classList.contains("js")`)
			testkit.Eval[bool](b, prepare)
			for n, f := range hostile {
				t.Log(f.name) // a wait that fails does not say it
				testkit.Eval[bool](b, fmt.Sprintf(swap, n))
				if tt.runs(f.stoppedBy) || tt.reports(f.stoppedBy) {
					b.Until(`window.pwned || reports.length`)
				} else {
					b.Until(`window.pwned || reports.length || window.over`)
				}
				if ran := testkit.Eval[bool](b, `Boolean(window.pwned)`); ran != tt.runs(f.stoppedBy) {
					t.Errorf("%s: ran is %t", f.name, ran)
				}
				if reports := testkit.Eval[string](b, `reports.join(", ")`); (reports != "") != tt.reports(f.stoppedBy) {
					t.Errorf("%s: the policy had to stop %q", f.name, reports)
				}
				if at := testkit.Eval[string](b, `location.pathname`); at != "/page" {
					t.Errorf("%s: led to %s", f.name, at)
				}
				b.Complaints() // of what the policy stops
			}
		})
	}
}
