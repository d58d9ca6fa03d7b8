package bulk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// Accounts is the part of reseller.Directory that plans need.
type Accounts interface {
	Refresh(ctx context.Context) (*reseller.Snapshot, error)
}

// Plans makes and keeps plans. It is safe for concurrent use, also of several
// processes on one database.
type Plans struct {
	db       *db.DB
	accounts Accounts
	now      func() time.Time
	kept     keptCounts
}

// NewPlans returns the plans in d, whose tables must be up to date. Now may be nil
// for time.Now; it must be the clock of accounts.
func NewPlans(d *db.DB, accounts Accounts, now func() time.Time) *Plans {
	if now == nil {
		now = time.Now
	}
	return &Plans{db: d, accounts: accounts, now: now}
}

// Make computes the plan of d from a list that is asked for now, stores it and
// returns it. It fails with fault.Forbidden, with fault.Invalid when d has no
// account or too many, and with the fault of the list.
func (p *Plans) Make(ctx context.Context, author auth.Actor, d Draft) (*Plan, error) {
	if err := mayModify(author); err != nil {
		return nil, err
	}
	switch {
	case len(d.Items) == 0:
		return nil, fault.Field("targets", "bulk.no_targets")
	case len(d.Items) > MaxAccounts:
		return nil, fault.Field("targets", "bulk.too_many_accounts", "max", MaxAccounts)
	}
	reason, err := reseller.CleanReason(d.Reason, false)
	if err != nil {
		return nil, err
	}
	snap, err := p.accounts.Refresh(ctx)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("id of a plan: %w", err)
	}
	now := db.Time(db.Micros(p.now()))
	d.Kind = cmp.Or(d.Kind, Flags)
	plan := &Plan{
		ID: id.String(), Kind: d.Kind, Source: d.Source, Author: author, Reason: reason, Unknown: d.Unknown, Problems: d.Problems, OfRun: d.OfRun, FileProblems: d.FileProblems,
		AsOf: snap.AsOf(), Created: now, Expires: now.Add(ValidFor), Items: itemsOf(d, snap),
	}
	plan.Author.Role = 0
	return plan, p.insert(ctx, plan)
}

// itemsOf returns the accounts of d as snap has them.
func itemsOf(d Draft, snap *reseller.Snapshot) []Item {
	items := make([]Item, len(d.Items))
	for n, in := range d.Items {
		i := Item{
			Kind: d.Kind, Place: n + 1, Account: in.UserID, New: in.New, Want: in.Want, Seen: in.Seen,
			LeftOut: in.LeftOut, UndoOf: in.UndoOf, State: change.Queued,
		}
		if in.New != nil {
			i.Email, i.Group = in.New.Email, in.New.Group
		} else if account, ok := snap.Get(in.UserID); ok {
			i.Email, i.Group = account.Email, account.BillingGroup.Name
			i.Before, i.Flawed = &account.Meta, account.Flaw != wave.NoFlaw
		}
		items[n] = i
	}
	return items
}

// Again makes the plan anew, with the same accounts, flags and reason, from a list
// that is asked for now. What someone saw counts as seen no more: they are about to
// look. It fails as Make and Get do.
func (p *Plans) Again(ctx context.Context, author auth.Actor, id string) (*Plan, error) {
	old, err := p.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	d := Draft{Kind: old.Kind, Source: old.Source, Unknown: old.Unknown, Problems: old.Problems, Reason: old.Reason, OfRun: old.OfRun, FileProblems: old.FileProblems}
	for _, i := range old.Items {
		d.Items = append(d.Items, i.draft())
	}
	return p.Make(ctx, author, d)
}

// draft returns i as it was asked for, but for what the person saw then.
func (i Item) draft() DraftItem {
	if i.New != nil {
		return DraftItem{New: i.New, LeftOut: i.LeftOut}
	}
	return DraftItem{UserID: i.Account, Want: i.Want, LeftOut: i.LeftOut, UndoOf: i.UndoOf}
}

func mayModify(actor auth.Actor) error {
	if actor.MayModify() {
		return nil
	}
	return &fault.Error{Kind: fault.Forbidden, Say: fault.Say("error.forbidden_editor")}
}

// noPlan is the fault of an id that names none.
func noPlan(id string) error {
	return &fault.Error{Kind: fault.NotFound, Say: fault.Say("bulk.no_plan"), Err: errors.New("plan " + id)}
}
