package views

import (
	"context"
	"fmt"
	"slices"
	"time"

	"waveadmin/internal/i18n"
)

// BulkRunProps is a run: how far it is, and what became of each account.
type BulkRunProps struct {
	Query    BulkQuery
	Kind     BulkKind
	Who      string
	Source   string // in words
	OfURL    string // of the run that it takes back or tries again; empty for none
	Started  time.Time
	Finished time.Time
	Reason   string
	Waits    bool   // it has not begun; Started is when it was asked for
	Approved string // who approved it and when, in words; empty for nobody

	State string // running, paused, cancelled, done, partly_failed or failed
	Label string // the same in words
	Why   string // it is paused or cancelled, in words; empty when it is not
	Over  bool
	Total int // accounts
	Ended int // of them, those that came to an end by themselves
	Bad   int // of these, those that a person should look at
	Rate  float64
	Left  time.Duration // together with Rate zero while that cannot be told

	CanPause, CanResume, CanCancel, CanRetry, CanRevert bool

	Shows    []BulkShow
	Rows     []BulkRunRow
	Selected int // accounts that the filter selects
	Pages    int
	Announce bool // to who listens, how far it is
	Notice   *NoticeProps
}

// BulkRunRow is one account of a run.
type BulkRunRow struct {
	BulkRow
	State     string
	Say       string // why it ended so; empty when that needs no words
	ChangeURL string // empty while nothing is recorded
}

// quarter is how many quarters of the run are over.
func (p BulkRunProps) quarter() int {
	if p.Total == 0 {
		return 4
	}
	return p.Ended * 4 / p.Total
}

// assets are what its page needs: a run that is over tells nothing any more.
func (p BulkRunProps) assets() []string {
	if p.Over {
		return bulkAssets
	}
	return append(slices.Clone(bulkAssets), "js/bulkrun.js", "vendor/htmx-ext-sse-2.2.4.min.js")
}

func (p BulkRunProps) percent() int {
	if p.Total == 0 {
		return 100
	}
	return p.Ended * 100 / p.Total
}

// how is the progress in words, or how much there is to do while that has not begun.
func (p BulkRunProps) how(ctx context.Context) string {
	if p.Waits {
		return t(ctx, "bulk.target_count", "count", p.Total)
	}
	return t(ctx, "bulk.progress", "ended", i18n.Number(p.Ended), "total", i18n.Number(p.Total), "percent", p.percent())
}

// paceText is the pace of the run and the time left, or nothing.
func (p BulkRunProps) paceText(ctx context.Context) string {
	switch {
	case p.Rate == 0:
		return ""
	case p.Left < time.Minute:
		return t(ctx, "bulk.pace_seconds", "rate", fmt.Sprintf("%.1f", p.Rate), "count", max(1, int(p.Left.Seconds())))
	}
	return t(ctx, "bulk.pace_minutes", "rate", fmt.Sprintf("%.1f", p.Rate), "count", int((p.Left+time.Minute-1)/time.Minute))
}

// outcome is how the run ended, in words.
func (p BulkRunProps) outcome(ctx context.Context) string {
	switch p.State {
	case "done":
		return t(ctx, p.Kind.words().ended, "count", p.Total)
	case "cancelled":
		if p.Bad == 0 {
			return t(ctx, "bulk.ended_cancelled")
		}
	}
	return t(ctx, "bulk.ended_badly", "count", p.Bad)
}

// tellsOutcome reports whether how the run ended is said beside its state. Of one that
// was cancelled Why says it already, but for accounts that need a look.
func (p BulkRunProps) tellsOutcome() bool {
	return p.Over && (p.State != "cancelled" || p.Why == "" || p.Bad > 0 && !p.Waits)
}

// cancelLabel is the label of the button that ends the run before its time.
func (p BulkRunProps) cancelLabel(ctx context.Context) string {
	if p.Waits {
		return t(ctx, "bulk.cancel_whole")
	}
	return t(ctx, "bulk.cancel")
}

// said is what is announced.
func (p BulkRunProps) said(ctx context.Context) string {
	if !p.Announce || p.Over && p.Bad > 0 { // that is an alert
		return ""
	}
	if p.Over {
		return p.outcome(ctx)
	}
	if p.Why != "" { // it does not go on
		return p.Why
	}
	return p.how(ctx)
}
