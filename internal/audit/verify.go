package audit

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
)

// A Problem is something that an honest log does not have.
type Problem struct {
	Seq  int64 // the event at which it shows; 0 for none
	What string
}

func (p Problem) String() string {
	if p.Seq == 0 {
		return p.What
	}
	return fmt.Sprintf("event %d: %s", p.Seq, p.What)
}

// maxProblems is how many a Report lists.
const maxProblems = 100

// Report is what Verify found.
type Report struct {
	Events   int64
	Head     Anchor    // the last event
	Problems []Problem // the first of them, in the order of the log
	Found    int       // how many problems there are
}

// OK reports whether the log is as it was written, as far as it can be known.
func (r *Report) OK() bool { return r.Found == 0 }

func (r *Report) add(seq int64, format string, args ...any) {
	r.Found++
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, Problem{seq, fmt.Sprintf(format, args...)})
	}
}

// Verify reads the whole log and checks that no event was edited, removed,
// inserted or moved, and that every anchor is still in it. Without anchors it
// cannot tell that the newest events were removed. Secrets are the session
// secrets, the present one and those of before. An error means that the log could
// not be read.
func Verify(ctx context.Context, q *sql.DB, secrets [][]byte, anchors []Anchor) (*Report, error) {
	v := verifier{keys: make(map[string]key), anchors: make(map[int64][]Anchor), foreign: make(map[string]bool)}
	for _, secret := range secrets {
		k := newKey(secret)
		v.keys[k.id] = k
	}
	for _, a := range anchors {
		if !slices.Contains(v.anchors[a.Seq], a) {
			v.anchors[a.Seq] = append(v.anchors[a.Seq], a)
		}
	}
	err := eachRow(ctx, q, "1 = 1", nil, func(fields []string) error { v.event(fields); return nil })
	if err != nil {
		return nil, err
	}
	v.end()
	return &v.Report, nil
}

// verifier walks along the chain.
type verifier struct {
	Report
	keys    map[string]key
	anchors map[int64][]Anchor // by event; each is removed when its event was there
	foreign map[string]bool    // keys that are not known and were told of
}

func (v *verifier) event(fields []string) {
	v.Events++
	signed, mac := fields[:columnCount-1], fields[columnCount-1]
	keyID, prev := fields[columnCount-3], fields[columnCount-2]
	seq, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || seq <= v.Head.Seq {
		v.add(0, "behind event %d: a row that has the number %.30q", v.Head.Seq, fields[0])
		return
	}
	switch missing := seq - v.Head.Seq - 1; {
	case missing == 1:
		v.add(seq, "event %d before it is missing", seq-1)
	case missing > 1:
		v.add(seq, "events %d to %d before it are missing", v.Head.Seq+1, seq-1)
	case prev != v.Head.MAC:
		v.add(seq, "does not follow from the one before: one of the two was edited, moved or put there")
	}
	switch k, known := v.keys[keyID]; {
	case known && !hmac.Equal([]byte(k.sum(signed)), []byte(mac)):
		v.add(seq, "was edited, moved or put there: its MAC is wrong")
	case !known && !v.foreign[keyID]:
		v.foreign[keyID] = true
		v.add(seq, "is signed with the key %.40q, which is of no secret in session.secret and session.previous_secrets; so may be events after it", keyID)
	}
	for _, a := range v.anchors[seq] {
		if a.MAC != mac {
			v.add(seq, "is not the one of its anchor: the log from here back was written anew")
		}
	}
	delete(v.anchors, seq)
	v.Head = Anchor{seq, mac}
}

// end checks what only the end of the log can tell.
func (v *verifier) end() {
	var last int64
	for seq := range v.anchors {
		last = max(last, seq)
	}
	if last > v.Head.Seq {
		v.add(0, "the log ends with event %d, but there is an anchor of event %d: the newest events were removed", v.Head.Seq, last)
	}
}
