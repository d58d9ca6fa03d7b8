package handlers

import (
	"context"
	"net/http"

	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Compare serves two accounts side by side.
type Compare struct {
	Directory Directory
	Ledger    Ledger
	Presets   Book
}

// Show answers GET /compare?a=&b=, each an id or what a person typed to find one, which
// leads on to the address with ids. With show=all it has also what is the same. An
// account that is missing, unknown or named twice leaves the fields as they were.
func (h *Compare) Show(w http.ResponseWriter, r *http.Request) error {
	ctx, query := r.Context(), r.URL.Query()
	textA, textB := query.Get("a"), query.Get("b")
	a, pickA, err := pick(r, h.Directory, textA, func(id wave.UserID) string { return views.CompareURL(id, wave.UserID(textB)) })
	if err != nil {
		return err
	}
	b, pickB, err := pick(r, h.Directory, textB, func(id wave.UserID) string { return views.CompareURL(wave.UserID(textA), id) })
	if err != nil {
		return err
	}
	all := query.Get("show") == "all"
	if a.UserID != "" && b.UserID != "" && (string(a.UserID) != textA || string(b.UserID) != textB) {
		hx.Redirect(w, r, views.CompareAllURL(a.UserID, b.UserID, all))
		return nil
	}
	snapshot, err := h.Directory.Current(ctx)
	if err != nil {
		return err
	}
	p := views.CompareProps{
		A: pickA, B: pickB, All: all, Fresh: fresh(h.Directory, snapshot, r.URL),
		SwapURL: views.CompareAllURL(wave.UserID(textB), wave.UserID(textA), all),
	}
	status := http.StatusOK
	switch {
	case pickA.Error != "" || pickB.Error != "":
		status = http.StatusUnprocessableEntity
		if len(pickA.Choices)+len(pickB.Choices) == 0 {
			status = http.StatusNotFound
		}
	case a.UserID != "" && a.UserID == b.UserID:
		status = http.StatusUnprocessableEntity
		p.B.Error = i18n.T(ctx, "compare.same_account")
	case a.UserID != "" && b.UserID != "":
		p.Both = h.both(ctx, a, b, all)
	}
	return views.Render(w, r, status, views.ComparePage(p))
}

func (h *Compare) both(ctx context.Context, a, b wave.Reseller, all bool) *views.BothProps {
	p := &views.BothProps{A: h.side(ctx, a), B: h.side(ctx, b)}
	unlike := make(map[wave.Key]bool)
	for _, c := range wave.Copy(a.Meta, b.Meta) {
		unlike[c.Key] = true
	}
	lang := i18n.Lang(ctx)
	add := func(group *views.CompareGroup, key wave.Key, label string) {
		row := views.CompareRow{
			Key: key, Label: label, A: a.Meta.State(key), B: b.Meta.State(key), Differs: unlike[key],
		}
		if row.Differs {
			row.IntoA, row.IntoB = copies(b.Meta, a.Meta, key), copies(a.Meta, b.Meta, key)
			group.Differ++
			p.Differ++
		} else {
			p.Same++
		}
		if row.Differs || all {
			group.Rows = append(group.Rows, row)
		}
	}
	for _, g := range wave.Groups {
		group := views.CompareGroup{Label: g.Label.In(lang)}
		for _, f := range g.Flags {
			add(&group, f.Key, f.Label.In(lang))
		}
		p.Groups = append(p.Groups, group)
	}
	other := views.CompareGroup{Label: i18n.T(ctx, "grid.other")}
	for _, key := range unknownOf(a.Meta, b.Meta) {
		add(&other, key, string(key))
	}
	p.Groups = append(p.Groups, other)
	return p
}

// copies reports whether a copy from there to here takes the flag.
func copies(there, here wave.Meta, key wave.Key) bool {
	for _, c := range wave.Copy(there, here) {
		if c.Key == key {
			return c.Left == ""
		}
	}
	return false
}

// unknownOf returns the flags outside the catalogue that either has, each once.
func unknownOf(a, b wave.Meta) []wave.Key {
	var keys []wave.Key
	seen := make(map[wave.Key]bool)
	for _, m := range []wave.Meta{a, b} {
		for _, key := range m.Unknown() {
			if key != "" && !seen[key] {
				keys, seen[key] = append(keys, key), true
			}
		}
	}
	return keys
}

func (h *Compare) side(ctx context.Context, account wave.Reseller) views.SideProps {
	p := views.SideProps{Account: account, Preset: followed(ctx, h.Presets, account)}
	if last, ok := h.Ledger.LastOf(account.UserID); ok {
		p.LastAt, p.LastBy = last.At, last.By
	}
	return p
}
