package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

const (
	deniedMost = 3 // refusals by Wave in a row that pause a run

	// While Wave is away the run rests, each time twice as long, and pauses in the end.
	restFirst    = 2 * time.Second
	restLongest  = 30 * time.Second
	troublesMost = 20
)

// A result is what became of an account.
type result struct {
	item  Item
	err   error
	state change.State // when there is no error
	// The work was ended before anything was sent.
	stopped bool
}

// do does to one account what the plan says, as a click does.
func (s *slice) do(ctx context.Context, i Item) *result {
	state, err := s.act(ctx, i)
	_, doubt := errors.AsType[*reseller.DoubtError](err)
	return &result{item: i, err: err, state: state, stopped: err != nil && ctx.Err() != nil && !doubt}
}

func (s *slice) act(ctx context.Context, i Item) (change.State, error) {
	actor := s.run.Actor
	actor.Role = auth.Editor // when the run began; see roleLost
	ctx = reseller.Patiently(auth.WithActor(ctx, actor))
	switch i.Kind {
	case Creations:
		return s.create(ctx, actor, i)
	case Passwords:
		c, err := s.o.Service.ReplacePassword(ctx, reseller.PasswordChange{
			Actor: actor, UserID: i.Account, RunID: s.run.PlanID, Reason: s.run.Reason,
			NewPassword: wave.NewPassword{Input: wave.Auto, Notify: true}, // it is told to nobody else
		})
		return c.State, err
	case Deletions:
		c, err := s.o.Service.Delete(ctx, reseller.Deletion{
			Actor: actor, UserID: i.Account, Confirm: i.Email, RunID: s.run.PlanID, Reason: s.run.Reason,
		})
		return c.State, err
	}
	moves, stay := i.Split()
	if len(moves) == 0 {
		return s.look(ctx, i, stay)
	}
	done, err := s.o.Service.ChangeMeta(ctx, reseller.MetaChange{
		Actor: actor, UserID: i.Account, Seen: wave.SeenIn(*i.Before), Want: moves, Guard: stay,
		Reason: s.run.Reason, UndoOf: i.UndoOf, RunID: s.run.PlanID,
	})
	return done.Change.State, err
}

// create issues an account. Its submission has the name of its row, so that it is
// issued once.
func (s *slice) create(ctx context.Context, actor auth.Actor, i Item) (change.State, error) {
	submitID := fmt.Sprintf("run-%s-%d", s.run.PlanID, i.Place)
	if i.New.Preset != "" && s.o.Presets != nil {
		if err := s.o.Presets.Promise(ctx, actor, submitID, i.New.Preset); err != nil && !fault.Is(err, fault.NotFound) {
			return "", err
		}
	}
	c, _, err := s.o.Service.Create(ctx, reseller.Creation{
		Actor: actor, SubmitID: submitID, RunID: s.run.PlanID, Reason: s.run.Reason,
		NewReseller: wave.NewReseller{
			Email: i.New.Email, CompanyID: i.New.CompanyID, Notify: i.New.Notify, Input: wave.Auto, Meta: i.New.Meta,
		},
	})
	return c.State, err
}

// look sees whether an account that was as wanted still is. No call changes it.
func (s *slice) look(ctx context.Context, i Item, stay wave.Wanted) (change.State, error) {
	snap, err := s.o.Lists.NotBefore(ctx, s.run.Started)
	if err != nil {
		return "", err
	}
	account, ok := snap.Get(i.Account)
	if !ok {
		return "", &fault.Error{Kind: fault.Conflict, Say: fault.Say("conflict.gone"), Err: &reseller.GoneError{}}
	}
	for key, on := range stay {
		if account.Meta.On(key) != on {
			return "", &fault.Error{Kind: fault.Conflict, Say: fault.Say("conflict.plan")}
		}
	}
	return change.NoChange, nil
}

// keep records a result, unless the account was taken over meanwhile: then others say
// what became of it.
func (s *slice) keep(ctx context.Context, tx *sql.Tx, res result) error {
	var mine int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM bulk_items WHERE plan_id = $1 AND place = $2 AND state = 'running' AND claimed_by = $3",
		s.run.PlanID, res.item.Place, s.id).Scan(&mine)
	if err != nil || mine == 0 {
		return err
	}
	made, err := newestChange(ctx, tx, s.run.PlanID, res.item)
	if err != nil {
		return err
	}
	id, sent := res.item.ChangeID, false
	if made != nil {
		id, sent = made.id, made.sent
	}
	kind := fault.KindOf(res.err)
	_, doubt := errors.AsType[*reseller.DoubtError](res.err)
	_, gone := errors.AsType[*reseller.GoneError](res.err)
	switch {
	case res.err == nil:
		if err := s.counters(ctx, tx, "denied = 0, troubles = 0"); err != nil {
			return err
		}
		return s.endItem(ctx, tx, s.run.PlanID, res.item.Place, res.state, id, fault.Text{})
	case doubt:
		return s.endItem(ctx, tx, s.run.PlanID, res.item.Place, change.InDoubt, id, fault.Text{})
	case kind == fault.Unavailable || kind == fault.Busy || res.stopped,
		kind == fault.Internal && !sent: // as of a database that was away for a moment
		if err := s.requeue(ctx, tx, s.run.PlanID, res.item.Place, id); err != nil || res.stopped {
			return err
		}
		return s.trouble(ctx, tx, res.err)
	case kind == fault.Conflict && !gone:
		return s.endItem(ctx, tx, s.run.PlanID, res.item.Place, change.Conflict, id, sentenceOf(res.err))
	case kind == fault.Denied && !sent: // the list or a token: it says nothing of this account
		if err := s.requeue(ctx, tx, s.run.PlanID, res.item.Place, id); err != nil {
			return err
		}
		return s.denied(ctx, tx)
	case kind == fault.Denied:
		if err := s.denied(ctx, tx); err != nil {
			return err
		}
	}
	return s.endItem(ctx, tx, s.run.PlanID, res.item.Place, change.Failed, id, sentenceOf(res.err))
}

// sentenceOf is what may be said about err; of one about a field, what is said of that.
func sentenceOf(err error) fault.Text {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Say.Key == "" && len(f.Fields) == 1 {
		for _, say := range f.Fields {
			return say
		}
	}
	return fault.SentenceOf(err)
}

// counters sets what is counted of a run.
func (s *slice) counters(ctx context.Context, tx *sql.Tx, set string, args ...any) error {
	_, err := tx.ExecContext(ctx, "UPDATE bulk_runs SET "+set+" WHERE plan_id = $1", append([]any{s.run.PlanID}, args...)...)
	return err
}

// denied counts refusals in a row, and pauses the run after some.
func (s *slice) denied(ctx context.Context, tx *sql.Tx) error {
	if err := s.counters(ctx, tx, "denied = denied + 1"); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT denied FROM bulk_runs WHERE plan_id = $1", s.run.PlanID).Scan(&n); err != nil || n < deniedMost {
		return err
	}
	return s.pause(ctx, tx, Denied)
}

// trouble lets the run rest while Wave is away, and pauses it after long. The accounts
// that fail together count once.
func (s *slice) trouble(ctx context.Context, tx *sql.Tx, cause error) error {
	now := s.now()
	var n int
	var until int64
	err := tx.QueryRowContext(ctx, "SELECT troubles, not_before FROM bulk_runs WHERE plan_id = $1", s.run.PlanID).Scan(&n, &until)
	if err != nil || until > db.Micros(now) {
		return err
	}
	if n++; n >= troublesMost {
		return s.pause(ctx, tx, WaveAway)
	}
	rest := min(restFirst<<min(n-1, 5), restLongest)
	if f, ok := errors.AsType[*fault.Error](cause); ok {
		rest = max(rest, min(f.RetryAfter, time.Minute))
	}
	return s.counters(ctx, tx, "troubles = $2, not_before = $3", n, db.Micros(now.Add(rest)))
}
