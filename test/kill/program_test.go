package kill

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary is the program as make build makes it. It is built when the first test
// wants it.
var (
	buildDir string
	binary   = sync.OnceValues(func() (string, error) {
		path := filepath.Join(buildDir, "waveadmin")
		cmd := exec.Command("go", "build", "-o", path, "waveadmin/cmd/waveadmin")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("go build: %w: %s", err, out)
		}
		return path, nil
	})
)

func TestMain(m *testing.M) {
	flag.Parse()
	err := flag.Set("test.parallel", "100") // most of the time all of them wait
	if err != nil {
		log.Fatal(err)
	}
	if buildDir, err = os.MkdirTemp("", "waveadmin"); err != nil {
		log.Fatal(err)
	}
	status := m.Run()
	os.RemoveAll(buildDir)
	os.Exit(status)
}

// A server is one place where the program runs, again and again. Its methods but
// address are for one goroutine.
type server struct {
	w    *world
	name string
	cmd  *exec.Cmd // nil while it is dead
	log  *os.File  // of all its lives
	read chan struct{}

	mu   sync.Mutex
	addr string
}

// startTime bounds one start on a machine that is busy with others.
const startTime = 30 * time.Second

// newServer returns a server that is not started yet. It ends with the test.
func (w *world) newServer(name string) *server {
	w.t.Helper()
	file, err := os.Create(filepath.Join(w.dir, name+".log"))
	if err != nil {
		w.t.Fatal(err)
	}
	s := &server{w: w, name: name, log: file}
	w.t.Cleanup(func() {
		s.kill()
		file.Close()
		if w.t.Failed() {
			w.t.Logf("the log of %s ends with\n%s", name, tail(file.Name(), 30))
		}
	})
	return s
}

// start runs the program and returns when it listens.
func (s *server) start(settings ...string) {
	s.w.t.Helper()
	path, err := binary()
	if err != nil {
		s.w.t.Fatal(err)
	}
	args := []string{"serve", "--config", s.w.config}
	for _, setting := range settings {
		args = append(args, "--set", setting)
	}
	s.cmd = exec.Command(path, args...)
	s.cmd.Env = []string{} // nothing of ours changes its settings
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		s.w.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.w.t.Fatal(err)
	}
	listens := make(chan string, 1)
	s.read = make(chan struct{})
	go s.follow(stderr, listens)
	select {
	case addr := <-listens:
		s.mu.Lock()
		s.addr = addr
		s.mu.Unlock()
	case <-s.read:
		s.w.t.Fatalf("%s did not start:\n%s", s.name, tail(s.log.Name(), 5))
	case <-time.After(startTime):
		s.w.t.Fatalf("%s does not listen after %v", s.name, startTime)
	}
}

// follow keeps what the program says, and tells where it listens.
func (s *server) follow(stderr io.Reader, listens chan<- string) {
	defer close(s.read)
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(s.log, lines.Text())
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			listens <- line.Address
		}
	}
}

// kill ends the program with SIGKILL, at once, and returns when it was dead.
func (s *server) kill() time.Time {
	if s.cmd == nil {
		return time.Time{}
	}
	s.mu.Lock()
	s.addr = ""
	s.mu.Unlock()
	_ = s.cmd.Process.Kill() // fails only for one that has ended by itself, which its log tells
	<-s.read
	_ = s.cmd.Wait() // says that it was killed
	s.cmd = nil
	return time.Now()
}

var errDead = errors.New("the server is dead")

// address returns where it listens.
func (s *server) address() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.addr == "" {
		return "", errDead
	}
	return s.addr, nil
}

// verifyAudit has the program verify the audit log, against the anchors that the
// servers logged in all their lives.
func (w *world) verifyAudit(servers ...*server) {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range servers {
		ctx, cancel := context.WithTimeout(w.t.Context(), startTime)
		defer cancel()
		cmd := exec.CommandContext(ctx, path, "audit", "verify", "--config", w.config, "--anchors", s.log.Name())
		cmd.Env = []string{}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "OK: ") {
			w.t.Errorf("the audit log against the anchors of %s: %v\n%s", s.name, err, out)
		}
	}
}

// tail returns the last n lines of a file.
func tail(path string, n int) string {
	b, _ := os.ReadFile(path) // nothing of a file that is gone
	lines := strings.SplitAfter(string(b), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
