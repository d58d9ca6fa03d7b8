package views

import (
	"context"
	"strconv"
	"strings"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// BulkPageSize is how many accounts stand on a page of a bulk change.
const BulkPageSize = 100

// BulkPreviewProps is a plan before it runs.
type BulkPreviewProps struct {
	Query   BulkQuery
	Kind    BulkKind
	Author  string
	Source  string // in words
	Created time.Time
	Expires time.Time
	AsOf    time.Time
	Expired bool
	Sum     BulkSumProps
	Shows   []BulkShow
	Rows    []BulkRow
	Pages   int
	Total   int // accounts that the filter selects

	Reason     string
	NeedReason bool
	MayRun     bool
	Typed      string // the number of accounts, as the person typed it
	At         string // when to begin, likewise; empty for at once
	// NeedsApproval is whether it would wait for another editor, and Asked says that it
	// does; nil when it does not.
	NeedsApproval bool
	Asked         *BulkAsked
	Errors        map[string]string
	Failure       *FailureProps
	Notice        *NoticeProps
}

// BulkAsked is a plan that waits for another editor to approve it.
type BulkAsked struct {
	Who     string
	At      time.Time
	Reason  string
	ApplyAt time.Time // zero for at once
	Own     bool      // who looks has asked for it

	MayApprove, MayCancel bool
}

// BulkSumProps is a plan in numbers.
type BulkSumProps struct {
	Kind     BulkKind
	Mark     string // which accounts are left out; see bulk.Plan.Mark
	Accounts int
	Flags    int // that change somewhere
	Changes  int
	PerFlag  []BulkFlagSum
	Warnings []BulkWarning
	MustType bool // the number of accounts, to start the run
}

// BulkFlagSum is one flag of a plan in numbers of accounts.
type BulkFlagSum struct {
	Label                    string
	TurnOn, TurnOff, Already int
}

// BulkWarning is a sentence with, if it is about some, a list.
type BulkWarning struct {
	Sentence string
	Items    []string
	Open     bool   // the list
	URL      string // of a file with all of what the list is about; empty for none
}

// BulkShow is a filter of the accounts with how many it selects.
type BulkShow struct {
	Name, Label string
	Count       int
}

// BulkRow is one account of a plan.
type BulkRow struct {
	Place    int
	Account  wave.UserID
	Email    string // empty when there is no such account
	Group    string
	Lines    []string // what changes, in words
	Rest     string   // how many flags are as wanted; empty for none
	Tags     []string // warnings in a word or two
	LeftOut  bool
	MayLeave bool // there is something to leave out
}

// sentence is "42 accounts, 3 functions, 87 changes".
func (s BulkSumProps) sentence(ctx context.Context) string {
	if s.Changes == 0 {
		return t(ctx, "bulk.sum_none")
	}
	if s.Kind != "flags" {
		return t(ctx, s.Kind.words().sum, "count", s.Accounts)
	}
	return t(ctx, "bulk.sum", "accounts", i18n.Number(s.Accounts), "flags", i18n.Number(s.Flags), "changes", i18n.Number(s.Changes))
}

// places are the numbers of the shown rows that can be left out, for the form.
func places(rows []BulkRow) string {
	var out []string
	for _, r := range rows {
		if r.MayLeave {
			out = append(out, strconv.Itoa(r.Place))
		}
	}
	return strings.Join(out, ",")
}

// rangeOf says which rows of how many are on a page of a bulk change.
func rangeOf(ctx context.Context, page, shown, total int) string {
	if total == 0 {
		return t(ctx, "list.none")
	}
	from := (page-1)*BulkPageSize + 1
	return t(ctx, "list.range", "from", i18n.Number(from), "to", i18n.Number(from+shown-1), "total", i18n.Number(total))
}

// count is n, or a dash for none: a table of numbers is read by its few.
func count(n int) string {
	if n == 0 {
		return "–"
	}
	return i18n.Number(n)
}

// title marks a refused form, for who has many windows.
func (p BulkPreviewProps) title(ctx context.Context) string {
	if len(p.Errors) > 0 || p.Failure != nil {
		return t(ctx, "form.error_title", "title", t(ctx, p.Kind.words().preview))
	}
	return t(ctx, p.Kind.words().preview)
}

// mayLeave reports whether accounts can still be left out.
func (p BulkPreviewProps) mayLeave(ctx context.Context) bool {
	return mayModify(ctx) && !p.Expired && p.Asked == nil
}

// zoneName is the short name of the zone of the pages, such as JST.
func zoneName(ctx context.Context) string { return time.Now().In(i18n.Zone(ctx)).Format("MST") }

// runLabel is the label of the button that runs the plan.
func (p BulkPreviewProps) runLabel(ctx context.Context) string {
	if p.NeedsApproval {
		return t(ctx, "bulk.do_request")
	}
	return t(ctx, p.Kind.words().do)
}
