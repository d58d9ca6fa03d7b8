package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// serving runs a server until stop. Wave and the provider are away.
func serving(t *testing.T, env []string) (stop func() (status int)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	env = append(slices.Clone(env),
		"WAVEADMIN_SERVER_LISTEN=127.0.0.1:0", "WAVEADMIN_SERVER_OPS_LISTEN=", "WAVEADMIN_AUTH_ISSUER=http://127.0.0.1:1",
		"WAVEADMIN_WAVE_BASE_URL=http://127.0.0.1:1/", "WAVEADMIN_WAVE_TOKEN_URL=http://127.0.0.1:1/",
	)
	r, w := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, []string{"serve"}, env, io.Discard, w)
		w.Close()
	}()
	var log strings.Builder
	for lines := bufio.NewScanner(r); !strings.Contains(log.String(), `"msg":"listening"`); {
		if !lines.Scan() {
			t.Fatalf("the server does not run:\n%s", &log)
		}
		log.WriteString(lines.Text() + "\n")
	}
	go io.Copy(io.Discard, r)
	return func() int {
		cancel()
		return <-status
	}
}

// TestBackup_andRestore takes a copy beside a running server and goes on with it.
func TestBackup_andRestore(t *testing.T) {
	dir := t.TempDir()
	original, copied := filepath.Join(dir, "wave.db"), filepath.Join(dir, "copy.db")
	on := func(path string) []string {
		return append(slices.Clone(settings), "WAVEADMIN_DATABASE_URL=sqlite:"+path)
	}
	command := func(env []string, want int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), args, env, &stdout, &stderr); status != want {
			t.Errorf("%s: status %d, want %d: %s", args, status, want, &stderr)
		}
		if args[0] == "backup" && stdout.Len() > 0 {
			t.Errorf("a message on the standard output: %s", &stdout)
		}
		return stdout.String() + stderr.String()
	}

	stop := serving(t, on(original))
	if said := command(on(original), 0, "backup", copied); !strings.Contains(said, copied+", up to audit event 1.") {
		t.Errorf("said %s", said)
	}
	if said := command(on(original), 1, "backup", copied); !strings.Contains(said, copied+" is there already") {
		t.Errorf("said %s", said)
	}
	if said := command(on(copied), 0, "audit", "verify"); !strings.HasPrefix(said, "OK: 1 events. ") {
		t.Errorf("verified the copy: %s", said)
	}
	if status := stop(); status != 0 {
		t.Errorf("the server stopped with %d", status)
	}
	busy := []string{"serve", "--set", "server.listen=" + listenBusy(t), "--set", "server.ops_listen="} // records its start, and no more
	command(on(original), 1, busy...)
	log := command(on(original), 0, "audit", "verify")
	command(on(original), 0, "backup", filepath.Join(dir, "alone.db"))

	if err := os.Rename(copied, original); err != nil {
		t.Fatal(err)
	}
	for _, companion := range []string{"-wal", "-shm"} {
		if err := os.RemoveAll(original + companion); err != nil {
			t.Fatal(err)
		}
	}
	anchors := filepath.Join(dir, "anchors")
	if err := os.WriteFile(anchors, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := command(on(original), 1, "audit", "verify", "--anchors", anchors); !strings.Contains(said, "ends with event 1, but there is an anchor of event 2") {
		t.Errorf("verified what was restored: %s", said)
	}
	command(on(original), 1, busy...)
	if said := command(on(original), 0, "audit", "verify"); !strings.HasPrefix(said, "OK: 2 events. ") {
		t.Errorf("verified what the server went on with: %s", said)
	}
	if said := command(on(original), 1, "audit", "verify", "--anchors", anchors); !strings.Contains(said, "event 2: is not the one of its anchor") {
		t.Errorf("verified with an anchor of before: %s", said)
	}
}
