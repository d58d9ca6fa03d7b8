package web_test

import (
	"context"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// clearCookies forgets the session here; the provider remembers nothing either.
func clearCookies(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	_, err := chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{})
	return chromedp.Void{}, err
}

// slow makes the next save take two seconds.
func slow(s *testkit.Site) {
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Nth: 1, Delay: 2 * time.Second})
}
