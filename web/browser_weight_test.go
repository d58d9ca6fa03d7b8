package web_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"waveadmin/internal/testkit"
)

// What the first load of a page may take: requests, with the one for the icon
// that the browser does not tell of, and bytes on the wire, headers included.
const (
	maxRequests = 8
	maxWire     = 80_000
)

// TestWeight loads pages into a browser that has nothing of them yet.
func TestWeight(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 10_000})
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/resellers")
	for name, page := range map[string]string{
		"overview": "/",
		"flag":     "/flags/open_api",
		"list":     "/resellers",
		"account":  "/resellers/" + string(s.Wave.Accounts()[0].UserID),
		"issue":    "/resellers/new",
		"matrix":   "/matrix",
	} {
		t.Run(name, func(t *testing.T) {
			load := newLoad(s.URL + page)
			b.Run("load "+page+" for the first time", load.run)
			var names []string
			for _, address := range load.asked {
				names = append(names, path.Base(address))
				if !strings.HasPrefix(address, s.URL+"/") {
					t.Errorf("a request goes to %s", address)
				}
			}
			if n := len(names) + 1; n > maxRequests || load.wire > maxWire {
				t.Errorf("%d requests and %d bytes, want at most %d and %d", n, load.wire, maxRequests, maxWire)
			}
			t.Logf("%d requests and the icon, %d bytes: %s", len(names), load.wire, strings.Join(names, " "))
		})
	}
}

// A load is one page's way into the browser.
type load struct {
	url string

	mu     sync.Mutex
	asked  map[network.RequestID]string // addresses
	ended  map[network.RequestID]bool
	failed []string
	wire   int // bytes, with headers
	all    chan struct{}
}

func newLoad(url string) *load {
	return &load{
		url: url, all: make(chan struct{}, 1),
		asked: make(map[network.RequestID]string), ended: make(map[network.RequestID]bool),
	}
}

// run opens the page with an empty cache and waits until all that it asks for
// has come.
func (l *load) run(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
	if _, err := chromedp.Navigate("about:blank")(ctx, t); err != nil {
		return none, err
	}
	if err := chromedp.Listen(ctx, l.note); err != nil {
		return none, err
	}
	_, enabled := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	_, cleared := chromedp.Call(ctx, network.ClearBrowserCache, cdp.Empty{})
	if err := errors.Join(enabled, cleared); err != nil {
		return none, err
	}
	if _, err := chromedp.Navigate(l.url)(ctx, t); err != nil {
		return none, err
	}
	for {
		l.mu.Lock()
		open, failed := len(l.asked)-len(l.ended), l.failed
		l.mu.Unlock()
		if len(failed) > 0 {
			return none, fmt.Errorf("not loaded: %v", failed)
		}
		if open == 0 {
			return none, nil
		}
		select {
		case <-l.all:
		case <-ctx.Done():
			return none, fmt.Errorf("%d requests are still open: %w", open, ctx.Err())
		}
	}
}

func (l *load) note(ev any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		l.asked[ev.RequestID] = ev.Request.URL
	case *network.EventLoadingFinished:
		l.ended[ev.RequestID] = true
		l.wire += int(ev.EncodedDataLength)
	case *network.EventLoadingFailed:
		l.ended[ev.RequestID] = true
		l.failed = append(l.failed, l.asked[ev.RequestID]+": "+ev.ErrorText)
	}
	if len(l.ended) == len(l.asked) {
		select {
		case l.all <- struct{}{}:
		default:
		}
	}
}
