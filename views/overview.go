package views

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// OverviewProps is what the overview shows.
type OverviewProps struct {
	Fresh  FreshProps
	Status WaveStatus
	Failed string // why nothing is known of the accounts; empty when it is

	Accounts, Never, Unusual int
	ChangedDays, Changed     int // accounts that were changed here in so many days

	Attention []Attention
	Growth    Growth
	Ages      []Share
	Adoption  []AdoptionGroup
	Presets   []PresetShare // those that any account follows
	Drifting  int           // accounts that differ from their preset
	Recent    []ChangeRow
}

// WaveStatus is how things stand with Wave, in words.
type WaveStatus struct {
	Away, Old, Refreshing bool
	Sentence, More        string // More may be empty
}

// Attention is something that someone should look at.
type Attention struct {
	Sentence string
	URL      string
	Bad      bool // nobody should leave it; else it is only unusual
}

// Share is how many of all accounts are something.
type Share struct {
	Key       wave.Key // of the function that the line is about; empty for none
	Label     string
	Count, Of int
	URL       string // of the table with these accounts
}

// AdoptionGroup is a heading of the catalogue with its functions.
type AdoptionGroup struct {
	ID, Label string
	Flags     []Share
}

// PresetShare is how many of the accounts that follow a preset differ from it.
type PresetShare struct {
	ID, Name           string // the built-in one has no name
	Drifting, Accounts int
}

func (p PresetShare) name(ctx context.Context) string {
	if p.Name == "" {
		return t(ctx, "preset.defaults")
	}
	return p.Name
}

// percent is Count of Of in figures that say 0 and 100 only of none and all.
func (s Share) percent() string {
	switch {
	case s.Of == 0:
		return "–"
	case s.Count > 0 && s.Count*200 < s.Of:
		return "<1%"
	case s.Count < s.Of && s.Count*200 >= s.Of*199:
		return ">99%"
	}
	return strconv.Itoa((s.Count*100+s.Of/2)/s.Of) + "%"
}

// Growth is the number of registered accounts over time, a point for each month
// without a gap, the last of which is under way.
type Growth struct{ Months []GrowthMonth }

// GrowthMonth is the number of accounts that were registered at the end of a month.
type GrowthMonth struct {
	Month time.Time
	Total int
}

// top is the end of the scale: a round number that is not below the last total.
func (g Growth) top() int {
	last := 0
	if n := len(g.Months); n > 0 {
		last = g.Months[n-1].Total
	}
	for unit := 1; ; unit *= 10 {
		for _, step := range []int{1, 2, 4, 6, 8} {
			if top := step * unit; top >= last && top >= 2 {
				return top
			}
		}
	}
}

// The picture is drawn in a square of this side and stretched.
const growthSide = 1000

// path is the line through all months as the d of an SVG path; closed is the area
// below it.
func (g Growth) path(closed bool) string {
	var b strings.Builder
	top, steps := g.top(), max(1, len(g.Months)-1)
	for i, m := range g.Months {
		op := "L"
		if i == 0 {
			op = "M"
		}
		fmt.Fprintf(&b, "%s%d %d", op, i*growthSide/steps, growthSide-m.Total*growthSide/top)
	}
	if len(g.Months) == 1 { // a level line
		fmt.Fprintf(&b, "H%d", growthSide)
	}
	if closed {
		fmt.Fprintf(&b, "V%dH0Z", growthSide)
	}
	return b.String()
}

// growthYear is a year of the table, and where it begins in the picture.
type growthYear struct {
	Year, New, Total int
	At               string // of the width, such as "12.50%"; empty when the picture begins later
	Label            bool   // whether the picture names it
}

// years sums the months up. The first year has all that was registered before the
// picture begins.
func (g Growth) years() []growthYear {
	var out []growthYear
	steps := max(1, len(g.Months)-1)
	before := 0
	for i, m := range g.Months {
		if len(out) == 0 || out[len(out)-1].Year != m.Month.Year() {
			y := growthYear{Year: m.Month.Year()}
			if m.Month.Month() == time.January || g.Months[len(g.Months)-1].Month.Year() == m.Month.Year() {
				y.At = fmt.Sprintf("%.2f%%", float64(i)*100/float64(steps))
			}
			out = append(out, y)
		}
		y := &out[len(out)-1]
		y.New += m.Total - before
		y.Total, before = m.Total, m.Total
	}
	every := 1 + len(out)/9
	for i := range out {
		out[i].Label = out[i].At != "" && (len(out)-1-i)%every == 0
	}
	return out
}

// summary says the picture in words.
func (g Growth) summary(ctx context.Context) string {
	first, last := g.Months[0], g.Months[len(g.Months)-1]
	return t(ctx, "overview.growth_words", "from", first.Month.Format("2006/01"), "first", i18n.Number(first.Total), "last", i18n.Number(last.Total))
}

// anchor is how the name of the year stands to where it begins.
func (y growthYear) anchor() string {
	if y.At == "100.00%" {
		return "end"
	}
	return "middle"
}
