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
	"waveadmin/views/ui"
)

// resellerRows is the body of the table, with the columns that q shows. See markup
// for why it is no templ.
func resellerRows(q ListQuery, rows []ResellerRow) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		var m markup
		columns, acts := q.columns(), rowActs(ctx)
		for i := range rows {
			m = m[:0]
			m.resellerRow(ctx, columns, acts, &rows[i])
			if _, err := w.Write(m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *markup) resellerRow(ctx context.Context, columns []column, acts []rowAct, r *ResellerRow) {
	m.html(`<tr data-user-id="`)
	m.text(string(r.UserID))
	m.html(`"><td class="pick">`)
	if r.Flaw == wave.NoFlaw { // others can neither be changed nor told apart by their id
		m.html(`<label><input type="checkbox" name="user" form="selection" autocomplete="off" value="`)
		m.text(string(r.UserID))
		m.html(`" aria-label="`)
		m.text(r.Email)
		m.html(`"></label>`)
	}
	m.html(`</td><th scope="row" class="clip" title="`)
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
	m.html(`</span></th>`)
	for i := range columns {
		m.html(`<td class="`)
		m.text(columns[i].class)
		m.html(`">`)
		columns[i].draw(m, ctx, r)
		m.html(`</td>`)
	}
	m.html(`<td class="acts">`)
	if r.Flaw != wave.MissingID {
		for i := range acts {
			m.act(&acts[i], r.UserID)
		}
	}
	m.html(`</td></tr>`)
}

// rowAct is a link at the end of each row. The account itself is the link of the
// email.
type rowAct struct {
	part, label string
	icon        drawn
}

var historyIcon, passwordIcon = draw(ui.Icon("history")), draw(ui.Icon("key-round"))

func rowActs(ctx context.Context) []rowAct {
	acts := []rowAct{{"history", t(ctx, "list.act_history"), historyIcon}}
	if mayModify(ctx) {
		acts = append(acts, rowAct{"password", t(ctx, "list.act_password"), passwordIcon})
	}
	return acts
}

func (m *markup) act(a *rowAct, id wave.UserID) {
	m.html(`<a class="btn quiet icon-only small" href="`)
	m.text(AccountURL(id, a.part))
	m.html(`" title="`)
	m.text(a.label)
	m.html(`" aria-label="`)
	m.text(a.label)
	m.html(`">`)
	m.drawn(a.icon)
	m.html(`</a>`)
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

// day draws t as a day, with all of it in the title, and nothing for no time.
func (m *markup) day(ctx context.Context, t time.Time) {
	if t.IsZero() {
		return
	}
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
