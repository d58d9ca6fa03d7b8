package handlers

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Overview serves the page on which everyone lands.
type Overview struct {
	Directory Directory
	Ledger    Ledger
	History   History
	Presets   Book
	Runs      UnfinishedRuns

	last atomic.Pointer[counted]
}

// UnfinishedRuns is the part of bulk.Plans that the overview needs.
type UnfinishedRuns interface {
	Unfinished(ctx context.Context) (map[bulk.RunState]int, error)
}

const (
	recentChanges = 8  // on the page
	recentLines   = 2  // of each
	changedDays   = 7  // for the accounts that were changed lately
	failedHours   = 24 // for the changes that came to nothing
)

// Show answers GET /. Without any data of Wave it says why, with status 503, and
// shows what is on record here.
func (h *Overview) Show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	snapshot, err := h.Directory.Current(ctx)
	p := views.OverviewProps{Fresh: fresh(h.Directory, snapshot, r.URL), Status: h.status(ctx, snapshot)}
	status := http.StatusOK
	if err != nil {
		p.Failed = sentence(ctx, fault.SentenceOf(err))
		status = http.StatusServiceUnavailable
	} else {
		now := time.Now()
		c := h.count(snapshot, h.Presets.Book(), now, i18n.Zone(ctx))
		p.Accounts, p.Never, p.Unusual, p.ChangedDays, p.Changed = c.Accounts, c.Never, c.Unusual, changedDays, c.changed
		p.Growth = growth(c.Tally, now.In(i18n.Zone(ctx)))
		p.Ages = ages(ctx, c.Tally)
		p.Adoption = adoption(ctx, snapshot, c.Tally)
		p.Presets, p.Drifting = c.presets, c.drifting
		p.Attention = dataAttention(ctx, c.Tally)
	}
	if err := h.recent(ctx, &p); err != nil {
		return err
	}
	return views.Render(w, r, status, views.OverviewPage(p))
}

// counted is what a snapshot and a book come to; it is made once for both.
type counted struct {
	reseller.Tally
	changed  int // accounts that were changed here lately
	drifting int // accounts that differ from their preset
	presets  []views.PresetShare

	snapshot *reseller.Snapshot
	book     *preset.Book
	at       time.Time
}

// countAgain is how long figures that depend on the time of day may stand.
const countAgain = time.Minute

func (h *Overview) count(s *reseller.Snapshot, book *preset.Book, now time.Time, zone *time.Location) *counted {
	if c := h.last.Load(); c != nil && c.snapshot == s && c.book == book && now.Sub(c.at) < countAgain {
		return c
	}
	c := &counted{Tally: s.Tally(now, zone), snapshot: s, book: book, at: now}
	since := now.AddDate(0, 0, -changedDays)
	shares := make(map[string]*views.PresetShare)
	for id, meta := range s.Metas() {
		if last, ok := h.Ledger.LastOf(id); ok && !last.At.Before(since) {
			c.changed++
		}
		p := book.PresetOf(id)
		if p == nil {
			continue
		}
		share := shares[p.ID]
		if share == nil {
			share = &views.PresetShare{ID: p.ID, Name: p.Name}
			shares[p.ID] = share
		}
		share.Accounts++
		if p.DriftCount(meta) > 0 {
			share.Drifting++
			c.drifting++
		}
	}
	for _, p := range book.All() {
		if share := shares[p.ID]; share != nil {
			c.presets = append(c.presets, *share)
		}
	}
	h.last.Store(c)
	return c
}

var awaySentences = map[fault.Kind]string{
	fault.Unavailable: "overview.wave_unavailable",
	fault.Busy:        "overview.wave_busy",
	fault.Denied:      "overview.wave_denied",
}

// status says how things stand with Wave.
func (h *Overview) status(ctx context.Context, s *reseller.Snapshot) views.WaveStatus {
	status := h.Directory.Status()
	p := views.WaveStatus{Away: status.Failed, Refreshing: status.Refreshing}
	if status.Failed {
		key, ok := awaySentences[status.LastError]
		if !ok {
			key = "overview.wave_unreadable"
		}
		p.Sentence = i18n.T(ctx, key)
		if s != nil {
			p.More = i18n.T(ctx, "overview.wave_shown", "time", i18n.Moment(ctx, s.AsOf(), time.Now()))
		}
		return p
	}
	if s != nil {
		p.Sentence = i18n.T(ctx, "overview.wave_well")
		if time.Since(s.AsOf()) > oldAfter {
			p.Old, p.Sentence = true, i18n.T(ctx, "overview.wave_old", "time", i18n.Moment(ctx, s.AsOf(), time.Now()))
		}
	}
	return p
}

// recent adds the last changes, and what the ledger says needs someone to look.
func (h *Overview) recent(ctx context.Context, p *views.OverviewProps) error {
	list, _, err := h.History.List(ctx, change.Filter{}, recentChanges)
	if err != nil {
		return err
	}
	origins, err := originsOf(ctx, h.History, list)
	if err != nil {
		return err
	}
	nobody := func(wave.UserID) bool { return false } // nothing is taken back from here
	p.Recent = changeRows(ctx, list, origins, nobody)
	for i := range p.Recent {
		row := &p.Recent[i]
		if all := len(row.Lines) + max(0, row.More); all > recentLines {
			row.Lines, row.More = row.Lines[:recentLines], all-recentLines
		}
	}
	since := time.Now().Add(-failedHours * time.Hour)
	for _, look := range []struct {
		key string
		f   change.Filter
		q   views.ChangesQuery
	}{
		{"overview.in_doubt", change.Filter{States: []change.State{change.InDoubt}}, views.ChangesQuery{Outcome: string(change.InDoubt)}},
		{
			"overview.failed",
			change.Filter{States: []change.State{change.Failed}, From: since},
			views.ChangesQuery{Outcome: string(change.Failed), From: since.In(i18n.Zone(ctx)).Format(time.DateOnly)},
		},
	} {
		n, err := h.History.Count(ctx, look.f)
		if err != nil {
			return err
		}
		if n > 0 {
			p.Attention = append(p.Attention, views.Attention{Sentence: i18n.T(ctx, look.key, "count", n), URL: look.q.URL(), Bad: true})
		}
	}
	runs, err := h.Runs.Unfinished(ctx)
	if err != nil {
		return err
	}
	for _, look := range []struct {
		state bulk.RunState
		key   string
	}{{bulk.Waiting, "overview.runs_waiting"}, {bulk.Paused, "overview.runs_paused"}} {
		if n := runs[look.state]; n > 0 {
			p.Attention = append(p.Attention, views.Attention{Sentence: i18n.T(ctx, look.key, "count", n), URL: views.BulkListURL, Bad: true})
		}
	}
	return nil
}
