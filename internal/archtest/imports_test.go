// Package archtest holds the tests of the repository's shape: who may import whom,
// what of others it is made of, and which test proves what docs/security says.
package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module  = "waveadmin"
	root    = "../.."
	testkit = "internal/testkit"
	dbtest  = "internal/db/dbtest"
)

// rule is what one package may import of ours; all means everything but commands
// and what is for tests, unless that is named.
type rule struct {
	all     bool
	imports []string
}

func (r rule) allows(imported string) bool {
	if r.all && !strings.HasPrefix(imported, "cmd/") && imported != testkit && imported != dbtest {
		return true
	}
	return slices.Contains(r.imports, imported)
}

var quoted = regexp.MustCompile("`([^`]+)`")

// readTable returns the rules of the table of docs/architecture.md, by package.
func readTable(t *testing.T) map[string]rule {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	rules := make(map[string]rule)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|") // "", package, what, imports, ""
		if len(cells) != 5 {
			continue
		}
		pkg, may := quoted.FindStringSubmatch(cells[1]), strings.TrimSpace(cells[3])
		if pkg == nil {
			continue // the heading
		}
		r := rule{all: may == "everything" || strings.HasPrefix(may, "everything, ")}
		for _, m := range quoted.FindAllStringSubmatch(may, -1) {
			r.imports = append(r.imports, m[1])
		}
		if !r.all && may != "nothing" && len(r.imports) == 0 {
			t.Fatalf("docs/architecture.md: %s: cannot read %q", pkg[1], may)
		}
		rules[pkg[1]] = r
	}
	if len(rules) < 10 {
		t.Fatalf("docs/architecture.md: only %d packages in the table", len(rules))
	}
	return rules
}

// sourceImports returns our packages, each with what its files import of ours.
// Files are read, not built, so that no platform or broken package hides one.
func sourceImports(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || separateModule(name)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(dir)
		found[pkg] = append(found[pkg], []string{}...) // known, even if it imports nothing
		if strings.HasSuffix(name, "_test.go") {
			return nil // tests may import more
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok && !slices.Contains(found[pkg], ours) {
				found[pkg] = append(found[pkg], ours)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func separateModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func TestImports_keepToTheTable(t *testing.T) {
	rules, found := readTable(t), sourceImports(t)
	for pkg, imports := range found {
		if strings.HasPrefix(pkg, "test/") { // tests of the whole, without a package of the program
			continue
		}
		r, ok := rules[pkg]
		if !ok {
			t.Errorf("%s has no row in docs/architecture.md", pkg)
			continue
		}
		for _, imported := range imports {
			if !r.allows(imported) {
				t.Errorf("%s imports %s, which its row in docs/architecture.md does not allow", pkg, imported)
			}
		}
	}
}

// TestImports_theTableIsNotOlderThanTheCode fails for a row of a package that is
// gone, and for a name that no package has.
func TestImports_theTableIsNotOlderThanTheCode(t *testing.T) {
	found := sourceImports(t)
	for pkg, r := range readTable(t) {
		for _, name := range append(r.imports, pkg) {
			if _, ok := found[name]; !ok && name != testkit { // its row is a rule even without it
				t.Errorf("docs/architecture.md: there is no package %s", name)
			}
		}
	}
}

// TestImports_sayWhoBreaksTheTable holds the test itself to what it promises.
func TestImports_sayWhoBreaksTheTable(t *testing.T) {
	some := rule{imports: []string{"internal/wave"}}
	tests := []struct {
		name     string
		rule     rule
		imported string
		want     bool
	}{
		{"what the row names", some, "internal/wave", true},
		{"what it does not name", some, "internal/db", false},
		{"a package below a named one", some, path.Join("internal/wave", "deep"), false},
		{"nothing", rule{}, "internal/wave", false},
		{"everything", rule{all: true}, "web", true},
		{"everything but commands", rule{all: true}, "cmd/waveadmin", false},
		{"everything but what is for tests", rule{all: true}, testkit, false},
		{"nor databases for tests", rule{all: true}, dbtest, false},
		{"unless they are named", rule{all: true, imports: []string{dbtest}}, dbtest, true},
		{"nor then another", rule{all: true, imports: []string{dbtest}}, testkit, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.rule.allows(tt.imported); got != tt.want {
				t.Errorf("allows(%q) = %v, want %v", tt.imported, got, tt.want)
			}
		})
	}
}
