package db_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
)

// The test binary is also another process with the database, when these name it.
const (
	serveVariable  = "WAVEADMIN_TEST_SERVE"  // an address: write to it without end
	backupVariable = "WAVEADMIN_TEST_BACKUP" // an address and a path, with a newline between
)

func TestMain(m *testing.M) {
	ctx := context.Background()
	var err error
	switch from, to, _ := strings.Cut(os.Getenv(backupVariable), "\n"); {
	case os.Getenv(serveVariable) != "":
		err = writeWithoutEnd(ctx, os.Getenv(serveVariable))
	case from != "":
		err = db.Backup(ctx, from, to, func(context.Context, *sql.DB) error { return nil })
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// writeWithoutEnd commits pairs of rows 1, 2, 3 and so on, and says of each that
// it is committed.
func writeWithoutEnd(ctx context.Context, url string) error {
	d, err := db.Open(ctx, url)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		err := d.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO used_logins (state, expires_at) VALUES ($1, $2)", fmt.Sprint("a", n), n)
			_, err2 := tx.ExecContext(ctx, "INSERT INTO used_logins (state, expires_at) VALUES ($1, $2)", fmt.Sprint("b", n), n)
			return errors.Join(err, err2)
		})
		if err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// process is another process that writes to a database until it is killed.
type process struct {
	cmd *osexec.Cmd
	out *bufio.Scanner
}

func startProcess(t *testing.T, url string) *process {
	t.Helper()
	cmd := osexec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serveVariable+"="+url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, bufio.NewScanner(out)}
	t.Cleanup(func() { p.kill(t) })
	return p
}

// reaches waits until the process said that it has committed pair n.
func (p *process) reaches(t *testing.T, n int) {
	t.Helper()
	for p.out.Scan() {
		if said, err := strconv.Atoi(p.out.Text()); err != nil {
			t.Fatal(p.out.Text())
		} else if said >= n {
			return
		}
	}
	t.Fatal("the process ended")
}

// kill ends the process as a failure of power does, and returns the last pair that
// it said to be committed.
func (p *process) kill(t *testing.T) (last int) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return 0
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	for p.out.Scan() {
		if n, err := strconv.Atoi(p.out.Text()); err == nil {
			last = n
		}
	}
	_ = p.cmd.Wait() // it was killed
	return last
}

// pairs returns how many pairs there are, and fails when one is not whole.
func pairs(t *testing.T, pool *sql.DB) (n int) {
	t.Helper()
	var a, last int
	err := pool.QueryRow("SELECT count(*), count(*) FILTER (WHERE state LIKE 'a%'), coalesce(max(expires_at), 0) FROM used_logins").Scan(&n, &a, &last)
	if err != nil || n != 2*a || last != a {
		t.Errorf("%d rows, %d of them first ones, up to %d: %v", n, a, last, err)
	}
	return a
}

func TestSQLite_keepsASecondProcessAway(t *testing.T) {
	url := dbtest.SQLite.Ready(t)
	d := dbtest.Open(t, url)
	patience, cancel := context.WithTimeout(t.Context(), 10*time.Second) // it would never end by itself
	defer cancel()
	second := osexec.CommandContext(patience, os.Args[0])
	second.Env = append(os.Environ(), serveVariable+"="+url)
	if out, err := second.Output(); err == nil || !strings.Contains(string(out), "is in use by another process") {
		t.Errorf("the second process: %v, %.200s", err, out)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}

	p := startProcess(t, url)
	p.reaches(t, 1)
	if d, err := db.Open(t.Context(), url); err == nil || !strings.Contains(err.Error(), "is in use by another process") {
		t.Errorf("opened beside another process: %v", err)
		if err == nil {
			d.Close()
		}
	}
	p.reaches(t, 20)
	last := max(20, p.kill(t))
	if got := pairs(t, dbtest.Open(t, url).Read()); got < last { // no lock and no half pair is left
		t.Errorf("%d pairs are there, but %d were committed", got, last)
	}
}

// copied opens the copy at path as a server does.
func copied(t *testing.T, path string) *db.DB {
	t.Helper()
	d := dbtest.Open(t, "sqlite:"+path)
	if n, err := d.Pending(t.Context()); n != 0 || err != nil {
		t.Errorf("steps to do in the copy: %d, %v", n, err)
	}
	return d
}

func goodCopy(context.Context, *sql.DB) error { return nil }

func TestBackup_besideAnotherProcess(t *testing.T) {
	url, dir := dbtest.SQLite.Ready(t), t.TempDir()
	p := startProcess(t, url)
	p.reaches(t, 50)
	running, after := filepath.Join(dir, "a b%2F?#.db"), filepath.Join(dir, "after.db")
	if err := db.Backup(t.Context(), url, running, goodCopy); err != nil {
		t.Fatal(err)
	}
	if got := pairs(t, copied(t, running).Read()); got < 50 {
		t.Errorf("%d pairs are in the copy, but 50 were committed", got)
	}
	p.reaches(t, 100)
	last := max(100, p.kill(t))

	// Nobody has moved the rest of the -wal file into the database.
	if wal, err := os.Stat(strings.TrimPrefix(url, "sqlite:") + "-wal"); err != nil || wal.Size() == 0 {
		t.Fatalf("there is nothing to find: %v", err)
	}
	if err := db.Backup(t.Context(), url, after, goodCopy); err != nil {
		t.Fatal(err)
	}
	if got := pairs(t, copied(t, after).Read()); got < last {
		t.Errorf("%d pairs are in the copy of what was killed, but %d were committed", got, last)
	}
}

// fullDisk runs a backup in a process that may not make a file as large as the
// copy.
func fullDisk(t *testing.T, url, path string) string {
	t.Helper()
	cmd := osexec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 16; exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), backupVariable+"="+url+"\n"+path)
	out, err := cmd.Output()
	if _, failed := errors.AsType[*osexec.ExitError](err); !failed {
		t.Errorf("a backup on a full disk: %v", err)
	}
	return string(out)
}
