package providers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// A program is built from a module beside this package.
type program struct {
	module string // its directory
	pkg    string
	once   sync.Once
	path   string
	err    error
}

var (
	dexProgram     = &program{module: "../dex", pkg: "github.com/dexidp/dex/cmd/dex"}
	zitadelProgram = &program{module: "../zitadel", pkg: "."}
)

// binary returns the path of the program, which it builds if nobody has built the same
// before. A test fails when that cannot be done: it is never skipped.
func (p *program) binary(t *testing.T) string {
	t.Helper()
	p.once.Do(func() {
		start := time.Now()
		var built bool
		if p.path, built, p.err = p.build(); built {
			t.Logf("built %s in %v", p.path, time.Since(start).Round(time.Second))
		}
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.path
}

func (p *program) build() (path string, built bool, err error) {
	key, err := p.key()
	if err != nil {
		return "", false, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", false, err
	}
	dir := filepath.Join(cache, "waveadmin-test")
	path = filepath.Join(dir, filepath.Base(p.module)+"-"+key)
	if _, err := os.Stat(path); err == nil {
		return path, false, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", false, err
	}
	// Under its name only when it is whole: others may look for it just now.
	partial := fmt.Sprintf("%s.%d", path, os.Getpid())
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", partial, p.pkg)
	cmd.Dir = p.module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", false, fmt.Errorf("go build of %s in %s: %w\n%s", p.pkg, p.module, err, out)
	}
	return path, true, os.Rename(partial, path)
}

// key stands for everything the program is made of.
func (p *program) key() (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH, p.pkg)
	names, err := filepath.Glob(filepath.Join(p.module, "*"))
	if err != nil {
		return "", err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, filepath.Base(name), len(text))
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}
