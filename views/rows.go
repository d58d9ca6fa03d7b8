package views

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// resellerRows is the body of the table. See markup for why it is no templ.
func resellerRows(rows []ResellerRow) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		var m markup
		for i := range rows {
			m = m[:0]
			m.resellerRow(ctx, &rows[i])
			if _, err := w.Write(m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *markup) resellerRow(ctx context.Context, r *ResellerRow) {
	m.html(`<tr data-user-id="`)
	m.text(string(r.UserID))
	m.html(`"><th scope="row" class="clip" title="`)
	m.text(r.Email)
	m.html(`"><span class="pair">`)
	m.accountLink(r)
	if key := flawKey(r.Reseller); key != "" {
		m.html(`<span class="tag warn" title="`)
		m.text(t(ctx, key+"_help"))
		m.html(`">`)
		m.text(t(ctx, key))
		m.html(`</span>`)
	}

	m.html(`</span></th><td title="`)
	m.text(r.BillingGroup.Name)
	m.html(`"><span class="pair"><span>`)
	m.text(r.BillingGroup.Name)
	m.html(`</span><span class="muted mono">`)
	m.text(r.BillingGroup.ID)
	m.html(`</span></span></td><td class="mono clip" title="`)
	m.text(r.BillingGroup.CompanyID)
	m.html(`">`)
	m.text(r.BillingGroup.CompanyID)

	m.html(`</td><td>`)
	if r.Registered.IsZero() {
		m.html(`<span class="muted">`)
		m.text(t(ctx, "list.never"))
		m.html(`</span>`)
	} else {
		m.day(ctx, r.Registered)
	}
	m.html(`</td><td class="muted wide">`)
	if !r.Updated.IsZero() {
		m.day(ctx, r.Updated)
	}
	m.html(`</td><td>`)
	m.meter(r.Meta.CountOn(), len(wave.Flags))
	m.html(`</td><td class="muted">`)
	if !r.LastAt.IsZero() {
		full := i18n.Full(ctx, r.LastAt)
		m.time(r.LastAt, t(ctx, "list.changed_by", "name", r.LastBy, "time", full), i18n.DateTime(ctx, r.LastAt))
	}
	m.html(`</td></tr>`)
}

// accountLink names the account. One without an id has no page to lead to.
func (m *markup) accountLink(r *ResellerRow) {
	if r.Flaw == wave.MissingID {
		m.html(`<span>`)
		m.text(r.Email)
		m.html(`</span>`)
		return
	}
	m.html(`<a href="`)
	m.text(AccountURL(r.UserID, ""))
	m.html(`">`)
	m.text(r.Email)
	m.html(`</a>`)
}

// day draws t as a day, with all of it in the title.
func (m *markup) day(ctx context.Context, t time.Time) {
	full := i18n.Full(ctx, t)
	day, _, _ := strings.Cut(full, " ")
	m.time(t, full, day)
}

func (m *markup) time(t time.Time, title, text string) {
	m.html(`<time datetime="`)
	m.text(i18n.Machine(t))
	m.html(`" title="`)
	m.text(title)
	m.html(`">`)
	m.text(text)
	m.html(`</time>`)
}

// meter draws how many of all there are, as a bar and in figures.
func (m *markup) meter(n, all int) {
	some, total := strconv.Itoa(n), strconv.Itoa(all)
	m.html(`<span class="meter"><svg viewBox="0 0 `)
	m.text(total)
	m.html(` 1" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect width="`)
	m.text(some)
	m.html(`" height="1"></rect></svg> `)
	m.text(some)
	m.html(`/`)
	m.text(total)
	m.html(`</span>`)
}
