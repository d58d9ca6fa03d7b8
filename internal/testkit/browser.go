package testkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds each step in the browser. It is long because the machine may
// be busy; a step that works ends as soon as it can.
const patience = 30 * time.Second

// Browser is one window of Chromium at a site.
type Browser struct {
	t    testing.TB
	site *Site
	ctx  context.Context

	complaints []string // of the console: errors, refusals by the CSP, uncaught exceptions
}

// NewBrowser opens a window without cookies, in a language of the browser ("ja",
// "en"), until the test ends. It skips the test when there is no Chromium.
func (s *Site) NewBrowser(t testing.TB, lang string) *Browser {
	t.Helper()
	path := os.Getenv("WAVEADMIN_TEST_CHROMIUM")
	if path == "" {
		var err error
		if path, err = exec.LookPath("chromium"); err != nil {
			t.Skip("no chromium: install the Debian package chromium, or set WAVEADMIN_TEST_CHROMIUM")
		}
	}
	alloc, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", lang), chromedp.Flag("accept-lang", lang),
		chromedp.Flag("force-prefers-reduced-motion", true),
		chromedp.UserDataDir(t.TempDir()))
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b := &Browser{t: t, site: s, ctx: ctx}
	// The first action starts the browser, which lives as long as its context.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Fatal(err)
	}
	b.listen()
	return b
}

// listen collects what the page complains of. A test of attacks reads it; all
// others fail on it at their end.
func (b *Browser) listen() {
	err := chromedp.Listen(b.ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			b.complaints = append(b.complaints, "exception: "+ev.ExceptionDetails.Text+" "+ev.ExceptionDetails.URL)
		case *log.EventEntryAdded:
			// A refusal by the server is what many tests want to see.
			if ev.Entry.Source != log.EntrySourceNetwork && ev.Entry.Level == log.EntryLevelError {
				b.complaints = append(b.complaints, string(ev.Entry.Source)+": "+ev.Entry.Text)
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		for _, c := range b.complaints {
			b.t.Errorf("the page complained: %s", c)
		}
	})
}

func (b *Browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.shotOnFailure()
		b.t.Fatalf("%s: %v", what, err)
	}
}

// Run does actions of chromedp for which Browser has no word.
func (b *Browser) Run(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	b.do(what, steps...)
}

func (b *Browser) shotOnFailure() {
	dir := os.Getenv("WAVEADMIN_TEST_FAILURES")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	if png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
		name := strings.NewReplacer("/", "-", " ", "_").Replace(b.t.Name()) + ".png"
		_ = os.WriteFile(filepath.Join(dir, name), png, 0o644) // only helps to see why the test failed
	}
}

// Open goes to a path of the site.
func (b *Browser) Open(path string) {
	b.t.Helper()
	b.do("open "+path, chromedp.Navigate(b.site.URL+path))
}

// SignIn signs a person in through the provider's page, which shows three people,
// and lands on path.
func (b *Browser) SignIn(person, path string) {
	b.t.Helper()
	b.Open(path)
	b.Click(`button[value="` + person + `"]`)
	b.Until(fmt.Sprintf(`location.origin === %q && document.readyState === "complete"`, b.site.URL))
}

// arrive waits for the whole page: before, its scripts may not listen yet.
func (b *Browser) arrive() {
	b.t.Helper()
	Eval[bool](b, "true")
}

// Click clicks the middle of the first element that matches, once it is visible.
func (b *Browser) Click(sel string) {
	b.t.Helper()
	b.arrive()
	b.do("click "+sel, chromedp.Click(chromedp.CSS(sel), chromedp.NodeVisible))
}

// Type types into the element as a keyboard would.
func (b *Browser) Type(sel, keys string) {
	b.t.Helper()
	b.arrive()
	// Not SendKeys, which reads the attributes of the element while they may change.
	b.do("type into "+sel, chromedp.Focus(chromedp.CSS(sel), chromedp.NodeVisible), chromedp.KeyEvent(keys))
}

// Press sends keys to whatever has the focus.
func (b *Browser) Press(keys string, opts ...chromedp.KeyOption) {
	b.t.Helper()
	b.arrive()
	b.do("press", chromedp.KeyEvent(keys, opts...))
}

// Wait waits until an element that matches is visible.
func (b *Browser) Wait(sel string) {
	b.t.Helper()
	b.do("wait for "+sel, chromedp.WaitVisible(chromedp.CSS(sel)))
}

// Complaints returns what the page complained of, and forgets it.
func (b *Browser) Complaints() []string {
	list := b.complaints
	b.complaints = nil
	return list
}

// Size sets the window, in CSS pixels.
func (b *Browser) Size(width, height int64) {
	b.t.Helper()
	b.do("size", chromedp.EmulateViewport(width, height))
}

// Dark makes the system look dark or light.
func (b *Browser) Dark(dark bool) {
	b.t.Helper()
	value := "light"
	if dark {
		value = "dark"
	}
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// Shot writes a picture of the window to docs/screenshots when the environment
// asks for it (make screenshots).
func (b *Browser) Shot(name string) {
	b.t.Helper()
	dir := os.Getenv("WAVEADMIN_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// Reload loads the page again, without what the browser keeps of it.
func (b *Browser) Reload() {
	b.t.Helper()
	b.do("reload", chromedp.Reload())
}
