package reseller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"waveadmin/internal/change"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

func flags(on ...wave.Key) wave.Meta {
	var m wave.Meta
	for _, key := range on {
		m = m.With(key, true)
	}
	return m
}

// sample has each value once, empty ones included.
var sample = []wave.Reseller{
	{UserID: "u4", Email: "Dora@example.com", BillingGroup: wave.BillingGroup{CompanyID: "k4", ID: "b4", Name: "アルファ商事"}, Registered: day(2), Meta: flags("invoice")},
	{UserID: "u1", Email: "anna@example.com", BillingGroup: wave.BillingGroup{CompanyID: "k1", ID: "b1", Name: "Gamma"}, Registered: day(3), Updated: day(9), PasswordUpdated: day(7), Meta: flags("invoice", "open_api")},
	{UserID: "u3", Email: "carl@example.com", BillingGroup: wave.BillingGroup{CompanyID: "k3"}, Updated: day(8), Meta: flags().WithRaw("invoice", []byte(`"true"`))},
	{UserID: "u2", Email: "bert@example.com", BillingGroup: wave.BillingGroup{CompanyID: "k2", ID: "b2", Name: "beta"}, Registered: day(1), PasswordUpdated: day(6), Meta: flags("new_in_2027")},
	{Email: "", BillingGroup: wave.BillingGroup{CompanyID: "k5", ID: "b5", Name: "beta"}, Flaw: wave.MissingID},
}

var lastChanges = map[wave.UserID]change.Last{"u2": {At: day(20)}, "u4": {At: day(10)}}

func lastOf(id wave.UserID) (change.Last, bool) {
	l, ok := lastChanges[id]
	return l, ok
}

// standingOf is a Presets that counts how often it is asked.
type standingOf struct {
	asked  int
	drifts map[wave.UserID]int
	preset map[wave.UserID]string
}

func (p *standingOf) Standing(id wave.UserID, _ wave.Meta) (string, int) {
	p.asked++
	return p.preset[id], p.drifts[id]
}

var book = &standingOf{
	preset: map[wave.UserID]string{"u1": "gold", "u2": "tin", "u4": "gold"},
	drifts: map[wave.UserID]int{"u2": 1000, "u4": 2},
}

func ids(list []wave.Reseller) string {
	var out []string
	for _, r := range list {
		if r.UserID == "" {
			out = append(out, "-")
			continue
		}
		out = append(out, string(r.UserID))
	}
	return strings.Join(out, " ")
}

func TestSnapshot_Find(t *testing.T) {
	s := newSnapshot(sample, day(30), i18n.Fold, nil)
	tests := []struct {
		name string
		q    Query
		want string
	}{
		{"all, by email", Query{}, "u1 u2 u3 u4 -"},
		{"by email, from the end", Query{Desc: true}, "u4 u3 u2 u1 -"},
		{"an unknown order", Query{Sort: "colour"}, "u1 u2 u3 u4 -"},
		{"by billing group", Query{Sort: ByBillingGroup}, "u2 - u1 u4 u3"},
		{"by billing group, from the end", Query{Sort: ByBillingGroup, Desc: true}, "u4 u1 - u2 u3"},
		{"by registration", Query{Sort: ByRegistered}, "u2 u4 u1 u3 -"},
		{"by registration, newest first", Query{Sort: ByRegistered, Desc: true}, "u1 u4 u2 u3 -"},
		{"by update", Query{Sort: ByUpdated}, "u3 u1 u2 u4 -"},
		{"by update, newest first", Query{Sort: ByUpdated, Desc: true}, "u1 u3 u2 u4 -"},
		{"by flags on", Query{Sort: ByFlagsOn}, "u2 u3 - u4 u1"},
		{"by flags on, most first; the same by email", Query{Sort: ByFlagsOn, Desc: true}, "u1 u4 u2 u3 -"},
		{"by change here", Query{Sort: ByChanged}, "u4 u2 u1 u3 -"},
		{"by change here, newest first", Query{Sort: ByChanged, Desc: true}, "u2 u4 u1 u3 -"},
		{"a word in the email, in any case", Query{Text: "DORA"}, "u4"},
		{"a word in the billing group, in any kana and width", Query{Text: "あるふぁ"}, "u4"},
		{"every word, anywhere", Query{Text: "example　ｋ1"}, "u1"},
		{"a word that is across two fields", Query{Text: "comu1"}, ""},
		{"a user id", Query{Text: "u3"}, "u3"},
		{"on", Query{On: []wave.Key{"invoice"}}, "u1 u4"},
		{"on, both", Query{On: []wave.Key{"invoice", "open_api"}}, "u1"},
		{"off counts unset and odd", Query{Off: []wave.Key{"invoice"}}, "u2 u3 -"},
		{"an unknown flag on", Query{On: []wave.Key{"new_in_2027"}}, "u2"},
		{"an unknown flag off", Query{Off: []wave.Key{"new_in_2027"}}, "u1 u3 u4 -"},
		{"never registered", Query{NeverRegistered: true}, "u3 -"},
		{"changed since", Query{ChangedSince: day(15)}, "u2"},
		{"unusual", Query{Unusual: true}, "u2 u3 -"},
		{"by company", Query{Sort: ByCompany}, "u1 u2 u3 u4 -"},
		{"by company, from the end", Query{Sort: ByCompany, Desc: true}, "- u4 u3 u2 u1"},
		{"by password", Query{Sort: ByPassword}, "u2 u1 u3 u4 -"},
		{"by password, newest first", Query{Sort: ByPassword, Desc: true}, "u1 u2 u3 u4 -"},
		{"of a preset", Query{Preset: "gold", Presets: book}, "u1 u4"},
		{"of no preset", Query{Preset: NoPreset, Presets: book}, "u3 -"},
		{"of a preset that nobody follows", Query{Preset: "lead", Presets: book}, ""},
		{"of a preset, when there are none", Query{Preset: "gold"}, ""},
		{"with drift", Query{Drift: true, Presets: book}, "u2 u4"},
		{"with drift from a preset", Query{Drift: true, Preset: "gold", Presets: book}, "u4"},
		{"by drift; without a preset last", Query{Sort: ByDrift, Presets: book}, "u1 u4 u2 u3 -"},
		{"by drift, most first; without a preset last", Query{Sort: ByDrift, Desc: true, Presets: book}, "u2 u4 u1 u3 -"},
		{"by drift, when there are no presets", Query{Sort: ByDrift, Desc: true}, "u1 u2 u3 u4 -"},
		{"filters together", Query{On: []wave.Key{"invoice"}, Text: "gamma", Sort: ByUpdated}, "u1"},
		{"the second page", Query{Size: 2, Page: 2}, "u3 u4"},
		{"past the last page", Query{Size: 2, Page: 9}, "-"},
		{"before the first page", Query{Size: 2, Page: -1}, "u1 u2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.Find(tt.q, lastOf)
			if got := ids(r.Rows); got != tt.want {
				t.Errorf("rows = %q, want %q", got, tt.want)
			}
			if tt.q.Size == 0 && r.Total != len(r.Rows) || r.Page < 1 || r.Page > r.Pages {
				t.Errorf("total %d of %d rows, page %d of %d", r.Total, len(r.Rows), r.Page, r.Pages)
			}
		})
	}
}

// What presets say is asked once for a snapshot, and again when they are others or
// an account was replaced.
func TestSnapshot_asksPresetsOnce(t *testing.T) {
	s := newSnapshot(sample, day(30), i18n.Fold, nil)
	p := &standingOf{preset: map[wave.UserID]string{"u1": "gold"}, drifts: map[wave.UserID]int{"u1": 1}}
	found := func(s *Snapshot, p Presets) string { return ids(s.Find(Query{Drift: true, Presets: p}, nil).Rows) }
	for range 3 {
		if got := found(s, p); got != "u1" || p.asked != len(sample) {
			t.Fatalf("found %q and asked %d times, want u1 and %d", got, p.asked, len(sample))
		}
	}
	other := &standingOf{}
	if got := found(s, other); got != "" || other.asked != len(sample) {
		t.Errorf("with other presets found %q and asked %d times", got, other.asked)
	}
	p.asked, p.drifts = 0, map[wave.UserID]int{}
	if got := found(s.with(sample[1]), p); got != "" || p.asked != len(sample) {
		t.Errorf("after a save found %q and asked %d times", got, p.asked)
	}
}

func TestSnapshot_Match(t *testing.T) {
	m := newSnapshot(sample, day(30), i18n.Fold, nil).Match(Query{On: []wave.Key{"invoice"}, Desc: true, Size: 1, Page: 2}, nil)
	if got := ids(slices.Collect(m.All())); got != "u4 u1" || m.Len() != 2 {
		t.Errorf("matches %q, %d; want all pages", got, m.Len())
	}
	for r := range m.All() {
		if r.UserID != "u4" {
			t.Error("goes on after a break")
		}
		break
	}
}

func TestSnapshot_gives(t *testing.T) {
	s := newSnapshot(sample, day(30), i18n.Fold, nil)
	for _, want := range sample[:4] {
		got, ok := s.Get(want.UserID)
		if diff := cmp.Diff(want, got, cmp.Comparer(sameMeta)); diff != "" || !ok {
			t.Errorf("Get(%s) (-want +got):\n%s", want.UserID, diff)
		}
	}
	for _, id := range []wave.UserID{"", "u9"} {
		if _, ok := s.Get(id); ok {
			t.Errorf("Get(%q) found one", id)
		}
	}
	if s.CountOn("invoice") != 2 || s.CountOn("new_in_2027") != 1 || s.Len() != 5 || !s.AsOf().Equal(day(30)) {
		t.Errorf("invoice %d, new_in_2027 %d, %d accounts, as of %v", s.CountOn("invoice"), s.CountOn("new_in_2027"), s.Len(), s.AsOf())
	}
}

func sameMeta(a, b wave.Meta) bool { return len(wave.Diff(a, b)) == 0 }

// A snapshot with accounts replaced, added and removed is the same as one that
// was built of the result, whichever orders it had before.
func TestSnapshot_withAndWithout(t *testing.T) {
	sorts := []Query{
		{},
		{Desc: true},
		{Sort: ByBillingGroup},
		{Sort: ByUpdated, Desc: true},
		{Sort: ByRegistered},
		{Sort: ByFlagsOn},
		{Sort: ByCompany, Desc: true},
		{Sort: ByPassword},
	}
	draw := func(t *rapid.T) wave.Reseller {
		r := wave.Reseller{
			UserID:       wave.UserID(fmt.Sprint("u", rapid.IntRange(0, 20).Draw(t, "id"))),
			Email:        rapid.SampledFrom([]string{"", "a@x", "B@x", "c@x", "d@x"}).Draw(t, "email"),
			BillingGroup: wave.BillingGroup{CompanyID: "k", Name: rapid.SampledFrom([]string{"", "A", "b"}).Draw(t, "group")},
		}
		if n := rapid.IntRange(0, 3).Draw(t, "updated"); n > 0 {
			r.Updated = day(n)
		}
		if rapid.Bool().Draw(t, "invoice") {
			r.Meta = flags("invoice")
		}
		return r
	}
	rapid.Check(t, func(t *rapid.T) {
		model := make(map[wave.UserID]wave.Reseller)
		build := func(old *Snapshot) *Snapshot {
			var list []wave.Reseller
			for _, r := range model {
				list = append(list, r)
			}
			return newSnapshot(list, day(1), i18n.Fold, old)
		}
		for range rapid.IntRange(0, 300).Draw(t, "accounts") {
			r := draw(t)
			model[r.UserID] = r
		}
		s := build(nil)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			s.Find(rapid.SampledFrom(sorts).Draw(t, "an order is made"), nil)
			r := draw(t)
			if rapid.Bool().Draw(t, "remove") {
				delete(model, r.UserID)
				s = s.without(r.UserID)
			} else {
				model[r.UserID] = r
				s = s.with(r)
			}
		}
		want := build(s)
		for _, q := range sorts {
			q.Size = 1000
			if diff := cmp.Diff(ids(want.Find(q, nil).Rows), ids(s.Find(q, nil).Rows)); diff != "" {
				t.Errorf("%+v (-built +replaced):\n%s", q, diff)
			}
		}
		for id, r := range model {
			if got, ok := s.Get(id); !ok || got.Email != r.Email || !sameMeta(got.Meta, r.Meta) {
				t.Errorf("Get(%s) = %+v, %v, want %+v", id, got, ok, r)
			}
		}
		if s.CountOn("invoice") != want.CountOn("invoice") || s.Len() != len(model) {
			t.Errorf("invoice %d, want %d; %d accounts, want %d", s.CountOn("invoice"), want.CountOn("invoice"), s.Len(), len(model))
		}
	})
}

func TestSnapshot_isNotChangedByItsCopies(t *testing.T) {
	s := newSnapshot(sample, day(30), i18n.Fold, nil)
	before := ids(s.Find(Query{Sort: ByFlagsOn}, nil).Rows)
	changed := sample[1]
	changed.Meta = wave.Meta{}
	_ = s.with(changed).without("u2").with(wave.Reseller{UserID: "u9", Email: "z@x"})
	if got, _ := s.Get("u1"); !got.Meta.On("invoice") || s.Len() != 5 {
		t.Error("the first snapshot changed")
	}
	if after := ids(s.Find(Query{Sort: ByFlagsOn}, nil).Rows); after != before {
		t.Errorf("order = %q, was %q", after, before)
	}
	if !slices.Equal(s.billingGroups(), newSnapshot(sample, day(1), i18n.Fold, s).billingGroups()) {
		t.Error("billing groups differ in a snapshot built on the first")
	}
}

func TestNeedle_isStringsContains(t *testing.T) {
	letters := rapid.SampledFrom([]string{"a", "b", "ー", "あ", "\n"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(letters, 0, 12).Draw(t, "text"), "")
		word := strings.Join(rapid.SliceOfN(letters, 1, 4).Draw(t, "word"), "")
		n := needle{word: word, at: rapid.IntRange(0, len(word)-1).Draw(t, "at")}
		if got, want := n.in(text), strings.Contains(text, word); got != want {
			t.Errorf("%q in %q = %v, want %v", word, text, got, want)
		}
	})
}
