package db_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
)

func open(t *testing.T, path string) *db.DB {
	t.Helper()
	return dbtest.Open(t, "sqlite:"+path)
}

func TestOpen_makesAFileThatOnlyTheOwnerReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b%2F?#", "data") // no character of a path means anything else
	open(t, filepath.Join(dir, "waveadmin.db"))
	for _, want := range []struct {
		path string
		mode os.FileMode
	}{{dir, 0o700}, {filepath.Join(dir, "waveadmin.db"), 0o600}, {filepath.Join(dir, "waveadmin.db-wal"), 0o600}} {
		info, err := os.Stat(want.path)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.Mode().Perm(); got != want.mode {
			t.Errorf("%s has mode %v, want %v", want.path, got, want.mode)
		}
	}
}

func TestOpen_refuses(t *testing.T) {
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("no database at all ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(t.TempDir(), "used.db")
	open(t, used)
	tests := []struct{ name, url, want string }{
		{"a server that is away", "postgres://me:hunter2@127.0.0.1:1/waveadmin?connect_timeout=1", "127.0.0.1:1"},
		{"a socket that is not there", "postgresql://me:hunter2@/waveadmin?host=" + url.QueryEscape(t.TempDir()), "no such file"},
		{"an address that PostgreSQL does not take", "postgres://me:hunter2@db:port/waveadmin", "must be one that PostgreSQL takes"},
		{"another engine", "mysql://me:hunter2@db/waveadmin", "must be sqlite:PATH"},
		{"no path", "sqlite:", "must be sqlite:PATH"},
		{"a bare path", "data/waveadmin.db", "must be sqlite:PATH"},
		{"a file that is no database", "sqlite:" + damaged, damaged},
		{"a file in use", "sqlite:" + used, "in use by another process"},
		{"a directory", "sqlite:" + t.TempDir(), "is a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := db.Open(t.Context(), tt.url)
			if err == nil {
				d.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %q, want it to say %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q shows the password", err)
			}
		})
	}
}

func TestOpen_againAfterClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "waveadmin.db")
	d := open(t, path)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestMicros(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 3, 22, 123456000, time.FixedZone("JST", 9*3600))
	if got := db.Time(db.Micros(at)); !got.Equal(at) || got.Location() != time.UTC {
		t.Errorf("got %v, want %v in UTC", got, at)
	}
	if db.Micros(time.Time{}) != 0 || !db.Time(0).IsZero() {
		t.Error("the zero time is not 0")
	}
}
