package audit

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"waveadmin/internal/db"
)

// entry is an event as it is exported: all its columns, so that the chain can be
// checked from the export too.
type entry struct {
	Seq           int64           `json:"seq"`
	At            time.Time       `json:"at"`
	Kind          string          `json:"kind"`
	ActorIssuer   string          `json:"actor_issuer"`
	ActorSubject  string          `json:"actor_subject"`
	ActorName     string          `json:"actor_name"`
	Account       string          `json:"account"`
	ChangeID      string          `json:"change_id"`
	RequestID     string          `json:"request_id"`
	RemoteAddress string          `json:"remote_address"`
	Details       json.RawMessage `json:"details"`
	KeyID         string          `json:"key_id"`
	PrevMAC       string          `json:"prev_mac"`
	MAC           string          `json:"mac"`
}

// WriteJSON writes the events of a time as JSON, one a line, oldest first: those
// at or after from and before to. The zero time is no limit. It checks nothing;
// see Verify.
func WriteJSON(ctx context.Context, q *sql.DB, w io.Writer, from, to time.Time) error {
	end := int64(math.MaxInt64)
	if !to.IsZero() {
		end = to.UnixMicro()
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return eachRow(ctx, q, "at >= $3 AND at < $4", []any{db.Micros(from), end}, func(fields []string) error {
		e, err := newEntry(fields)
		if err == nil {
			err = out.Encode(e)
		}
		if err != nil {
			return fmt.Errorf("audit event %.30q: %w", fields[0], err)
		}
		return nil
	})
}

func newEntry(f []string) (entry, error) {
	seq, err := strconv.ParseInt(f[0], 10, 64)
	at, err2 := strconv.ParseInt(f[1], 10, 64)
	details := json.RawMessage(f[10])
	if !json.Valid(details) { // someone was here
		details, _ = json.Marshal(f[10])
	}
	return entry{
		Seq: seq, At: db.Time(at), Kind: f[2], ActorIssuer: f[3], ActorSubject: f[4], ActorName: f[5], Account: f[6], ChangeID: f[7],
		RequestID: f[8], RemoteAddress: f[9], Details: details, KeyID: f[11], PrevMAC: f[12], MAC: f[13],
	}, errors.Join(err, err2)
}
