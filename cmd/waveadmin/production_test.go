package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProduction: the build of the image does all that a server needs, and knows
// nothing of the demo.
func TestProduction(t *testing.T) {
	program := filepath.Join(t.TempDir(), "waveadmin")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "production", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, tt := range []struct {
		args   string
		status int
		says   string
	}{
		{"demo", 2, `unknown command "demo"`},
		{"sandbox", 2, `unknown command "sandbox"`},
		{"serve", 2, "wave.client_id: is required"},
		{"version", 0, "waveadmin "},
	} {
		cmd := exec.CommandContext(t.Context(), program, tt.args)
		cmd.Env = []string{}
		out, err := cmd.CombinedOutput()
		status := 0
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			status = exit.ExitCode()
		}
		if status != tt.status || !strings.Contains(string(out), tt.says) {
			t.Errorf("%s ends with %d (%v), want %d and %q in\n%s", tt.args, status, err, tt.status, tt.says, out)
		}
	}
}
