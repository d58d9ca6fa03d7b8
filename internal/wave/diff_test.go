package wave_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/wave"
)

func TestDiff(t *testing.T) {
	tests := []struct {
		name, before, after string
		want                []wave.Moved
	}{
		{"nothing", `{"invoice":true}`, `{"invoice":true}`, nil},
		{"another order", `{"x":1,"y":2,"invoice":true}`, `{"invoice":true,"y":2,"x":1}`, nil},
		{
			"in the order of the catalogue, then by key", `{"zeta":true,"alpha":false}`, `{"zeta":false,"alpha":true,"invoice":true,"dashboard_graph":false}`,
			[]wave.Moved{
				{"dashboard_graph", wave.Unset, wave.Off},
				{"invoice", wave.Unset, wave.On},
				{"alpha", wave.Off, wave.On},
				{"zeta", wave.On, wave.Off},
			},
		},
		{"a flag that is gone", `{"invoice":true,"new":true}`, `{}`, []wave.Moved{{"invoice", wave.On, wave.Unset}, {"new", wave.On, wave.Unset}}},
		{"an odd value that was set", `{"invoice":"true"}`, `{"invoice":true}`, []wave.Moved{{"invoice", wave.Odd, wave.On}}},
		{"one odd value for another", `{"invoice":"true","new":1}`, `{"invoice":"false","new":2}`, []wave.Moved{{"invoice", wave.Odd, wave.Odd}, {"new", wave.Odd, wave.Odd}}},
		{"the same odd value", `{"invoice":null}`, `{"invoice":null}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := wave.Diff(meta(t, tt.before), meta(t, tt.after))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			back := wave.Diff(meta(t, tt.after), meta(t, tt.before))
			for i := range back {
				back[i].From, back[i].To = back[i].To, back[i].From
			}
			if diff := cmp.Diff(tt.want, back); diff != "" {
				t.Errorf("the other way round it is not the reverse (-want +got)\n%s", diff)
			}
		})
	}
}

func TestChildren(t *testing.T) {
	if got, want := wave.Children("invoice"), []wave.Key{"invoice_download_csv_discount", "invoice_download_csv_merged"}; !slices.Equal(got, want) {
		t.Errorf("of invoice: %v, want %v", got, want)
	}
	for _, key := range []wave.Key{"invoice_download_csv_merged", "no_such_flag"} {
		if got := wave.Children(key); got != nil {
			t.Errorf("of %s: %v, want none", key, got)
		}
	}
	for _, f := range wave.Flags {
		if f.Parent != "" && !slices.Contains(wave.Children(f.Parent), f.Key) {
			t.Errorf("%s is not among the children of its parent %s", f.Key, f.Parent)
		}
	}
}

func TestCatalogue_findsEachFlagByItsKey(t *testing.T) {
	place := 0
	for _, g := range wave.Groups {
		if g.Label.In("ja") == "" || g.Label.In("en") == "" || g.Label.In("ja") == g.Label.In("en") {
			t.Errorf("the heading %s is not in both languages: %q, %q", g.ID, g.Label.JA, g.Label.EN)
		}
		for _, f := range g.Flags {
			i, known := wave.Index(f.Key)
			if found, ok := wave.Lookup(f.Key); !ok || !known || i != place || found != wave.Flags[place] || f.Group != g.ID {
				t.Errorf("%s is not found at its place %d under %s", f.Key, place, g.ID)
			}
			place++
		}
	}
	if _, ok := wave.Lookup("no_such_flag"); ok {
		t.Error("a flag was found that does not exist")
	}
	if _, ok := wave.Index("no_such_flag"); ok {
		t.Error("a place was found of a flag that does not exist")
	}
}

// TestCatalogue_parentsEnd: the hint of a parent would go in circles otherwise.
func TestCatalogue_parentsEnd(t *testing.T) {
	for _, f := range wave.Flags {
		steps := 0
		for at := f; at.Parent != ""; steps++ {
			at, _ = wave.Lookup(at.Parent)
			if steps > len(wave.Flags) {
				t.Fatalf("%s is its own ancestor", f.Key)
			}
		}
	}
}

func TestMeta_countsWhatIsOn(t *testing.T) {
	m := meta(t, `{"dashboard_graph":true,"report_filters":false,"invoice":"true","new":true}`)
	if got := m.CountOn(); got != 1 {
		t.Errorf("on = %d, want 1: odd and unknown flags do not count", got)
	}
	if got := m.Bits(); got != 1 {
		t.Errorf("bits = %b, want the first alone", got)
	}
	var keys []wave.Key
	for key := range m.All() {
		if keys = append(keys, key); len(keys) == 2 {
			break
		}
	}
	if want := []wave.Key{"dashboard_graph", "report_filters"}; !slices.Equal(keys, want) {
		t.Errorf("the first two are %v, want %v", keys, want)
	}
	for key := range m.All() {
		if key == "new" {
			break // leaving among the others is safe too
		}
	}
}

func TestMeta_onIsAPlainTrue(t *testing.T) {
	m := meta(t, `{"dashboard_graph":true,"report_filters":false,"invoice":"true","open_api":1,"new":true}`)
	for key, want := range map[wave.Key]string{
		"dashboard_graph": "on", "report_filters": "off", "invoice": "odd", "open_api": "odd", "new": "on", "aqua_link": "unset",
	} {
		if got := m.State(key).String(); got != want || m.On(key) != (want == "on") {
			t.Errorf("%s is %s and on %v, want %s", key, got, m.On(key), want)
		}
	}
	// Two odd values: setting one leaves the other.
	if m = m.With("invoice", true); m.State("open_api") != wave.Odd || !m.HasOdd() {
		t.Error("setting an odd value changed another")
	}
}
