package db_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
)

// While one writes, of many writers behind others only two stand in the queue, in
// which the next is not the first that came.
func TestBehind_fewWait(t *testing.T) {
	d := dbtest.SQLite.New(t)
	waited := func() int64 { return d.Writer().Stats().WaitCount }
	began, end := make(chan struct{}), make(chan struct{})
	var writers sync.WaitGroup
	write := func(ctx context.Context, fn func(*sql.Tx) error) {
		writers.Go(func() {
			if err := d.Write(ctx, fn); err != nil {
				t.Error(err)
			}
		})
	}
	write(t.Context(), func(*sql.Tx) error { close(began); <-end; return nil })
	<-began
	before := waited()
	for range 40 {
		write(db.Behind(t.Context()), func(*sql.Tx) error { return nil })
	}
	for waited() < before+2 {
		time.Sleep(time.Millisecond)
	}
	write(t.Context(), func(*sql.Tx) error { return nil }) // a person waits at once
	for waited() < before+3 {
		time.Sleep(time.Millisecond)
	}
	write(db.Ahead(db.Behind(t.Context())), func(*sql.Tx) error { return nil }) // so does who has the turn
	for waited() < before+4 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // for those that should not
	if n := waited() - before; n != 4 {
		t.Errorf("%d writers are in the queue, want two, the person and who has the turn", n)
	}
	close(end)
	writers.Wait()
}

func TestBehind_endsWithTheContext(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := e.New(t)
		ctx, cancel := context.WithCancel(db.Behind(t.Context()))
		err := d.Write(ctx, func(*sql.Tx) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		began, end := make(chan struct{}, 2), make(chan struct{})
		var writers sync.WaitGroup
		for range 2 {
			writers.Go(func() {
				err := d.Write(db.Behind(t.Context()), func(*sql.Tx) error { began <- struct{}{}; <-end; return nil })
				if err != nil {
					t.Error(err)
				}
			})
		}
		<-began // one writes, the other waits or is about to
		cancel()
		if err := d.Write(ctx, func(*sql.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v", err)
		}
		close(end)
		writers.Wait()
	})
}
