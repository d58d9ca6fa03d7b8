package handlers

import (
	"context"
	"net/http"
	"time"

	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// bulkListed is how many plans and runs the list shows.
const bulkListed = 100

// List answers GET /bulk: the newest plans and runs, of everybody.
func (h *Bulk) List(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list, err := h.Plans.List(ctx, bulkListed)
	if err != nil {
		return err
	}
	var p views.BulkListProps
	for _, l := range list {
		row := views.BulkListRow{
			URL: views.BulkURL(l.ID), At: l.Created, Who: l.Author.Display(), Source: planWhat(ctx, l.Plan),
			Reason: l.Reason, Total: l.Counts.Total(), Done: l.Counts[change.Done], Bad: bad(l.Counts),
		}
		row.State, row.Label = listedState(l)
		row.Label = i18n.T(ctx, row.Label)
		if l.Run != nil {
			row.Who, row.Reason = l.Run.Actor.Display(), l.Run.Reason
			if l.Run.State == bulk.Scheduled || l.Run.State == bulk.Waiting {
				row.Begins = l.Run.ApplyAt
			}
		}
		p.Rows = append(p.Rows, row)
	}
	return views.Render(w, r, http.StatusOK, views.BulkListPage(p))
}

// planWhat is what a plan is about, in words: where its flags come from, or what else
// it does.
func planWhat(ctx context.Context, p bulk.Plan) string {
	if p.Kind != bulk.Flags {
		return views.BulkKind(p.Kind).Title(ctx)
	}
	return planSource(ctx, p.Source)
}

// bad is how many accounts a person should look at.
func bad(c bulk.Counts) int { return c[change.Failed] + c[change.Conflict] + c[change.InDoubt] }

// listedState names where a plan stands, and the key of its words.
func listedState(l bulk.Listed) (name, label string) {
	switch {
	case l.Run != nil:
		return runState(*l.Run, l.Counts)
	case l.Expired(time.Now()):
		return "expired", "bulk.state_expired"
	}
	return "preview", "bulk.state_preview"
}

// runState names where a run stands, and the key of its words.
func runState(r bulk.Run, c bulk.Counts) (name, label string) {
	good := c[change.Done] + c[change.NoChange]
	switch {
	case r.State == bulk.Waiting:
		return "waiting", "bulk.state_waiting"
	case r.State == bulk.Scheduled:
		return "scheduled", "bulk.state_scheduled"
	case r.State == bulk.Running:
		return "running", "bulk.state_running"
	case r.State == bulk.Paused:
		return "paused", "bulk.state_paused"
	case r.State == bulk.Cancelled:
		return "cancelled", "bulk.state_cancelled"
	case bad(c) == 0:
		return "done", "bulk.state_done"
	case good > 0:
		return "partly_failed", "bulk.state_partly"
	}
	return "failed", "bulk.state_failed"
}
