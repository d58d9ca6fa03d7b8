package reseller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

const (
	submitPatience = 15 * time.Second // for the first of two equal submissions
	submitPause    = 100 * time.Millisecond
)

// Create issues an account and returns it as the list shows it. The same SubmitID
// again returns what became of the first one, unless that surely did nothing. It
// fails with fault.Invalid on the field email when there is such an account, or
// when it is being created. The call is never repeated. See Service for its other
// faults.
func (s *Service) Create(ctx context.Context, c Creation) (change.Change, wave.Reseller, error) {
	if err := mayModify(c.Actor); err != nil {
		return change.Change{}, wave.Reseller{}, err
	}
	p := problems{}
	p.checkEmail(c.Email)
	p.checkCompanyID(c.CompanyID)
	p.checkSubmitID(c.SubmitID)
	c.Password = s.password(p, c.Input, c.Password)
	c.Reason = p.reason(c.Reason, s.rules.ReasonRequired && c.RunID == "")
	if err := p.err(); err != nil {
		return change.Change{}, wave.Reseller{}, err
	}

	row, err := s.begin(ctx, change.Change{
		Kind: change.Create, Email: c.Email, Company: c.CompanyID, Actor: c.Actor, Reason: c.Reason,
		Source: sourceOf(c.RunID), RunID: c.RunID, SubmitID: c.SubmitID, Input: c.Input, Notify: c.Notify,
	})
	if submitted, ok := errors.AsType[*change.SubmittedError](err); ok {
		return s.createdBefore(ctx, c, submitted.Earlier)
	}
	if _, ok := errors.AsType[*change.LockedError](err); ok {
		return change.Change{}, wave.Reseller{}, fault.Field("email", "create.being_created")
	}
	if err != nil {
		return change.Change{}, wave.Reseller{}, err
	}
	defer s.leave(ctx, &row)
	var snap *Snapshot
	var leave func()
	for snap == nil { // it keeps nobody from anything but the same email, so it waits under the lock
		if snap, leave, err = s.listAndTurn(ctx, row.ID); err != nil {
			return change.Change{}, wave.Reseller{}, s.giveUp(ctx, row, change.Failed, err)
		}
	}
	defer leave()
	if _, exists := snap.findCreated(c.Email, ""); exists {
		return change.Change{}, wave.Reseller{}, s.giveUp(ctx, row, change.Failed, fault.Field("email", "create.email_used"))
	}
	row.After, row.Listed = &c.Meta, snap.asOf
	if row, err = s.intend(ctx, row); err != nil {
		return change.Change{}, wave.Reseller{}, err
	}
	return s.create(context.WithoutCancel(ctx), row, c.NewReseller, leave)
}

// create sends the intended creation c once, and finds the account in the list:
// the API's answer does not name it. Sent is called once the call is over.
func (s *Service) create(ctx context.Context, c change.Change, n wave.NewReseller, sent func()) (change.Change, wave.Reseller, error) {
	lost := within(ctx, func(ctx context.Context) error {
		defer sent()
		return s.api.Create(ctx, n)
	})
	if lost != nil && !uncertain(lost) {
		c, err := s.unsettled(ctx, c, lost)
		return c, wave.Reseller{}, err
	}
	if lost == nil {
		c.Status = answered
	}
	snap, err := s.readBack(ctx, c.ID)
	if err == nil {
		if account, ok := snap.findCreated(n.Email, n.CompanyID); ok {
			c.Account = account.UserID
			c, err := s.done(ctx, c, "")
			return c, account, err
		}
		err = errors.New("the list does not show the account")
	}
	c, err = s.unsettled(ctx, c, fault.New(fault.Uncertain, errors.Join(lost, err)))
	return c, wave.Reseller{}, err
}

// createdBefore returns what became of the first submission with the id of c.
func (s *Service) createdBefore(ctx context.Context, c Creation, earlier change.Change) (change.Change, wave.Reseller, error) {
	if earlier.Kind != change.Create || earlier.Email != c.Email || earlier.Actor.Issuer != c.Actor.Issuer || earlier.Actor.Subject != c.Actor.Subject {
		return change.Change{}, wave.Reseller{}, fault.Field("submit_id", "invalid.submit_id_used")
	}
	earlier, err := s.outcome(ctx, earlier)
	if err != nil {
		return earlier, wave.Reseller{}, err
	}
	account, err := s.Get(ctx, earlier.Account)
	if fault.Is(err, fault.NotFound) { // deleted since: it was created all the same
		return earlier, wave.Reseller{UserID: earlier.Account, Email: earlier.Email}, nil
	}
	return earlier, account, err
}

// outcome waits until c is no longer open, and returns it as its submission did.
func (s *Service) outcome(ctx context.Context, c change.Change) (change.Change, error) {
	for end := s.now().Add(submitPatience); c.State.Open() && s.now().Before(end); {
		select {
		case <-ctx.Done():
			return c, inDoubt(c, ctx.Err())
		case <-time.After(submitPause):
		}
		var err error
		if c, err = s.ledger.Get(ctx, c.ID); err != nil {
			return c, err
		}
	}
	switch c.State {
	case change.Done:
		return c, nil
	case change.Failed, change.Cancelled:
		return c, &fault.Error{Kind: fault.Unavailable, Say: fault.Say("change.first_failed"), Err: fmt.Errorf("the first submission: %s", c.Detail)}
	}
	return c, inDoubt(c, errors.New("submitted again while the first is not settled"))
}
