package reseller

import (
	"context"
	"fmt"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// A TakeBack is what would undo a change, or bring its account back to the outcome
// of one. Nothing is sent: a person stages it, looks, and saves it as a MetaChange.
type TakeBack struct {
	Of      change.Change
	Account wave.Reseller // as it is now
	Stage   wave.Wanted
	Flags   []BackFlag // those of Stage and those that stay, in the order of the catalogue
}

// BackFlag is one flag of a TakeBack.
type BackFlag struct {
	Key       wave.Key
	Then, Now wave.State
	Stays     StayReason // why it is not staged; empty when it is
	By        string     // who moved it since; empty when nobody is known to have
	At        time.Time  // when; zero when that is not known
	Outside   bool       // it was moved since, and not through this program
}

// StayReason says why a flag of a TakeBack is left as it is.
type StayReason string

const (
	StaysMoved   StayReason = "moved"   // changed since
	StaysMissing StayReason = "missing" // neither the catalogue nor the account has it
	StaysUnsaid  StayReason = "unsaid"  // the change did not say what it was
)

// PlanUndo returns what takes a done meta change back: each flag that still has the
// value which the change gave. One that was not set before, or had an unusual
// value, becomes off, which it counted as. It fails with fault.NotFound when the
// account has no such change or is gone, with fault.Invalid when the change set no
// flags, and with fault.Forbidden.
func (s *Service) PlanUndo(ctx context.Context, actor auth.Actor, id wave.UserID, changeID string) (TakeBack, error) {
	p, err := s.takeBack(ctx, actor, id, changeID)
	if err != nil {
		return p, err
	}
	if err := mayUndo(p.Of); err != nil {
		return p, err
	}
	now := p.Account.Meta
	moved := make(map[wave.Key]bool)
	for _, m := range wave.Diff(*p.Of.After, now) {
		moved[m.Key] = m.From+m.To != wave.Unset+wave.Off // which are the same to a customer
	}
	for _, m := range p.Of.Moved() {
		f := BackFlag{Key: m.Key, Then: m.From, Now: now.State(m.Key)}
		switch {
		case moved[m.Key]:
			f.Stays = StaysMoved
		case (m.From == wave.On) == now.On(m.Key):
			continue // nothing that a customer sees
		}
		p.add(f)
	}
	return s.named(ctx, p), nil
}

// PlanRestore returns what brings the account back to what a done change left: each
// flag that differs from it. A flag that it did not have then becomes off. It fails
// as PlanUndo does.
func (s *Service) PlanRestore(ctx context.Context, actor auth.Actor, id wave.UserID, changeID string) (TakeBack, error) {
	p, err := s.takeBack(ctx, actor, id, changeID)
	if err != nil {
		return p, err
	}
	if err := mayRestore(p.Of); err != nil {
		return p, err
	}
	then, now := *p.Of.After, p.Account.Meta
	for _, m := range wave.Diff(then, now) {
		if (m.From == wave.On) == (m.To == wave.On) {
			continue
		}
		f := BackFlag{Key: m.Key, Then: m.From, Now: m.To}
		if m.From == wave.Unset && p.Of.Kind == change.Create && p.Of.Source != change.Outside {
			f.Stays = StaysUnsaid // what we did not send is what Wave gives every new account
		}
		p.add(f)
	}
	return s.named(ctx, p), nil
}

// add takes f as staged, unless it stays or no save could set it.
func (p *TakeBack) add(f BackFlag) {
	if _, known := wave.Lookup(f.Key); f.Stays == "" && !known && (f.Now == wave.Unset || f.Key == "") {
		f.Stays = StaysMissing
	}
	if f.Stays == "" {
		p.Stage[f.Key] = f.Then == wave.On
	}
	p.Flags = append(p.Flags, f)
}

// takeBack returns the change with the account, and nothing staged.
func (s *Service) takeBack(ctx context.Context, actor auth.Actor, id wave.UserID, changeID string) (TakeBack, error) {
	if err := mayModify(actor); err != nil {
		return TakeBack{}, err
	}
	c, err := s.changeOf(ctx, id, changeID)
	if err != nil {
		return TakeBack{}, err
	}
	account, err := s.Get(ctx, id)
	if err == nil && account.Flaw != wave.NoFlaw {
		err = flawed()
	}
	return TakeBack{Of: c, Account: account, Stage: wave.Wanted{}}, err
}

// changeOf returns a change of the account, or fails with fault.NotFound.
func (s *Service) changeOf(ctx context.Context, id wave.UserID, changeID string) (change.Change, error) {
	c, err := s.ledger.Get(ctx, changeID)
	if err == nil && c.Account != id {
		err = fault.New(fault.NotFound, fmt.Errorf("change %s is none of %s", c.ID, id))
	}
	return c, err
}

// mayUndo refuses a change that set no flags.
func mayUndo(c change.Change) error {
	if c.Kind == change.Meta && c.State == change.Done && c.Before != nil && c.After != nil {
		return nil
	}
	return &fault.Error{Kind: fault.Invalid, Say: fault.Say("undo.not_done")}
}

// mayRestore refuses a change that left no flags.
func mayRestore(c change.Change) error {
	if (c.Kind == change.Meta || c.Kind == change.Create) && c.State == change.Done && c.After != nil {
		return nil
	}
	return &fault.Error{Kind: fault.Invalid, Say: fault.Say("restore.no_flags")}
}

// named fills in who moved the flags of p since its change.
func (s *Service) named(ctx context.Context, p TakeBack) TakeBack {
	history, err := s.ledger.ListByAccount(ctx, p.Of.Account, historyRead)
	if err != nil { // names are a courtesy; the flags count without them
		s.log.Warn("the history of an account could not be read", "account", p.Of.Account, "err", err)
	}
	for i := range p.Flags {
		f := &p.Flags[i]
		author, ok := authorOf(wave.Moved{Key: f.Key, To: f.Now}, history)
		switch {
		case !ok:
			f.Outside = err == nil && len(history) < historyRead
		case author.ID != p.Of.ID:
			f.By, f.At, f.Outside = author.Actor.Display(), author.Finished, author.Source == change.Outside
		}
	}
	return p
}

// checkOrigin refuses a change that says of itself to take back or restore what it
// cannot.
func (s *Service) checkOrigin(ctx context.Context, c MetaChange) error {
	check := func(changeID string, may func(change.Change) error) error {
		if changeID == "" {
			return nil
		}
		of, err := s.changeOf(ctx, c.UserID, changeID)
		if fault.Is(err, fault.NotFound) {
			return &fault.Error{Kind: fault.Invalid, Say: fault.Say("restore.no_change"), Err: err}
		}
		if err != nil {
			return err
		}
		return may(of)
	}
	if err := check(c.UndoOf, mayUndo); err != nil {
		return err
	}
	return check(c.RestoreOf, mayRestore)
}
