package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// forTrials is what a build for production must not have in it.
var forTrials = []string{module + "/internal/sandbox", module + "/" + testkit, module + "/" + dbtest, "testing"}

// TestProduction_hasNothingForTrials: neither the demo nor anything of the tests is in
// the program of the image, not even out of reach.
func TestProduction_hasNothingForTrials(t *testing.T) {
	inside := func(tags string) (found []string) {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, "./cmd/waveadmin")
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for pkg := range strings.Lines(string(out)) {
			for _, trial := range forTrials {
				if pkg = strings.TrimSpace(pkg); pkg == trial || strings.HasPrefix(pkg, trial+"/") {
					found = append(found, pkg)
				}
			}
		}
		return found
	}
	if found := inside("production"); len(found) > 0 {
		t.Errorf("a build for production has %v in it", found)
	}
	if found := inside(""); len(found) == 0 {
		t.Error("this test finds nothing even where the demo is")
	}
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "go build") && !strings.Contains(line, "go build -tags production ") {
			t.Errorf("the image is not built for production: %s", line)
		}
	}
}
