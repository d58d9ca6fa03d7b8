package handlers

import (
	"context"
	"net/http"
	"strings"

	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// pickable is how many accounts a picker offers at once.
const pickable = 30

// pick finds the account that a person means by an id, an email or words of the search
// that only one account has. Otherwise it returns an empty account and what the picker
// is to say; address leads on from each account to choose, or is nil where that would
// lose what else was typed.
func pick(r *http.Request, dir Directory, text string, address func(wave.UserID) string) (wave.Reseller, views.PickProps, error) {
	text = cut(strings.TrimSpace(text), maxText)
	p := views.PickProps{Value: text}
	if text == "" {
		return wave.Reseller{}, p, nil
	}
	snapshot, err := dir.Current(r.Context())
	if err != nil {
		return wave.Reseller{}, p, err
	}
	found := meant(snapshot, text)
	if len(found) == 0 { // it may be the id of a new one
		if snapshot, err = dir.CurrentWith(r.Context(), wave.UserID(text)); err != nil {
			return wave.Reseller{}, p, err
		}
		found = meant(snapshot, text)
	}
	switch len(found) {
	case 0:
		p.Error = i18n.T(r.Context(), "pick.none", "text", text)
		return wave.Reseller{}, p, nil
	case 1:
		p.Value = found[0].Email
		if len(meant(snapshot, p.Value)) != 1 {
			p.Value = string(found[0].UserID)
		}
		return found[0], p, nil
	}
	if address == nil {
		p.Error = i18n.T(r.Context(), "pick.more", "text", text)
		return wave.Reseller{}, p, nil
	}
	p.Error = i18n.T(r.Context(), "pick.many", "text", text)
	for _, account := range found {
		p.Choices = append(p.Choices, views.PickChoice{Account: account, URL: address(account.UserID)})
	}
	return wave.Reseller{}, p, nil
}

// meant returns the accounts that text may mean: the one with that id, those with that
// email, or those that the search finds, at most pickable of them.
func meant(s *reseller.Snapshot, text string) []wave.Reseller {
	if account, ok := s.Get(wave.UserID(text)); ok {
		return []wave.Reseller{account}
	}
	var found, same []wave.Reseller
	for _, account := range s.Find(reseller.Query{Text: text, Size: pickable}, nil).Rows {
		if account.UserID == "" {
			continue // it has no page
		}
		found = append(found, account)
		if i18n.Fold(account.Email) == i18n.Fold(text) {
			same = append(same, account)
		}
	}
	if len(same) > 0 {
		return same
	}
	return found
}

// Picker serves what fields for an account offer.
type Picker struct{ Directory Directory }

// Search answers GET /compare/accounts with the field a, b or copy: the list under
// that field for what is typed in it. Without any data it is empty.
func (h *Picker) Search(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	for _, name := range views.PickNames {
		if query.Has(name) {
			return views.Render(w, r, http.StatusOK, views.PickList(name, h.offer(r.Context(), query.Get(name))))
		}
	}
	return views.Render(w, r, http.StatusOK, views.PickList(views.PickNames[0], nil))
}

func (h *Picker) offer(ctx context.Context, text string) []wave.Reseller {
	snapshot, err := h.Directory.Current(ctx)
	if err != nil {
		return nil
	}
	return meant(snapshot, cut(strings.TrimSpace(text), maxText))
}
