package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Flags serves the page of one flag with all accounts.
type Flags struct {
	Directory Directory
	Ledger    Ledger
	Account   *Account // saves one account, as from its own page
	Plans     Plans    // previews more
}

const (
	topGroups = 8   // billing groups on the page
	maxGroups = 500 // when all are asked for
)

// Show answers GET /flags/{key}: the page, or under htmx the part that a search
// replaces. It fails with fault.NotFound for a flag that the catalogue lacks and no
// account has.
func (h *Flags) Show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	snapshot, err := h.Directory.Current(ctx)
	if err != nil {
		return err
	}
	p, err := h.props(ctx, snapshot, flagQuery(r), !hx.WantsFragment(r))
	if err != nil {
		return err
	}
	here, _ := url.Parse(p.Query.URL())
	p.Fresh = fresh(h.Directory, snapshot, here)
	if hx.WantsFragment(r) {
		hx.PushURL(w, p.Query.URL())
		return views.Render(w, r, http.StatusOK, views.FlagFragment(p))
	}
	if f, c, ok := takeFlash(w, r, h.Account.Service); ok {
		h.say(ctx, &p, snapshot, f, c)
	}
	return views.Render(w, r, http.StatusOK, views.FlagPage(p))
}

// say tells what the save did that led here.
func (h *Flags) say(ctx context.Context, p *views.FlagPageProps, s *reseller.Snapshot, f flash, c change.Change) {
	if f.say != "" {
		p.Message = i18n.T(ctx, f.say)
		return
	}
	if account, ok := s.Get(c.Account); ok {
		p.Saved, p.SavedEmail = h.Account.savedEarlier(ctx, account, f, c), account.Email
	}
}

var errNoFlag = errors.New("no account has such a flag")

// props is the page of a query. Whole says whether what stands above the list is
// wanted too.
func (h *Flags) props(ctx context.Context, s *reseller.Snapshot, q views.FlagQuery, whole bool) (views.FlagPageProps, error) {
	p := views.FlagPageProps{Query: q, Flag: flagFacts(ctx, q.Key), All: s.Len(), NeedReason: h.Account.ReasonRequired, Confirm: h.Account.Confirm}
	if whole || !p.Flag.Known {
		tally := s.TallyOf(q.Key)
		if !p.Flag.Known && !tally.Known() {
			return p, fault.New(fault.NotFound, errNoFlag)
		}
		p.Totals = flagTotals(ctx, tally, q)
		p.Groups = groupShares(tally.Groups, q)
		p.More = len(tally.Groups) - len(p.Groups)
	}
	found := s.Find(flagStoreQuery(q), h.Ledger.LastOf)
	p.Total, p.Pages, p.Query.Page = found.Total, found.Pages, found.Page
	p.Rows = make([]views.FlagRow, len(found.Rows))
	for i, a := range found.Rows {
		row := views.FlagRow{Account: a, State: a.Meta.State(q.Key), On: a.Meta.On(q.Key)}
		if last, ok := h.Ledger.LastOf(a.UserID); ok {
			row.LastAt, row.LastBy = last.At, last.By
		}
		p.Rows[i] = row
	}
	if p.Flag.Known {
		p.BulkURL = q.BulkURL()
	}
	return p, nil
}

// flagQuery reads address and parameters. What is no valid value counts as absent.
func flagQuery(r *http.Request) views.FlagQuery {
	v := r.URL.Query()
	q := views.FlagQuery{
		Key:  wave.Key(r.PathValue("key")),
		Text: cut(strings.TrimSpace(v.Get("q")), maxText),
		Page: max(1, number(v.Get("page"))), Size: views.DefaultSize,
		AllGroups: v.Get("groups") == "all",
	}
	if state := v.Get("state"); state == "on" || state == "off" {
		q.State = state
	}
	if size := number(v.Get("size")); slices.Contains(views.Sizes, size) {
		q.Size = size
	}
	if sort, desc := cutSort(v); slices.Contains(views.FlagSorts, string(sort)) {
		q.Sort, q.Desc = string(sort), desc
	}
	return q
}

// flagStoreQuery is q as the directory takes it.
func flagStoreQuery(q views.FlagQuery) reseller.Query {
	out := reseller.Query{Text: q.Text, Sort: reseller.SortKey(q.Sort), Desc: q.Desc, Page: q.Page, Size: q.Size}
	switch q.State {
	case "on":
		out.On = []wave.Key{q.Key}
	case "off":
		out.Off = []wave.Key{q.Key}
	}
	return out
}

func flagFacts(ctx context.Context, key wave.Key) views.FlagFacts {
	lang := i18n.Lang(ctx)
	f, ok := wave.Lookup(key)
	if !ok {
		return views.FlagFacts{Key: key, Label: string(key), Help: i18n.T(ctx, "grid.other_help"), Group: i18n.T(ctx, "grid.other")}
	}
	facts := views.FlagFacts{
		Key: key, Known: true, Label: f.Label.In(lang), Help: f.Help.In(lang),
		Default: wave.StateOf(f.Default), Parent: f.Parent, Children: wave.Children(key),
	}
	for _, g := range wave.Groups {
		if g.ID == f.Group {
			facts.Group = g.Label.In(lang)
		}
	}
	return facts
}

// flagTotals are the accounts by what they say of the flag. What is not set or odd
// counts as off.
func flagTotals(ctx context.Context, t reseller.FlagTally, q views.FlagQuery) []views.Share {
	off := t.Off + t.Unset + t.Odd
	all := t.On + off
	out := []views.Share{
		{Label: i18n.T(ctx, "flag.on"), Count: t.On, Of: all, URL: q.WithState("on").URL()},
		{Label: i18n.T(ctx, "flag.off"), Count: off, Of: all, URL: q.WithState("off").URL()},
	}
	if t.Unset > 0 {
		out = append(out, views.Share{Label: i18n.T(ctx, "flag.of_these_unset"), Count: t.Unset, Of: all})
	}
	if t.Odd > 0 {
		out = append(out, views.Share{Label: i18n.T(ctx, "flag.of_these_odd"), Count: t.Odd, Of: all})
	}
	return out
}

func groupShares(groups []reseller.GroupTally, q views.FlagQuery) []views.GroupShare {
	limit := topGroups
	if q.AllGroups {
		limit = maxGroups
	}
	out := make([]views.GroupShare, 0, min(limit, len(groups)))
	for _, g := range groups[:min(limit, len(groups))] {
		share := views.GroupShare{BillingGroup: g.BillingGroup, On: g.On, Accounts: g.Accounts}
		for _, word := range []string{g.ID, g.CompanyID, g.Name} {
			if word != "" {
				share.URL = q.WithState("").Search(word).URL()
				break
			}
		}
		out = append(out, share)
	}
	return out
}
