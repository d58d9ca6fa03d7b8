package waveapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
	"waveadmin/internal/waveapi"
)

// byMethod answers GET and POST each in its own way.
func byMethod(get, post http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			get(w, r)
		} else {
			post(w, r)
		}
	}
}

func TestList_method(t *testing.T) {
	ok := success(`[]`)
	const get, post = "GET /m/ripple/reseller", "POST /m/ripple/reseller"
	tests := []struct {
		name, setting string
		api           http.HandlerFunc
		want          []string // what three calls of List send
	}{
		{"GET works", "", ok, []string{get, get, get}},
		{"GET is 404", "auto", byMethod(status(404, ""), ok), []string{get, post, post, post}},
		{"GET is 405", "auto", byMethod(status(405, ""), ok), []string{get, post, post, post}},
		{"GET is 501", "auto", byMethod(status(501, ""), ok), []string{get, post, post, post}},
		{"GET is refused for another reason", "auto", byMethod(status(403, ""), ok), []string{get, get, get}},
		{"forced GET", "get", byMethod(status(404, ""), ok), []string{get, get, get}},
		{"forced POST", "post", ok, []string{post, post, post}},
		{"the API changes", "auto", answers(status(404, ""), ok, status(405, ""), ok), []string{get, post, post, get, get}},
		{"neither", "auto", status(404, ""), []string{get, post, get, post, get, post}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{api: tt.api}
				c := v.start(t, func(o *waveapi.Options) { o.ListMethod = tt.setting })
				for range 3 {
					c.List(t.Context())
				}
				var got []string
				for _, r := range v.seen() {
					got = append(got, r.line)
					if _, ok := r.header["Content-Type"]; ok || r.body != "" || r.length != 0 {
						t.Errorf("%s has a body of %d bytes or a Content-Type", r.line, r.length)
					}
					if r.line == post && r.header.Get("Content-Length") != "0" {
						t.Error("POST without Content-Length: 0")
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestList_saysThatThereIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := (&vendor{api: status(404, "")}).start(t, nil).List(t.Context())
		if !fault.Is(err, fault.Denied) || fault.SentenceOf(err).Key != "wave.no_list" {
			t.Errorf("error = %v, want Denied with a sentence of its own", err)
		}
	})
}

func TestReadResellers(t *testing.T) {
	const list = `[
	 {"user_id":"userid1","billinggroup_id":"billing1","billinggroup_name":"請求 1","email":"a@example.com","company_id":"company1",
	  "update_time":null,"password_update_time":"","wave_registered":"2020-01-01T10:00:00+09:00","meta":{"invoice":true},"new_field":{"x":[1]}},
	 {"user_id":"userid2","update_time":"2026-04-01T00:00:00.5Z","wave_registered":"yesterday","meta":null,"email":null},
	 {"User_ID":"x","email":"another case"}
	]`
	got, err := waveapi.ReadResellers(strings.NewReader(list), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []wave.Reseller{
		{
			UserID: "userid1", Email: "a@example.com",
			BillingGroup: wave.BillingGroup{CompanyID: "company1", ID: "billing1", Name: "請求 1"},
			Registered:   time.Date(2020, 1, 1, 1, 0, 0, 0, time.UTC),
			Meta:         wave.Meta{}.With("invoice", true),
		},
		{UserID: "userid2", Updated: time.Date(2026, 4, 1, 0, 0, 0, 5e8, time.UTC), Flaw: wave.Malformed},
		{Email: "another case", Flaw: wave.MissingID},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b wave.Meta) bool { return len(wave.Diff(a, b)) == 0 })); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	if loc := got[0].Registered.Location(); loc != time.UTC {
		t.Errorf("location = %v, want UTC for all", loc)
	}
}

// TestReadResellers_flaws lists odd records beside a good one, which must stay.
func TestReadResellers_flaws(t *testing.T) {
	tests := []struct {
		name, records string
		want          []wave.Flaw
	}{
		{"no id", `{"email":"a"}`, []wave.Flaw{wave.MissingID}},
		{"nothing", `{}`, []wave.Flaw{wave.MissingID}},
		{"an empty id", `{"user_id":""}`, []wave.Flaw{wave.MissingID}},
		{"a null id", `{"user_id":null}`, []wave.Flaw{wave.MissingID}},
		{"a number as id", `{"user_id":7,"email":"a"}`, []wave.Flaw{wave.MissingID}},
		{"a dot", `{"user_id":"."}`, []wave.Flaw{wave.MissingID}},
		{"two dots", `{"user_id":".."}`, []wave.Flaw{wave.MissingID}},
		{"a slash", `{"user_id":"a/b"}`, []wave.Flaw{wave.MissingID}},
		{"an escaped slash", `{"user_id":"a\u002fb"}`, []wave.Flaw{wave.MissingID}},
		{"a control character", `{"user_id":"a\u0000b"}`, []wave.Flaw{wave.MissingID}},
		{"a character that is not seen", `{"user_id":"a\u200bb"},{"user_id":"a\u3000b"},{"user_id":"\u202ea"}`, []wave.Flaw{wave.MissingID, wave.MissingID, wave.MissingID}},
		{"a very long id", `{"user_id":"` + strings.Repeat("a", 5000) + `"}`, []wave.Flaw{wave.MissingID}},
		{"an escaped name", `{"user\u005fid":"fine","meta":{}}`, []wave.Flaw{wave.NoFlaw}},
		{"twice the same", `{"user_id":"a"},{"user_id":"b","meta":{}},{"user_id":"a","email":1}`, []wave.Flaw{wave.DuplicateID, wave.NoFlaw, wave.DuplicateID}},
		{"thrice the good one's", `{"user_id":"good"},{"user_id":"good"}`, []wave.Flaw{wave.DuplicateID, wave.DuplicateID}},
		{"twice none", `{"user_id":""},{"user_id":""}`, []wave.Flaw{wave.MissingID, wave.MissingID}},
		{"a number as email", `{"user_id":"a","email":7}`, []wave.Flaw{wave.Malformed}},
		{"a number as time", `{"user_id":"a","update_time":1775000000}`, []wave.Flaw{wave.Malformed}},
		{"no meta", `{"user_id":"a","email":"a"}`, []wave.Flaw{wave.Malformed}},
		{"a null meta", `{"user_id":"a","meta":null}`, []wave.Flaw{wave.Malformed}},
		{"a meta without flags is none", `{"user_id":"a","meta":{}}`, []wave.Flaw{wave.NoFlaw}},
		{"an array as meta", `{"user_id":"a","meta":[]}`, []wave.Flaw{wave.Malformed}},
		{"a text as meta", `{"user_id":"a","meta":"x"}`, []wave.Flaw{wave.Malformed}},
		{"an odd flag is none", `{"user_id":"a","meta":{"invoice":"yes"}}`, []wave.Flaw{wave.NoFlaw}},
		{"no objects", `null,1,"x",[],[{"user_id":"a"}]`, []wave.Flaw{wave.Malformed, wave.Malformed, wave.Malformed, wave.Malformed, wave.Malformed}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := waveapi.ReadResellers(strings.NewReader(`[`+tt.records+`,{"user_id":"good"}]`), 0)
			if err != nil {
				t.Fatal(err)
			}
			var flaws []wave.Flaw
			for _, a := range got[:len(got)-1] {
				flaws = append(flaws, a.Flaw)
			}
			if diff := cmp.Diff(tt.want, flaws); diff != "" {
				t.Errorf("flaws (-want +got):\n%s", diff)
			}
			if got[len(got)-1].UserID != "good" {
				t.Error("the good record is lost")
			}
		})
	}
}

func TestReadResellers_isTheWholeListOrNone(t *testing.T) {
	const good = `[{"user_id":"u-1","email":"é","meta":{"invoice":true,"limits":{"a":[1]}}},{"user_id":"u-2","update_time":null}]`
	if _, err := waveapi.ReadResellers(strings.NewReader(good+"\n "), 0); err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{
		"an object":             `{"status":"error"}`,
		"null":                  `null`,
		"a page":                `<html></html>`,
		"more after its end":    good + `[]`,
		"garbage after its end": good + `x`,
		"a key twice":           `[{"user_id":"a","user_id":"b"}]`,
		"an unknown key twice":  `[{"user_id":"a","x":1,"x":1}]`,
		"a flag twice":          `[{"user_id":"a","meta":{"invoice":true,"invoice":false}}]`,
		"a key twice, escaped":  `[{"user_id":"a","user\u005fid":"b"}]`,
		"no UTF-8":              "[{\"user_id\":\"\xff\"}]",
		"half a surrogate":      `[{"user_id":"\ud800"}]`,
		"no commas":             `[{"user_id":"a" "email":"b"}]`,
	}
	for i := range len(good) {
		bad[fmt.Sprintf("cut after %d bytes", i)] = good[:i]
	}
	for name, body := range bad {
		if list, err := waveapi.ReadResellers(strings.NewReader(body), 0); err == nil || list != nil {
			t.Errorf("%s: %d accounts and error %v, want an error alone", name, len(list), err)
		}
	}
}

func TestListBillingGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&vendor{api: success(`[
			{"company_id":"c-1","billinggroup_id":"b-1","billinggroup_name":"One","name":"ignored","tags":[]},
			{"company_id":"c-2","billinggroup_id":"b-2","billinggroup_name":null,"name":"Two"},
			{"billinggroup_id":"b-3"}, 7, {"company_id":4}]`)}).start(t, nil)
		got, err := c.ListBillingGroups(t.Context())
		want := []wave.BillingGroup{{CompanyID: "c-1", ID: "b-1", Name: "One"}, {CompanyID: "c-2", ID: "b-2", Name: "Two"}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("error %v, groups (-want +got):\n%s", err, diff)
		}
	})
}

func FuzzDecodeList(f *testing.F) {
	for _, body := range []string{
		`[]`, `[{"user_id":"u-1","email":"a","meta":{"invoice":true,"x":"y"},"update_time":"2020-01-01T10:00:00+09:00"}]`,
		`[{"user_id":7},null,{"user_id":"a"},{"user_id":"a"}]`, `[{"user_id":"a\u002fb"}] x`, `{`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		list, err := waveapi.ReadResellers(strings.NewReader(body), 0)
		if err != nil {
			if list != nil {
				t.Error("a part of a list beside an error")
			}
			return
		}
		ids := make(map[wave.UserID]bool)
		for _, a := range list {
			if a.Flaw != wave.NoFlaw {
				continue
			}
			if ids[a.UserID] {
				t.Errorf("%q stands twice without a mark", a.UserID)
			}
			ids[a.UserID] = true
			if a.UserID == "" || strings.ContainsAny(string(a.UserID), "/\\\x00\n") {
				t.Errorf("%q has no mark", a.UserID)
			}
			if b, err := a.Meta.MarshalJSON(); err != nil {
				t.Errorf("meta does not go back: %v", err)
			} else if _, err := waveapi.ReadResellers(strings.NewReader(`[{"meta":`+string(b)+`}]`), 0); err != nil {
				t.Errorf("meta %s does not go back: %v", b, err)
			}
		}
	})
}
