package handlers

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/hx"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Save answers POST /flags/{key}, the form as it is sent without scripts: fields
// was.<account> and is.<account> as those of one account's flags. One account that
// differs is saved as from its own page; more become a plan, whose preview it leads
// to. Only what the form shows is in it.
func (h *Flags) Save(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	key := wave.Key(r.PathValue("key"))
	seen, want, err := edits(r.PostForm) // of accounts, in place of flags
	if err != nil {
		return err
	}
	accounts := slices.Sorted(maps.Keys(want))
	switch len(accounts) {
	case 0:
		setFlash(w, r, flash{say: "save.nothing"})
		hx.Redirect(w, r, views.LocalPath(r.PostFormValue("return_to")))
		return nil
	case 1:
		return h.saveOne(w, r, key, wave.UserID(accounts[0]), seen[accounts[0]], want[accounts[0]])
	}
	draft := bulk.Draft{Source: "flag", Reason: trimmed(r, "reason")}
	for _, id := range accounts {
		draft.Items = append(draft.Items, bulk.DraftItem{
			UserID: wave.UserID(id), Seen: wave.Seen{key: seen[id]}, Want: wave.Wanted{key: want[id]},
		})
	}
	plan, err := h.Plans.Make(r.Context(), auth.ActorFrom(r.Context()), draft)
	if err != nil {
		return h.notPlanned(r, want, err)
	}
	hx.Redirect(w, r, views.BulkURL(plan.ID))
	return nil
}

// saveOne answers as if the form of that account's page had been sent.
func (h *Flags) saveOne(w http.ResponseWriter, r *http.Request, key wave.Key, id wave.UserID, seen wave.State, want bool) error {
	form := url.Values{"was." + string(key): {seen.String()}}
	if want {
		form.Set("is."+string(key), "on")
	}
	for _, name := range []string{views.AsField, "reason", "return_to"} {
		form.Set(name, r.PostFormValue(name))
	}
	r.PostForm, r.Form = form, form
	r.SetPathValue("userID", string(id))
	return h.Account.Update(w, r)
}

// notPlanned shows the page with the boxes as they were sent.
func (h *Flags) notPlanned(r *http.Request, want wave.Wanted, err error) error {
	snapshot, lookup := h.Directory.Current(r.Context())
	if lookup != nil {
		return err
	}
	q := flagQuery(r)
	if back, parsed := url.Parse(views.LocalPath(r.PostFormValue("return_to"))); parsed == nil && back.Path == r.URL.Path {
		shown := r.Clone(r.Context())
		shown.URL = back
		q = flagQuery(shown)
	}
	p, lookup := h.props(r.Context(), snapshot, q, true)
	if lookup != nil {
		return err
	}
	p.Reason = r.PostFormValue("reason")
	here, _ := url.Parse(p.Query.URL())
	p.Fresh = fresh(h.Directory, snapshot, here)
	for i := range p.Rows {
		if on, ok := want[wave.Key(p.Rows[i].Account.UserID)]; ok {
			p.Rows[i].On = on
		}
	}
	return &FormError{Err: err, Form: func(f *views.FailureProps) templ.Component {
		p.Failure = f
		return views.FlagPage(p)
	}}
}
