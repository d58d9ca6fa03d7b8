package preset_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
)

var (
	tanaka = auth.Actor{Issuer: "idp", Subject: "1", Name: "田中", Email: "tanaka@example.com", Role: auth.Editor}
	viewer = auth.Actor{Issuer: "idp", Subject: "2", Name: "Sam", Role: auth.Viewer}

	start = time.Date(2026, 11, 25, 14, 2, 0, 1000, time.UTC)
)

// log records events, except the step that it refuses.
type log struct {
	refuse preset.Step
	lines  []string
}

var errAudit = errors.New("no audit")

func (l *log) Append(_ context.Context, _ *sql.Tx, e preset.Event) error {
	if e.Step == l.refuse {
		return errAudit
	}
	l.lines = append(l.lines, strings.TrimSpace(fmt.Sprintf("%s %s v%d by %s %s",
		e.Step, e.Preset.Name, e.Preset.Version, e.By.Name, strings.Trim(fmt.Sprint(e.Accounts), "[]"))))
	return nil
}

func open(t *testing.T, d *db.DB, l *log) *preset.Store {
	t.Helper()
	s, err := preset.NewStore(t.Context(), d, preset.Options{Fold: i18n.Fold, Now: func() time.Time { return start }, Audit: l})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func onEach(t *testing.T, test func(t *testing.T, d *db.DB, s *preset.Store, l *log)) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d, l := e.New(t), new(log)
		test(t, d, open(t, d, l), l)
	})
}

// save saves one edit and fails the test if that fails.
func save(t *testing.T, s *preset.Store, e preset.Edit) *preset.Preset {
	t.Helper()
	saved, err := s.Save(t.Context(), tanaka, e)
	if err != nil {
		t.Fatal(err)
	}
	return saved[0]
}

func named(name string) preset.Edit {
	return preset.Edit{Content: preset.Content{Name: name, Flags: wave.Wanted{"invoice": true, "open_api": false}}}
}

// book tells what a Book has: presets with versions, who follows them, and which is
// for new accounts.
func book(b *preset.Book) string {
	var out []string
	for _, p := range b.All() {
		line := fmt.Sprintf("%s v%d", p.Name, p.Version)
		if p.ID == preset.Defaults {
			line = "defaults"
		}
		if ids := b.AccountsOf(p.ID); len(ids) > 0 {
			line += fmt.Sprint(" ", ids)
		}
		if b.ForNew() == p {
			line += " for new"
		}
		out = append(out, line)
	}
	return strings.Join(out, ", ")
}

// wantBook checks what s has in memory, and what a server that starts now reads.
func wantBook(t *testing.T, d *db.DB, s *preset.Store, want string) {
	t.Helper()
	if got := book(s.Book()); got != want {
		t.Errorf("in memory: %s\nwant       %s", got, want)
	}
	if got := book(open(t, d, new(log)).Book()); got != want {
		t.Errorf("after a start: %s\nwant           %s", got, want)
	}
}

func TestStore_keepsAPresetAsItWas(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, _ *log) {
		e := named("  標準 \"<b>\" ")
		e.Note = "一行目\r\n二行目"
		e.Flags["new_in_2027"] = true
		p := save(t, s, e)
		if p.Name != "標準 \"<b>\"" || p.Note != "一行目\n二行目" || p.Version != 1 || !p.Changed.Equal(start) || p.By.Subject != "1" || p.By.Role != auth.NoRole {
			t.Errorf("saved as %+v", p)
		}
		got := open(t, d, new(log)).Book().Get(p.ID)
		if got == nil || !got.Content().Equal(p.Content()) || !got.Changed.Equal(p.Changed) || got.By != p.By {
			t.Errorf("read back as %+v", got)
		}
		if n := got.DriftCount(wave.Meta{}); n != 2 {
			t.Errorf("nothing is on, and %d differ, want 2", n)
		}
	})
}

func TestStore_Save(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, l *log) {
		gold := save(t, s, named("Gold"))
		with := func(name string, seen int, flags wave.Wanted) preset.Edit {
			return preset.Edit{ID: gold.ID, Seen: seen, Content: preset.Content{Name: name, Flags: flags}}
		}
		on := wave.Wanted{"invoice": true}
		save(t, s, with("Gold", 1, gold.Flags)) // nothing
		save(t, s, with("Gold", 1, on))         // v2
		save(t, s, with("Gold", 1, on))         // what is there already: no conflict
		_, err := s.Save(t.Context(), tanaka, with("Gold plus", 1, on))
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("a change from an old version: %v", err)
		}
		save(t, s, with("Gold plus", 2, on)) // v3
		for _, tt := range []struct {
			name  string
			edit  preset.Edit
			by    auth.Actor
			kind  fault.Kind
			field string
		}{
			{"no name", named(" "), tanaka, fault.Invalid, "name"},
			{"a long name", named(strings.Repeat("漢", preset.MaxName+1)), tanaka, fault.Invalid, "name"},
			{"a name with NUL", named("a\x00b"), tanaka, fault.Invalid, "name"},
			{"a name of two lines", named("a\nb"), tanaka, fault.Invalid, "name"},
			{"a name that turns text around", named("a\u202eb"), tanaka, fault.Invalid, "name"},
			{"a name that is no UTF-8", named("a\xff"), tanaka, fault.Invalid, "name"},
			{"the name of another, folded", named("ＧＯＬＤ　plus"), tanaka, fault.Invalid, "name"},
			{"a long note", preset.Edit{Content: preset.Content{Name: "n", Note: strings.Repeat("漢", preset.MaxNote+1)}}, tanaka, fault.Invalid, "note"},
			{"a flag that is none", preset.Edit{Content: preset.Content{Name: "n", Flags: wave.Wanted{"a b": true}}}, tanaka, fault.Invalid, "flags"},
			{"one that is gone", preset.Edit{ID: "nobody", Seen: 1, Content: named("n").Content}, tanaka, fault.NotFound, ""},
			{"an id with NUL", preset.Edit{ID: "a\x00", Seen: 1, Content: named("n").Content}, tanaka, fault.NotFound, ""},
			{"the built-in one", preset.Edit{ID: preset.Defaults, Seen: 1, Content: named("n").Content}, tanaka, fault.Invalid, ""},
			{"a viewer", named("n"), viewer, fault.Forbidden, ""},
		} {
			_, err := s.Save(t.Context(), tt.by, tt.edit)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != tt.kind || tt.field != "" && f.Fields[tt.field].Key == "" {
				t.Errorf("%s: %v, want %v of field %q", tt.name, err, tt.kind, tt.field)
			}
		}
		wantBook(t, d, s, "defaults for new, Gold plus v3")
		want := []string{"created Gold v1 by 田中", "changed Gold v2 by 田中", "changed Gold plus v3 by 田中"}
		if diff := cmp.Diff(want, l.lines); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		versions, err := s.Versions(t.Context(), gold.ID, 2)
		if err != nil || len(versions) != 2 || versions[0].Version != 3 || versions[1].Version != 2 {
			t.Errorf("versions: %v, %v", versions, err)
		}
		if first, err := s.Version(t.Context(), gold.ID, 1); err != nil || !first.Content().Equal(gold.Content()) {
			t.Errorf("version 1: %+v, %v", first, err)
		}
		for _, id := range []string{"nobody", "a\x00"} {
			if _, err := s.Versions(t.Context(), id, 9); !fault.Is(err, fault.NotFound) {
				t.Errorf("versions of %q: %v", id, err)
			}
			if _, err := s.Version(t.Context(), id, 1); !fault.Is(err, fault.NotFound) {
				t.Errorf("a version of %q: %v", id, err)
			}
		}
	})
}

// Several edits are done all or not at all.
func TestStore_Save_isOneStep(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, _ *log) {
		gold := save(t, s, named("Gold"))
		rename := preset.Edit{ID: gold.ID, Seen: 1, Content: preset.Content{Name: "Golden"}}
		if _, err := s.Save(t.Context(), tanaka, named("Basic"), rename, named("basic")); !fault.Is(err, fault.Invalid) {
			t.Errorf("two of one name: %v", err)
		}
		wantBook(t, d, s, "defaults for new, Gold v1")
		saved, err := s.Save(t.Context(), tanaka, named("Basic"), rename)
		if err != nil || len(saved) != 2 || saved[0].Name != "Basic" || saved[1].Version != 2 {
			t.Errorf("saved %v, %v", saved, err)
		}
		wantBook(t, d, s, "defaults for new, Basic v1, Golden v2")
	})
}

func TestStore_Assign(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, l *log) {
		gold, basic := save(t, s, named("Gold")), save(t, s, named("Basic"))
		l.lines = nil
		assign := func(id string, want int, accounts ...wave.UserID) {
			t.Helper()
			if n, err := s.Assign(t.Context(), tanaka, id, accounts); err != nil || n != want {
				t.Errorf("assign: %d, %v, want %d", n, err, want)
			}
		}
		assign(gold.ID, 3, "u1", "u2", "u3", "u1", "")
		assign(gold.ID, 1, "u1", "u4") // u1 is already
		assign(basic.ID, 1, "u2")
		assign(preset.Defaults, 1, "u4")
		assign(gold.ID, 0)
		if n, err := s.Unassign(t.Context(), tanaka, gold.ID, []wave.UserID{"u2", "u3", "u9"}); err != nil || n != 1 {
			t.Errorf("unassign: %d, %v; u2 follows another one and stays", n, err)
		}
		wantBook(t, d, s, "defaults [u4] for new, Basic v1 [u2], Gold v1 [u1]")
		save(t, s, preset.Edit{ID: gold.ID, Seen: 1, Content: preset.Content{Name: "Gold"}})
		if a, ok := s.Book().Of("u1"); !ok || a.Version != 1 || a.By.Name != "田中" || !a.At.Equal(start) {
			t.Errorf("u1 was assigned %+v", a)
		}
		assign(gold.ID, 1, "u1") // again, to what it says now
		if a, _ := s.Book().Of("u1"); a.Version != 2 {
			t.Errorf("u1 was assigned %+v", a)
		}
		want := []string{
			"assigned Gold v1 by 田中 u1 u2 u3", "assigned Gold v1 by 田中 u4", "assigned Basic v1 by 田中 u2",
			"assigned  v1 by 田中 u4", "unassigned Gold v1 by 田中 u3", "changed Gold v2 by 田中", "assigned Gold v2 by 田中 u1",
		}
		if diff := cmp.Diff(want, l.lines); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestStore_Assign_refuses(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, _ *log) {
		gold := save(t, s, named("Gold"))
		many := make([]wave.UserID, preset.MaxAssign+1)
		for i := range many {
			many[i] = wave.UserID(fmt.Sprint("u", i))
		}
		for _, tt := range []struct {
			name     string
			by       auth.Actor
			id       string
			accounts []wave.UserID
			want     fault.Kind
		}{
			{"one that is gone", tanaka, "nobody", many[:1], fault.NotFound},
			{"too many", tanaka, gold.ID, many, fault.Invalid},
			{"an id with NUL", tanaka, gold.ID, []wave.UserID{"a\x00"}, fault.Invalid},
			{"a viewer", viewer, gold.ID, many[:1], fault.Forbidden},
		} {
			if _, err := s.Assign(t.Context(), tt.by, tt.id, tt.accounts); !fault.Is(err, tt.want) {
				t.Errorf("assign, %s: %v", tt.name, err)
			}
			if _, err := s.Unassign(t.Context(), tt.by, tt.id, tt.accounts); !fault.Is(err, tt.want) {
				t.Errorf("unassign, %s: %v", tt.name, err)
			}
		}
		if n, err := s.Assign(t.Context(), tanaka, gold.ID, many[1:]); err != nil || n != preset.MaxAssign {
			t.Errorf("as many as may be: %d, %v", n, err)
		}
		if n := len(s.Book().AccountsOf(gold.ID)); n != preset.MaxAssign {
			t.Errorf("%d accounts follow it", n)
		}
	})
}

func TestStore_Delete(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, l *log) {
		gold := save(t, s, named("Gold"))
		refused := func(name string, want fault.Kind, say, id string, seen int, by auth.Actor) {
			t.Helper()
			err := s.Delete(t.Context(), by, id, seen)
			if !fault.Is(err, want) || say != "" && fault.SentenceOf(err).Key != say {
				t.Errorf("%s: %v", name, err)
			}
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		refused("a viewer", fault.Forbidden, "", gold.ID, 1, viewer)
		refused("the built-in one", fault.Invalid, "preset.built_in", preset.Defaults, 1, tanaka)
		refused("one that is gone", fault.NotFound, "preset.gone", "nobody", 1, tanaka)
		refused("not as it was seen", fault.Conflict, "preset.moved", gold.ID, 2, tanaka)
		_, err := s.Assign(t.Context(), tanaka, gold.ID, []wave.UserID{"u1"})
		must(err)
		refused("while it is assigned", fault.Conflict, "preset.in_use", gold.ID, 1, tanaka)
		_, err = s.Unassign(t.Context(), tanaka, gold.ID, []wave.UserID{"u1"})
		must(err)
		must(s.ChooseForNew(t.Context(), tanaka, gold.ID))
		refused("while it is for new accounts", fault.Conflict, "preset.in_use_new", gold.ID, 1, tanaka)
		must(s.ChooseForNew(t.Context(), tanaka, preset.Defaults))
		wantBook(t, d, s, "defaults for new, Gold v1")
		must(s.Delete(t.Context(), tanaka, gold.ID, 1))
		wantBook(t, d, s, "defaults for new")
		refused("twice", fault.NotFound, "preset.gone", gold.ID, 1, tanaka)
		if versions, err := s.Versions(t.Context(), gold.ID, 9); err != nil || len(versions) != 1 {
			t.Errorf("its versions: %v, %v; they stay on record", versions, err)
		}
		save(t, s, named("gold")) // the name is free again
		if last := l.lines[len(l.lines)-2]; last != "deleted Gold v1 by 田中" {
			t.Errorf("the event is %q", last)
		}
	})
}

func TestStore_ChooseForNew(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, l *log) {
		gold := save(t, s, named("Gold"))
		for range 2 { // the second changes nothing
			if err := s.ChooseForNew(t.Context(), tanaka, gold.ID); err != nil {
				t.Fatal(err)
			}
		}
		wantBook(t, d, s, "defaults, Gold v1 for new")
		if err := s.ChooseForNew(t.Context(), tanaka, "nobody"); !fault.Is(err, fault.NotFound) {
			t.Errorf("one that there is none of: %v", err)
		}
		if err := s.ChooseForNew(t.Context(), viewer, preset.Defaults); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a viewer: %v", err)
		}
		if diff := cmp.Diff([]string{"created Gold v1 by 田中", "for_new Gold v1 by 田中"}, l.lines); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// What cannot be recorded in the audit log is not done.
func TestStore_doesNothingWithoutItsAudit(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, l *log) {
		gold := save(t, s, named("Gold"))
		for step, do := range map[preset.Step]func() error{
			preset.Created: func() error { _, err := s.Save(t.Context(), tanaka, named("Basic")); return err },
			preset.Changed: func() error {
				_, err := s.Save(t.Context(), tanaka, preset.Edit{ID: gold.ID, Seen: 1, Content: preset.Content{Name: "Golden"}})
				return err
			},
			preset.Deleted:      func() error { return s.Delete(t.Context(), tanaka, gold.ID, 1) },
			preset.ChosenForNew: func() error { return s.ChooseForNew(t.Context(), tanaka, gold.ID) },
			preset.Assigned: func() error {
				_, err := s.Assign(t.Context(), tanaka, gold.ID, []wave.UserID{"u1"})
				return err
			},
		} {
			l.refuse = step
			if err := do(); !errors.Is(err, errAudit) {
				t.Errorf("%s: %v", step, err)
			}
		}
		wantBook(t, d, s, "defaults for new, Gold v1")
	})
}

// A database that is away changes nothing, here neither.
func TestStore_withoutDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, _ *log) {
		save(t, s, named("Gold"))
		d.Close()
		if _, err := s.Save(t.Context(), tanaka, named("Basic")); err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("saved: %v", err)
		}
		if got := book(s.Book()); got != "defaults for new, Gold v1" {
			t.Errorf("in memory: %s", got)
		}
	})
}

// Of many who change one version, one wins, and nobody is told otherwise.
func TestStore_manyAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, _ *log) {
		gold := save(t, s, named("Gold"))
		var won, lost int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := s.Save(t.Context(), tanaka, preset.Edit{ID: gold.ID, Seen: 1, Content: preset.Content{Name: fmt.Sprint("Gold ", i)}})
				_, err2 := s.Assign(t.Context(), tanaka, gold.ID, []wave.UserID{wave.UserID(fmt.Sprint("u", i))})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err2 != nil:
					t.Error(err2)
				case err == nil:
					won++
				case fault.Is(err, fault.Conflict):
					lost++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 || lost != 7 {
			t.Errorf("%d won and %d lost", won, lost)
		}
		wantBook(t, d, s, book(open(t, d, new(log)).Book()))
		if n := len(s.Book().AccountsOf(gold.ID)); n != 8 {
			t.Errorf("%d of 8 assignments are there", n)
		}
	})
}

// What one server writes the others have soon, also behind a pooler.
func TestStore_Follow(t *testing.T) {
	for name, address := range map[string]func(t *testing.T, url string) string{
		"directly":        func(_ *testing.T, url string) string { return url },
		"behind a pooler": func(t *testing.T, url string) string { return dbtest.Pooled(t, url) },
	} {
		t.Run(name, func(t *testing.T) {
			url := address(t, dbtest.Postgres.Ready(t))
			ours, theirs := open(t, dbtest.Open(t, url), new(log)), open(t, dbtest.Open(t, url), new(log))
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { ours.Follow(ctx, slog.New(slog.DiscardHandler)) })
			t.Cleanup(func() { stop(); wg.Wait() })

			gold := save(t, theirs, named("Gold"))
			if _, err := theirs.Assign(t.Context(), tanaka, gold.ID, []wave.UserID{"u1"}); err != nil {
				t.Fatal(err)
			}
			const want = "defaults for new, Gold v1 [u1]"
			for end := time.Now().Add(10 * time.Second); book(ours.Book()) != want; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("the other server has %s, want %s", book(ours.Book()), want)
				}
			}
		})
	}
}
