package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// Run answers POST /bulk/{planID}/run: it starts the plan as the form shows it. When a
// box says otherwise than what was shown, the box counts and the preview is shown
// again.
func (h *Bulk) Run(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("planID")
	err := h.leaveOut(r, id)
	at, unclear := timeIn(ctx, trimmed(r, "at"))
	if err == nil {
		err = unclear
	}
	if err == nil {
		err = h.Plans.Start(ctx, bulk.Start{
			Actor: auth.ActorFrom(ctx), PlanID: id, Mark: r.PostFormValue("mark"),
			Reason: trimmed(r, "reason"), Count: trimmed(r, "count"), At: at,
		})
	}
	if err == nil {
		hx.Redirect(w, r, views.BulkURL(id))
		return nil
	}
	if errors.Is(err, auth.ErrProofNeeded) {
		return proveFirst(r, id, err, "reason", "count", "at")
	}
	if run, _, unread := h.Plans.Run(ctx, id); unread == nil && run != nil { // pressed twice
		hx.Redirect(w, r, views.BulkURL(id))
		return nil
	}
	p, unread := h.preview(r, id, r.PostFormValue("show"), r.PostFormValue("page"))
	if unread != nil {
		return err
	}
	p.Reason, p.Typed, p.At = trimmed(r, "reason"), trimmed(r, "count"), cut(trimmed(r, "at"), maxText)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Invalid {
		p.Errors = fieldErrors(ctx, f)
	}
	if errors.Is(err, bulk.ErrOther) {
		p.Typed = "" // the number is another one
	}
	return &FormError{Err: err, Form: func(f *views.FailureProps) templ.Component {
		if len(p.Errors) == 0 {
			p.Failure = f
		}
		return views.BulkPreviewPage(p)
	}}
}

// timeIn reads what a field for a date and time holds, in the zone of the pages; the
// zero Time is an empty one. It fails with fault.Invalid about the field at.
func timeIn(ctx context.Context, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006/01/02 15:04"} {
		if at, err := time.ParseInLocation(form, text, i18n.Zone(ctx)); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fault.Field("at", "bulk.at_malformed")
}

// Approve answers POST /bulk/{planID}/approve: it lets a run begin that waits for
// another editor. One that is void by now, or not as it was shown, leads to its page,
// which says so.
func (h *Bulk) Approve(w http.ResponseWriter, r *http.Request) error {
	return h.steer(w, r, func(ctx context.Context, by auth.Actor, id string) error {
		return h.Plans.Approve(ctx, by, id, r.PostFormValue("mark"))
	})
}

// Pause answers POST /bulk/{planID}/pause, Resume /resume, and Cancel /cancel: each
// leads to the run. One that was too late does too: the page says where it stands.
func (h *Bulk) Pause(w http.ResponseWriter, r *http.Request) error {
	return h.steer(w, r, h.Plans.Pause)
}

// Resume answers POST /bulk/{planID}/resume; see Pause.
func (h *Bulk) Resume(w http.ResponseWriter, r *http.Request) error {
	return h.steer(w, r, h.Plans.Resume)
}

// Cancel answers POST /bulk/{planID}/cancel; see Pause.
func (h *Bulk) Cancel(w http.ResponseWriter, r *http.Request) error {
	return h.steer(w, r, h.Plans.Cancel)
}

func (h *Bulk) steer(w http.ResponseWriter, r *http.Request, do func(context.Context, auth.Actor, string) error) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := r.PathValue("planID")
	err := do(r.Context(), auth.ActorFrom(r.Context()), id)
	switch {
	case errors.Is(err, auth.ErrProofNeeded):
		return proveFirst(r, id, err)
	case err != nil && !fault.Is(err, fault.Conflict):
		return err
	}
	hx.Redirect(w, r, views.BulkSteeredURL(id))
	return nil
}

// Retry answers POST /bulk/{planID}/retry: the preview of what was not brought about.
func (h *Bulk) Retry(w http.ResponseWriter, r *http.Request) error {
	return h.next(w, r, h.Plans.Retry)
}

// Revert answers POST /bulk/{planID}/revert: the preview of what takes the run back.
func (h *Bulk) Revert(w http.ResponseWriter, r *http.Request) error {
	return h.next(w, r, h.Plans.Revert)
}

func (h *Bulk) next(w http.ResponseWriter, r *http.Request, make func(context.Context, auth.Actor, string) (*bulk.Plan, error)) error {
	if err := parseForm(r); err != nil {
		return err
	}
	plan, err := make(r.Context(), auth.ActorFrom(r.Context()), r.PathValue("planID"))
	if err != nil {
		return err
	}
	hx.Redirect(w, r, views.BulkURL(plan.ID))
	return nil
}

// Progress answers GET /bulk/{planID}/progress, which the page of a run asks by itself
// while it hears nothing of Events: where the run stands, and the shown accounts.
func (h *Bulk) Progress(w http.ResponseWriter, r *http.Request) error {
	if !hx.WantsFragment(r) {
		hx.Redirect(w, r, views.BulkURL(r.PathValue("planID")))
		return nil
	}
	p, err := h.runProps(r.Context(), runQuery(r), sameLook)
	if err != nil {
		return err
	}
	p.Announce = p.Over
	return views.Render(w, r, http.StatusOK, views.BulkProgress(p))
}

func (h *Bulk) showRun(w http.ResponseWriter, r *http.Request) error {
	p, err := h.runProps(r.Context(), runQuery(r), 0)
	if err != nil {
		return err
	}
	p.Announce = !p.Over
	if h.Kept.TakeForm(w, r) != nil && p.CanResume {
		p.Notice = provedNotice(r)
	}
	return views.Render(w, r, http.StatusOK, views.BulkRunPage(p))
}

// runQuery is what a page of a run shows of its accounts.
func runQuery(r *http.Request) views.BulkQuery {
	query := r.URL.Query()
	return views.BulkQuery{PlanID: r.PathValue("planID"), Show: query.Get("show"), Page: max(1, number(query.Get("page")))}
}

// runProps is a run as it stood at most maxAge ago.
func (h *Bulk) runProps(ctx context.Context, q views.BulkQuery, maxAge time.Duration) (views.BulkRunProps, error) {
	at, err := h.Looks.Look(ctx, q.PlanID, maxAge)
	if err != nil {
		return views.BulkRunProps{}, err
	}
	plan, run, counts := at.Plan, at.Run, at.Counts
	p := views.BulkRunProps{
		Query: q, Kind: views.BulkKind(plan.Kind),
		Who: run.Actor.Display(), Source: planSource(ctx, plan.Source), Started: cmp.Or(run.Started, run.Asked), Waits: run.Started.IsZero(), Finished: run.Finished, Reason: run.Reason,
		Total: counts.Total(), Ended: counts.Total() - counts.Left() - counts[change.Cancelled], Over: !run.Finished.IsZero(),
		Bad: bad(counts), Rate: at.Pace, Left: at.Left(),
	}
	p.State, p.Label = runState(*run, counts)
	p.Label = i18n.T(ctx, p.Label)
	if p.State == "cancelled" && !p.Over {
		p.Label = i18n.T(ctx, "bulk.state_cancelling")
	}
	p.Why = pauseText(ctx, *run)
	if !run.Approved.IsZero() {
		p.Approved = i18n.T(ctx, "bulk.approved_by", "name", run.Approver.Display(), "time", i18n.DateTime(ctx, run.Approved))
	}
	p.CanPause, p.CanResume, p.CanCancel = run.State == bulk.Running, run.State == bulk.Paused, run.Finished.IsZero() && run.State != bulk.Cancelled
	p.CanRetry = p.Over && counts[change.Failed]+counts[change.Conflict]+counts[change.Cancelled] > 0
	p.CanRevert = p.Over && plan.Kind == bulk.Flags && counts[change.Done] > 0
	if plan.OfRun != "" {
		p.OfURL = views.BulkURL(plan.OfRun)
	}
	runShows(ctx, counts, &p)
	items, err := at.Items(ctx, change.State(p.Query.Show), views.BulkPageSize, (p.Query.Page-1)*views.BulkPageSize)
	if err != nil {
		return views.BulkRunProps{}, err
	}
	p.Rows = h.runRows(ctx, items)
	return p, nil
}

// pauseText says why a run waits, or nothing.
func pauseText(ctx context.Context, run bulk.Run) string {
	switch {
	case run.State == bulk.Cancelled && run.Why == bulk.TargetsMoved:
		return i18n.T(ctx, "bulk.why_void", "count", run.Moved)
	case run.State == bulk.Scheduled:
		return i18n.T(ctx, "bulk.why_scheduled", "time", i18n.DateTime(ctx, run.ApplyAt))
	case run.State == bulk.Cancelled && run.Started.IsZero():
		return i18n.T(ctx, "bulk.cancelled_before", "name", run.By)
	case run.State == bulk.Cancelled:
		return i18n.T(ctx, "bulk.cancelled_by", "name", run.By)
	case run.State != bulk.Paused:
		return ""
	}
	switch run.Why {
	case bulk.Denied:
		return i18n.T(ctx, "bulk.why_denied")
	case bulk.RoleLost:
		return i18n.T(ctx, "bulk.why_role", "name", run.Actor.Display())
	case bulk.TargetsMoved:
		return i18n.T(ctx, "bulk.why_moved", "count", run.Moved)
	case bulk.WaveAway:
		return i18n.T(ctx, "bulk.why_away")
	}
	return i18n.T(ctx, "bulk.why_person", "name", run.By)
}

// runStates are the states of accounts in the order in which a run shows them.
var runStates = []change.State{
	change.Failed, change.Conflict, change.InDoubt, change.Running, change.Queued, change.Done, change.NoChange, change.Cancelled,
}

// runShows puts the filters of the accounts into p, and which of them and which page
// counts.
func runShows(ctx context.Context, counts bulk.Counts, p *views.BulkRunProps) {
	p.Shows = []views.BulkShow{{Label: i18n.T(ctx, "bulk.show_all"), Count: counts.Total()}}
	if !slices.Contains(runStates, change.State(p.Query.Show)) {
		p.Query.Show = ""
	}
	p.Selected = counts.Total()
	for _, state := range runStates {
		chosen := p.Query.Show == string(state)
		if chosen {
			p.Selected = counts[state]
		}
		if counts[state] > 0 || chosen {
			p.Shows = append(p.Shows, views.BulkShow{Name: string(state), Label: views.OutcomeLabel(ctx, string(state), false), Count: counts[state]})
		}
	}
	p.Pages = max(1, (p.Selected+views.BulkPageSize-1)/views.BulkPageSize)
	p.Query.Page = min(p.Query.Page, p.Pages)
}

func (h *Bulk) runRows(ctx context.Context, items []bulk.Item) []views.BulkRunRow {
	rows := make([]views.BulkRunRow, len(items))
	for n, i := range items {
		rows[n] = views.BulkRunRow{BulkRow: h.planRow(ctx, i, false), State: string(i.State)}
		if i.Say.Key != "" {
			rows[n].Say = sentence(ctx, i.Say)
		}
		if i.ChangeID != "" {
			rows[n].ChangeURL = views.ChangeURL(i.ChangeID, "")
		}
	}
	return rows
}
