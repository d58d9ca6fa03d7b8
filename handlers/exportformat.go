package handlers

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sheet"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// changeColumns are the columns of the CSV: keys that stay, each with its name in
// the language of the reader.
var changeColumns = []struct{ key, name string }{
	{"id", "export.id"},
	{"created", "history.when"},
	{"finished", "export.finished"},
	{"actor_name", "history.who"},
	{"actor_email", "export.actor_email"},
	{"source", "export.source"},
	{"account", "details.user_id"},
	{"email", "col.email"},
	{"company_id", "col.company"},
	{"kind", "changes.kind"},
	{"what", "history.what"},
	{"flags", "export.flags"},
	{"outcome", "history.outcome"},
	{"reason", "history.reason"},
	{"decided_by", "export.decided_by"},
	{"decided_reason", "export.decided_reason"},
	{"undo_of", "export.undo_of"},
	{"restore_of", "export.restore_of"},
}

// newChangeCSV begins the CSV: one row of headers, each a name with its key.
func newChangeCSV(ctx context.Context, w io.Writer) changeWriter {
	out, err := sheet.NewWriter(w)
	if err == nil {
		head := make([]string, len(changeColumns))
		for i, c := range changeColumns {
			head[i] = i18n.T(ctx, c.name) + " [" + c.key + "]"
		}
		err = out.Row(head...)
	}
	return func(list []change.Change, origins map[string]change.Change) error {
		for _, c := range list {
			if err == nil {
				err = out.Row(changeCells(ctx, c, origins)...)
			}
		}
		if err != nil {
			return err
		}
		return out.Flush()
	}
}

func changeCells(ctx context.Context, c change.Change, origins map[string]change.Change) []string {
	who := c.Actor.Display()
	if c.Source == change.Outside {
		who = i18n.T(ctx, "history.outside")
	}
	return []string{
		c.ID, i18n.Full(ctx, c.Created), i18n.Full(ctx, c.Finished), who, c.Actor.Email, i18n.T(ctx, "source."+string(c.Source)),
		string(c.Account), c.Email, c.Company, i18n.T(ctx, "kind."+string(c.Kind)), what(ctx, c, origins),
		i18n.Join(ctx, lines(ctx, c)), views.OutcomeLabel(ctx, string(c.State), undecided(c)), c.Reason, c.Decided.By.Display(), c.Decided.Reason, c.UndoOf, c.RestoreOf,
	}
}

// changeLine is a change as a line of JSON. Its names stay.
type changeLine struct {
	ID          string         `json:"id"`
	Kind        change.Kind    `json:"kind"`
	State       change.State   `json:"state"`
	Source      change.Source  `json:"source"`
	Account     wave.UserID    `json:"account"`
	Email       string         `json:"email"`
	EmailBefore string         `json:"email_before,omitempty"`
	Company     string         `json:"company_id"`
	Actor       *personLine    `json:"actor"` // null outside
	Reason      string         `json:"reason"`
	Wanted      wave.Wanted    `json:"wanted,omitempty"`
	Before      *wave.Meta     `json:"before"`
	After       *wave.Meta     `json:"after"`
	Input       wave.InputType `json:"input_type,omitempty"`
	Notify      *bool          `json:"notification,omitempty"`
	Status      int            `json:"upstream_status,omitempty"`
	Fault       string         `json:"fault,omitempty"`
	UndoOf      string         `json:"undo_of,omitempty"`
	RestoreOf   string         `json:"restore_of,omitempty"`
	RunID       string         `json:"run_id,omitempty"`
	Decided     *decidedLine   `json:"decided,omitempty"`
	Since       time.Time      `json:"since,omitzero"`
	Created     time.Time      `json:"created"`
	Sent        time.Time      `json:"sent,omitzero"`
	ListAge     *int64         `json:"list_age_ms,omitempty"` // when it was sent, of the list on which it rests
	Finished    time.Time      `json:"finished,omitzero"`
}

type personLine struct {
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
}

type decidedLine struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

func newChangeJSON(_ context.Context, w io.Writer) changeWriter {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return func(list []change.Change, _ map[string]change.Change) error {
		for _, c := range list {
			if err := out.Encode(newChangeLine(c)); err != nil {
				return err
			}
		}
		return nil
	}
}

func newChangeLine(c change.Change) changeLine {
	l := changeLine{
		ID: c.ID, Kind: c.Kind, State: c.State, Source: c.Source, Account: c.Account, Email: c.Email, EmailBefore: c.EmailBefore,
		Company: c.Company, Reason: c.Reason, Wanted: c.Wanted, Before: c.Before, After: c.After, Input: c.Input, Status: c.Status,
		Fault: c.Fault, UndoOf: c.UndoOf, RestoreOf: c.RestoreOf, RunID: c.RunID,
		Since: c.Since, Created: c.Created, Sent: c.SentAt, Finished: c.Finished,
	}
	if age, known := c.ListAge(); known {
		ms := age.Milliseconds()
		l.ListAge = &ms
	}
	if c.Source != change.Outside {
		l.Actor = &personLine{c.Actor.Display(), c.Actor.Email}
	}
	if c.Input != "" {
		l.Notify = &c.Notify
	}
	if c.Decided.By.Subject != "" {
		l.Decided = &decidedLine{c.Decided.By.Display(), c.Decided.Reason}
	}
	return l
}
