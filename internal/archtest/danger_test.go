package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// dangerous are packages that the program has no use for, with the files that have
// one. Without them there is no way to run a command, a script or a plugin, to read
// XML or gob, to send mail, or to hash and sign with what is broken.
var dangerous = map[string][]string{
	"C": nil, "unsafe": nil, "plugin": nil, "os/exec": nil, "syscall/js": nil, "expvar": nil,
	"net/smtp": nil, "net/rpc": nil, "encoding/gob": nil, "encoding/xml": nil, "text/template": nil,
	"crypto/md5": nil, "crypto/sha1": nil, "crypto/des": nil, "crypto/rc4": nil, "crypto/dsa": nil, "math/rand": nil,
	// It escapes by context, but is not what pages are made of: the sandbox's sign-in.
	"html/template": {"internal/sandbox/idp"},
	// Never for what must not be guessed: jitter, and the accounts of the sandbox.
	"math/rand/v2": {"internal/sandbox", "internal/waveapi", "internal/db"},
}

// forTests are the packages that are not part of the program.
func forTests(pkg string) bool {
	return strings.HasPrefix(pkg, "test/") || pkg == testkit || pkg == dbtest
}

// programFiles returns the files of the program, parsed, by name.
func programFiles(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := make(map[string]*ast.File)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || separateModule(name) || forTests(rel)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(rel, "test/") {
			return nil
		}
		files[rel], err = parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("only %d files", len(files))
	}
	return files
}

func TestDanger_noPackageOfIt(t *testing.T) {
	for name, file := range programFiles(t) {
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			allowed, listed := dangerous[imported]
			if listed && !slices.Contains(allowed, filepath.ToSlash(filepath.Dir(name))) {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}

// never are names that switch a protection off, wherever they come from. The health
// check of a container asks its own server, whose certificate has the public name; it
// sends nothing and reads one word.
const mayNotLook = "internal/app/health.go"

var never = []string{
	"InsecureSkipVerify", "InsecureSkipSignatureCheck", "InsecureIssuerURLContext", "SkipIssuerCheck", "SkipClientIDCheck", "SkipExpiryCheck",
	"JSUnsafeFuncCall", "UnsafeAllowNone",
}

func TestDanger_nothingIsSwitchedOff(t *testing.T) {
	for name, file := range programFiles(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && slices.Contains(never, id.Name) && name != mayNotLook {
				t.Errorf("%s has %s", name, id.Name)
			}
			return true
		})
	}
}

var (
	statement = regexp.MustCompile(`^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s|\s(WHERE|VALUES|ORDER BY|SET)\s`)
	verb      = regexp.MustCompile(`%[-+# 0-9]*[a-zA-Z]`)
	quoteOpen = regexp.MustCompile(`=\s*'$|\('$`)
)

// complaint returns what is wrong with a text of SQL as part of a program, or "".
func complaint(text string, joined bool) string {
	switch {
	case !statement.MatchString(text):
		return ""
	case verb.MatchString(text):
		return "is formatted: values go beside the text, as $1"
	case joined && quoteOpen.MatchString(text):
		return "has a value in quotes put into it"
	}
	return ""
}

// formats are the statements that are formats, each of names, states and places such as
// $1 that stand in the program.
var formats = []string{
	"UPDATE changes SET state = '%s', %s WHERE id = $1 AND state IN (%s)",
	"SELECT id FROM changes WHERE %s ORDER BY id %s LIMIT $%d",
}

// TestDanger_valuesStandBesideSQL: no other statement is a format, and none has a text
// put between quotes. What is joined to one are names and lists of $1, which are ours.
func TestDanger_valuesStandBesideSQL(t *testing.T) {
	seen := 0
	for name, file := range programFiles(t) {
		joined := make(map[*ast.BasicLit]bool)
		ast.Inspect(file, func(n ast.Node) bool {
			if sum, ok := n.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
				if lit, ok := sum.X.(*ast.BasicLit); ok {
					joined[lit] = true
				}
			}
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(lit.Value)
			if statement.MatchString(text) {
				seen++
			}
			if wrong := complaint(text, joined[lit]); wrong != "" && !slices.Contains(formats, text) {
				t.Errorf("%s: %.60q %s", name, text, wrong)
			}
			return true
		})
	}
	if seen < 50 {
		t.Errorf("only %d statements were seen", seen)
	}
	for text, joined := range map[string]bool{"SELECT x FROM y WHERE z = '%s'": false, "DELETE FROM x WHERE y = '": true, "UPDATE x SET y = %d": false} {
		if complaint(text, joined) == "" {
			t.Errorf("%q passes", text)
		}
	}
}
