package reseller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
)

const (
	lockPatience = 3 * time.Second // of a change while another has the account; more when lists take long
	readPatience = 2 * time.Second // of a change that was sent, for the list; more when lists take long
	readLongest  = 8 * time.Second // however long they take
	repeats      = 2               // of a call whose answer was lost and which did nothing
	repeatWithin = 8 * time.Second // since it was first sent: a person waits for it
	repeatPause  = 200 * time.Millisecond

	// sendWithin bounds a call with the pauses that the API asks for: a person
	// waits for it, and pages give up after 20 seconds.
	sendWithin = 18 * time.Second

	// tick makes a list of the same moment count as older: clocks are coarse.
	tick = time.Microsecond
)

// giveUp closes a change of which nothing was sent, and returns cause.
func (s *Service) giveUp(ctx context.Context, c change.Change, state change.State, cause error) error {
	if ctx.Err() != nil {
		state = change.Cancelled // the person left before anything was sent
	}
	c.State = state
	c.Status, c.Fault, c.Detail = statusOf(cause), fault.KindOf(cause).String(), cause.Error()
	_, _ = s.close(ctx, c)
	return cause
}

// intend commits what is about to be sent. When it fails nothing may be sent, and
// the change is closed.
func (s *Service) intend(ctx context.Context, c change.Change) (change.Change, error) {
	sent, err := s.ledger.Intend(change.Ahead(ctx), c)
	if err != nil {
		return c, s.giveUp(ctx, c, change.Failed, fmt.Errorf("nothing was sent: %w", err))
	}
	return sent, nil
}

// reading is what a list says about a change that was sent.
type reading int

const (
	notThere reading = iota // everything is as it was before
	there                   // what was wanted is there
	unclear                 // neither
)

// deliver sends c, which may be sent twice: an answer that was lost is
// looked for in the list, and only what did nothing is sent again. It returns the
// list that was read after it, nil when there is none, or the fault of the call:
// Uncertain when it may have been done.
func (s *Service) deliver(ctx context.Context, c change.Change, send func(context.Context) error, read func(*Snapshot) reading) (*Snapshot, error) {
	var lost error
	start := s.now()
	for attempt := 0; ; attempt++ {
		err := within(ctx, send)
		if err != nil && !uncertain(err) && lost == nil {
			return nil, err
		}
		snap, unreadable := s.readBack(ctx, c.ID)
		if err == nil {
			return snap, nil
		}
		lost = errors.Join(lost, err)
		if unreadable != nil {
			return nil, fault.New(fault.Uncertain, errors.Join(lost, unreadable))
		}
		found := read(snap)
		if found == there {
			return snap, nil
		}
		if found == unclear || attempt == repeats || !uncertain(err) || s.now().Sub(start) > repeatWithin {
			return nil, fault.New(fault.Uncertain, lost)
		}
		time.Sleep(repeatPause << attempt)
	}
}

// within sends, and ends what takes too long for a person.
func within(ctx context.Context, send func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	return send(ctx)
}

// readBack returns a list that was asked for after now. Holder is the change that has
// its account meanwhile, empty for none.
func (s *Service) readBack(ctx context.Context, holder string) (*Snapshot, error) {
	patience := min(max(2*s.dir.tookLast(), readPatience), readLongest)
	if IsPatient(ctx) {
		patience += patientGap
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.await(ctx, holder, s.now().Add(tick))
}

// uncertain reports whether the call that failed with err may have been done. An
// error that is no fault says nothing, so it may.
func uncertain(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return !ok || f.Kind == fault.Uncertain
}

// unsettled closes a change whose call failed with err: failed when it surely did
// nothing, else in doubt.
func (s *Service) unsettled(ctx context.Context, c change.Change, err error) (change.Change, error) {
	c.State = change.Failed
	if uncertain(err) {
		c.State = change.InDoubt
	}
	if status := statusOf(err); c.Status == 0 && status != answered { // that is kept for what the API called a success
		c.Status = status
	}
	c.Fault, c.Detail = fault.KindOf(err).String(), err.Error()
	doubt := c.State == change.InDoubt
	closed, lost := s.close(ctx, c)
	if lost != nil {
		c.State = change.InDoubt // as long as it is not recorded
		return c, inDoubt(c, errors.Join(err, lost))
	}
	if !doubt {
		return closed, err
	}
	return closed, inDoubt(closed, err)
}

// done closes a change that the API or the list confirmed.
func (s *Service) done(ctx context.Context, c change.Change, detail string) (change.Change, error) {
	c.State, c.Fault, c.Detail = change.Done, "", detail
	closed, err := s.close(ctx, c)
	if err != nil {
		return c, inDoubt(c, err)
	}
	return closed, nil
}

func inDoubt(c change.Change, err error) error {
	return fault.New(fault.Uncertain, &DoubtError{Change: c, Err: err})
}

// statusOf returns the HTTP status of the API's answer that err is about, or 0.
func statusOf(err error) int {
	if e, ok := errors.AsType[interface {
		error
		HTTPStatus() int
	}](err); ok {
		return e.HTTPStatus()
	}
	return 0
}

const (
	answered    = http.StatusOK // the API's only answer of success
	notReadBack = "answered with success; the list could not be read to see it"
)
