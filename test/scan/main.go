// Command scan runs the scanners of others against the program and prints what they
// say: MDN HTTP Observatory, csp_evaluator and wapiti. The program speaks TLS on
// loopback, with the sandboxes behind it. It ends with status 1 unless all of them are
// content. See make scan, which installs them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	tools := flag.String("tools", "", "directory with the npm packages of package.json installed")
	limit := flag.Duration("limit", time.Minute, "how long wapiti may look for pages, and each of its attacks may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *tools, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "scan:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, tools string, limit time.Duration) error {
	dir, err := os.MkdirTemp("", "waveadmin-scan-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := startSite(ctx, dir)
	if err != nil {
		return err
	}
	defer s.stop()
	cookie, err := s.signIn(ctx, "misaki")
	if err != nil {
		return err
	}
	return errors.Join(
		s.node(ctx, tools, "MDN HTTP Observatory", "observatory.mjs", s.port),
		s.node(ctx, tools, "csp_evaluator", "csp.mjs", s.port, cookie),
		s.wapiti(ctx, dir, "nobody", "/auth/signed-out", "", limit),
		s.wapiti(ctx, dir, "an editor", "/", cookie, limit),
	)
}

func title(name string) { fmt.Printf("\n== %s\n", name) }

// node runs one of the scripts beside this file, copied to where its packages are.
func (s *site) node(ctx context.Context, tools, name, script string, args ...string) error {
	title(name)
	text, err := os.ReadFile(filepath.Join("test/scan", script))
	if err != nil {
		return err
	}
	copied := filepath.Join(tools, script)
	if err := os.WriteFile(copied, text, 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "node", append([]string{copied}, args...)...)
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+s.certFile)
	return show(cmd, name)
}

// wapiti attacks every page that it finds from start on, signed in if there is a cookie,
// and fails if it has something to say. Nobody must not start at a page that leads to the
// provider: then that would be what is looked at.
func (s *site) wapiti(ctx context.Context, dir, who, start, cookie string, limit time.Duration) error {
	title("wapiti as " + who)
	s.forget()
	report := filepath.Join(dir, "wapiti.json")
	seconds := fmt.Sprint(int(limit.Seconds()))
	args := []string{
		"--url", s.url + start, "--scope", "domain", "--max-scan-time", seconds, "--max-attack-time", seconds,
		"--module", "common,crlf,htaccess,methods,xxe,ssrf", "--flush-session", "--store-session", dir, "--verify-ssl", "0",
		"--format", "json", "--output", report, "--no-bugreport", "--verbose", "0",
		"--header", "Origin: " + s.url, // else each write is refused before it is read
	}
	if cookie != "" {
		args = append(args, "--header", "Cookie: "+cookie, "--start", s.url+"/resellers", "--start", s.url+"/matrix")
	}
	cmd := exec.CommandContext(ctx, "wapiti", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("wapiti as %s: %w\n%s", who, err, out)
	}
	return errors.Join(readReport(report, who), s.sayAnswers(), s.stillIn(ctx, cookie))
}

func show(cmd *exec.Cmd, name string) error {
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s is not content: %w", name, err)
	}
	return nil
}

// describe cuts a finding to a line.
func describe(s string) string { return strings.Join(strings.Fields(s), " ") }
