package handlers

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

const (
	maxText = 200 // runes of a search; a longer one is cut
	maxKeys = 64  // flags of a filter; there are 35
)

// listQuery reads the parameters of the table. What is no valid value counts as
// absent: an address that someone typed or kept for years still shows a table.
func listQuery(v url.Values) views.ListQuery {
	q := views.ListQuery{
		Text:            cut(strings.TrimSpace(v.Get("q")), maxText),
		Page:            max(1, number(v.Get("page"))),
		Size:            views.DefaultSize,
		On:              keys(v.Get("on")),
		Off:             keys(v.Get("off")),
		NeverRegistered: v.Get("never_registered") == "1",
		ChangedDays:     max(0, min(3650, number(v.Get("changed_days")))),
		Unusual:         v.Get("unusual") == "1",
		Preset:          cut(v.Get("preset"), maxText),
		Drift:           v.Get("drift") == "1",
		Cols:            views.ChosenColumns(strings.Split(strings.Join(v["cols"], ","), ",")),
		View:            cut(v.Get("view"), maxText),
	}
	if size := number(v.Get("size")); slices.Contains(views.Sizes, size) {
		q.Size = size
	}
	if sort, desc := cutSort(v); slices.Contains(reseller.SortKeys, sort) {
		q.Sort, q.Desc = string(sort), desc
	}
	if flag := keys(v.Get("flag")); len(flag) > 0 { // one more, from the filter's form
		q.On = without(q.On, flag[0])
		q.Off = without(q.Off, flag[0])
		if v.Get("flag_state") == "off" {
			q.Off = append(q.Off, flag[0])
		} else {
			q.On = append(q.On, flag[0])
		}
	}
	return q
}

// cutSort reads a sort parameter: the column, "-" in front for descending. A header's
// button comes after what the form carries, so the last one counts.
func cutSort(v url.Values) (sort reseller.SortKey, desc bool) {
	sorts := v["sort"]
	if len(sorts) == 0 {
		return "", false
	}
	column, desc := strings.CutPrefix(sorts[len(sorts)-1], "-")
	return reseller.SortKey(column), desc
}

// storeQuery is q as the directory takes it, with what presets say now.
func storeQuery(q views.ListQuery, presets reseller.Presets) reseller.Query {
	out := reseller.Query{
		Text: q.Text, On: q.On, Off: q.Off, Preset: q.Preset, Drift: q.Drift, Presets: presets,
		NeverRegistered: q.NeverRegistered, Unusual: q.Unusual,
		Sort: reseller.SortKey(q.Sort), Desc: q.Desc, Page: q.Page, Size: q.Size,
	}
	if q.ChangedDays > 0 {
		out.ChangedSince = time.Now().AddDate(0, 0, -q.ChangedDays)
	}
	return out
}

// keys reads a list of flags: those of the catalogue and any other that could be
// one, each once.
func keys(list string) []wave.Key {
	var out []wave.Key
	for name := range strings.SplitSeq(list, ",") {
		key := wave.Key(strings.TrimSpace(name))
		if key == "" || len(key) > 100 || slices.Contains(out, key) {
			continue
		}
		if out = append(out, key); len(out) == maxKeys {
			break
		}
	}
	return out
}

func without(list []wave.Key, key wave.Key) []wave.Key {
	return slices.DeleteFunc(list, func(k wave.Key) bool { return k == key })
}

// number reads a decimal, 0 when it is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// cut returns at most n runes of s.
func cut(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}
