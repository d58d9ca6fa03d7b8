package savedview_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/savedview"
)

var (
	tanaka = auth.Actor{Issuer: "idp", Subject: "1", Name: "Tanaka", Role: auth.Editor}
	suzuki = auth.Actor{Issuer: "idp", Subject: "2", Name: "Suzuki", Role: auth.Editor}
	sam    = auth.Actor{Issuer: "idp", Subject: "3", Name: "Sam", Role: auth.Viewer}
	// namesake has the subject of tanaka at another provider.
	namesake = auth.Actor{Issuer: "other", Subject: "1", Name: "Tanaka", Role: auth.Viewer}
	nobody   = auth.Actor{}
)

// kept is a Store with what it told the auditor.
type kept struct {
	*savedview.Store
	events []string
	refuse error
}

func (k *kept) Append(_ context.Context, _ *sql.Tx, who auth.Actor, before, after *savedview.View) error {
	name := func(v *savedview.View) string {
		if v == nil {
			return "-"
		}
		return v.Name + "?" + v.Query
	}
	k.events = append(k.events, who.Name+": "+name(before)+" > "+name(after))
	return k.refuse
}

func start(t *testing.T, e dbtest.Engine) *kept {
	k := new(kept)
	k.Store = savedview.NewStore(e.New(t), k, nil)
	return k
}

// seen is what who sees: "a?q=1 | s?q=2 (Tanaka)".
func (k *kept) seen(t *testing.T, who auth.Actor) string {
	t.Helper()
	list, err := k.List(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range list {
		s := v.Name + "?" + v.Query
		if v.Shared {
			s += " (" + v.Owner.Name + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, " | ")
}

func (k *kept) create(t *testing.T, who auth.Actor, name, query string, shared bool) string {
	t.Helper()
	v, err := k.Create(t.Context(), who, savedview.Draft{Name: name, Query: query, Shared: shared})
	if err != nil {
		t.Fatal(err)
	}
	return v.ID
}

// said is the kind of a fault with its sentence, or "".
func said(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return fmt.Sprint(err)
	}
	if text, ok := f.Fields["name"]; ok {
		return "name: " + text.Key
	}
	return f.Kind.String() + ": " + f.Say.Key
}

func TestStore_whoSeesAndEdits(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		k := start(t, e)
		own := k.create(t, tanaka, "  drift \x00of\u3000the week ", "drift=1", false)
		shared := k.create(t, tanaka, "Gold", "preset=g", true)
		k.create(t, sam, "Gold", "q=sam", false)
		for who, want := range map[auth.Actor]string{
			tanaka:   "drift of the week?drift=1 | Gold?preset=g (Tanaka)",
			suzuki:   "Gold?preset=g (Tanaka)",
			sam:      "Gold?q=sam | Gold?preset=g (Tanaka)",
			namesake: "Gold?preset=g (Tanaka)",
			nobody:   "Gold?preset=g (Tanaka)",
		} {
			if got := k.seen(t, who); got != want {
				t.Errorf("%s of %s sees %q, want %q", who.Name, who.Issuer, got, want)
			}
		}
		for _, tt := range []struct {
			who      auth.Actor
			id, want string
		}{
			{suzuki, own, "not_found: view.gone"},
			{namesake, own, "not_found: view.gone"},
			{sam, shared, "forbidden: view.not_yours"},
			{nobody, shared, "forbidden: view.not_yours"},
			{tanaka, "no-such-id", "not_found: view.gone"},
		} {
			_, rename := k.Rename(t.Context(), tt.who, tt.id, "mine", true)
			_, replace := k.Replace(t.Context(), tt.who, tt.id, "q=x")
			_, remove := k.Delete(t.Context(), tt.who, tt.id)
			for what, err := range map[string]error{"rename": rename, "replace": replace, "delete": remove} {
				if got := said(err); got != tt.want {
					t.Errorf("%s %s by %s is %q, want %q", what, tt.id, tt.who.Name, got, tt.want)
				}
			}
		}
		if _, err := k.Rename(t.Context(), suzuki, shared, "Gold", false); said(err) != "forbidden: view.not_yours" {
			t.Errorf("another editor takes it from everyone: %v", err)
		}
		if _, err := k.Rename(t.Context(), suzuki, shared, "Gold plan", true); err != nil {
			t.Error(err)
		}
		if _, err := k.Replace(t.Context(), suzuki, shared, "preset=h"); err != nil {
			t.Error(err)
		}
		if _, err := k.Rename(t.Context(), tanaka, shared, "Gold plan", false); err != nil {
			t.Error(err)
		}
		if _, err := k.Replace(t.Context(), tanaka, own, "drift=1&q=a"); err != nil {
			t.Error(err)
		}
		if _, err := k.Delete(t.Context(), tanaka, own); err != nil {
			t.Error(err)
		}
		if got, want := k.seen(t, tanaka), "Gold plan?preset=h"; got != want {
			t.Errorf("in the end %q, want %q", got, want)
		}
		want := []string{
			"Tanaka: - > Gold?preset=g", "Suzuki: Gold?preset=g > Gold plan?preset=g",
			"Suzuki: Gold plan?preset=g > Gold plan?preset=h", "Tanaka: Gold plan?preset=h > -",
		}
		if strings.Join(k.events, "\n") != strings.Join(want, "\n") {
			t.Errorf("events:\n%s\nwant:\n%s", strings.Join(k.events, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestStore_refuses(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		k := start(t, e)
		id := k.create(t, tanaka, "mine", "", false)
		k.create(t, tanaka, "other", "", false)
		k.create(t, suzuki, "ours", "", true)
		for _, tt := range []struct {
			name string
			who  auth.Actor
			d    savedview.Draft
			want string
		}{
			{"no name", tanaka, savedview.Draft{Name: " \t\x00"}, "name: view.no_name"},
			{"a long name", tanaka, savedview.Draft{Name: strings.Repeat("あ", 61)}, "name: view.long_name"},
			{"a long query", tanaka, savedview.Draft{Name: "x", Query: strings.Repeat("a", 4001)}, "invalid: view.long_query"},
			{"a name of one's own", tanaka, savedview.Draft{Name: "mine "}, "name: view.taken"},
			{"a name that is shared", tanaka, savedview.Draft{Name: "ours", Shared: true}, "name: view.taken_shared"},
			{"a viewer shares", sam, savedview.Draft{Name: "x", Shared: true}, "forbidden: view.may_not_share"},
		} {
			if _, err := k.Create(t.Context(), tt.who, tt.d); said(err) != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, said(err), tt.want)
			}
		}
		if _, err := k.Rename(t.Context(), tanaka, id, "other", false); said(err) != "name: view.taken" {
			t.Errorf("renamed to another: %v", err)
		}
		if _, err := k.Rename(t.Context(), tanaka, id, "ours", true); said(err) != "name: view.taken_shared" {
			t.Errorf("shared under a name that is shared: %v", err)
		}
		samID := k.create(t, sam, "sam's", "", false)
		if _, err := k.Rename(t.Context(), sam, samID, "sam's", true); said(err) != "forbidden: view.may_not_share" {
			t.Errorf("a viewer shares: %v", err)
		}
		if got, want := k.seen(t, tanaka), "mine? | other? | ours? (Suzuki)"; got != want {
			t.Errorf("what was refused left %q, want %q", got, want)
		}
	})
}

func TestStore_limit(t *testing.T) {
	k := start(t, dbtest.SQLite)
	for i := range savedview.MaxEach {
		k.create(t, tanaka, fmt.Sprint(i), "", i%2 == 0)
	}
	if _, err := k.Create(t.Context(), tanaka, savedview.Draft{Name: "one more"}); said(err) != "invalid: view.too_many" {
		t.Errorf("one more: %v", err)
	}
	k.create(t, suzuki, "of another", "", false)
}

// A step that cannot be recorded is not done.
func TestStore_withoutRecord(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		k := start(t, e)
		id := k.create(t, tanaka, "Gold", "q=1", true)
		k.refuse = errors.New("the log is full")
		_, create := k.Create(t.Context(), tanaka, savedview.Draft{Name: "x", Shared: true})
		_, rename := k.Rename(t.Context(), tanaka, id, "y", true)
		_, replace := k.Replace(t.Context(), tanaka, id, "q=2")
		_, remove := k.Delete(t.Context(), tanaka, id)
		for what, err := range map[string]error{"create": create, "rename": rename, "replace": replace, "delete": remove} {
			if !errors.Is(err, k.refuse) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if got, want := k.seen(t, suzuki), "Gold?q=1 (Tanaka)"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// planned is what an import would do: "mine same, ours changed, x view.no_name".
func planned(steps []savedview.Step) string {
	out := make([]string, len(steps))
	for i, s := range steps {
		what := "changed"
		switch {
		case s.Fault != nil:
			what = said(s.Fault)
		case s.Same():
			what = "same"
		case s.Was == nil:
			what = "new"
		}
		out[i] = s.Name + " " + what
	}
	return strings.Join(out, ", ")
}

func (k *kept) plan(t *testing.T, who auth.Actor, drafts ...savedview.Draft) []savedview.Step {
	t.Helper()
	steps, err := k.Plan(t.Context(), who, drafts)
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

func TestStore_carry(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		k := start(t, e)
		k.create(t, tanaka, "mine", "q=1", false)
		k.create(t, suzuki, "ours", "q=2", true)
		k.create(t, suzuki, "hers", "q=3", false)
		drafts, err := k.Export(t.Context(), tanaka)
		if got := fmt.Sprint(drafts); err != nil || got != "[{mine q=1 false} {ours q=2 true}]" {
			t.Fatalf("exported %s (%v)", got, err)
		}
		if got, want := planned(k.plan(t, tanaka, drafts...)), "mine same, ours same"; got != want {
			t.Errorf("as exported: %s, want %s", got, want)
		}
		drafts[1].Query = "q=20"
		drafts = append(drafts, savedview.Draft{Name: " hers", Query: "q=30"}, savedview.Draft{Name: "hers", Query: "q=31"}, savedview.Draft{})
		steps := k.plan(t, tanaka, drafts...)
		if got, want := planned(steps), "mine same, ours changed, hers new, hers name: view.taken,  name: view.no_name"; got != want {
			t.Errorf("the plan is %s, want %s", got, want)
		}
		if got, want := planned(k.plan(t, sam, drafts[:2]...)), "mine new, ours forbidden: view.may_not_share"; got != want {
			t.Errorf("by a viewer: %s, want %s", got, want)
		}
		for want, bad := range map[string][]savedview.Step{
			"name: view.no_name":            {steps[2], steps[4]},
			"conflict: view.import_moved":   {steps[2], {Draft: steps[1].Draft}},
			"conflict: view.import_moved ":  {steps[2], {Draft: savedview.Draft{Name: "gone"}, Was: steps[0].Was}},
			"conflict: view.import_moved  ": {steps[2], {Draft: steps[0].Draft, Was: &savedview.View{ID: steps[0].Was.ID, Query: "q=0"}}},
		} {
			if err := k.Import(t.Context(), tanaka, bad); said(err) != strings.TrimSpace(want) {
				t.Errorf("%s: %v", want, err)
			}
		}
		if err := k.Import(t.Context(), sam, steps[1:2]); said(err) != "forbidden: view.may_not_share" {
			t.Errorf("by a viewer: %v", err)
		}
		if got, want := k.seen(t, tanaka), "mine?q=1 | ours?q=2 (Suzuki)"; got != want {
			t.Errorf("a part of what was refused is there: %q, want %q", got, want)
		}
		if err := k.Import(t.Context(), tanaka, steps[:3]); err != nil {
			t.Error(err)
		}
		if got, want := k.seen(t, tanaka), "hers?q=30 | mine?q=1 | ours?q=20 (Suzuki)"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got, want := k.seen(t, suzuki), "hers?q=3 | ours?q=20 (Suzuki)"; got != want {
			t.Errorf("another sees %q, want %q", got, want)
		}
	})
}

// A plan goes as far as a person may have views; what takes the place of one needs none.
func TestStore_planLimit(t *testing.T) {
	k := start(t, dbtest.SQLite)
	for i := range savedview.MaxEach - 1 {
		k.create(t, tanaka, fmt.Sprint("v", i), "", false)
	}
	k.create(t, suzuki, "ours", "q=2", true)
	got := planned(k.plan(t, tanaka, savedview.Draft{Name: "a"}, savedview.Draft{Name: "b", Shared: true}, savedview.Draft{Name: "ours", Shared: true}))
	if want := "a new, b invalid: view.import_too_many, ours changed"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Times and identity come back as they were kept.
func TestStore_roundTrip(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		at := time.Date(2026, 11, 22, 5, 3, 0, 123000, time.UTC)
		s := savedview.NewStore(e.New(t), nil, func() time.Time { return at })
		made, err := s.Create(t.Context(), tanaka, savedview.Draft{Name: "名前", Query: "q=%E3%81%82", Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.List(t.Context(), sam)
		if err != nil || len(list) != 1 || list[0] != made || !list[0].Created.Equal(at) || list[0].Owner.Role != auth.NoRole {
			t.Errorf("%+v (%v), want %+v", list, err, made)
		}
	})
}
