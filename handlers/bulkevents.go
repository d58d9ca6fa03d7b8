package handlers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"waveadmin/internal/bulk"
	"waveadmin/views"
)

const (
	eventsEvery = time.Second
	beatEvery   = 15 * time.Second
	// sameLook is how old a look at a run may be that others have taken. It is shorter
	// than eventsEvery, or who is alone would see their own again.
	sameLook = 900 * time.Millisecond
)

// Looks is the part of bulk.Looks that the page of a run needs.
type Looks interface {
	Look(ctx context.Context, id string, maxAge time.Duration) (*bulk.Look, error)
}

// Events answers GET /bulk/{planID}/events, which the page of a run listens to: what
// Progress answers, at once and then whenever it is another one. When the run is over it
// says so and ends. It also ends with the context, and when the run cannot be read: the
// page asks Progress then, which tells why.
func (h *Bulk) Events(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), runQuery(r)
	p, err := h.runProps(ctx, q, 0) // not older than the page
	if err != nil {
		return err
	}
	told := toldRun{events: newEvents(w)}
	tick := time.NewTicker(eventsEvery)
	defer tick.Stop()
	for {
		p.Announce = p.Over
		if err := told.tell(ctx, p); err != nil || p.Over {
			return nil // they have left, or know it all
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if p, err = h.runProps(ctx, q, sameLook); err != nil {
			return nil
		}
	}
}

// toldRun is what a page knows of a run.
type toldRun struct {
	events
	head, rows string
	sent       time.Time
}

// tell sends what the page does not know yet. A table that stays as it is is not sent:
// someone may be in the midst of it.
func (t *toldRun) tell(ctx context.Context, p views.BulkRunProps) error {
	head, err := rendered(ctx, views.BulkProgressHead(p))
	if err != nil {
		return err
	}
	rows, err := rendered(ctx, views.BulkRunRows(p, true))
	if err != nil {
		return err
	}
	now := time.Now()
	switch {
	case rows != t.rows:
		err = t.send("progress", head+rows)
	case head != t.head:
		err = t.send("progress", head)
	case now.Sub(t.sent) >= beatEvery:
		err = t.beat()
	default:
		return nil
	}
	t.head, t.rows, t.sent = head, rows, now
	if err == nil && p.Over {
		err = t.send("end", p.State)
	}
	return err
}

func rendered(ctx context.Context, c templ.Component) (string, error) {
	var b strings.Builder
	err := c.Render(ctx, &b)
	return b.String(), err
}
