package waveapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
	"waveadmin/internal/waveapi"
)

// The calls of the API, for tables.
var (
	list = func(ctx context.Context, c *waveapi.Client) error {
		_, err := c.List(ctx)
		return err
	}
	groups = func(ctx context.Context, c *waveapi.Client) error {
		_, err := c.ListBillingGroups(ctx)
		return err
	}
	create = func(ctx context.Context, c *waveapi.Client) error {
		return c.Create(ctx, wave.NewReseller{Email: "a@example.com", CompanyID: "c-1", Input: wave.Custom, Password: "pass word/1"})
	}
	meta = func(ctx context.Context, c *waveapi.Client) error {
		return c.ReplaceMeta(ctx, "u-1", wave.Defaults())
	}
	password = func(ctx context.Context, c *waveapi.Client) error {
		return c.ReplacePassword(ctx, "u-1", wave.NewPassword{Input: wave.Custom, Password: "pass word/1"})
	}
	remove = func(ctx context.Context, c *waveapi.Client) error { return c.Delete(ctx, "u-1") }
)

type does = func(context.Context, *waveapi.Client) error

var (
	reads  = map[string]does{"list": list, "groups": groups}
	writes = map[string]does{"create": create, "meta": meta, "password": password, "delete": remove}
)

// TestRepetition is the table of what is repeated automatically: the number of
// requests that the API sees when all of them fail alike.
func TestRepetition(t *testing.T) {
	tests := []struct {
		name        string
		api         http.HandlerFunc
		read, write int
	}{
		{"broken off", dropped, 4, 1},
		{"timed out", silent, 4, 1},
		{"cut", cut, 4, 1},
		{"500", status(500, ""), 4, 1},
		{"502", status(502, "<html>"), 4, 1},
		{"503 that names a pause", status(503, "", "Retry-After: 1"), 4, 1},
		{"429", status(429, ""), 4, 4},
		{"429 that names a pause", status(429, "", "Retry-After: 60"), 4, 4},
		{"unreadable", success("<html>"), 4, 1},
		{"401", status(401, ""), 2, 2},
		{"400", status(400, ""), 1, 1},
		{"403", status(403, ""), 1, 1},
		{"409", status(409, ""), 1, 1},
		{"a redirect", status(302, "", "Location: /m/ripple/elsewhere"), 1, 1},
	}
	for _, tt := range tests {
		check := func(name string, do does, want int) {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					// On a connection that was used before, net/http itself tries a GET once more.
					v := &vendor{api: tt.api, token: lastToken}
					if err := do(t.Context(), v.start(t, nil)); err == nil {
						t.Fatal("no error")
					}
					if got := len(v.seen()); got != want {
						t.Errorf("requests = %d, want %d", got, want)
					}
				})
			})
		}
		for name, do := range reads {
			check(name, do, tt.read)
		}
		for name, do := range writes {
			check(name, do, tt.write)
		}
	}
}

// cut promises more than it sends.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	io.WriteString(w, `[{"user_id":"u-1"},`)
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func TestRepetition_endsWithSuccess(t *testing.T) {
	for name, do := range map[string]does{"list": list, "meta": meta, "create": create} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good := success(`{"status":"success"}`)
				if name == "list" {
					good = success(`[]`)
				}
				v := &vendor{
					api: answers(status(429, ""), status(429, "", "Retry-After: 7"), good),
					dial: func(n int) error {
						if n == 2 { // 1 is for the token; not written, so every call is repeated
							return errRefused
						}
						return nil
					},
					token: lastToken,
				}
				start := time.Now()
				if err := do(t.Context(), v.start(t, nil)); err != nil {
					t.Fatal(err)
				}
				if got := len(v.seen()); got != 3 {
					t.Errorf("requests = %d, want 3", got)
				}
				if took := time.Since(start); took < 7*time.Second || took > 9*time.Second {
					t.Errorf("took %v, want the 7 s that the API asked for and little more", took)
				}
			})
		})
	}
}

func TestNothingWritten_isRepeatedAndUnavailable(t *testing.T) {
	for name, do := range merged(reads, writes) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{dial: func(n int) error {
					if n == 1 {
						return nil // for the token
					}
					return errRefused
				}, token: lastToken}
				err := do(t.Context(), v.start(t, nil))
				if !fault.Is(err, fault.Unavailable) || !errors.Is(err, errRefused) {
					t.Errorf("error = %v, want Unavailable because of %v", err, errRefused)
				}
				if v.dials != 5 {
					t.Errorf("dials = %d, want 1 for the token and 4 for the call", v.dials)
				}
			})
		})
	}
}

func TestRepetition_staysWithinTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{api: status(429, "", "Retry-After: 30")}
		c := v.start(t, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		err := meta(ctx, c)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.Busy || f.RetryAfter != 30*time.Second {
			t.Errorf("error = %v, want Busy for 30 s", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v: waited for a time that the caller does not have", took)
		}
	})
}

// TestReusedConnection asserts that net/http does not repeat a write by itself
// when a connection that was used before breaks after the request.
func TestReusedConnection(t *testing.T) {
	for name, do := range writes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{api: answers(success(`{"status":"success"}`), dropped, success(`{"status":"success"}`))}
				c := v.start(t, nil)
				if err := do(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				if err := do(t.Context(), c); !fault.Is(err, fault.Uncertain) {
					t.Errorf("error = %v, want Uncertain", err)
				}
				if got := len(v.seen()); got != 2 {
					t.Errorf("requests = %d, want 2", got)
				}
				if v.dials != 1 {
					t.Errorf("dials = %d: the connection was not used again", v.dials)
				}
			})
		})
	}
}

// TestStaleConnection breaks a used connection before a byte of the next call is
// written. net/http dials again, and if that fails too, nothing was done.
func TestStaleConnection(t *testing.T) {
	for name, do := range writes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{stale: true, dial: func(n int) error {
					if n == 1 || n > 3 {
						return nil
					}
					return errRefused
				}}
				c := v.start(t, func(o *waveapi.Options) { o.Timeout = time.Hour })
				if err := do(t.Context(), c); err != nil {
					t.Errorf("error = %v, want success at the fourth dial", err)
				}
				if len(v.seen()) != 1 || v.dials != 4 {
					t.Errorf("requests = %d, dials = %d, want 1 and 4", len(v.seen()), v.dials)
				}
			})
		})
	}
}

func TestTimeout(t *testing.T) {
	tests := []struct {
		name string
		do   does
		want fault.Kind
	}{
		{"list", list, fault.Unavailable},
		{"delete", remove, fault.Uncertain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{api: answers(silent, success("[]"))}
				c := v.start(t, func(o *waveapi.Options) { o.Timeout = 3 * time.Second })
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second+time.Nanosecond) // no time for a second try, whose pause may be short
				defer cancel()
				if err := tt.do(ctx, c); !fault.Is(err, tt.want) || !strings.Contains(err.Error(), "no answer in time") {
					t.Errorf("error = %v, want %v for a timeout", err, tt.want)
				}
			})
		})
	}
}

// A list may take a while to arrive, but one that stops coming is asked for again.
func TestTimeout_ofALongList(t *testing.T) {
	tests := []struct {
		name     string
		pieces   int // of the first list
		every    time.Duration
		took     time.Duration
		requests int
	}{
		{"slow", 5, 10 * time.Second, 50 * time.Second, 1},
		{"stops", 2, time.Hour, 15 * time.Second, 2},
		{"without end", 1000, 10 * time.Second, 60 * time.Second, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{api: after(1, func(w http.ResponseWriter, r *http.Request) {
					io.WriteString(w, "[")
					for range tt.pieces {
						http.NewResponseController(w).Flush()
						select {
						case <-r.Context().Done():
							return
						case <-time.After(tt.every):
						}
						io.WriteString(w, " ")
					}
					io.WriteString(w, "]")
				}, success("[]"))}
				c := v.start(t, nil)
				start := time.Now()
				if err := list(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took < tt.took || took > tt.took+time.Second {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if got := len(v.seen()); got != tt.requests {
					t.Errorf("requests = %d, want %d", got, tt.requests)
				}
			})
		})
	}
}

// A caller who gives up gets the same answer: before sending nothing was done,
// after it nobody knows.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{api: silent}
		c := v.start(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := meta(ctx, c); !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("before: %v, want Unavailable", err)
		}
		if got := len(v.seen()); got != 0 {
			t.Errorf("requests = %d, want none", got)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := meta(ctx, c); !fault.Is(err, fault.Uncertain) || !errors.Is(err, context.Canceled) {
			t.Errorf("after: %v, want Uncertain", err)
		}
	})
}

func TestBodies_areCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{api: success(`{"status":"success","pad":"` + strings.Repeat("x", 64<<10) + `"}`)}
		if err := meta(t.Context(), v.start(t, nil)); !fault.Is(err, fault.Uncertain) {
			t.Errorf("error = %v, want Uncertain", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{api: status(418, strings.Repeat("é", 100<<10))}
		err := meta(t.Context(), v.start(t, nil))
		if e, ok := errors.AsType[*waveapi.StatusError](err); !ok || len(e.Body) > 4<<10+2 || len(e.Body) < 4<<10 {
			t.Errorf("error = %T, want a StatusError with 4 KiB of the body", err)
		}
	})
}

func merged(ms ...map[string]does) map[string]does {
	all := make(map[string]does)
	for _, m := range ms {
		for name, do := range m {
			all[name] = do
		}
	}
	return all
}

func ExampleStatusError() {
	fmt.Println(&waveapi.StatusError{Op: "create", Method: "POST", Status: 400, Code: "5005", Body: "<html>"})
	// Output: create: POST answered with status 400, code 5005: "<html>"
}
