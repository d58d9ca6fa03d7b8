package db

import (
	"context"
	"fmt"
)

// behindMost is how many writers wait for the database at a time that are behind others.
// One alone would leave a pause after each transaction.
const behindMost = 2

type behindKey struct{}

// Behind returns a context with which Write lets those go first that somebody waits for:
// hundreds of writers that come together, as the items of a run do after a list, would
// all be before them.
func Behind(ctx context.Context) context.Context {
	return context.WithValue(ctx, behindKey{}, true)
}

// Ahead undoes Behind, for the steps of a run that few take at a time and that a call
// waits for.
func Ahead(ctx context.Context) context.Context {
	return context.WithValue(ctx, behindKey{}, nil)
}

// enter waits until a writer may wait for the database, at once unless it is behind
// others. Leave is called when it is done.
func (d *DB) enter(ctx context.Context) (leave func(), err error) {
	if ctx.Value(behindKey{}) == nil {
		return func() {}, nil
	}
	select {
	case d.behind <- struct{}{}:
		return func() { <-d.behind }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the database: %w", context.Cause(ctx))
	}
}
