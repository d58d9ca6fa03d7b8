package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	journalSize   = 200_000 // entries that are kept
	journalBodies = 5_000   // of them, the latest keep their Header and Body
	journalBody   = 8 << 10 // bytes of a Body that are kept
)

// An Entry is one request that arrived, whatever became of it.
type Entry struct {
	Seq     int         `json:"seq"` // from 1, in the order of arrival; goes on after a reset
	At      time.Time   `json:"at"`
	Op      string      `json:"op"` // OpToken and so on
	Method  string      `json:"method"`
	Path    string      `json:"path"` // escaped as it was sent
	UserID  string      `json:"user_id,omitempty"`
	Header  http.Header `json:"header,omitempty"` // a hash stands for the token; nil for older entries
	Body    []byte      `json:"body,omitempty"`   // its start; nil for older entries
	Status  int         `json:"status"`           // 0 while under way, and when no answer was sent
	Applied bool        `json:"applied"`          // it changed an account
	Fault   bool        `json:"fault"`            // a Fault struck it
}

// journal is a ring of entries. The zero journal is empty.
type journal struct {
	mu      sync.Mutex
	entries []Entry // see at
	first   int     // Seq of the first entry after the last reset, minus 1
	seq     int
	counts  map[string]int
}

// Journal returns the latest 200,000 requests in the order of their arrival.
func (s *Sandbox) Journal() []Entry {
	j := &s.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	from := max(j.first, j.seq-journalSize)
	out := make([]Entry, 0, j.seq-from)
	for seq := from; seq < j.seq; seq++ {
		out = append(out, *j.at(seq))
	}
	return out
}

// Count returns how many requests for op arrived, refused ones included.
func (s *Sandbox) Count(op string) int {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.journal.counts[op]
}

// ResetJournal forgets all requests. One that is under way stays out.
func (s *Sandbox) ResetJournal() {
	j := &s.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries, j.first, j.counts = nil, j.seq, nil
}

// at returns the place of the entry with this number, counted from 0.
func (j *journal) at(seq int) *Entry { return &j.entries[(seq-j.first)%journalSize] }

// begin writes an entry for c and returns its number, counted from 0.
func (j *journal) begin(c call) int {
	e := Entry{
		At: time.Now(), Op: c.op, Method: c.method, Path: c.path, UserID: string(c.id),
		Header: maps.Clone(c.header), Body: bytes.Clone(c.body[:min(len(c.body), journalBody)]),
	}
	if auth := e.Header.Get("Authorization"); auth != "" {
		e.Header.Set("Authorization", hashToken(auth))
	}

	j.mu.Lock()
	defer j.mu.Unlock()
	seq := j.seq
	j.seq++
	e.Seq = j.seq
	if len(j.entries) < journalSize {
		j.entries = append(j.entries, e)
	} else {
		*j.at(seq) = e
	}
	if old := seq - journalBodies; old >= j.first {
		j.at(old).Header, j.at(old).Body = nil, nil
	}
	if j.counts == nil {
		j.counts = make(map[string]int)
	}
	j.counts[e.Op]++
	return seq
}

// finish says what became of the entry that begin returned.
func (j *journal) finish(seq, status int, applied, fault bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq < j.first || seq < j.seq-journalSize {
		return // reset or overwritten meanwhile
	}
	e := j.at(seq)
	e.Status, e.Applied, e.Fault = status, applied, fault
}

// hashToken keeps apart tokens that differ without showing one.
func hashToken(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	sum := sha256.Sum256([]byte(token))
	return scheme + " sha256:" + hex.EncodeToString(sum[:8])
}
