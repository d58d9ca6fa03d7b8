package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const (
	anchorEvery = 5 * time.Minute
	anchorRows  = 1000

	// anchorMessage marks the lines of the log that are anchors.
	anchorMessage = "audit anchor"
)

// An Anchor is where the log ended at some time. A chain alone cannot tell that
// its end was cut off; an anchor that is kept elsewhere can.
type Anchor struct {
	Seq int64
	MAC string
}

// Line returns the anchor as ParseAnchors reads it.
func (a Anchor) Line() string { return fmt.Sprintf("%d %s", a.Seq, a.MAC) }

// Run writes an anchor to the program's log at once and then every 5 minutes and
// 1,000 events, if there is something new, until ctx ends. Call Anchor when
// nothing is appended any more.
func (l *Log) Run(ctx context.Context) {
	ticker := time.NewTicker(anchorEvery)
	defer ticker.Stop()
	last := l.anchor(ctx, Anchor{})
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.full:
		case <-ticker.C:
			l.tellUnrecorded(ctx)
		}
		last = l.anchor(ctx, last)
	}
}

// Anchor writes the last event to the program's log, if there is any.
func (l *Log) Anchor(ctx context.Context) {
	l.tellUnrecorded(ctx)
	l.anchor(ctx, Anchor{})
}

// anchor logs where the log ends, unless that is last, and returns it.
func (l *Log) anchor(ctx context.Context, last Anchor) Anchor {
	head, err := readHead(ctx, l.db.Read())
	if err != nil {
		l.log.ErrorContext(ctx, "audit anchor lost", "err", err)
		return last
	}
	if head != last {
		l.log.InfoContext(ctx, anchorMessage, "seq", head.Seq, "mac", head.MAC)
	}
	return head
}

// querier is a pool or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// readHead returns the last event, or the zero Anchor if there is none.
func readHead(ctx context.Context, q querier) (Anchor, error) {
	var head Anchor
	err := q.QueryRowContext(ctx, `SELECT seq, mac FROM audit_events ORDER BY seq DESC LIMIT 1`).Scan(&head.Seq, &head.MAC)
	if errors.Is(err, sql.ErrNoRows) {
		return Anchor{}, nil
	}
	return head, err
}

// Head returns the last event of the log in q, or the zero Anchor if there is none.
func Head(ctx context.Context, q *sql.DB) (Anchor, error) {
	head, err := readHead(ctx, q)
	if err != nil {
		return Anchor{}, fmt.Errorf("read the end of the audit log: %w", err)
	}
	return head, nil
}

// Holds reports whether the event of a is in the log in q. The zero Anchor is of no
// event and held by every log.
func Holds(ctx context.Context, q *sql.DB, a Anchor) (bool, error) {
	if a == (Anchor{}) {
		return true, nil
	}
	var n int
	err := q.QueryRowContext(ctx, `SELECT count(*) FROM audit_events WHERE seq = $1 AND mac = $2`, a.Seq, a.MAC).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for an audit event: %w", err)
	}
	return n == 1, nil
}

// maxLogLine bounds a line of the file of anchors, in bytes.
const maxLogLine = 1 << 20

// ParseAnchors reads anchors, one a line: the program's log in JSON or text, with
// whatever stands in front of a line, as Docker and journald keep it, or "seq mac". Lines that are no anchors are
// skipped, but one that is broken is an error, and so is a file without any.
func ParseAnchors(r io.Reader) ([]Anchor, error) {
	var all []Anchor
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLogLine)
	n := 0
	for lines.Scan() {
		n++
		a, ok, err := parseAnchor(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if ok {
			all = append(all, a)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no anchor in it")
	}
	return all, nil
}

func parseAnchor(line []byte) (_ Anchor, ok bool, err error) {
	if fields := strings.Fields(string(line[:min(len(line), 200)])); len(fields) == 2 && isNumber(fields[0]) {
		a, err := newAnchor(fields[0], fields[1])
		return a, err == nil, err
	}
	if !bytes.Contains(line, []byte(anchorMessage)) {
		return Anchor{}, false, nil
	}
	if start := bytes.IndexByte(line, '{'); start >= 0 {
		return parseLogged(line[start:])
	}
	_, rest, ok := strings.Cut(string(line), `msg="`+anchorMessage+`"`) // text within a value has \"
	if !ok {
		return Anchor{}, false, nil
	}
	a, err := newAnchor(valueOf(rest, "seq="), valueOf(rest, "mac="))
	return a, err == nil, err
}

// parseLogged reads a line of the JSON format, also inside one of a collector:
// Docker has it in log, journald in MESSAGE.
func parseLogged(line []byte) (_ Anchor, ok bool, err error) {
	var entry struct {
		Msg, MAC     string
		Seq          json.Number
		Log, Message string
	}
	err = json.NewDecoder(bytes.NewReader(line)).Decode(&entry)
	switch inner := cmp.Or(entry.Log, entry.Message); {
	case err == nil && entry.Msg == anchorMessage:
		a, err := newAnchor(entry.Seq.String(), entry.MAC)
		return a, err == nil, err
	case err == nil && inner != "":
		return parseAnchor([]byte(inner))
	case err != nil && bytes.Contains(line, []byte(`"msg":"`+anchorMessage+`"`)):
		return Anchor{}, false, fmt.Errorf("an anchor that is no JSON: %w", err)
	}
	return Anchor{}, false, nil // someone's text that holds the words
}

// valueOf returns what stands behind name in a line of the text format.
func valueOf(line, name string) string {
	for field := range strings.FieldsSeq(line) {
		if value, ok := strings.CutPrefix(field, name); ok {
			return value
		}
	}
	return ""
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

func newAnchor(seq, mac string) (Anchor, error) {
	n, err := strconv.ParseInt(seq, 10, 64)
	if err != nil || n < 1 {
		return Anchor{}, fmt.Errorf("an anchor of event %.30q", seq)
	}
	if b, err := hex.DecodeString(mac); err != nil || len(b) != 32 || mac != strings.ToLower(mac) {
		return Anchor{}, fmt.Errorf("the anchor of event %d has a MAC that is none", n)
	}
	return Anchor{n, mac}, nil
}
