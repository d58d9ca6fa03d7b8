package handlers

import (
	"context"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// growthYears bounds the picture: what was registered earlier is in its first point.
const growthYears = 15

// growth is how many accounts were registered at the end of each month until now.
// An account that is registered later than now counts as one of this month.
func growth(t reseller.Tally, now time.Time) views.Growth {
	var g views.Growth
	if len(t.ByMonth) == 0 {
		return g
	}
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	first := t.ByMonth[0].Month
	if earliest := month.AddDate(-growthYears, 0, 0); first.Before(earliest) {
		first = earliest
	}
	if first.After(month) {
		first = month
	}
	total, next := 0, 0
	for m := first; !m.After(month); m = m.AddDate(0, 1, 0) {
		end := m.AddDate(0, 1, 0)
		for next < len(t.ByMonth) && (t.ByMonth[next].Month.Before(end) || m.Equal(month)) {
			total += t.ByMonth[next].Count
			next++
		}
		g.Months = append(g.Months, views.GrowthMonth{Month: m, Total: total})
	}
	return g
}

// ages are the accounts by how long ago Wave registered and updated them.
func ages(ctx context.Context, t reseller.Tally) []views.Share {
	share := func(key string, n int, q views.ListQuery) views.Share {
		return views.Share{Label: i18n.T(ctx, key), Count: n, Of: t.Accounts, URL: q.URL()}
	}
	oldest := views.ListQuery{Sort: string(reseller.ByRegistered)}
	newest := views.ListQuery{Sort: string(reseller.ByRegistered), Desc: true}
	return []views.Share{
		share("overview.never", t.Never, views.ListQuery{NeverRegistered: true}),
		share("overview.age_new", t.ByAge[0], newest),
		share("overview.age_middle", t.ByAge[1], newest),
		share("overview.age_old", t.ByAge[2], oldest),
		share("overview.stale", t.Stale, views.ListQuery{Sort: string(reseller.ByUpdated)}),
		share("overview.no_update", t.NoUpdate, views.ListQuery{Sort: string(reseller.ByUpdated)}),
	}
}

// adoption is how many accounts have each function on, under the headings of the
// catalogue.
func adoption(ctx context.Context, s *reseller.Snapshot, t reseller.Tally) []views.AdoptionGroup {
	row := func(key wave.Key, n int) views.Share {
		return views.Share{
			Key: key, Label: views.FlagLabel(ctx, key), Count: n, Of: t.Accounts,
			URL: views.ListQuery{On: []wave.Key{key}}.URL(),
		}
	}
	groups := make([]views.AdoptionGroup, 0, len(wave.Groups)+1)
	for _, g := range wave.Groups {
		group := views.AdoptionGroup{ID: g.ID, Label: g.Label.In(i18n.Lang(ctx))}
		for _, f := range g.Flags {
			group.Flags = append(group.Flags, row(f.Key, s.CountOn(f.Key)))
		}
		groups = append(groups, group)
	}
	if len(t.Others) > 0 {
		other := views.AdoptionGroup{ID: "other", Label: i18n.T(ctx, "grid.other")}
		for _, o := range t.Others {
			other.Flags = append(other.Flags, row(o.Key, o.On))
		}
		groups = append(groups, other)
	}
	return groups
}

// dataAttention is what is odd in the data itself.
func dataAttention(ctx context.Context, t reseller.Tally) []views.Attention {
	var out []views.Attention
	url := views.ListQuery{Unusual: true}.URL()
	add := func(key string, n int, bad bool) {
		if n > 0 {
			out = append(out, views.Attention{Sentence: i18n.T(ctx, key, "count", n), URL: url, Bad: bad})
		}
	}
	add("overview.doubles", t.Doubles, true)
	add("overview.flawed", t.Flawed-t.Doubles, true)
	add("overview.odd", t.Unusual-t.Flawed, false)
	return out
}
