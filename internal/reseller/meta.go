package reseller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// ChangeMeta sets the wanted flags and leaves all others as Wave has them now.
// Nothing wanted asks nobody. It fails with fault.Conflict and a *ConflictError
// when a person must look first, and with a *GoneError when the account was there
// and is no more. See Service for its other faults.
func (s *Service) ChangeMeta(ctx context.Context, c MetaChange) (MetaResult, error) {
	if err := mayModify(c.Actor); err != nil {
		return MetaResult{}, err
	}
	if len(c.Want) == 0 {
		account, err := s.seen(ctx, c.UserID)
		return MetaResult{Account: account}, s.orGone(ctx, c.UserID, err)
	}
	reason, err := s.checkReason(c.Reason)
	if err != nil {
		return MetaResult{}, err
	}
	if err := s.checkOrigin(ctx, c); err != nil {
		return MetaResult{}, err
	}
	row := change.Change{
		Kind: change.Meta, Account: c.UserID, Actor: c.Actor, Reason: reason, Source: sourceOf(c.RunID), Wanted: c.Want,
		UndoOf: c.UndoOf, RestoreOf: c.RestoreOf, RunID: c.RunID,
	}
	return s.changeMeta(ctx, row, func(now wave.Reseller) (edit, error) {
		if err := checkFlags(c.Want, now.Meta); err != nil {
			return edit{}, err
		}
		e := edit{Merged: wave.Merge(c.Seen, c.Want, now.Meta)}
		if lost := unguarded(c, now.Meta); len(lost) > 0 {
			e.others = s.authors(ctx, now.UserID, lost, func(change.Change) bool { return true })
			return edit{}, asks(now, e, PlanMoved)
		}
		e.others = s.Others(ctx, c.Actor, now.UserID, e.Others)
		if why := s.conflict(e); why != "" {
			return edit{}, asks(now, e, why)
		}
		return e, nil
	})
}

// sourceOf is where a change comes from: a page, or a run.
func sourceOf(runID string) change.Source {
	if runID != "" {
		return change.Bulk
	}
	return change.Page
}

// unguarded returns the flags of c.Guard that are not as they must be.
func unguarded(c MetaChange, now wave.Meta) []wave.Moved {
	var lost []wave.Moved
	for key, on := range c.Guard {
		if to := now.State(key); (to == wave.On) != on {
			lost = append(lost, wave.Moved{Key: key, From: c.Seen[key], To: to})
		}
	}
	return lost
}

// UndoMeta takes back a done meta change of the account. A flag that has another
// value than the change gave it stays and is in Left; when there is something
// besides to take back, it stops with fault.Conflict and a *ConflictError until
// LeaveMoved says that this is known. A flag that the change was the first to set
// becomes off: the API cannot be told to forget one. It fails with a *GoneError as
// ChangeMeta does, with fault.NotFound when the account has no such change, and
// with fault.Invalid when it was not done. See Service for its other faults.
func (s *Service) UndoMeta(ctx context.Context, u Undo) (MetaResult, error) {
	if err := mayModify(u.Actor); err != nil {
		return MetaResult{}, err
	}
	c, err := s.ledger.Get(ctx, u.ChangeID)
	switch {
	case err != nil:
		return MetaResult{}, err
	case c.Account != u.UserID || c.Kind != change.Meta:
		return MetaResult{}, fault.New(fault.NotFound, fmt.Errorf("change %s is no meta change of %s", c.ID, u.UserID))
	case c.State != change.Done:
		return MetaResult{}, &fault.Error{Kind: fault.Invalid, Say: fault.Say("undo.not_done")}
	}
	moved := c.Moved()
	want := make(wave.Wanted, len(moved))
	for _, m := range moved {
		want[m.Key] = m.From == wave.On
	}
	row := change.Change{Kind: change.Meta, Account: u.UserID, Actor: u.Actor, Source: change.Page, Wanted: want, UndoOf: c.ID}
	return s.changeMeta(ctx, row, func(now wave.Reseller) (edit, error) {
		var left []wave.Key
		back := maps.Clone(want)
		since := s.changedSince(ctx, now, moved)
		for _, o := range since {
			left = append(left, o.Key)
			delete(back, o.Key)
		}
		e := edit{Merged: wave.Merge(nil, back, now.Meta), left: left}
		if len(left) > 0 && len(e.Apply) > 0 && !u.LeaveMoved {
			e.others = since
			return edit{}, asks(now, e, UndoMoved)
		}
		return e, nil
	})
}

// edit is what a meta change comes to once the account is locked and read.
type edit struct {
	wave.Merged
	others []Other
	left   []wave.Key
}

// changeMeta does c, whose edit is planned under the lock. A plan that fails
// closes the change: nothing was sent.
func (s *Service) changeMeta(ctx context.Context, c change.Change, plan func(now wave.Reseller) (edit, error)) (MetaResult, error) {
	result, err := s.tryMeta(ctx, c, plan)
	return result, s.orGone(ctx, c.Account, err)
}

func (s *Service) tryMeta(ctx context.Context, c change.Change, plan func(now wave.Reseller) (edit, error)) (MetaResult, error) {
	known, err := s.seen(ctx, c.Account)
	if err != nil {
		return MetaResult{}, err
	}
	c.Email, c.Company = known.Email, known.BillingGroup.CompanyID
	c, before, leave, err := s.hold(ctx, c)
	if err != nil {
		return MetaResult{}, err
	}
	defer leave()
	defer s.leave(ctx, &c)
	e, err := plan(before)
	if err != nil {
		state := change.Failed
		if fault.Is(err, fault.Conflict) {
			state = change.Conflict
		}
		return MetaResult{}, s.giveUp(ctx, c, state, err)
	}
	result := MetaResult{Account: before, Apply: e.Apply, Others: e.others, Left: e.left}
	if len(e.Apply) == 0 {
		c.State = change.NoChange
		result.Change, err = s.close(ctx, c)
		return result, err
	}
	c.Before, c.After = &before.Meta, &e.Meta
	if c, err = s.intend(ctx, c); err != nil {
		return MetaResult{}, err
	}

	// The intent is committed: from here on the outcome is always found out and
	// recorded, though a tab was closed.
	ctx = context.WithoutCancel(ctx)
	snap, err := s.deliver(ctx, c,
		func(ctx context.Context) error {
			defer leave() // the reading after it takes longer than the call
			return s.api.ReplaceMeta(ctx, c.Account, e.Meta)
		},
		func(snap *Snapshot) reading { return readMeta(c, snap) })
	if err != nil {
		_, err = s.unsettled(ctx, c, err)
		return MetaResult{}, err
	}
	c.Status = answered
	after := before
	after.Meta = e.Meta
	detail := ""
	switch account, ok := getIn(snap, c.Account); {
	case snap == nil:
		detail = notReadBack
		s.dir.Put(after)
	case !ok:
		detail = "answered with success; the account was gone when read back"
	case len(missing(c, account.Meta)) > 0:
		_, err := s.unsettled(ctx, c, fault.New(fault.Uncertain,
			fmt.Errorf("answered with success, but the list does not show %v", missing(c, account.Meta))))
		return MetaResult{}, err
	default:
		after = account
		if moved := wave.Diff(e.Meta, account.Meta); len(moved) > 0 {
			detail = fmt.Sprintf("others moved during the write: %v", moved)
		}
	}
	result.Account = after
	result.Change, err = s.done(ctx, c, detail)
	return result, err
}

func getIn(snap *Snapshot, id wave.UserID) (wave.Reseller, bool) {
	if snap == nil {
		return wave.Reseller{}, false
	}
	return snap.Get(id)
}

// missing returns the flags that c changed and that now does not show as sent.
func missing(c change.Change, now wave.Meta) []wave.Key {
	var keys []wave.Key
	for _, m := range c.Moved() {
		if now.State(m.Key) != m.To {
			keys = append(keys, m.Key)
		}
	}
	return keys
}

// readMeta tells whether a list shows what c sent. Only an account that is just
// as it was before may be sent to again.
func readMeta(c change.Change, snap *Snapshot) reading {
	account, ok := snap.Get(c.Account)
	switch {
	case !ok:
		return unclear
	case len(missing(c, account.Meta)) == 0:
		return there
	case len(wave.Diff(*c.Before, account.Meta)) == 0:
		return notThere
	}
	return unclear
}

// traces returns the flags that c changed and that a list shows as sent.
func traces(c change.Change, snap *Snapshot) []wave.Key {
	account, ok := snap.Get(c.Account)
	if !ok {
		return nil
	}
	lost := missing(c, account.Meta)
	var keys []wave.Key
	for _, m := range c.Moved() {
		if !slices.Contains(lost, m.Key) {
			keys = append(keys, m.Key)
		}
	}
	return keys
}

// checkFlags refuses a flag that is neither in the catalogue nor in the account:
// a slip must not make a new one.
func checkFlags(want wave.Wanted, now wave.Meta) error {
	var unknown []string
	for key := range want {
		if _, known := wave.Lookup(key); !known && now.State(key) == wave.Unset {
			unknown = append(unknown, string(key))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return &fault.Error{
		Kind: fault.Invalid, Say: fault.Say("change.unknown_flag", "keys", strings.Join(unknown, ", ")),
		Err: errors.New("flags that the account does not have: " + strings.Join(unknown, ", ")),
	}
}
