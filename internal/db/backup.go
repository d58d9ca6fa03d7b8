package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// IsFile reports whether url names a SQLite file, which Backup can copy.
func IsFile(url string) bool { return strings.HasPrefix(url, "sqlite:") }

// Backup copies the SQLite database at url to a new file at path that only the
// owner may read. All that was committed before the call is in it, and nothing by
// halves. The process that has the database open goes on: SQLite copies what a
// reader sees, and no writer waits for a reader.
//
// The copy is there only when it is whole, on the disk, and when SQLite and check
// found nothing wrong with it; else nothing is left behind. Backup fails when there is
// something at path, and when its directory is not there.
func Backup(ctx context.Context, url, path string, check func(ctx context.Context, copied *sql.DB) error) (err error) {
	file, ok := strings.CutPrefix(url, "sqlite:")
	if !ok { // it may hold a password: it is not repeated here
		return errors.New("backup: the database is no SQLite file")
	}
	if path, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if _, err := os.Lstat(path); err == nil {
		return errTaken(path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("backup: there is no directory %s", filepath.Dir(path))
	}
	// A directory of its own beside the target: whatever SQLite makes there goes
	// with it, and a move within one file system is all or nothing.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".waveadmin-backup-*")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	unfinished := filepath.Join(dir, "copy.db")
	if err := copyFile(ctx, file, unfinished); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := checkCopy(ctx, unfinished, check); err != nil {
		return fmt.Errorf("backup: the copy is not good: %w", err)
	}
	return publish(unfinished, path)
}

func errTaken(path string) error {
	return fmt.Errorf("backup: %s is there already and is left as it is: choose another name", path)
}

// copyFile makes to, a copy of the database file at from, and waits for the disk.
func copyFile(ctx context.Context, from, to string) error {
	pool, err := openFileReadOnly(ctx, from) // query_only would forbid the copy too
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := makeFile(to); err != nil { // SQLite takes it while it is empty, and leaves its mode
		return err
	}
	if _, err := pool.ExecContext(ctx, "VACUUM INTO $1", to); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return syncPath(to)
}

func checkCopy(ctx context.Context, path string, check func(context.Context, *sql.DB) error) error {
	pool, err := openFileReadOnly(ctx, path, "query_only(1)")
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := quickCheck(ctx, pool, path); err != nil {
		return err
	}
	return check(ctx, pool)
}

// publish moves the file at from to path, where nothing may be, for good.
func publish(from, path string) (err error) {
	// A move would replace what someone has put there since we looked, so the name
	// is taken first: from here on it is ours to replace, or to free.
	taken, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errTaken(path)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("backup: %w", err), os.Remove(path))
		}
	}()
	if err := taken.Close(); err != nil {
		return err
	}
	if err := os.Rename(from, path); err != nil {
		return err
	}
	err = syncPath(filepath.Dir(path))
	if runtime.GOOS == "windows" || errors.Is(err, syscall.EINVAL) { // no names to wait for there
		return nil
	}
	return err
}

// syncPath waits until a file, or the names in a directory, are on the disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
