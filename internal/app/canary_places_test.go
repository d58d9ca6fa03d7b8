package app_test

import (
	"bytes"
	"database/sql"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// The places in which TestCanaries looks, besides pages.

// seeFiles sees every file below dir, what SQLite has not merged yet included.
func seeFiles(t *testing.T, c *canaries, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c.see("the file "+filepath.Base(name), text)
	}
}

// tablesOf lists the tables of the database, those of River included.
var tablesOf = map[string]string{
	"sqlite":   "SELECT name FROM sqlite_schema WHERE type = 'table'",
	"postgres": "SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'public'",
}

// seeTables sees every value of every row. What only the database stored for itself,
// such as a row that was deleted, it does not see.
func seeTables(t *testing.T, c *canaries, engine string, raw *sql.DB) {
	t.Helper()
	all := rows(t, raw, tablesOf[engine])
	if len(all) < 20 {
		t.Fatalf("only the tables %q", all)
	}
	for _, table := range all {
		name := string(table[0])
		for _, row := range rows(t, raw, "SELECT * FROM "+name) {
			c.see("the table "+name, append(bytes.Join(row, []byte("\n")), '\n'))
		}
	}
	for _, known := range []string{"acme", "misaki"} {
		if !bytes.Contains(c.seen["the table audit_events"], []byte(known)) {
			t.Errorf("%s is not in the audit log: is what was read what was written?", known)
		}
	}
}

// rows returns what a query finds, each value as the database writes it.
func rows(t *testing.T, raw *sql.DB, query string) [][][]byte {
	t.Helper()
	found, err := raw.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all [][][]byte
	for found.Next() {
		row := make([][]byte, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = (*sql.RawBytes)(&row[i])
		}
		if err := found.Scan(into...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		for i := range row {
			row[i] = bytes.Clone(row[i])
		}
		all = append(all, row)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// withPassword gives the address of a database a password, which a server that asks for
// none ignores.
func withPassword(t *testing.T, address, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), password)
	u.Host = "localhost" // the host parameter wins; without any the whole address is hidden
	return u.String()
}

func (l *logs) copy() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.buf.Bytes())
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func fetch(t *testing.T, address string) []byte {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
