package views

import (
	"context"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// column is one column of the reseller table.
type column struct {
	id    string // in the parameter cols
	key   string // of the catalogues
	sort  string // value of the sort parameter
	usual bool   // shown when nobody has chosen
	wide  bool   // then only in a wide window
	class string // of its cells
	draw  func(m *markup, ctx context.Context, r *ResellerRow)
}

// columns are those beside the email, which is always there.
var columns = []column{
	{"billing_group", "col.billing_group", "billing_group", true, false, "", (*markup).groupCell},
	{"company_id", "col.company", "company_id", true, true, "mono clip", (*markup).companyCell},
	{"registered", "col.registered", "registered", true, false, "", (*markup).registeredCell},
	{"updated", "col.updated", "updated", true, true, "muted", (*markup).updatedCell},
	{"password_updated", "col.password_updated", "password_updated", false, false, "muted", (*markup).passwordCell},
	{"flags_on", "col.flags_on", "flags_on", true, false, "", (*markup).flagsCell},
	{"preset", "col.preset", "drift", true, false, "", (*markup).presetCell},
	{"changed", "col.changed", "changed", true, false, "muted", (*markup).changedCell},
}

var emailColumn = column{id: "email", key: "col.email", sort: "email"}

// ChosenColumns returns those of ids that are columns, in the order of the table,
// or nil when that is the usual choice or ids names none. The email is no choice:
// alone it means a table of nothing else.
func ChosenColumns(ids []string) []string {
	chosen := []string{}
	usual := true
	for _, c := range columns {
		has := slices.Contains(ids, c.id)
		usual = usual && has == c.usual
		if has {
			chosen = append(chosen, c.id)
		}
	}
	if usual || len(chosen) == 0 && !slices.Contains(ids, emailColumn.id) {
		return nil
	}
	return chosen
}

// columns returns the columns that q shows, without the email.
func (q ListQuery) columns() []column {
	var out []column
	for _, c := range columns {
		if q.shows(c) {
			if c.wide && q.Cols == nil {
				c.class += " wide"
			}
			out = append(out, c)
		}
	}
	return out
}

func (q ListQuery) shows(c column) bool {
	if q.Cols == nil {
		return c.usual
	}
	return slices.Contains(q.Cols, c.id)
}

// headClass returns the class of the head of c, whose cells have class.
func (c column) headClass() string {
	if strings.Contains(c.class, "wide") {
		return "wide"
	}
	return ""
}

// ariaSort returns the aria-sort of a column, empty when another sorts.
func (q ListQuery) ariaSort(c column) string {
	switch {
	case q.sortKey() != c.sort:
		return ""
	case q.Desc:
		return "descending"
	}
	return "ascending"
}

// nextSort returns the sort parameter that the header of c asks for: the other
// direction of the column that sorts now. Numbers and times begin with the
// largest, which is what people look for.
func (q ListQuery) nextSort(c column) string {
	down := "-" + c.sort
	if q.sortKey() == c.sort {
		if q.Desc {
			return c.sort
		}
		return down
	}
	switch c.sort {
	case "email", "billing_group", "company_id":
		return c.sort
	}
	return down
}

func (q ListQuery) sortKey() string {
	if q.Sort == "" {
		return "email"
	}
	return q.Sort
}

func (m *markup) groupCell(_ context.Context, r *ResellerRow) {
	m.html(`<span class="pair" title="`)
	m.text(r.BillingGroup.Name)
	m.html(`"><span>`)
	m.text(r.BillingGroup.Name)
	m.html(`</span><span class="muted mono">`)
	m.text(r.BillingGroup.ID)
	m.html(`</span></span>`)
}

func (m *markup) companyCell(_ context.Context, r *ResellerRow) {
	m.html(`<span title="`)
	m.text(r.BillingGroup.CompanyID)
	m.html(`">`)
	m.text(r.BillingGroup.CompanyID)
	m.html(`</span>`)
}

func (m *markup) registeredCell(ctx context.Context, r *ResellerRow) {
	if !r.Registered.IsZero() {
		m.day(ctx, r.Registered)
		return
	}
	m.html(`<span class="muted">`)
	m.text(t(ctx, "list.never"))
	m.html(`</span>`)
}

func (m *markup) updatedCell(ctx context.Context, r *ResellerRow) { m.day(ctx, r.Updated) }

func (m *markup) passwordCell(ctx context.Context, r *ResellerRow) { m.day(ctx, r.PasswordUpdated) }

func (m *markup) flagsCell(_ context.Context, r *ResellerRow) {
	m.meter(r.Meta.CountOn(), len(wave.Flags))
}

func (m *markup) presetCell(ctx context.Context, r *ResellerRow) {
	if r.Preset == "" {
		return
	}
	m.html(`<span class="pair preset" title="`)
	m.text(r.Preset)
	m.html(`"><span>`)
	m.text(r.Preset)
	m.html(`</span>`)
	if r.Drift > 0 {
		m.html(`<span class="tag warn">`)
		m.text(t(ctx, "list.drift", "count", r.Drift))
		m.html(`</span>`)
	}
	m.html(`</span>`)
}

func (m *markup) changedCell(ctx context.Context, r *ResellerRow) {
	if !r.LastAt.IsZero() {
		full := i18n.Full(ctx, r.LastAt)
		short, _, _ := strings.Cut(i18n.MomentShort(ctx, r.LastAt, time.Now()), " ") // the time of today, or the day
		m.time(r.LastAt, t(ctx, "list.changed_by", "name", r.LastBy, "time", full), short)
	}
}
