package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"waveadmin/internal/audit"
	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/config"
	"waveadmin/internal/db"
	"waveadmin/internal/wave"
	"waveadmin/web"
)

// newAudit opens the audit log and records the settings of this start.
func newAudit(ctx context.Context, d *db.DB, cfg config.Config, o Options) (*audit.Log, error) {
	log, err := audit.New(d, audit.Options{Secrets: cfg.Session.Keys(), Now: o.Now, Log: o.Log, Origin: web.Origin})
	if err != nil {
		return nil, err
	}
	return log, log.Record(ctx, audit.Event{Kind: audit.Settings, Details: config.Values(cfg)})
}

// ledgerAudit is the audit log as the ledger writes it.
type ledgerAudit struct{ log *audit.Log }

// changeDetails is what an event keeps of a change: what was asked for, and what
// is sent or became of it. What the API answered stays in the ledger.
type changeDetails struct {
	Change  change.Kind         `json:"change"`
	Email   string              `json:"email"`
	Company string              `json:"company,omitempty"`
	Reason  string              `json:"reason,omitempty"`
	Source  change.Source       `json:"source"`
	RunID   string              `json:"run_id,omitempty"`
	UndoOf  string              `json:"undo_of,omitempty"`
	Restore string              `json:"restore_of,omitempty"`
	Wanted  wave.Wanted         `json:"wanted,omitempty"`
	Sent    map[wave.Key]string `json:"sent,omitempty"` // the flags that move, and to what
	Input   wave.InputType      `json:"input_type,omitempty"`
	Notify  bool                `json:"notification,omitempty"`
	Status  int                 `json:"upstream_status,omitempty"`
	Fault   string              `json:"fault,omitempty"`
	Holds   bool                `json:"holds,omitempty"` // while in doubt: whether the account is still locked
	By      *person             `json:"by,omitempty"`    // who took this step, unless it was the actor
	Decided *decision           `json:"decided,omitempty"`
}

type person struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
	Name    string `json:"name"`
}

// decision is a person's word about a change in doubt.
type decision struct {
	By     person `json:"by"`
	Reason string `json:"reason"`
}

// exportAudit is the audit log as exports write it.
type exportAudit struct{ log *audit.Log }

// RecordExport implements handlers.ExportRecorder.
func (a exportAudit) RecordExport(ctx context.Context, file string, filter map[string]string, rows int) error {
	return a.log.Record(ctx, audit.Event{Kind: audit.Export, Actor: auth.ActorFrom(ctx), Details: struct {
		File   string            `json:"file"`
		Filter map[string]string `json:"filter"`
		Rows   int               `json:"rows"`
	}{file, filter, rows}})
}

// runAudit is the audit log as bulk runs write it.
type runAudit struct{ log *audit.Log }

// RecordRun implements bulk.Recorder.
func (a runAudit) RecordRun(ctx context.Context, tx *sql.Tx, by auth.Actor, step string, r bulk.Run, accounts int) error {
	return a.log.Append(ctx, tx, audit.Event{Kind: audit.Run, Actor: by, Details: struct {
		RunID    string `json:"run_id"`
		Step     string `json:"step"`
		Why      string `json:"why,omitempty"`
		Reason   string `json:"reason,omitempty"`
		Accounts int    `json:"accounts"`
		Of       person `json:"of"` // whose changes they are
	}{r.PlanID, step, string(r.Why), r.Reason, accounts, person{r.Actor.Issuer, r.Actor.Subject, r.Actor.Name}}})
}

// Append implements change.Appender.
func (a ledgerAudit) Append(ctx context.Context, tx *sql.Tx, c change.Change) error {
	d := changeDetails{
		Change: c.Kind, Email: c.Email, Company: c.Company, Reason: c.Reason, Source: c.Source,
		RunID: c.RunID, UndoOf: c.UndoOf, Restore: c.RestoreOf, Input: c.Input, Notify: c.Notify, Status: c.Status, Fault: c.Fault,
	}
	switch c.State {
	case change.Queued, change.Running:
		d.Wanted = c.Wanted
	case change.Sent:
		d.Sent = sentFlags(c)
	case change.InDoubt:
		d.Holds = c.Holds
	}
	if who := c.Decided.By; who.Subject != "" {
		d.Decided = &decision{person{who.Issuer, who.Subject, who.Name}, c.Decided.Reason}
	}
	by := auth.ActorFrom(ctx)
	if by.Subject != "" && (by.Issuer != c.Actor.Issuer || by.Subject != c.Actor.Subject) {
		d.By = &person{by.Issuer, by.Subject, by.Name}
	}
	return a.log.Append(ctx, tx, audit.Event{
		Kind: audit.ChangeKind(string(c.State)), Actor: c.Actor, Account: c.Account, Change: c.ID, Details: d,
	})
}

// sentFlags returns what the call of c sets: for a creation, which starts from
// nothing, what is in it.
func sentFlags(c change.Change) map[wave.Key]string {
	if c.After == nil {
		return nil
	}
	var before wave.Meta
	if c.Before != nil {
		before = *c.Before
	}
	sent := make(map[wave.Key]string)
	for _, m := range wave.Diff(before, *c.After) {
		sent[m.Key] = m.To.String()
	}
	return sent
}

// VerifyAudit checks the audit log of the database of cfg, also beside the server
// that runs on it. Anchors is a file of them, nil for none.
func VerifyAudit(ctx context.Context, cfg config.Config, anchors io.Reader) (_ *audit.Report, err error) {
	var held []audit.Anchor
	if anchors != nil {
		if held, err = audit.ParseAnchors(anchors); err != nil {
			return nil, fmt.Errorf("anchors: %w", err)
		}
	}
	pool, err := db.OpenReadOnly(ctx, cfg.Database.URL.Reveal())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return audit.Verify(ctx, pool, cfg.Session.Keys(), held)
}

// ExportAudit writes the audit events of a time to w as JSON lines, also beside
// the server. From and to are a date in the time zone of the settings or a time
// of RFC 3339, or empty; the day of a date in to is included.
func ExportAudit(ctx context.Context, cfg config.Config, w io.Writer, from, to string) (err error) {
	begin, _, err := parseTime(from, cfg.UI.Location())
	if err != nil {
		return fmt.Errorf("%w: --from %w", ErrUsage, err)
	}
	end, day, err := parseTime(to, cfg.UI.Location())
	if err != nil {
		return fmt.Errorf("%w: --to %w", ErrUsage, err)
	}
	if day {
		end = end.AddDate(0, 0, 1)
	}
	pool, err := db.OpenReadOnly(ctx, cfg.Database.URL.Reveal())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return audit.WriteJSON(ctx, pool, w, begin, end)
}

// parseTime returns the time that text means, and whether that is a day. Empty is
// the zero time.
func parseTime(text string, zone *time.Location) (_ time.Time, day bool, err error) {
	if text == "" {
		return time.Time{}, false, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return t, true, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("%.40q is neither a date such as 2026-11-22 nor a time such as 2026-11-22T09:00:00+09:00", text)
	}
	return t, false, nil
}
