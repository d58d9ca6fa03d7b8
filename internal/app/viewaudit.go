package app

import (
	"context"
	"database/sql"

	"waveadmin/internal/audit"
	"waveadmin/internal/auth"
	"waveadmin/internal/savedview"
)

// viewAudit is the audit log as saved views write it.
type viewAudit struct{ log *audit.Log }

type viewDetails struct {
	Before *viewFacts `json:"before,omitempty"` // nothing when it begins to be shared
	After  *viewFacts `json:"after,omitempty"`  // nothing when it ends
}

type viewFacts struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Query string `json:"query"`
	Owner string `json:"owner"`
}

// Append implements savedview.Auditor.
func (a viewAudit) Append(ctx context.Context, tx *sql.Tx, who auth.Actor, before, after *savedview.View) error {
	return a.log.Append(ctx, tx, audit.Event{Kind: audit.View, Actor: who, Details: viewDetails{factsOf(before), factsOf(after)}})
}

func factsOf(v *savedview.View) *viewFacts {
	if v == nil {
		return nil
	}
	return &viewFacts{v.ID, v.Name, v.Query, v.Owner.Name}
}
