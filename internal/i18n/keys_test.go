package i18n_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// composed are the keys that the program puts together from a part and a value.
func composed() []string {
	var keys []string
	add := func(key string) { keys = append(keys, key) }
	for _, k := range fault.Kinds {
		add("error." + k.String())
		add("error." + k.String() + ".title")
	}
	for _, r := range []auth.Role{auth.NoRole, auth.Viewer, auth.Editor} {
		add("role." + r.String())
		if r != auth.NoRole {
			add("error.forbidden_" + r.String())
		}
	}
	for _, name := range []string{"auto", "light", "dark"} {
		add("theme." + name)
	}
	for _, s := range []wave.State{wave.Unset, wave.Off, wave.On, wave.Odd} {
		add("state." + s.String())
	}
	for _, s := range change.States {
		add("outcome." + string(s))
	}
	for _, why := range []reseller.ConflictReason{
		reseller.ManyMoved, reseller.RelatedMoved, reseller.Strict, reseller.UndoMoved, reseller.PlanMoved, reseller.BeingChanged, reseller.BeingSettled,
	} {
		add("conflict." + string(why))
	}
	for _, s := range change.States {
		add("means." + string(s))
	}
	for _, k := range change.Kinds {
		add("kind." + string(k))
		if k != change.Password {
			add("outside." + string(k))
		}
	}
	for _, s := range []change.Source{change.Page, change.Bulk, change.Outside} {
		add("source." + string(s))
	}
	for _, why := range []reseller.StayReason{reseller.StaysMoved, reseller.StaysMissing, reseller.StaysUnsaid} {
		add("stays." + string(why))
	}
	for _, why := range []wave.CopyLeft{wave.LeftMissing, wave.LeftOdd} {
		add("stays." + string(why))
	}
	for _, key := range []string{"undo.of", "restore.of", "restore.to", "change.of"} {
		add(key + "_outside")
	}
	for _, k := range []change.Kind{change.Meta, change.Create, change.Password, change.Delete} {
		add("history.kind_" + string(k))
		if k != change.Meta {
			add(string(k) + ".done")
			add(string(k) + ".settled_failed")
		}
	}
	for _, flaw := range []string{"missing_id", "duplicate_id", "malformed", "odd"} {
		add("flaw." + flaw)
		add("flaw." + flaw + "_help")
	}
	for _, key := range []string{"unsaved", "unsaved_none"} {
		add("js.create_" + key)
	}
	for _, refused := range []string{"host", "method", "ration"} {
		add("error." + refused + ".title")
	}
	for _, refused := range []string{"provider_down", "no_role", "cancelled", "again", "ended_meanwhile", "refused", "no_auth_time", "proof_old", "other_person"} {
		add("signin." + refused + ".title")
	}
	return keys
}

// prefixes are the parts with which composed begins.
var prefixes = []string{
	"error.", "error.forbidden_", "role.", "theme.", "state.", "outcome.", "conflict.", "history.kind_",
	"means.", "kind.", "outside.", "source.", "stays.",
}

var (
	literal = regexp.MustCompile(`"([a-z]+(?:_[a-z]+)*(?:\.[a-z0-9]+(?:_[a-z0-9]+)*)+)"`)
	part    = regexp.MustCompile(`(?:\bt\(ctx, |\bT\(ctx, |\bSay\()"([a-z_.]+)" ?\+`)
	inJS    = regexp.MustCompile(`'([a-z_]+)'`)
)

// keysIn returns the keys that a source text names. A text in quotes counts when
// it looks like a key and begins with the section of one.
func keysIn(name, text string, sections map[string]bool) (keys []string) {
	if strings.HasSuffix(name, ".js") {
		for _, m := range inJS.FindAllStringSubmatch(text, -1) {
			keys = append(keys, "js."+m[1])
		}
		return keys
	}
	for _, m := range literal.FindAllStringSubmatch(text, -1) {
		if section, _, _ := strings.Cut(m[1], "."); sections[section] {
			keys = append(keys, m[1])
		}
	}
	return keys
}

// speaking are the folders whose sources name keys.
var speaking = []string{
	"views", "handlers", "web", "static/js",
	"internal/fault", "internal/auth", "internal/preset", "internal/reseller", "internal/waveapi", "internal/bulk", "internal/savedview", "internal/sheet",
}

// sources returns the texts of the program that may name a key, by file.
func sources(t *testing.T) map[string]string {
	texts := make(map[string]string)
	for _, dir := range speaking {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") {
				return err
			}
			if ext := filepath.Ext(name); ext == ".go" || ext == ".templ" || ext == ".js" {
				b, err := os.ReadFile(name)
				texts[name] = string(b)
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

func allKeys(t *testing.T) map[string]bool {
	keys := make(map[string]bool)
	ctx := i18n.WithLang(t.Context(), "en")
	for key := range i18n.RawUnder(ctx, "") {
		keys[key] = true
	}
	return keys
}

// TestKeysInUse fails for a key that a source names and no catalogue has, and for
// one that no source names.
func TestKeysInUse(t *testing.T) {
	known := allKeys(t)
	sections := make(map[string]bool)
	for key := range known {
		section, _, _ := strings.Cut(key, ".")
		sections[section] = true
	}
	used := make(map[string]bool)
	for _, key := range composed() {
		if used[key] = true; !known[key] {
			t.Errorf("no catalogue has %q, which the program can compose", key)
		}
	}
	for name, text := range sources(t) {
		for _, key := range keysIn(name, text, sections) {
			used[key] = true
			if !known[key] && !strings.HasSuffix(name, ".js") { // most texts in quotes of a script are no keys
				t.Errorf("%s: no catalogue has %q", name, key)
			}
		}
		for _, m := range regexp.MustCompile(`\btext\('([a-z_]+)'`).FindAllStringSubmatch(text, -1) {
			if !known["js."+m[1]] {
				t.Errorf("%s: no catalogue has %q", name, "js."+m[1])
			}
		}
		for _, m := range part.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(prefixes, m[1]) {
				t.Errorf("%s composes a key from %q, which composed does not know", name, m[1])
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if !used[key] {
			t.Errorf("nothing says %q", key)
		}
	}
}

func TestKeysIn(t *testing.T) {
	sections := map[string]bool{"save": true, "js": true}
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"a.go", `i18n.T(ctx, "save.done", "count", 1)`, []string{"save.done"}},
		{"a.templ", `{ t(ctx, "save.done") } <a title={ t(ctx, "save.undo") }>`, []string{"save.done", "save.undo"}},
		{"a.go", `"page.html" "Save.done" "save" "save."`, nil},
		{"a.js", `say(text('draft_restored'))`, []string{"js.draft_restored"}},
	} {
		if got := keysIn(tt.name, tt.text, sections); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %s names %v, want %v", tt.name, tt.text, got, tt.want)
		}
	}
}
