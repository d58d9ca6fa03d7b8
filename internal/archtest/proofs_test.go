package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// proofs are what can prove something: tests, by the last name of their package's
// directory, and headings of pages.
type proofs struct {
	tests map[string]bool // web.TestX and auth.FuzzX
	texts map[string]bool // web/some text: what stands in quotes in a package's tests
}

// readProofs finds every test of the repository, those of other modules too.
func readProofs(t *testing.T) proofs {
	t.Helper()
	found := proofs{make(map[string]bool), make(map[string]bool)}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && name != root && strings.HasPrefix(d.Name(), ".") {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		if strings.HasSuffix(name, "_test.go") {
			return found.read(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.tests) < 500 {
		t.Fatalf("only %d tests", len(found.tests))
	}
	return found
}

func (p proofs) read(name string) error {
	abs, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	pkg := filepath.Base(filepath.Dir(abs))
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && (strings.HasPrefix(n.Name.Name, "Test") || strings.HasPrefix(n.Name.Name, "Fuzz")) {
				p.tests[pkg+"."+n.Name.Name] = true
			}
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				p.texts[pkg+"/"+text] = true
			}
		}
		return true
	})
	return nil
}

// find fails if there is no such proof: package.TestName, package.TestName/name of a
// part as it stands in the test, page.md#heading, or a file.
func (p proofs) find(proof string) error {
	if file, heading, ok := strings.Cut(proof, "#"); ok || path.Ext(file) == ".md" || path.Ext(file) == ".csv" {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil || !ok {
			return err
		}
		for _, m := range headingLine.FindAllStringSubmatch(string(text), -1) {
			if slug(m[1]) == heading {
				return nil
			}
		}
		return fmt.Errorf("%s has no heading %s", file, heading)
	}
	test, part, whole := strings.Cut(proof, "/")
	pkg, _, _ := strings.Cut(test, ".")
	switch {
	case !p.tests[test]:
		return fmt.Errorf("there is no test %s", test)
	case whole && !p.texts[pkg+"/"+part]:
		return fmt.Errorf("%s has no part %q", test, part)
	}
	return nil
}

var headingLine = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)

// slug returns the anchor of a heading, as the usual viewers make it.
func slug(heading string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(heading))
}

var namedTest = regexp.MustCompile("`([a-z]+\\.(?:Test|Fuzz)[A-Za-z0-9_]+)`")

// TestProofs_ofThePage: the tests that docs/security.md names exist.
func TestProofs_ofThePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, securityPage))
	if err != nil {
		t.Fatal(err)
	}
	known, named := readProofs(t), namedTest.FindAllStringSubmatch(string(page), -1)
	for _, m := range named {
		if err := known.find(m[1]); err != nil {
			t.Errorf("%s: %v", securityPage, err)
		}
	}
	if len(named) < 20 {
		t.Errorf("%s names only %d tests", securityPage, len(named))
	}
}

// TestProofs_find holds the search itself to what it promises.
func TestProofs_find(t *testing.T) {
	known := readProofs(t)
	for proof, there := range map[string]bool{
		"archtest.TestProofs_find": true, "archtest.TestProofs_lost": false, "nowhere.TestProofs_find": false, "TestProofs_find": false,
		"archtest.TestComponents_judge/vulnerable": true, "archtest.TestComponents_judge/a part that there is " + "not": false,
		"docs/operations.md#the-audit-log": true, "docs/operations.md#nothing": false, "docs/nothing.md": false, "docs/operations.md": true,
		"archtest.readProofs": false,
	} {
		if err := known.find(proof); (err == nil) != there {
			t.Errorf("%s: %v", proof, err)
		}
	}
}
