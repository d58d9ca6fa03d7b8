package dbtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// A service is a program of this test binary alone.
type service struct {
	dir   string         // of its socket
	alive io.WriteCloser // when it closes, the service ends; nothing is written to it
	out   io.Reader
	cmd   *exec.Cmd
}

// start runs a script that starts a service, says where, and ends when its input
// does. So nobody has to stop it: the system closes the pipe when this process
// ends, in whatever way. A database server may not run as root, so as root the
// script is run by another user.
func start(script string, args ...string) (*service, error) {
	args = append([]string{"sh", "-c", script, "sh"}, args...)
	if os.Geteuid() == 0 {
		args = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "/"
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	said := bufio.NewReader(out)
	line, err := said.ReadString('\n')
	dir, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		rest, _ := io.ReadAll(said)
		return nil, errors.Join(fmt.Errorf("start a service: %s%s", line, rest), err)
	}
	return &service{dir, alive, out, cmd}, nil
}

func (s *service) stop() {
	s.alive.Close()
	_ = s.cmd.Wait() // how it ends does not matter to a test
}

const clusterScript = `set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1/initdb" --no-sync --auth=trust --username=waveadmin --encoding=UTF8 --locale=C --pgdata="$dir/data" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$1/pg_ctl" --wait --pgdata="$dir/data" --log="$dir/log" --options="-k $dir -c listen_addresses= -c max_connections=600 $2" start >/dev/null || { cat "$dir/log"; exit 1; }
echo "ready $dir"
read -r end || true
"$1/pg_ctl" --wait --pgdata="$dir/data" --mode=immediate stop >/dev/null
`

// cluster is a PostgreSQL server with a database that has all tables.
type cluster struct{ *service }

// settings of the server. Nothing that tests write outlives them, so nothing waits for
// the disk.
var settings = "-c fsync=off -c full_page_writes=off"

// Durable has PostgreSQL flush what it commits, as it does in life: for benchmarks. Call
// it before the first database.
func Durable() { settings = "" }

var errNoPostgres = errors.New("PostgreSQL is not installed")

// theCluster starts the server when the first test wants it.
var theCluster = sync.OnceValues(func() (*cluster, error) {
	bin := findPostgres()
	if bin == "" {
		return nil, errNoPostgres
	}
	s, err := start(clusterScript, bin, settings)
	if err != nil {
		return nil, err
	}
	c := &cluster{s}
	if err := c.exec("CREATE DATABASE " + withTables); err != nil {
		return nil, err
	}
	return c, migrate(c.url(withTables))
})

// findPostgres returns the directory of the server's programs, or "".
func findPostgres() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path)
		}
	}
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // Debian keeps them off the path
	if len(versions) == 0 {
		return ""
	}
	return versions[len(versions)-1]
}

// withTables is the database that others are copies of.
const withTables = "with_tables"

func (c *cluster) url(database string) string {
	return fmt.Sprintf("postgres://waveadmin@/%s?host=%s", database, url.QueryEscape(c.dir))
}

// exec runs a statement on a connection of its own: one that is kept could not be
// used in and outside the bubbles of synctest.
func (c *cluster) exec(query string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, query)
	return errors.Join(err, conn.Close(ctx))
}

var databases atomic.Int64

func newDatabase(t testing.TB, template string) string {
	t.Helper()
	c, err := theCluster()
	if errors.Is(err, errNoPostgres) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test%d", databases.Add(1))
	if err := c.exec("CREATE DATABASE " + name + " TEMPLATE " + template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return c.url(name)
}

func readyPostgres(t testing.TB) string { t.Helper(); return newDatabase(t, withTables) }
