package change

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"waveadmin/internal/wave"
)

// ids gives out IDs that sort in the order in which this process asks for them,
// with room between them for idBefore. The zero ids is ready.
type ids struct {
	mu   sync.Mutex
	last int64
}

// next returns a new ID of t, or of a moment later if one of t is out already. It also
// sorts after the ID before, if there is one, unless that is of a time that no clock of
// ours can be off by: all that comes would be dated by it.
func (g *ids) next(t time.Time, before string) (string, error) {
	now, after := ticks(t), int64(0)
	if before != "" {
		n, err := ticksOf(before)
		if err != nil {
			return "", err
		}
		if n < now+maxAhead {
			after = n + 2
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = max(g.last+2, now, after)
	return idOf(g.last)
}

// maxAhead is an hour in ticks.
const maxAhead = int64(time.Hour/time.Millisecond) << 12

// newestID returns the last ID that an account has, or "". Those of accounts that are to
// be created count as of one.
func newestID(ctx context.Context, tx *sql.Tx, account wave.UserID) (id string, err error) {
	err = tx.QueryRowContext(ctx, "SELECT id FROM changes WHERE account = $1 ORDER BY id DESC LIMIT 1", string(account)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// idAt returns an ID that sorts as of t, among those that were given out then.
func idAt(t time.Time) (string, error) { return idOf(ticks(t)) }

// idBefore returns an ID that sorts right before id, which next gave out.
func idBefore(id string) (string, error) {
	n, err := ticksOf(id)
	if err != nil {
		return "", err
	}
	return idOf(n - 1)
}

// ticksOf is the reverse of idOf.
func ticksOf(id string) (int64, error) {
	u, err := uuid.Parse(id)
	n := binary.BigEndian.Uint64(u[:8])
	return int64(n>>16<<12 | n&0xfff), err
}

// ticks counts what an ID tells apart: 4096ths of a millisecond.
func ticks(t time.Time) int64 { return t.UnixMilli()<<12 | t.UnixMicro()%1000*4096/1000 }

// idOf returns a UUID of version 7 whose first 60 bits are n.
func idOf(n int64) (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("id of a change: %w", err)
	}
	binary.BigEndian.PutUint64(id[:8], uint64(n>>12<<16|7<<12|n&0xfff))
	return id.String(), nil
}

// idFloor returns what no ID of t or later sorts below.
func idFloor(t time.Time) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(max(t.UnixMilli(), 0))<<16)
	text := hex.EncodeToString(b[:6])
	return text[:8] + "-" + text[8:]
}
