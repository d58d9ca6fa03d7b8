package change

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// ids gives out IDs that sort in the order in which this process asks for them,
// with room between them for idBefore. The zero ids is ready.
type ids struct {
	mu   sync.Mutex
	last int64
}

// next returns a new ID of t, or of a moment later if one of t is out already.
func (g *ids) next(t time.Time) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = max(g.last+2, ticks(t))
	return idOf(g.last)
}

// idAt returns an ID that sorts as of t, among those that were given out then.
func idAt(t time.Time) (string, error) { return idOf(ticks(t)) }

// idBefore returns an ID that sorts right before id, which next gave out.
func idBefore(id string) (string, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return "", err
	}
	n := binary.BigEndian.Uint64(u[:8])
	return idOf(int64(n>>16<<12|n&0xfff) - 1)
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
