package providers

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startTime bounds one start on a machine that is busy with others.
const startTime = 30 * time.Second

// process is a program that runs until the test ends. Its methods are for one
// goroutine.
type process struct {
	t      *testing.T
	path   string
	args   []string
	issuer string
	log    *os.File // of all its lives
	cmd    *exec.Cmd
	ended  chan struct{}
}

func newProcess(t *testing.T, issuer, path string, args ...string) *process {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "provider.log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, path: path, args: args, issuer: issuer, log: log}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("the provider said\n%s", p.said())
		}
		log.Close()
	})
	return p
}

// start runs the program and returns when it answers as the issuer.
func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.path, p.args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.Env = []string{} // nothing of ours changes its settings
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.ended = make(chan struct{})
	go func() {
		_ = p.cmd.Wait() // what went wrong is in its log
		close(p.ended)
	}()
	for end := time.Now().Add(startTime); !p.answers(); time.Sleep(10 * time.Millisecond) {
		select {
		case <-p.ended:
			p.t.Fatalf("the provider did not start:\n%s", p.said())
		default:
		}
		if time.Now().After(end) {
			p.t.Fatalf("the provider does not answer after %v:\n%s", startTime, p.said())
		}
	}
}

func (p *process) answers() bool {
	client := &http.Client{Timeout: startTime, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(p.issuer + "/.well-known/openid-configuration")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var doc struct{ Issuer string }
	return json.NewDecoder(resp.Body).Decode(&doc) == nil && doc.Issuer == p.issuer
}

// stop ends the program, with all that it had in memory.
func (p *process) stop() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // fails only for one that has ended by itself
	<-p.ended
	p.cmd = nil
}

func (p *process) said() string {
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "")
}

// freeAddress returns an address that nobody listens at. Someone else could take it
// before the provider does, which then says so.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// writeJSON writes v into a file of the test, whole or not at all, and returns its path.
func writeJSON(t *testing.T, dir, name string, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	partial := fmt.Sprintf("%s.new", path)
	if err := os.WriteFile(partial, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(partial, path); err != nil {
		t.Fatal(err)
	}
	return path
}
