package web_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"waveadmin/internal/testkit"
)

// floods are queries and forms that are as large as they may be and odd in one way each.
func floods(room int) map[string]string {
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < room-30; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	all := map[string]string{
		"names that differ":  numbered("x%d=1&"),
		"names alone":        numbered("&%d"),
		"separators":         strings.Repeat("&", room-1),
		"escapes":            "q=" + strings.Repeat("%E6%9D%B1", room/9-1),
		"half an escape":     "q=%E6%9",
		"a broken escape":    "q=%zz&page=%",
		"semicolons":         strings.Repeat("a;", room/2-1),
		"no UTF-8":           "q=" + strings.Repeat("%ff%00", room/6-1),
		"functions in a row": "on=" + numbered("invoice,x%d,"),
	}
	for _, name := range []string{"q", "sort", "page", "size", "on", "off", "preset", "changed_days", "cols", "hide", "kind", "state", "older", "user", "flag", "return_to", "lang"} {
		all["one name again and again: "+name] = strings.Repeat(name+"=1&", room/(len(name)+3)-1)
		all["a value as long as may be: "+name] = name + "=" + strings.Repeat("9", room-len(name)-1)
		all["a number below nothing: "+name] = name + "=-9223372036854775808"
	}
	return all
}

// TestFloods_inQueries: no page fails over a query, however large and odd.
func TestFloods_inQueries(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 5})
	c := s.SignedIn(t, testkit.Editor).Unredirected()
	account := "/resellers/" + string(s.Wave.Accounts()[0].UserID)
	paths := []string{
		"/", "/resellers", "/resellers.csv", "/resellers/new", "/matrix", "/flags/invoice", "/compare", "/compare/accounts", "/palette",
		"/changes", "/changes.csv", "/changes.jsonl", "/presets", "/presets/new", "/bulk", "/bulk/new", "/billing-groups", account,
		account + "/history", account + "/details", "/auth/login",
	}
	for name, query := range floods(20 << 10) {
		for _, path := range paths {
			if page := c.Get(path + "?" + query); page.Status >= 500 {
				t.Errorf("%s with %s: status %d", path, name, page.Status)
			}
		}
	}
}

// TestFloods_inForms: no write fails over a form, and what is none changes nothing.
func TestFloods_inForms(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 5})
	c := s.SignedIn(t, testkit.Editor).Unredirected()
	before := s.Wave.Accounts()
	account := "/resellers/" + string(before[0].UserID)
	for name, form := range floods(60 << 10) {
		for _, path := range []string{"/resellers", "/resellers/new", account + "/meta", account + "/password", account + "/delete", "/presets", "/bulk", "/bulk/new", "/views", "/presets/import"} {
			if status := c.PostRaw(path, form).Status; status >= 500 {
				t.Errorf("%s with %s: status %d", path, name, status)
			}
		}
	}
	if after := s.Wave.Accounts(); !reflect.DeepEqual(after, before) {
		t.Error("accounts were changed")
	}
}
