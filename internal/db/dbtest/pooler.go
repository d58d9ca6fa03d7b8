package dbtest

import (
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Like the server, the pooler ends with the pipe that it watches. It holds two
// connections for any number of clients, so that these really share them.
const poolerScript = `set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo '"waveadmin" ""' >"$dir/users"
cat >"$dir/ini" <<END
[databases]
* = host=$1 user=waveadmin
[pgbouncer]
listen_addr =
unix_socket_dir = $dir
auth_type = any
auth_file = $dir/users
pool_mode = transaction
default_pool_size = 2
END
"$2" "$dir/ini" >"$dir/log" 2>&1 &
pooler=$!
until [ -S "$dir/.s.PGSQL.6432" ]; do
  kill -0 $pooler || { cat "$dir/log"; exit 1; }
  sleep 0.05
done
echo "ready $dir"
read -r end || true
kill -TERM $pooler
wait $pooler || true
`

// Pooled returns the address of the PostgreSQL database at address through PgBouncer
// in transaction mode. Where there is none, the test is skipped.
func Pooled(t testing.TB, address string) string {
	t.Helper()
	bin, err := exec.LookPath("pgbouncer")
	if err != nil {
		bin, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	if err != nil {
		t.Skip("PgBouncer is not installed")
	}
	c, err := theCluster()
	if err != nil {
		t.Fatal(err)
	}
	pooler, err := start(poolerScript, c.dir, bin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pooler.stop)
	if err := accepts(pooler.dir + "/.s.PGSQL.6432"); err != nil {
		t.Fatal(err)
	}
	database, _, _ := strings.Cut(strings.TrimPrefix(address, "postgres://waveadmin@/"), "?")
	return fmt.Sprintf("postgres://waveadmin@/%s?host=%s&port=6432", database, url.QueryEscape(pooler.dir))
}

// accepts waits until someone listens on a socket, which is there a moment before.
func accepts(socket string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(end) {
			return err
		}
	}
}
