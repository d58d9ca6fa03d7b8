package archtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const componentsFile = "docs/security/components.csv"

// component is a row of docs/security/components.csv: something of others that the
// program, its tests or its tools are made of.
type component struct {
	kind    string // go, module, file or refused
	name    string // module path, or path of a file here
	atLeast string // what it was chosen and tested as
	unsafe  string // versions below have known vulnerabilities, if there are such
	part    string // program, tests, tools, or elsewhere: on other systems alone
	sum     string // SHA-256 of a file
	purpose string
}

func readComponents(t *testing.T) []component {
	t.Helper()
	var all []component
	for _, row := range readCSV(t, componentsFile, "kind,name,at_least,vulnerable_below,part,sha256,what for") {
		all = append(all, component{row[0], row[1], row[2], row[3], row[4], row[5], row[6]})
	}
	return all
}

// readCSV returns the rows below the heading, which must be the given one.
func readCSV(t *testing.T, name, heading string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(rows) < 2 || strings.Join(rows[0], ",") != heading {
		t.Fatalf("%s does not begin with %s", name, heading)
	}
	return rows[1:]
}

// goMod is what is looked at of go.mod, in the form of go mod edit -json.
type goMod struct {
	Go               string
	Require          []struct{ Path, Version string }
	Replace, Exclude []any
}

func readGoMod(t *testing.T) goMod {
	t.Helper()
	var mod goMod
	if err := json.Unmarshal(goCommand(t, "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	return mod
}

func goCommand(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

func TestComponents_modulesAreListedAndNotTooOld(t *testing.T) {
	for _, wrong := range judge(readGoMod(t), readComponents(t)) {
		t.Errorf("go.mod by %s: %s", componentsFile, wrong)
	}
	if have := strings.TrimPrefix(runtime.Version(), "go"); compareVersions(have, readGoMod(t).Go) < 0 {
		t.Errorf("built with Go %s", have)
	}
}

// TestComponents_partOfTheProgram: the list says what is linked into the program.
func TestComponents_partOfTheProgram(t *testing.T) {
	var listed []string
	for _, c := range readComponents(t) {
		if c.kind == "module" && c.part == "program" {
			listed = append(listed, c.name)
		}
		if parts := []string{"program", "tests", "tools", "elsewhere"}; c.kind != "refused" && !slices.Contains(parts, c.part) {
			t.Errorf("%s: %s is part of %q, which is none of %v", componentsFile, c.name, c.part, parts)
		}
		if c.purpose == "" {
			t.Errorf("%s does not say what %s is for", componentsFile, c.name)
		}
	}
	out := goCommand(t, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "./cmd/waveadmin")
	linked := strings.Fields(string(out))
	slices.Sort(linked)
	linked = slices.Compact(linked)
	slices.Sort(listed)
	for _, name := range linked {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is linked into the program, %s says otherwise", name, componentsFile)
		}
	}
	for _, name := range listed {
		if !slices.Contains(linked, name) {
			t.Errorf("%s is not linked into the program, %s says it is", name, componentsFile)
		}
	}
}

// TestComponents_files: files of others are those that their authors published, in
// a version that is not too old, and none is without a row.
func TestComponents_files(t *testing.T) {
	listed := make(map[string]bool)
	for _, c := range readComponents(t) {
		if c.kind != "file" {
			continue
		}
		listed[c.name] = true
		text, err := os.ReadFile(filepath.Join(root, c.name))
		if err != nil {
			t.Errorf("%s: %v", componentsFile, err)
			continue
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != c.sum {
			t.Errorf("%s has the SHA-256 %x, %s says %s", c.name, sum, componentsFile, c.sum)
		}
		if head := string(text[:min(len(text), 100)]); !strings.Contains(c.name, c.atLeast) && !strings.Contains(head, c.atLeast) {
			t.Errorf("%s does not say that it is %s", c.name, c.atLeast)
		}
	}
	for _, dir := range []string{"static/vendor", "web/testdata"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(name string, d fs.DirEntry, err error) error {
			rel, _ := filepath.Rel(root, name)
			script := path.Ext(rel) == ".js" || path.Ext(rel) == ".css"
			if script && !listed[filepath.ToSlash(rel)] {
				t.Errorf("%s is of others and not in %s", rel, componentsFile)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
