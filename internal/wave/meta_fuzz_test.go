package wave_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/wave"
)

// FuzzMeta: what was read is written so that it reads as the same, and no flag
// that came in is missing, renamed or of another value.
func FuzzMeta(f *testing.F) {
	for _, s := range []string{
		`{}`, `null`, `{"invoice":true,"open_api":false}`, `{"invoice":"true","invoice_":1.5e400}`,
		`{"":null,"\u0000":[{}],"\ud83d\ude00":"\ud800"}`, `{"new":{"a":{"a":1}}}`, ` { "aqua_link" : true } `,
		`{"a":true,"\u0061":false}`, "{\"\xff\":1}", `[]`, `{"invoice":tru`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var m wave.Meta
		if err := m.UnmarshalJSON([]byte(s)); err != nil {
			return
		}
		b, err := m.MarshalJSON()
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", s, err)
		}
		var again wave.Meta
		if err := again.UnmarshalJSON(b); err != nil {
			t.Fatalf("%q was written as %q, which cannot be read: %v", s, b, err)
		}
		if d := wave.Diff(m, again); len(d) > 0 {
			t.Errorf("%q was written as %q, which differs in %v", s, b, d)
		}
		if strings.TrimSpace(s) == "null" {
			return
		}
		var came, left map[string]json.RawMessage
		if json.Unmarshal([]byte(s), &came) != nil || json.Unmarshal(b, &left) != nil {
			t.Fatalf("%q or %q is no object", s, b)
		}
		if diff := cmp.Diff(compact(came), compact(left)); diff != "" {
			t.Errorf("%q was written as %q (-came +left)\n%s", s, b, diff)
		}
	})
}

// compact returns values as text without the space around them.
func compact(values map[string]json.RawMessage) map[string]string {
	out := make(map[string]string, len(values))
	for key, raw := range values {
		out[key] = strings.TrimSpace(string(raw))
	}
	return out
}
