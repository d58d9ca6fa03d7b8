package web

import (
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestRation(t *testing.T) {
	one, other := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	at := time.Unix(1_800_000_000, 0)
	l := newRation(time.Second, 3)
	for i := range 3 {
		if _, ok := l.take(one, at); !ok {
			t.Fatalf("%d is refused, want a burst of 3", i+1)
		}
	}
	if wait, ok := l.take(one, at); ok || wait != time.Second {
		t.Errorf("one more: %v, %v; want to wait a second", wait, ok)
	}
	if _, ok := l.take(other, at); !ok {
		t.Error("someone else is refused")
	}
	if wait, ok := l.take(one, at.Add(999*time.Millisecond)); ok || wait != time.Millisecond {
		t.Errorf("too early: %v, %v", wait, ok)
	}
	if _, ok := l.take(one, at.Add(time.Second)); !ok {
		t.Error("refused after the wait")
	}
	for i := range 3 {
		if _, ok := l.take(one, at.Add(time.Hour)); !ok {
			t.Errorf("%d of a new burst is refused", i+1)
		}
	}
	if _, ok := l.take(one, at.Add(time.Hour)); ok {
		t.Error("an hour of silence saved up more than a burst")
	}
}

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7/32",
		"::ffff:192.0.2.7":     "192.0.2.7/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
	} {
		if got := network(netip.MustParseAddr(in)).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if got := network(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("no address: %v", got)
	}
}

// TestRation_throughTheRouter: an address that signs in too often is told when to come
// back. Others are not hurt, nor are its pages.
func TestRation_throughTheRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSite(t, func(g groups) {
			everyGroup(g)
			g.signIn.get("/auth/login", ok)
			g.signIn.get(callbackPath, ok)
		})
		ask := func(path, from string) (int, string) {
			r := request("GET", path)
			r.RemoteAddr = from
			w := s.do(r)
			return w.Code, w.Header().Get("Retry-After")
		}
		const flood = "192.0.2.1:1234"
		for range signInBurst / 2 {
			for _, path := range []string{"/auth/login", callbackPath} {
				if status, _ := ask(path, flood); status != http.StatusOK {
					t.Fatalf("%s: status %d within the burst", path, status)
				}
			}
		}
		if status, after := ask(callbackPath, "192.0.2.1:999"); status != http.StatusTooManyRequests || after != "1" {
			t.Errorf("status %d, Retry-After %q; want 429 and 1", status, after)
		}
		if status, _ := ask(callbackPath, "192.0.2.2:1234"); status != http.StatusOK {
			t.Errorf("another address: status %d", status)
		}
		if status, _ := ask("/open", flood); status != http.StatusOK {
			t.Errorf("another page: status %d", status)
		}
		time.Sleep(signInEvery)
		if status, _ := ask(callbackPath, flood); status != http.StatusOK {
			t.Errorf("after the wait: status %d", status)
		}
	})
}

// TestRation_behindProxies: the address counts that the last proxy saw.
func TestRation_behindProxies(t *testing.T) {
	s := newTestSite(t, func(g groups) { g.signIn.get("/auth/login", ok) }, func(d *Deps) { d.TrustedProxies = 1 })
	ask := func(client string) int {
		return s.do(request("GET", "/auth/login", "X-Forwarded-For: "+client)).Code
	}
	for range signInBurst * 2 {
		_ = ask("192.0.2.1")
	}
	if got := ask("192.0.2.1"); got != http.StatusTooManyRequests {
		t.Errorf("status %d, want 429", got)
	}
	if got := ask("192.0.2.2"); got != http.StatusOK {
		t.Errorf("another client of the proxy: status %d", got)
	}
	if got := ask("192.0.2.2, 192.0.2.1"); got != http.StatusTooManyRequests {
		t.Errorf("with a made-up address in front: status %d, want 429", got)
	}
}
