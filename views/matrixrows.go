package views

import (
	"context"
	"io"
	"math/bits"

	"github.com/a-h/templ"

	"waveadmin/internal/wave"
)

// matrixRows is the body of the matrix. See markup for why it is no templ.
func matrixRows(p MatrixProps, columns []matrixColumn) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		d := newMatrixDrawing(ctx, columns, p.readOnly(ctx))
		var m markup
		for i := range p.Rows {
			m = m[:0]
			d.row(&m, &p.Rows[i])
			if _, err := w.Write(m); err != nil {
				return err
			}
		}
		return nil
	})
}

// matrixDrawing is what all rows of a matrix have in common, drawn once.
type matrixDrawing struct {
	ctx      context.Context
	readOnly bool
	columns  []matrixColumn
	// cell is how a cell begins after its class, up to the account. In this order of its
	// attributes the page packs best.
	cell             []markup
	unset, odd, none cellMark
	idle             []cellMark // by column: on while its parent is off
}

// cellMark is the class of a cell that is more than on or off, and the title of its box.
type cellMark struct{ class, title markup }

func newMatrixDrawing(ctx context.Context, columns []matrixColumn, readOnly bool) *matrixDrawing {
	d := &matrixDrawing{
		ctx: ctx, readOnly: readOnly, columns: columns,
		unset: newMark(`u`, t(ctx, "js.matrix_unset")),
		odd:   newMark(`o`, t(ctx, "js.matrix_odd")),
		none:  newMark(`n`, t(ctx, "js.matrix_none")),
	}
	for _, c := range columns {
		var cell markup
		cell.html(`><input type="checkbox" tabindex="-1" data-flag="`)
		cell.text(string(c.Key))
		cell.html(`" aria-label="`)
		cell.text(c.Label)
		cell.html(` – `)
		d.cell = append(d.cell, cell)
		idle := cellMark{}
		if c.Parent != "" {
			idle = newMark(`i`, t(ctx, "grid.idle", "parent", FlagLabel(ctx, c.Parent)))
		}
		d.idle = append(d.idle, idle)
	}
	return d
}

func newMark(class constant, title string) cellMark {
	var m cellMark
	m.class.html(class)
	m.title.html(` title="`)
	m.title.text(title)
	m.title.html(`"`)
	return m
}

func (d *matrixDrawing) row(m *markup, r *wave.Reseller) {
	m.html(`<tr data-user-id="`)
	m.text(string(r.UserID))
	m.html(`"`)
	locked := r.Flaw != wave.NoFlaw
	if locked {
		m.html(` data-locked`)
	}
	m.html(`><th scope="row" title="`)
	m.text(r.Email)
	m.html(` – `)
	m.text(groupName(r.BillingGroup))
	m.html(`">`)
	if r.Flaw == wave.MissingID { // it has no page to lead to
		m.text(r.Email)
	} else {
		m.html(`<a href="`)
		m.text(AccountURL(r.UserID, ""))
		m.html(`">`)
		m.text(r.Email)
		m.html(`</a>`)
	}
	if key := flawKey(*r); locked {
		m.html(`<span class="tag warn" title="`)
		m.text(t(d.ctx, key+"_help"))
		m.html(`">`)
		m.text(t(d.ctx, key))
		m.html(`</span>`)
	}
	m.html(`<span class="muted small">`)
	m.text(r.BillingGroup.Name)
	m.html(`</span></th>`)

	var account markup
	account.text(r.Email)
	account.html(`" data-user-id="`)
	account.text(string(r.UserID))
	account.html(`"`)
	on, known, idle := r.Meta.Bits(), r.Meta.Known(), idleBits(r.Meta.Bits())
	for i := range d.columns {
		c := &d.columns[i]
		is, unusual := false, (*cellMark)(nil)
		switch {
		case c.Bit >= 0 && on>>c.Bit&1 == 1:
			if is = true; idle>>c.Bit&1 == 1 {
				unusual = &d.idle[i]
			}
		case c.Bit < 0 || known>>c.Bit&1 == 0:
			is, unusual = d.rare(r.Meta.State(c.Key), c.Bit >= 0)
		}
		m.cell(d, i, account, is, unusual, locked)
	}
	m.html(`</tr>`)
}

// rare says how a flag is drawn that is not plainly on or off, or is none of the
// catalogue.
func (d *matrixDrawing) rare(s wave.State, known bool) (on bool, m *cellMark) {
	switch {
	case s == wave.On:
		return true, nil
	case s == wave.Odd:
		return false, &d.odd
	case s == wave.Unset && !known:
		return false, &d.none
	case s == wave.Unset:
		return false, &d.unset
	}
	return false, nil
}

func (m *markup) cell(d *matrixDrawing, i int, account markup, on bool, unusual *cellMark, locked bool) {
	m.html(`<td`)
	switch first := d.columns[i].First; {
	case unusual != nil:
		m.html(` class="`)
		if first {
			m.html(`g `)
		}
		*m = append(*m, unusual.class...)
		m.html(`"`)
	case first:
		m.html(` class="g"`)
	}
	*m = append(*m, d.cell[i]...)
	*m = append(*m, account...)
	if on {
		m.html(` checked`)
	}
	if d.readOnly || locked || unusual == &d.none {
		m.html(` aria-disabled="true"`)
	}
	if unusual != nil {
		*m = append(*m, unusual.title...)
	}
	m.html(`></td>`)
}

// idleBits returns the flags of on whose parent is not on.
func idleBits(on uint64) uint64 {
	var idle uint64
	for rest := on & children; rest != 0; rest &= rest - 1 {
		if i := bits.TrailingZeros64(rest); on&parents[i] == 0 {
			idle |= 1 << i
		}
	}
	return idle
}

// children are the flags that have a parent, and parents by flag the bit of it.
var children, parents = func() (children uint64, parents [64]uint64) {
	for i, f := range wave.Flags {
		if parent, ok := wave.Index(f.Parent); ok {
			children |= 1 << i
			parents[i] = 1 << parent
		}
	}
	return children, parents
}()

// matrixTexts is every sentence that only the script of the matrix composes; scriptTexts
// leaves them out.
var matrixTexts = onceEachLanguage(templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
	return templ.JSONScript("more-texts", scriptSentences(ctx, true)).Render(ctx, w)
}))
