package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// settings are complete, for this machine alone.
var settings = []string{
	"WAVEADMIN_SERVER_PUBLIC_URL=http://localhost:8080",
	"WAVEADMIN_WAVE_CLIENT_ID=api-user",
	"WAVEADMIN_WAVE_CLIENT_SECRET=canary-wave",
	"WAVEADMIN_AUTH_ISSUER=https://id.example.com",
	"WAVEADMIN_AUTH_CLIENT_ID=waveadmin",
	"WAVEADMIN_AUTH_CLIENT_SECRET=canary-auth",
	"WAVEADMIN_AUTH_ROLES_EDITOR=ops",
	"WAVEADMIN_SESSION_SECRET=x8Vd3bPq0yLk7sT1uWmZ5nR9aCfEhJgKiMoQ2rBtYvA=",
}

func TestRun_statusAndStreams(t *testing.T) {
	busy := listenBusy(t)
	database := "WAVEADMIN_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "new", "wave.db")
	open := filepath.Join(t.TempDir(), "open.yaml")
	if err := os.WriteFile(open, []byte("wave: {client_secret: canary-in-a-file}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil { // past the umask
		t.Fatal(err)
	}
	tooOpen := open + ": holds wave.client_secret and can be read by others than its owner (mode 0644): chmod 600 " + open
	tests := []struct {
		name           string
		args, env      []string
		status         int
		stdout, stderr string // must occur; nothing may be there if empty
	}{
		{"no command", nil, nil, 2, "", "which command?"},
		{"help was asked for", []string{"--help"}, nil, 0, "Available Commands", ""},
		{"an unknown command", []string{"sevre"}, nil, 2, "", `unknown command "sevre"`},
		{"an unknown flag", []string{"serve", "--port", "1"}, nil, 2, "", "unknown flag: --port"},
		{"an argument too many", []string{"serve", "now"}, nil, 2, "", `unknown command "now" for "waveadmin serve"`},
		{"config without what to do", []string{"config"}, nil, 2, "", "which command?"},
		{"version", []string{"version"}, nil, 0, "waveadmin ", ""},
		{"settings are missing", []string{"serve"}, nil, 2, "", "wave.client_id: is required"},
		{"no such settings file", []string{"serve", "--config", "no/such.yaml"}, settings, 2, "", "no/such.yaml"},
		{"serve with secrets for everyone", []string{"serve", "--config", open}, settings, 2, "", tooOpen},
		{"check secrets for everyone", []string{"config", "check", "--config", open}, settings, 2, "", tooOpen},
		{"migrate with secrets for everyone", []string{"migrate", "--config", open}, settings, 2, "", tooOpen},
		{"good settings", []string{"config", "check"}, settings, 0, "", "valid"},
		{"bad settings", []string{"config", "check", "--set", "log.level=loud"}, settings, 2, "", `log.level: "loud" is none of`},
		{"printed settings", []string{"config", "print"}, settings, 0, `client_secret: "[redacted]"`, ""},
		{"a database is made", []string{"migrate"}, append(settings, database), 0, "", "up to date"},
		{"a database that cannot be", []string{"migrate"}, append(settings, "WAVEADMIN_DATABASE_URL=sqlite:/dev/null/x.db"), 1, "", "waveadmin: "},
		{"a backup of what", []string{"backup"}, append(settings, database), 2, "", "accepts 1 arg(s), received 0"},
		{"a backup into no directory", []string{"backup", "no/such/copy.db"}, append(settings, database), 1, "", "there is no directory"},
		{"a backup of no database", []string{"backup", "copy.db"}, append(settings, "WAVEADMIN_DATABASE_URL=sqlite:no/such.db"), 1, "", "no/such.db"},
		{"a backup of PostgreSQL", []string{"backup", "copy.db"}, append(settings, "WAVEADMIN_DATABASE_URL=postgres://me:canary@127.0.0.1:1/x"), 2, "", "such as pg_dump"},
		{"audit without what to do", []string{"audit"}, nil, 2, "", "which command?"},
		{"an audit log is whole", []string{"audit", "verify"}, append(settings, database), 0, "OK: 0 events.", ""},
		{"no events to export", []string{"audit", "export", "--from", "2026-01-01"}, append(settings, database), 0, "", ""},
		{"a day that is none", []string{"audit", "export", "--to", "2026-02-30"}, append(settings, database), 2, "", "2026-02-30"},
		{"no database to verify", []string{"audit", "verify"}, append(settings, "WAVEADMIN_DATABASE_URL=sqlite:no/such.db"), 1, "", "no/such.db"},
		{"a file without anchors", []string{"audit", "verify", "--anchors", "main.go"}, append(settings, database), 1, "", "anchors: there is no anchor in it"},
		{"no file of anchors", []string{"audit", "verify", "--anchors", "no/such.log"}, append(settings, database), 1, "", "no/such.log"},
		{"sessions without what to do", []string{"sessions"}, nil, 2, "", "which command?"},
		{"nobody is signed in", []string{"sessions", "list"}, append(settings, database), 0, "", "Nobody is signed in."},
		{"sessions of nobody", []string{"sessions", "end", "tanaka@example.co.jp"}, append(settings, database), 1, "", `there is no session of "tanaka@example.co.jp"`},
		{"sessions of whom", []string{"sessions", "end"}, append(settings, database), 2, "", "accepts 1 arg(s), received 0"},
		{"sessions of an empty name", []string{"sessions", "end", ""}, append(settings, database), 2, "", "whose sessions?"},
		{"sessions of no database", []string{"sessions", "list"}, append(settings, "WAVEADMIN_DATABASE_URL=sqlite:no/such.db"), 1, "", "no/such.db"},
		{"the port of the demo is taken", []string{"demo", "--listen", busy}, nil, 1, "", busy + " is in use by another program"},
		{"the port of the sandbox is taken", []string{"sandbox", "--listen", busy}, nil, 1, "", busy + " is in use by another program"},
		{"a demo for everyone", []string{"demo", "--listen", "0.0.0.0:0"}, nil, 2, "", "this machine only"},
		{"a demo without a port", []string{"demo", "--listen", "localhost"}, nil, 2, "", "no address"},
		{"a negative number of accounts", []string{"demo", "--accounts", "-1"}, nil, 2, "", "must not be negative"},
		{"a list method that is none", []string{"sandbox", "--list-method", "put"}, nil, 2, "", `"put" is none of post, get, both`},
		{"the port of the server is taken", []string{"serve", "--set", "server.listen=" + busy, "--set", "server.ops_listen="}, append(settings, database), 1, "", "server.listen: " + busy + " is in use"},
		{"nobody to be healthy", []string{"healthcheck", "--set", "server.listen=127.0.0.1:1"}, settings, 1, "", "refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if got := run(t.Context(), tt.args, tt.env, &stdout, &stderr); got != tt.status {
				t.Errorf("status = %d, want %d", got, tt.status)
			}
			for name, stream := range map[string]struct{ got, want string }{
				"stdout": {stdout.String(), tt.stdout}, "stderr": {stderr.String(), tt.stderr},
			} {
				if !strings.Contains(stream.got, stream.want) || stream.want == "" && stream.got != "" {
					t.Errorf("%s = %q, want %q", name, stream.got, stream.want)
				}
				if strings.Contains(stream.got, "canary") {
					t.Errorf("%s shows a secret: %s", name, stream.got)
				}
			}
		})
	}
}

// TestAudit_verify reads the log of a server that has run, and then one that
// someone has been at.
func TestAudit_verify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wave.db")
	env := append(slices.Clone(settings), "WAVEADMIN_DATABASE_URL=sqlite:"+path)
	busy := listenBusy(t)
	run(t.Context(), []string{"serve", "--set", "server.listen=" + busy, "--set", "server.ops_listen="}, env, io.Discard, io.Discard) // records its start
	var said, problem bytes.Buffer
	if status := run(t.Context(), []string{"audit", "verify"}, env, &said, &problem); status != 0 || !strings.HasPrefix(said.String(), "OK: 1 events. ") {
		t.Fatalf("status %d: %s%s", status, &said, &problem)
	}
	anchors := filepath.Join(t.TempDir(), "anchors") // what it said is a file of anchors
	if err := os.WriteFile(anchors, said.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, statement := range []string{
		"DROP TRIGGER audit_events_no_delete", "DELETE FROM audit_events",
	} {
		if _, err := raw.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	said.Reset()
	status := run(t.Context(), []string{"audit", "verify", "--anchors", anchors}, env, &said, &problem)
	if status != 1 || !strings.Contains(said.String(), "the newest events were removed") || !strings.Contains(problem.String(), "problems: 1, events: 0") {
		t.Errorf("status %d: %s%s", status, &said, &problem)
	}
}

// listenBusy returns an address that is taken.
func listenBusy(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String()
}

func TestHealthcheck_asksByThePublicName(t *testing.T) {
	tests := []struct {
		name   string
		status int
		want   int
	}{
		{"alive", http.StatusOK, 0},
		{"not well", http.StatusInternalServerError, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/healthz" || r.Host != "localhost:8080" {
					t.Errorf("asked for %s of %s", r.URL.Path, r.Host)
				}
				w.WriteHeader(tt.status)
			}))
			defer srv.Close()
			set := "server.listen=" + srv.Listener.Addr().String()
			if got := run(t.Context(), []string{"healthcheck", "--set", set}, settings, io.Discard, io.Discard); got != tt.want {
				t.Errorf("status = %d, want %d", got, tt.want)
			}
		})
	}
}

// start runs a command until stop, and returns its standard output line by line.
func start(t *testing.T, args ...string) (lines *bufio.Scanner, stop func() (status int)) {
	t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, args, nil, w, io.Discard)
		w.Close()
	}()
	t.Cleanup(cancel)
	return bufio.NewScanner(r), func() int {
		cancel()
		go io.Copy(io.Discard, r)
		return <-status
	}
}

func TestSandbox_saysWhatAClientNeeds(t *testing.T) {
	lines, stop := start(t, "sandbox", "--listen", "127.0.0.1:0", "--accounts", "3", "--latency", "0")
	said := make(map[string]string)
	for len(said) < 4 && lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		said[name] = value
	}
	resp, err := http.PostForm(said["token_url"], url.Values{
		"grant_type": {"client_credentials"}, "scope": {"openid"},
		"client_id": {said["client_id"]}, "client_secret": {said["client_secret"]},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("token: status %d", resp.StatusCode)
	}
	if !strings.HasSuffix(said["base_url"], "/m/ripple/") {
		t.Errorf("base_url = %q", said["base_url"])
	}
	if got := stop(); got != 0 {
		t.Errorf("status = %d, want 0 after a signal", got)
	}
}

func TestDemo_announcesTheRealAddressAndCleansUp(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	lines, stop := start(t, "demo", "--listen", "127.0.0.1:0", "--accounts", "3", "--latency", "0")
	var said, address string
	for !strings.Contains(said, "Ctrl-C") && lines.Scan() {
		said += lines.Text() + "\n"
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "http://") {
			address = line
		}
	}
	for _, want := range []string{"デモの準備ができました", "田中 美咲", "Sam Carter", "Viewer", "編集者"} {
		if !strings.Contains(said, want) {
			t.Errorf("the announcement lacks %q:\n%s", want, said)
		}
	}
	for path, want := range map[string]int{"healthz": http.StatusOK, "readyz": http.StatusOK} {
		resp, err := http.Get(address + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
	if got := stop(); got != 0 {
		t.Errorf("status = %d, want 0 after a signal", got)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
