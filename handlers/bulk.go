package handlers

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/presence"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Editors is the part of presence.Store that the preview of a plan needs.
type Editors interface {
	Everyone(ctx context.Context, who auth.Actor) (map[wave.UserID][]presence.Editor, error)
}

// Show answers GET /bulk/{planID}: the preview of the plan, or its run.
func (h *Bulk) Show(w http.ResponseWriter, r *http.Request) error {
	run, _, err := h.Plans.Run(r.Context(), r.PathValue("planID"))
	if err != nil {
		return err
	}
	if run != nil && run.State != bulk.Waiting {
		return h.showRun(w, r)
	}
	p, err := h.preview(r, r.PathValue("planID"), r.URL.Query().Get("show"), r.URL.Query().Get("page"))
	if err != nil {
		return err
	}
	if run != nil {
		h.awaiting(r.Context(), *run, &p)
	}
	if kept := h.Kept.TakeForm(w, r); kept != nil {
		p.Notice = provedNotice(r)
		if kept.Has("reason") { // not of an approval
			p.Reason, p.Typed, p.At = kept.Get("reason"), kept.Get("count"), kept.Get("at")
		}
	}
	return views.Render(w, r, http.StatusOK, views.BulkPreviewPage(p))
}

// awaiting makes p the preview of a run that waits for another editor.
func (h *Bulk) awaiting(ctx context.Context, run bulk.Run, p *views.BulkPreviewProps) {
	who := auth.ActorFrom(ctx)
	own := who.Issuer == run.Actor.Issuer && who.Subject == run.Actor.Subject
	p.MayRun, p.Expired = false, false
	p.Asked = &views.BulkAsked{
		Who: run.Actor.Display(), At: run.Asked, Reason: run.Reason, ApplyAt: run.ApplyAt,
		Own: own, MayApprove: !own && who.MayModify(), MayCancel: who.MayModify(),
	}
}

// Leave answers POST /bulk/{planID}/leave: which of the shown accounts are left out.
// Under htmx it answers with the plan in its new numbers.
func (h *Bulk) Leave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := r.PathValue("planID")
	if err := h.leaveOut(r, id); err != nil {
		return err
	}
	q := views.BulkQuery{PlanID: id, Show: r.PostFormValue("show"), Page: max(1, number(r.PostFormValue("page")))}
	reason, typed, at := trimmed(r, "reason"), trimmed(r, "count"), cut(trimmed(r, "at"), maxText)
	if !hx.WantsFragment(r) && reason+typed+at == "" {
		hx.Redirect(w, r, q.URL())
		return nil
	}
	p, err := h.preview(r, id, q.Show, strconv.Itoa(q.Page))
	if err != nil {
		return err
	}
	p.Reason, p.Typed, p.At = reason, typed, at
	if !hx.WantsFragment(r) { // a way over another address would lose it
		return views.Render(w, r, http.StatusOK, views.BulkPreviewPage(p))
	}
	return views.Render(w, r, http.StatusOK, views.BulkLeft(p))
}

// leaveOut stores what the boxes of the form say.
func (h *Bulk) leaveOut(r *http.Request, id string) error {
	shown, err := placesIn(strings.Split(r.PostFormValue("shown"), ","))
	if err != nil {
		return fault.New(fault.Invalid, err)
	}
	out, err := placesIn(r.PostForm["out"])
	if err != nil {
		return fault.New(fault.Invalid, err)
	}
	return h.Plans.LeaveOut(r.Context(), id, shown, out)
}

// placesIn reads the numbers of accounts in a plan.
func placesIn(list []string) ([]int, error) {
	var out []int
	for _, text := range list {
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > bulk.MaxAccounts {
			return nil, errors.New("the place of an account is no number")
		}
		out = append(out, n)
	}
	return out, nil
}

// Again answers POST /bulk/{planID}/again: the same plan from a list of now.
func (h *Bulk) Again(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := r.PathValue("planID")
	plan, err := h.Plans.Again(r.Context(), auth.ActorFrom(r.Context()), id)
	if err != nil {
		p, unread := h.preview(r, id, "", "")
		if unread != nil {
			return err
		}
		return &FormError{Err: err, Form: func(f *views.FailureProps) templ.Component {
			p.Failure = f
			return views.BulkPreviewPage(p)
		}}
	}
	hx.Redirect(w, r, views.BulkURL(plan.ID))
	return nil
}

// preview is the page of a plan that has not run.
func (h *Bulk) preview(r *http.Request, id, show, page string) (views.BulkPreviewProps, error) {
	ctx := r.Context()
	plan, err := h.Plans.Preview(ctx, id)
	if err != nil {
		return views.BulkPreviewProps{}, err
	}
	p := views.BulkPreviewProps{
		Query:  views.BulkQuery{PlanID: id, Show: show, Page: max(1, number(page))},
		Kind:   views.BulkKind(plan.Plan.Kind),
		Author: plan.Plan.Author.Display(), Source: planSource(ctx, plan.Plan.Source),
		Created: plan.Plan.Created, Expires: plan.Plan.Expires, AsOf: plan.Plan.AsOf, Expired: plan.Plan.Expired(time.Now()),
		Reason: plan.Plan.Reason, NeedReason: h.ReasonRequired, NeedsApproval: h.Plans.NeedsApproval(plan),
	}
	editors, err := h.Editors.Everyone(ctx, auth.ActorFrom(ctx))
	if err != nil { // a courtesy; the plan counts without it
		editors = nil
	}
	if p.Sum, err = h.planSum(ctx, plan, editors); err != nil {
		return views.BulkPreviewProps{}, err
	}
	p.MayRun = !p.Expired && p.Sum.Changes > 0 && auth.ActorFrom(ctx).MayModify()
	if p.Shows = planShows(ctx, plan); !slices.ContainsFunc(p.Shows, func(s views.BulkShow) bool { return s.Name == show }) {
		p.Query.Show = ""
	}
	p.Total = plan.Selects(bulk.Show(p.Query.Show))
	p.Pages = max(1, (p.Total+views.BulkPageSize-1)/views.BulkPageSize)
	p.Query.Page = min(p.Query.Page, p.Pages)
	items, err := h.Plans.PreviewItems(ctx, id, bulk.Show(p.Query.Show), views.BulkPageSize, (p.Query.Page-1)*views.BulkPageSize)
	if err != nil {
		return views.BulkPreviewProps{}, err
	}
	for _, i := range items {
		p.Rows = append(p.Rows, h.planRow(ctx, i, len(editors[i.Account]) > 0))
	}
	return p, nil
}

// planSource is where a plan comes from, in words.
func planSource(ctx context.Context, source string) string {
	key := map[string]string{
		"matrix": "bulk.source_matrix", "flag": "bulk.source_flag", "preset": "bulk.source_preset",
		"compare": "bulk.source_compare", "file": "bulk.source_file", "revert": "bulk.source_revert", "retry": "bulk.source_retry",
	}[source]
	if key == "" {
		key = "bulk.source_table"
	}
	return i18n.T(ctx, key)
}

func planShows(ctx context.Context, plan *bulk.Preview) []views.BulkShow {
	all := []views.BulkShow{
		{Name: string(bulk.ShowAll), Label: i18n.T(ctx, "bulk.show_all")},
		{Name: string(bulk.ShowChanges), Label: i18n.T(ctx, "bulk.show_changes")},
		{Name: string(bulk.ShowSame), Label: i18n.T(ctx, "bulk.show_same")},
		{Name: string(bulk.ShowOut), Label: i18n.T(ctx, "bulk.show_out")},
	}
	for n := range all {
		all[n].Count = plan.Selects(bulk.Show(all[n].Name))
	}
	return all
}

// shownCells is how many flags of an account the preview names.
const shownCells = 40

func (h *Bulk) planRow(ctx context.Context, i bulk.Item, edited bool) views.BulkRow {
	row := views.BulkRow{Place: i.Place, Account: i.Account, Email: i.Email, Group: i.Group, LeftOut: i.LeftOut}
	already, moved, missing := 0, 0, 0
	for _, c := range i.Cells() {
		switch c.Outcome {
		case bulk.Moves:
			if row.MayLeave = true; len(row.Lines) < shownCells {
				row.Lines = append(row.Lines, movedLine(ctx, wave.Moved{Key: c.Key, From: c.From, To: wave.StateOf(c.On)}))
			}
		case bulk.Already:
			already++
		case bulk.Moved:
			moved++
		case bulk.Missing:
			missing++
		}
	}
	if i.Kind != bulk.Flags && i.Acts() {
		row.MayLeave, row.Lines = true, h.kindLines(ctx, i)
	}
	tag := func(is bool, key string, args ...any) {
		if is {
			row.Tags = append(row.Tags, i18n.T(ctx, key, args...))
		}
	}
	if already > 0 {
		row.Rest = i18n.T(ctx, "bulk.rest", "count", already)
	}
	tag(i.Before == nil && i.New == nil, "bulk.gone")
	tag(i.Flawed, "bulk.flawed")
	tag(moved > 0, "bulk.moved", "count", moved)
	tag(missing > 0, "bulk.missing", "count", missing)
	tag(row.MayLeave && i.Before != nil && i.Before.HasOdd(), "flaw.odd")
	tag(row.MayLeave && edited, "bulk.being_edited")
	return row
}

// kindLines says what a plan that changes no flags does to an account.
func (h *Bulk) kindLines(ctx context.Context, i bulk.Item) []string {
	switch i.Kind {
	case bulk.Creations:
		return issueLines(ctx, *i.New, h.Presets.Book())
	case bulk.Passwords:
		return []string{i18n.T(ctx, "bulk.row_password")}
	case bulk.Deletions:
		return []string{i18n.T(ctx, "bulk.row_delete", "count", i.Before.CountOn())}
	}
	return nil
}

// shownItems is how many names a warning lists.
const shownItems = 100

func (h *Bulk) planSum(ctx context.Context, v *bulk.Preview, editors map[wave.UserID][]presence.Editor) (views.BulkSumProps, error) {
	s, plan := v.Sum, v.Plan
	p := views.BulkSumProps{
		Kind: views.BulkKind(plan.Kind), Mark: v.Mark, Accounts: s.Accounts, Flags: s.FlagsMoved(), Changes: s.Changes, MustType: plan.MustType(s),
	}
	for _, f := range s.Flags {
		p.PerFlag = append(p.PerFlag, views.BulkFlagSum{
			Label: views.FlagLabel(ctx, f.Key), TurnOn: f.TurnOn, TurnOff: f.TurnOff, Already: f.Already,
		})
	}
	warn := func(n int, key string, items ...string) {
		if n > 0 {
			items = items[:min(len(items), shownItems)]
			p.Warnings = append(p.Warnings, views.BulkWarning{Sentence: i18n.T(ctx, key, "count", n), Items: items})
		}
	}
	gone, err := h.goneOf(ctx, v)
	if err != nil {
		return p, err
	}
	edited, err := h.editedOf(ctx, v, editors)
	if err != nil {
		return p, err
	}
	if len(plan.Problems) > 0 {
		p.Warnings = append(p.Warnings, notTaken(ctx, plan))
	}
	warn(len(plan.Unknown), "bulk.unmatched", plan.Unknown...)
	warn(s.Gone, "bulk.warn_gone", gone...)
	warn(s.Flawed, "bulk.warn_flawed")
	warn(s.Moved, "bulk.warn_moved")
	warn(s.Missing, "bulk.warn_missing")
	warn(s.Odd, "bulk.warn_odd")
	warn(len(edited), "bulk.warn_edited", edited...)
	return p, nil
}

// goneOf names the first accounts of a plan that are not there.
func (h *Bulk) goneOf(ctx context.Context, v *bulk.Preview) (names []string, err error) {
	if v.Sum.Gone == 0 {
		return nil, nil
	}
	items, err := h.Plans.PreviewItems(ctx, v.Plan.ID, bulk.ShowGone, shownItems, 0)
	for _, i := range items {
		names = append(names, string(i.Account))
	}
	return names, err
}

// editedOf names the accounts of a plan that others are editing, and who does.
func (h *Bulk) editedOf(ctx context.Context, v *bulk.Preview, editors map[wave.UserID][]presence.Editor) (names []string, err error) {
	items, err := h.Plans.ItemsOf(ctx, v.Plan.ID, slices.Sorted(maps.Keys(editors)), bulk.MaxAccounts)
	for _, i := range items {
		if others := editors[i.Account]; len(others) > 0 && i.Changes() > 0 {
			names = append(names, i18n.T(ctx, "bulk.edited_by", "account", i.Email, "name", others[0].Name))
		}
	}
	return names, err
}
