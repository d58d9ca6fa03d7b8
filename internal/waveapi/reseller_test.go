package waveapi_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
	"waveadmin/internal/waveapi"
)

func TestRequests(t *testing.T) {
	small := wave.Meta{}.With("invoice", true).With("new_in_2027", false)
	const metaJSON = `{"invoice":true,"new_in_2027":false}`
	tests := []struct {
		name             string
		do               does
		line, body, kind string
	}{
		{
			"create, password made up", func(ctx context.Context, c *waveapi.Client) error {
				return c.Create(ctx, wave.NewReseller{Email: "a@example.com", CompanyID: "c-1", Notify: true, Input: wave.Auto, Meta: small})
			}, "POST /m/ripple/reseller",
			`{"email":"a@example.com","company_id":"c-1","input_type":"Auto","notification":true,"password":null,"meta":` + metaJSON + `}`, "application/json",
		},
		{
			"create, password typed", func(ctx context.Context, c *waveapi.Client) error {
				return c.Create(ctx, wave.NewReseller{Email: "a@example.com", CompanyID: "c-1", Input: wave.Custom, Password: `p"w`, Meta: small})
			}, "POST /m/ripple/reseller",
			`{"email":"a@example.com","company_id":"c-1","input_type":"Custom","notification":false,"password":"p\"w","meta":` + metaJSON + `}`, "application/json",
		},
		{"password made up", func(ctx context.Context, c *waveapi.Client) error {
			return c.ReplacePassword(ctx, "u-1", wave.NewPassword{Notify: true, Input: wave.Auto})
		}, "PUT /m/ripple/reseller/u-1/password", `{"input_type":"Auto","notification":true,"password":null}`, "application/json"},
		{"password typed", func(ctx context.Context, c *waveapi.Client) error {
			return c.ReplacePassword(ctx, "u-1", wave.NewPassword{Input: wave.Custom, Password: "12345678"})
		}, "PUT /m/ripple/reseller/u-1/password", `{"input_type":"Custom","notification":false,"password":"12345678"}`, "application/json"},
		{"meta", func(ctx context.Context, c *waveapi.Client) error {
			return c.ReplaceMeta(ctx, "u-1", small)
		}, "PUT /m/ripple/reseller/u-1/meta", `{"meta":` + metaJSON + `}`, "application/json"},
		{"delete", remove, "DELETE /m/ripple/reseller/u-1", "", ""},
		{"an id with odd characters", func(ctx context.Context, c *waveapi.Client) error {
			return c.Delete(ctx, "a b?c#d%2Fe;値")
		}, "DELETE /m/ripple/reseller/a%20b%3Fc%23d%252Fe%3B%E5%80%A4", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{}
				if err := tt.do(t.Context(), v.start(t, nil)); err != nil {
					t.Fatal(err)
				}
				got := v.seen()[0]
				if got.line != tt.line || got.body != tt.body {
					t.Errorf("request = %s %s\nwant %s %s", got.line, got.body, tt.line, tt.body)
				}
				want := map[string]string{"Authorization": "Bearer " + accessToken, "Content-Type": tt.kind, "Idempotency-Key": "", "X-Idempotency-Key": ""}
				for name, value := range want {
					if got := got.header.Get(name); got != value {
						t.Errorf("%s = %q, want %q", name, got, value)
					}
				}
			})
		})
	}
}

func TestIDs_thatWouldReachSomethingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		c := v.start(t, nil)
		for _, id := range []wave.UserID{"", ".", "..", "a/b", `a\b`, "a\x00", "a\nb", "a\u0085", "a\u200b", "a\u3000", "\xff", wave.UserID(strings.Repeat("a", 201))} {
			for name, err := range map[string]error{
				"meta":     c.ReplaceMeta(t.Context(), id, wave.Meta{}),
				"password": c.ReplacePassword(t.Context(), id, wave.NewPassword{}),
				"delete":   c.Delete(t.Context(), id),
			} {
				if !fault.Is(err, fault.NotFound) {
					t.Errorf("%s of %q: %v, want NotFound", name, id, err)
				}
			}
		}
		if len(v.seen()) != 0 || v.fetches() != 0 {
			t.Error("something was called")
		}
	})
}

// TestMeta_survivesARoundTrip lists an account, changes one flag and asserts that
// the API gets back everything else as it came.
func TestMeta_survivesARoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const meta = `{"invoice":false,"open_api":"true","users_management":null,"flag_36":true,"limits":{"a":[1,2.50,"値"]},"n":1}`
		v := &vendor{api: answers(success(`[{"user_id":"u-1","meta":`+meta+`}]`), success(`{"status":"success"}`))}
		c := v.start(t, nil)
		accounts, err := c.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.ReplaceMeta(t.Context(), "u-1", accounts[0].Meta.With("invoice", true)); err != nil {
			t.Fatal(err)
		}
		var got, want map[string]any
		if err := json.Unmarshal([]byte(v.seen()[1].body), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(`{"meta":`+strings.Replace(meta, "false", "true", 1)+`}`), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("meta sent (-want +got):\n%s", diff)
		}
		if !strings.Contains(v.seen()[1].body, "2.50") {
			t.Error("a number was rewritten")
		}
	})
}
