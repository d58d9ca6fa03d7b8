package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/audit"
	"waveadmin/internal/auth"
	"waveadmin/internal/db/dbtest"
)

// export returns the events of a time as WriteJSON writes them.
func (j *journal) export(t *testing.T, from, to time.Time) (all []map[string]any) {
	t.Helper()
	var out bytes.Buffer
	if err := audit.WriteJSON(t.Context(), j.db.Read(), &out, from, to); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

func TestWriteJSON_tellsEverything(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		at := &clock{time.Date(2026, 11, 22, 1, 2, 3, 4000, time.UTC)}
		j := newJournal(t, e, func(o *audit.Options) {
			o.Now = at.now
			o.Origin = func(context.Context) (string, string) { return "req-1", "192.0.2.7" }
		})
		err := j.Record(t.Context(), audit.Event{
			Kind: audit.ChangeKind("sent"), Actor: auth.Actor{Issuer: "i", Subject: "s", Name: "a\x00b\xff"},
			Account: "u-1", Change: "c-1", Details: map[string]string{"reason": "<依頼>"},
		})
		if err != nil {
			t.Fatal(err)
		}
		at.at = at.at.Add(24 * time.Hour)
		j.fill(t, 1)

		all := j.export(t, time.Time{}, time.Time{})
		if len(all) != 2 {
			t.Fatalf("%d events", len(all))
		}
		first := all[0]
		if all[1]["prev_mac"] != first["mac"] {
			t.Error("the chain is not in the export")
		}
		delete(first, "mac")
		delete(first, "key_id")
		want := map[string]any{
			"seq": 1.0, "at": "2026-11-22T01:02:03.000004Z", "kind": "change_sent",
			"actor_issuer": "i", "actor_subject": "s", "actor_name": "ab\uFFFD", "account": "u-1", "change_id": "c-1",
			"request_id": "req-1", "remote_address": "192.0.2.7", "details": map[string]any{"reason": "<依頼>"}, "prev_mac": "",
		}
		if diff := cmp.Diff(want, first); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for name, tt := range map[string]struct {
			from, to time.Time
			want     int
		}{
			"from the second":   {at.at, time.Time{}, 1},
			"before the second": {time.Time{}, at.at, 1},
			"between":           {at.at.Add(-time.Hour), at.at, 0},
		} {
			if got := j.export(t, tt.from, tt.to); len(got) != tt.want {
				t.Errorf("%s: %d events, want %d", name, len(got), tt.want)
			}
		}

		j.tamper(t, "UPDATE audit_events SET details = 'no JSON' WHERE seq = 1")
		if got := j.export(t, time.Time{}, time.Time{}); got[0]["details"] != "no JSON" {
			t.Errorf("details that someone broke: %v", got[0]["details"])
		}
	})
}
