package wave_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"waveadmin/internal/wave"
)

func TestCatalogue(t *testing.T) {
	if len(wave.Flags) != 35 {
		t.Errorf("flags = %d, want the 35 of the API", len(wave.Flags))
	}
	for _, f := range wave.Flags {
		if f.Label.EN == "" || f.Label.JA == "" || f.Help.EN == "" || f.Help.JA == "" {
			t.Errorf("%s lacks a text", f.Key)
		}
		if f.Parent == "" {
			continue
		}
		if _, ok := wave.Lookup(f.Parent); !ok {
			t.Errorf("%s has the parent %q, which is no flag", f.Key, f.Parent)
		}
	}
	if got := wave.Defaults().CountOn(); got != 11 {
		t.Errorf("flags on by default = %d, want 11", got)
	}
}

func meta(t *testing.T, src string) wave.Meta {
	t.Helper()
	var m wave.Meta
	if err := json.Unmarshal([]byte(src), &m); err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return m
}

func written(t *testing.T, m wave.Meta) string {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMeta_keepsWhatItDoesNotKnow(t *testing.T) {
	m := meta(t, `{"new_in_2027":true,"invoice":"true","open_api":false,"beta":{"a":[1, 2]}}`)

	for key, want := range map[wave.Key]wave.State{
		"new_in_2027": wave.On, "invoice": wave.Odd, "open_api": wave.Off, "beta": wave.Odd, "sp_purchased": wave.Unset,
	} {
		if got := m.State(key); got != want {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
	if got, want := m.Unknown(), []wave.Key{"new_in_2027", "beta"}; !slices.Equal(got, want) {
		t.Errorf("unknown = %v, want %v", got, want)
	}
	if !m.HasOdd() {
		t.Error("no odd value found, want invoice and beta")
	}

	m = m.With("open_api", true).With("beta", false).With("new_in_2027", false)
	if got, want := written(t, m), `{"open_api":true,"new_in_2027":false,"invoice":"true","beta":false}`; got != want {
		t.Errorf("written %s, want %s", got, want)
	}
	if m = m.With("invoice", true); m.State("invoice") != wave.On || m.HasOdd() {
		t.Errorf("an odd value that was set is still odd: %s", written(t, m))
	}
}

func TestMeta_isAValue(t *testing.T) {
	a := meta(t, `{"x":true,"invoice":1}`)
	before := written(t, a)
	a.With("x", false)
	a.With("invoice", true)
	a.With("open_api", true)
	if got := written(t, a); got != before {
		t.Errorf("With changed its receiver: %s, want %s", got, before)
	}
}

func TestMeta_UnmarshalJSON_refuses(t *testing.T) {
	for _, src := range []string{`[]`, `1`, `"x"`, `{"a":true,"a":false}`, `{"invoice":true,"invoice":true}`, `{"a":tru}`, `{"a":true`} {
		var m wave.Meta
		if err := json.Unmarshal([]byte(src), &m); err == nil {
			t.Errorf("%s was read as %s, want an error", src, written(t, m))
		}
	}
}

func TestMerge(t *testing.T) {
	now := meta(t, `{"invoice":true,"invoice_download_csv_merged":false,"open_api":true,"usage_tag":true,"new_in_2027":true}`)
	tests := []struct {
		name   string
		seen   wave.Seen
		wanted wave.Wanted
		want   wave.Merged // without Meta
		sent   string
	}{
		{
			name:   "nothing wanted, nothing moved",
			seen:   wave.SeenIn(now),
			wanted: wave.Wanted{},
			sent:   written(t, now),
		},
		{
			name:   "a wanted flag is set and the rest stays",
			seen:   wave.SeenIn(now),
			wanted: wave.Wanted{"usage_tag": false},
			want:   wave.Merged{Apply: []wave.Moved{{"usage_tag", wave.On, wave.Off}}},
			sent:   `{"usage_tag":false,"invoice":true,"invoice_download_csv_merged":false,"open_api":true,"new_in_2027":true}`,
		},
		{
			name:   "someone else did the same",
			seen:   wave.Seen{"open_api": wave.Off},
			wanted: wave.Wanted{"open_api": true},
			want:   wave.Merged{Already: []wave.Key{"open_api"}},
			sent:   written(t, now),
		},
		{
			name:   "someone else changed another flag: both stay",
			seen:   wave.Seen{"open_api": wave.Off, "usage_tag": wave.On},
			wanted: wave.Wanted{"usage_tag": false},
			want: wave.Merged{
				Apply:  []wave.Moved{{"usage_tag", wave.On, wave.Off}},
				Others: []wave.Moved{{"open_api", wave.Off, wave.On}},
			},
			sent: `{"usage_tag":false,"invoice":true,"invoice_download_csv_merged":false,"open_api":true,"new_in_2027":true}`,
		},
		{
			name:   "the parent of a wanted flag moved",
			seen:   wave.Seen{"invoice": wave.Off, "invoice_download_csv_merged": wave.Off},
			wanted: wave.Wanted{"invoice_download_csv_merged": true},
			want: wave.Merged{
				Apply:   []wave.Moved{{"invoice_download_csv_merged", wave.Off, wave.On}},
				Others:  []wave.Moved{{"invoice", wave.Off, wave.On}},
				Related: []wave.Key{"invoice"},
			},
		},
		{
			name:   "a child of a wanted flag moved",
			seen:   wave.Seen{"invoice": wave.On, "invoice_download_csv_merged": wave.On},
			wanted: wave.Wanted{"invoice": false},
			want: wave.Merged{
				Apply:   []wave.Moved{{"invoice", wave.On, wave.Off}},
				Others:  []wave.Moved{{"invoice_download_csv_merged", wave.On, wave.Off}},
				Related: []wave.Key{"invoice_download_csv_merged"},
			},
		},
		{
			name:   "a flag that was never set is set",
			seen:   wave.Seen{"budgetalerts": wave.Unset},
			wanted: wave.Wanted{"budgetalerts": true},
			want:   wave.Merged{Apply: []wave.Moved{{"budgetalerts", wave.Unset, wave.On}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := wave.Merge(tt.seen, tt.wanted, now)
			sent := written(t, got.Meta)
			got.Meta = wave.Meta{}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(wave.Meta{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if tt.sent != "" && !sameJSON(t, sent, tt.sent) {
				t.Errorf("sends %s, want %s", sent, tt.sent)
			}
		})
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatal(err)
	}
	return cmp.Equal(x, y)
}

// TestMerge_property: whatever was seen and is there now, the merge sets exactly
// the wanted flags and leaves every other one as it is now.
func TestMerge_property(t *testing.T) {
	keys := []wave.Key{"invoice", "open_api", "aqua_link", "aq_scheduling", "new_in_2027", "beta"}
	values := rapid.SampledFrom([]string{"true", "false", "null", `"on"`, ""})
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) wave.Meta {
			var m wave.Meta
			for _, key := range keys {
				if raw := values.Draw(t, label+string(key)); raw != "" {
					m = m.WithRaw(key, []byte(raw))
				}
			}
			return m
		}
		base, now := draw("base "), draw("now ")
		wanted := wave.Wanted{}
		for _, key := range keys {
			if rapid.Bool().Draw(t, "touched "+string(key)) {
				wanted[key] = rapid.Bool().Draw(t, "wanted "+string(key))
			}
		}

		got := wave.Merge(wave.SeenIn(base), wanted, now)

		for _, d := range wave.Diff(now, got.Meta) {
			want, touched := wanted[d.Key]
			if !touched || d.To != wave.StateOf(want) {
				t.Errorf("%s went from %v to %v, wanted %v (touched %v)", d.Key, d.From, d.To, want, touched)
			}
		}
		for key, want := range wanted {
			if got.Meta.State(key) != wave.StateOf(want) {
				t.Errorf("%s = %v, want %v", key, got.Meta.State(key), want)
			}
		}
		if n := len(wave.Diff(now, got.Meta)); n != len(got.Apply) {
			t.Errorf("applies %d flags, the metas differ in %d", len(got.Apply), n)
		}
	})
}

func TestMeta_UnmarshalJSON_readsEscapedNames(t *testing.T) {
	var m wave.Meta
	if err := json.Unmarshal([]byte(`{"invo\u0069ce":true,"fl\u0061g_36":false,"値":1}`), &m); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[wave.Key]wave.State{"invoice": wave.On, "flag_36": wave.Off, "値": wave.Odd} {
		if got := m.State(key); got != want {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
}

func TestMeta_UnmarshalJSONFrom_copiesNoNames(t *testing.T) {
	b, err := wave.Defaults().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	body := bytes.NewReader(b)
	dec := jsontext.NewDecoder(body)
	var m wave.Meta
	allocs := testing.AllocsPerRun(100, func() {
		body.Reset(b)
		dec.Reset(body)
		if err := m.UnmarshalJSONFrom(dec); err != nil {
			t.Fatal(err)
		}
	})
	if m != wave.Defaults() || allocs > 5 {
		t.Errorf("%v allocations for 35 flags, want a few at most", allocs)
	}
}
