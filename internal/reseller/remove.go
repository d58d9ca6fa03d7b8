package reseller

import (
	"context"
	"errors"
	"strings"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// ReplacePassword sets a new password. The call is never repeated, and when its
// answer is lost the change stays in doubt until a list shows a later password
// time than the account had under the lock. The same SubmitID again, if there is one, returns what became of the
// first. See Service for its faults.
func (s *Service) ReplacePassword(ctx context.Context, p PasswordChange) (change.Change, error) {
	if err := mayModify(p.Actor); err != nil {
		return change.Change{}, err
	}
	wrong := problems{}
	p.Password = s.password(wrong, p.Input, p.Password)
	p.Reason = wrong.reason(p.Reason, false)
	if p.SubmitID != "" {
		wrong.checkSubmitID(p.SubmitID)
	}
	if err := wrong.err(); err != nil {
		return change.Change{}, err
	}
	known, err := s.seen(ctx, p.UserID)
	if err != nil {
		return change.Change{}, err
	}
	c, _, leave, err := s.hold(ctx, change.Change{
		Kind: change.Password, Account: p.UserID, Email: known.Email, Company: known.BillingGroup.CompanyID,
		Actor: p.Actor, Reason: p.Reason, Source: sourceOf(p.RunID), RunID: p.RunID, SubmitID: p.SubmitID, Input: p.Input, Notify: p.Notify,
	})
	if submitted, ok := errors.AsType[*change.SubmittedError](err); ok {
		if e := submitted.Earlier; e.Kind != change.Password || e.Account != p.UserID {
			return change.Change{}, fault.Field("submit_id", "invalid.submit_id_used")
		}
		return s.outcome(ctx, submitted.Earlier)
	}
	if err != nil {
		return change.Change{}, err
	}
	defer leave()
	defer s.leave(ctx, &c)
	if c, err = s.intend(ctx, c); err != nil {
		return change.Change{}, err
	}

	ctx = context.WithoutCancel(ctx)
	err = within(ctx, func(ctx context.Context) error {
		defer leave()
		return s.api.ReplacePassword(ctx, p.UserID, p.NewPassword)
	})
	if err != nil {
		return s.unsettled(ctx, c, err)
	}
	c.Status = answered
	detail := ""
	if _, err := s.readBack(ctx, c.ID); err != nil { // only for the time that pages show
		detail = notReadBack
	}
	return s.done(ctx, c, detail)
}

// Delete deletes an account. It fails with fault.Invalid on the field confirm
// when that is not the account's email. The record keeps the flags that the
// account had. See Service for its other faults.
func (s *Service) Delete(ctx context.Context, d Deletion) (change.Change, error) {
	if err := mayModify(d.Actor); err != nil {
		return change.Change{}, err
	}
	reason, err := CleanReason(d.Reason, false)
	if err != nil {
		return change.Change{}, err
	}
	known, err := s.seen(ctx, d.UserID)
	if err != nil {
		return change.Change{}, err
	}
	confirmed := func(account wave.Reseller) error {
		if strings.TrimSpace(d.Confirm) == account.Email {
			return nil
		}
		return fault.Field("confirm", "delete.not_the_email", "email", account.Email)
	}
	if err := confirmed(known); err != nil {
		return change.Change{}, err
	}
	c, before, leave, err := s.hold(ctx, change.Change{
		Kind: change.Delete, Account: d.UserID, Email: known.Email, Company: known.BillingGroup.CompanyID,
		Actor: d.Actor, Reason: reason, Source: sourceOf(d.RunID), RunID: d.RunID,
	})
	if err != nil {
		return change.Change{}, err
	}
	defer leave()
	defer s.leave(ctx, &c)
	if err := confirmed(before); err != nil {
		return change.Change{}, s.giveUp(ctx, c, change.Failed, err)
	}
	// After it no list would show that the account was created.
	if err := s.awaitCreation(ctx, before.Email); err != nil {
		return change.Change{}, s.giveUp(ctx, c, change.Conflict, s.notOpened(ctx, c, err))
	}
	s.settleCreations(ctx)
	c.Before = &before.Meta
	if c, err = s.intend(ctx, c); err != nil {
		return change.Change{}, err
	}

	ctx = context.WithoutCancel(ctx)
	tries := 0
	snap, err := s.deliver(ctx, c, func(ctx context.Context) error {
		defer leave()
		tries++
		err := s.api.Delete(ctx, d.UserID)
		if tries > 1 && fault.Is(err, fault.NotFound) {
			return nil // the first call did it
		}
		return err
	}, func(snap *Snapshot) reading { return readDelete(c, snap) })
	if err != nil {
		return s.unsettled(ctx, c, err)
	}
	c.Status = answered
	detail := ""
	switch {
	case snap == nil:
		detail = notReadBack
		s.dir.Remove(d.UserID)
	case readDelete(c, snap) != there:
		return s.unsettled(ctx, c, fault.New(fault.Uncertain, errors.New("answered with success, but the list still shows the account")))
	}
	return s.done(ctx, c, detail)
}

// awaitCreation waits for the outcome of a sent creation of that email, whose server
// may have died: it fails with a *change.LockedError when there is none in a moment.
func (s *Service) awaitCreation(ctx context.Context, email string) error {
	var hurry hurrying
	for end := s.now().Add(lockPatience); ; {
		c, err := s.ledger.Creating(ctx, email)
		if err != nil || c == nil || c.State != change.Sent {
			return err
		}
		if !s.now().Before(end) {
			return &change.LockedError{By: *c}
		}
		s.hurry(ctx, *c, &hurry)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(submitPause):
		}
	}
}

// readDelete tells whether a list shows that the account of c is gone.
func readDelete(c change.Change, snap *Snapshot) reading {
	if _, ok := snap.Get(c.Account); ok {
		return notThere
	}
	return there
}
