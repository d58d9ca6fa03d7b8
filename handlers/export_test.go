package handlers_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"waveadmin/handlers"
	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

var (
	jst    = time.FixedZone("JST", 9*60*60)
	misaki = auth.Actor{Issuer: "idp", Subject: "1", Name: "田中 美咲", Email: "misaki@example.com", Role: auth.Editor}
	hana   = auth.Actor{Issuer: "idp", Subject: "2", Name: "=Hana", Email: "hana@example.com", Role: auth.Editor}
)

// desk is the pages about changes on a real ledger whose clock a test holds.
type desk struct {
	*handlers.Changes
	t      *testing.T
	ledger *change.Ledger
	now    time.Time

	deadlines int      // that exports moved
	exports   []string // as they are recorded
	refuse    error    // of the audit log
}

func (d *desk) RecordExport(_ context.Context, file string, filter map[string]string, rows int) error {
	d.exports = append(d.exports, fmt.Sprint(file, " ", filter, " ", rows))
	return d.refuse
}

// The service of a desk, which reads the ledger and decides nothing.
type reader struct{ *change.Ledger }

func (r reader) Change(ctx context.Context, id string) (change.Change, error) { return r.Get(ctx, id) }
func (reader) MayDecide(change.Change) bool                                   { return false }
func (reader) Decide(context.Context, reseller.Decision) (change.Change, error) {
	return change.Change{}, errors.ErrUnsupported
}

// nobody is a directory that was never read.
type nobody struct{ handlers.Directory }

func (nobody) Current(context.Context) (*reseller.Snapshot, error) {
	return nil, errors.New("no list yet")
}

func newDesk(t *testing.T, e dbtest.Engine) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 11, 22, 5, 3, 0, 0, time.UTC)}
	var err error
	d.ledger, err = change.NewLedger(t.Context(), e.New(t), change.Options{Fold: strings.ToLower, Now: func() time.Time { return d.now }})
	if err != nil {
		t.Fatal(err)
	}
	d.Changes = &handlers.Changes{Directory: nobody{}, History: d.ledger, Service: reader{d.ledger}, Exports: d}
	return d
}

// done records c as asked for now and applied a second later.
func (d *desk) done(c change.Change) change.Change {
	d.t.Helper()
	c.Source = change.Page
	c, err := d.ledger.Open(d.t.Context(), c)
	if err == nil {
		c, err = d.ledger.Intend(d.t.Context(), c)
	}
	d.now = d.now.Add(time.Second)
	if err == nil {
		c.State = change.Done
		c, err = d.ledger.Close(d.t.Context(), c)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// meta is a change of one flag.
func meta(actor auth.Actor, id wave.UserID, key wave.Key, on bool) change.Change {
	before := wave.Meta{}.With(key, !on).WithRaw("new_in_2027", []byte(`"maybe"`))
	after := before.With(key, on)
	return change.Change{
		Kind: change.Meta, Source: change.Page, Account: id, Email: string(id) + "@example.co.jp", Company: "k-1", Actor: actor,
		Wanted: wave.Wanted{key: on}, Before: &before, After: &after,
	}
}

// outside lets a list show the account otherwise than it was known.
func (d *desk) outside(was, is change.Seen) {
	d.t.Helper()
	if err := d.ledger.Adopt(d.t.Context(), d.now, []change.Seen{was}); err != nil {
		d.t.Fatal(err)
	}
	d.now = d.now.Add(30 * time.Minute)
	if found, _, err := d.ledger.Observe(d.t.Context(), d.now, d.now, []change.Seen{is}); err != nil || len(found) != 1 {
		d.t.Fatalf("recorded %v (%v), want one change", found, err)
	}
	d.now = d.now.Add(time.Minute)
}

// get asks a page as a viewer in a language.
func (d *desk) get(h func(http.ResponseWriter, *http.Request) error, lang, target string) (*httptest.ResponseRecorder, error) {
	ctx := i18n.WithZone(i18n.WithLang(d.t.Context(), lang), jst)
	ctx = auth.WithActor(ctx, auth.Actor{Issuer: "idp", Subject: "9", Name: "Sam", Role: auth.Viewer})
	w := &writer{httptest.NewRecorder(), d}
	err := h(w, httptest.NewRequestWithContext(ctx, "GET", target, nil))
	return w.ResponseRecorder, err
}

// writer is a recorder that takes deadlines.
type writer struct {
	*httptest.ResponseRecorder
	d *desk
}

func (w *writer) SetWriteDeadline(t time.Time) error {
	if left := time.Until(t); left < 30*time.Second {
		w.d.t.Errorf("a piece has %v", left)
	}
	w.d.deadlines++
	return nil
}

// past fills the desk with a change of each sort, oldest first.
func (d *desk) past() (first change.Change) {
	invoice := meta(misaki, "acme", "invoice", true)
	invoice.Reason, invoice.Listed = "依頼\t41, \"急ぎ\"", d.now.Add(-1500*time.Millisecond)
	first = d.done(invoice)
	d.now = d.now.Add(time.Hour)
	undo := meta(hana, "acme", "invoice", false)
	undo.UndoOf, undo.Reason = first.ID, "＝1+1"
	d.done(undo)
	created := wave.Meta{}.With("invoice", true)
	d.done(change.Change{
		Kind: change.Create, Email: "new@example.co.jp", Company: "k-2", Actor: misaki, Reason: "-1+1",
		Input: wave.Auto, Notify: true, After: &created,
	})
	seen := change.Seen{Account: "u-1", Email: "a@example.co.jp", Company: "k-3", Meta: wave.Meta{}.With("open_api", false)}
	moved := seen
	moved.Meta = seen.Meta.With("open_api", true)
	d.outside(seen, moved)
	renamed := moved
	renamed.Email = "b@example.co.jp"
	d.outside(moved, renamed)
	d.outside(renamed, change.Seen{Account: "u-1", Gone: true})
	d.outside(change.Seen{}, change.Seen{Account: "u-2", Email: "c@example.co.jp", Company: "k-4", Meta: moved.Meta})
	return first
}

// columns are those of the file that tell the changes apart.
var columns = []string{"created", "actor_name", "source", "email", "kind", "what", "flags", "outcome", "reason"}

func TestExport_CSV(t *testing.T) {
	want := map[string]string{
		"en": `
2026/11/22 17:06:03 JST|outside this tool|outside this tool|c@example.co.jp|new account|Account appeared||done|
2026/11/22 16:35:03 JST|outside this tool|outside this tool|b@example.co.jp|deletion|Account was deleted||done|
2026/11/22 16:04:03 JST|outside this tool|outside this tool|b@example.co.jp|email|Email changed: a@example.co.jp → b@example.co.jp||done|
2026/11/22 15:33:03 JST|outside this tool|outside this tool|a@example.co.jp|functions|1 function|API access tokens: off → on|done|
2026/11/22 15:03:02 JST|田中 美咲|account page|new@example.co.jp|new account|Account issued||done|'-1+1
2026/11/22 15:03:01 JST|'=Hana|account page|acme@example.co.jp|functions|Undo of the change of 2026/11/22 14:03 by 田中 美咲|Invoices: on → off|done|'＝1+1
2026/11/22 14:03:00 JST|田中 美咲|account page|acme@example.co.jp|functions|1 function|Invoices: off → on|done|依頼 41, "急ぎ"`,
		"ja": `
2026/11/22 17:06:03 JST|このツール以外|このツール以外|c@example.co.jp|アカウントの発行|アカウントが追加されました||完了|
2026/11/22 16:35:03 JST|このツール以外|このツール以外|b@example.co.jp|アカウントの削除|アカウントが削除されました||完了|
2026/11/22 16:04:03 JST|このツール以外|このツール以外|b@example.co.jp|メールアドレス|メールアドレスの変更：a@example.co.jp → b@example.co.jp||完了|
2026/11/22 15:33:03 JST|このツール以外|このツール以外|a@example.co.jp|機能|機能 1件|APIアクセストークン：オフ → オン|完了|
2026/11/22 15:03:02 JST|田中 美咲|アカウントの画面|new@example.co.jp|アカウントの発行|アカウントの発行||完了|'-1+1
2026/11/22 15:03:01 JST|'=Hana|アカウントの画面|acme@example.co.jp|機能|2026/11/22 14:03の変更（田中 美咲）を元に戻す|請求書の表示：オン → オフ|完了|'＝1+1
2026/11/22 14:03:00 JST|田中 美咲|アカウントの画面|acme@example.co.jp|機能|機能 1件|請求書の表示：オフ → オン|完了|依頼 41, "急ぎ"`,
	}
	heads := map[string]string{"en": "When [created]", "ja": "日時 [created]"}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := newDesk(t, e)
		d.past()
		for lang := range want {
			w, err := d.get(d.CSV, lang, "/changes.csv")
			if err != nil {
				t.Fatal(err)
			}
			body := w.Body.String()
			text, marked := strings.CutPrefix(body, "\uFEFF")
			if !marked || strings.Count(text, "\r\n") != 8 || strings.Count(text, "\n") != 8 {
				t.Errorf("not UTF-8 with its mark and lines that end with CR LF: %q", body[:60])
			}
			records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			at := make(map[string]int)
			for i, head := range records[0] {
				_, key, _ := strings.Cut(strings.TrimSuffix(head, "]"), " [")
				at[key] = i
			}
			if got := records[0][at["created"]]; got != heads[lang] {
				t.Errorf("%s: a header is %q, want %q", lang, got, heads[lang])
			}
			var got strings.Builder
			for _, r := range records[1:] {
				var cells []string
				for _, c := range columns {
					cells = append(cells, strings.ReplaceAll(r[at[c]], "\t", " "))
				}
				got.WriteString("\n" + strings.Join(cells, "|"))
			}
			if got.String() != want[lang] {
				t.Errorf("%s:%s\nwant:%s", lang, got.String(), want[lang])
			}
			for name, value := range map[string]string{
				"Content-Type":        "text/csv; charset=utf-8; header=present",
				"Content-Disposition": "attachment; filename=changes-" + time.Now().In(jst).Format("20060102"),
				"Cache-Control":       "no-store",
			} {
				if got := w.Header().Get(name); !strings.HasPrefix(got, value) {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
		}
	})
}

func TestExport_JSONLines(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := newDesk(t, e)
		first := d.past()
		w, err := d.get(d.JSONLines, "ja", "/changes.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(w.Body.String(), "\n"), "\n")
		if len(lines) != 7 {
			t.Fatalf("%d lines, want 7", len(lines))
		}
		want := `{"id":"` + first.ID + `","kind":"meta","state":"done","source":"page","account":"acme","email":"acme@example.co.jp",` +
			`"company_id":"k-1","actor":{"name":"田中 美咲","email":"misaki@example.com"},"reason":"依頼\t41, \"急ぎ\"","wanted":{"invoice":true},` +
			`"before":{"invoice":false,"new_in_2027":"maybe"},"after":{"invoice":true,"new_in_2027":"maybe"},` +
			`"created":"2026-11-22T05:03:00Z","sent":"2026-11-22T05:03:00Z","list_age_ms":1500,"finished":"2026-11-22T05:03:01Z"}`
		if lines[6] != want {
			t.Errorf("got  %s\nwant %s", lines[6], want)
		}
		var undo, created, outside map[string]any
		for i, into := range map[int]*map[string]any{5: &undo, 4: &created, 3: &outside} {
			if err := json.Unmarshal([]byte(lines[i]), into); err != nil {
				t.Fatal(err)
			}
		}
		if undo["undo_of"] != first.ID || created["notification"] != true || created["before"] != nil || outside["actor"] != nil || outside["since"] == nil {
			t.Errorf("undo %v\ncreated %v\noutside %v", undo, created, outside)
		}
	})
}

// TestExport_recorded: no audit event, no data; the event says what leaves.
func TestExport_recorded(t *testing.T) {
	d := newDesk(t, dbtest.SQLite)
	d.past()
	for target, want := range map[string]string{
		"/changes.csv?q=ACME&outcome=done&older=1&page=7": "changes.csv map[outcome:done q:ACME] 2",
		"/changes.csv?kind=nonsense":                      "changes.csv map[] 7",
		"/changes.csv?by=outside":                         "changes.csv map[by:outside] 4",
	} {
		d.exports = nil
		w, err := d.get(d.CSV, "en", target)
		if err != nil || len(d.exports) != 1 || d.exports[0] != want {
			t.Errorf("%s: recorded %q (%v), want %q", target, d.exports, err, want)
		}
		if rows := strings.Count(w.Body.String(), "\r\n") - 1; !strings.HasSuffix(want, fmt.Sprint(rows)) {
			t.Errorf("%s: %d rows", target, rows)
		}
	}
	d.refuse = errors.New("disk full")
	for _, h := range []func(http.ResponseWriter, *http.Request) error{d.CSV, d.JSONLines} {
		w, err := d.get(h, "en", "/changes.csv")
		if !errors.Is(err, d.refuse) || w.Body.Len() > 0 || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("without an event: %v, %d bytes left", err, w.Body.Len())
		}
	}
}

// many records so many changes, all at one moment.
func (d *desk) many(n int) {
	d.t.Helper()
	for range n {
		c, err := d.ledger.Open(d.t.Context(), meta(misaki, "acme", "invoice", true))
		if err == nil {
			c.State = change.NoChange
			_, err = d.ledger.Close(d.t.Context(), c)
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

// TestExport_pieces: a file of several pieces has each change once, newest first,
// though all were asked for at the same time.
func TestExport_pieces(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := newDesk(t, e)
		d.many(1203)
		w, err := d.get(d.JSONLines, "en", "/changes.jsonl?account=acme")
		if err != nil {
			t.Fatal(err)
		}
		before := "~"
		n := 0
		for line := range strings.Lines(w.Body.String()) {
			var c struct{ ID string }
			if err := json.Unmarshal([]byte(line), &c); err != nil || c.ID >= before {
				t.Fatalf("%s after %s (%v)", c.ID, before, err)
			}
			before = c.ID
			n++
		}
		if n != 1203 || d.deadlines != 3 {
			t.Errorf("%d lines in the time of %d pieces, want 1203 in 3", n, d.deadlines)
		}
	})
}
