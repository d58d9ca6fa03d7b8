package testkit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// Until waits until a JavaScript expression is true on a page that is all there. It
// survives navigations, and an expression that throws is not true.
func (b *Browser) Until(expression string) {
	b.t.Helper()
	ok, err := whole(b, "Boolean("+expression+")", func(ok bool, _ error) bool { return ok })
	if !ok {
		b.shotOnFailure()
		b.t.Fatalf("never true: %s (%v)\npage says: %s", expression, err, b.says())
	}
}

// says returns what the page shows, all there or not, or why nobody can tell.
func (b *Browser) says() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	words, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.readyState + ': ' + document.body?.innerText"))
	if err != nil {
		return err.Error()
	}
	return words
}

// Eval evaluates a JavaScript expression once, on a page that is all there, and returns
// its value.
func Eval[T any](b *Browser, expression string) T {
	b.t.Helper()
	v, err := whole(b, expression, func(T, error) bool { return true })
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// A page that is still arriving has but a part of what a test asks for, and between two
// pages there is none: so expressions wait for the whole page.
const whenLoaded = `document.readyState === "complete" ? {Loaded: true, Value: (%s)} : {Loaded: false}`

type loaded[T any] struct {
	Loaded bool
	Value  T
}

// whole evaluates an expression on a page that is all there, and again until enough is
// content with what came of it or patience is over.
func whole[T any](b *Browser, expression string, enough func(T, error) bool) (value T, err error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		got, err := chromedp.Run(ctx, chromedp.Evaluate[loaded[T]](fmt.Sprintf(whenLoaded, expression)))
		cancel()
		between := err != nil && strings.Contains(err.Error(), "Cannot find default execution context")
		if (got.Loaded || err != nil && !between) && enough(got.Value, err) {
			return got.Value, err
		}
		if time.Now().After(deadline) {
			if err == nil && !got.Loaded {
				err = errors.New("the page never arrived")
			}
			return got.Value, err
		}
	}
}

// Text returns the visible text of the first element that matches, or "".
func (b *Browser) Text(sel string) string {
	b.t.Helper()
	return Eval[string](b, fmt.Sprintf("(document.querySelector(%q)?.innerText ?? '').trim()", sel))
}
