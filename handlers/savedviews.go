package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/savedview"
	"waveadmin/views"
)

// SavedViews is the part of savedview.Store that pages need.
type SavedViews interface {
	List(ctx context.Context, who auth.Actor) ([]savedview.View, error)
	Create(ctx context.Context, who auth.Actor, d savedview.Draft) (savedview.View, error)
	Rename(ctx context.Context, who auth.Actor, id, name string, shared bool) (savedview.View, error)
	Replace(ctx context.Context, who auth.Actor, id, query string) (savedview.View, error)
	Delete(ctx context.Context, who auth.Actor, id string) (savedview.View, error)
}

// viewsProps is the menu of saved views beside a table of q. When they cannot be read
// the table is shown all the same, and the menu says so.
func (h *Resellers) viewsProps(ctx context.Context, q views.ListQuery) views.ViewsProps {
	who := auth.ActorFrom(ctx)
	list, err := h.Views.List(ctx, who)
	if err != nil {
		return views.ViewsProps{Away: true}
	}
	var p views.ViewsProps
	for _, v := range list {
		state := viewQuery(v.Query)
		shown := state
		shown.View = v.ID
		item := views.SavedView{ID: v.ID, Name: v.Name, URL: shown.URL(), Owner: v.Owner.Display(), Shared: v.Shared, MayEdit: v.MayEdit(who)}
		if v.Shared {
			p.Shared = append(p.Shared, item)
		} else {
			p.Own = append(p.Own, item)
		}
		if v.ID == q.View {
			p.Active, p.Modified = &item, state.State() != q.SavedState().State()
		}
	}
	p.Gone = q.View != "" && p.Active == nil
	return p
}

// viewQuery is what a view keeps of the table: whatever else was kept counts as
// absent, as in an address.
func viewQuery(text string) views.ListQuery {
	v, _ := url.ParseQuery(text) // what it can read of it
	return listQuery(v).SavedState()
}

// SaveView answers POST /views: it keeps the state of the field list under a name, and
// goes back to the table.
func (h *Resellers) SaveView(w http.ResponseWriter, r *http.Request) error {
	return h.editView(w, r, "", "view.saved", func(who auth.Actor, q views.ListQuery) (savedview.View, error) {
		d := savedview.Draft{Name: r.PostForm.Get("name"), Query: q.SavedState().State(), Shared: r.PostForm.Get("shared") == "1"}
		return h.Views.Create(r.Context(), who, d)
	})
}

// RenameView answers POST /views/{viewID}: another name, shared or not.
func (h *Resellers) RenameView(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("viewID")
	return h.editView(w, r, id, "view.saved", func(who auth.Actor, _ views.ListQuery) (savedview.View, error) {
		return h.Views.Rename(r.Context(), who, id, r.PostForm.Get("name"), r.PostForm.Get("shared") == "1")
	})
}

// ReplaceView answers POST /views/{viewID}/query: the view becomes the state of the
// field list.
func (h *Resellers) ReplaceView(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("viewID")
	return h.editView(w, r, id, "view.saved", func(who auth.Actor, q views.ListQuery) (savedview.View, error) {
		return h.Views.Replace(r.Context(), who, id, q.SavedState().State())
	})
}

// DeleteView answers POST /views/{viewID}/delete. The table stays as it is.
func (h *Resellers) DeleteView(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("viewID")
	return h.editView(w, r, id, "view.deleted", func(who auth.Actor, _ views.ListQuery) (savedview.View, error) {
		_, err := h.Views.Delete(r.Context(), who, id)
		return savedview.View{}, err
	})
}

// editView reads the form, does the edit and leads to the table that the form came
// from, as the view that edit returns. What is refused comes back with the table and
// what was typed.
func (h *Resellers) editView(w http.ResponseWriter, r *http.Request, id, done string, edit func(auth.Actor, views.ListQuery) (savedview.View, error)) error {
	if err := parseForm(r); err != nil {
		return err
	}
	list, _ := url.ParseQuery(r.PostForm.Get("list"))
	q := listQuery(list)
	v, err := edit(auth.ActorFrom(r.Context()), q)
	if err == nil {
		q.View = v.ID
		sayNext(w, r, done, 0)
		hx.Redirect(w, r, q.URL())
		return nil
	}
	if id != "" {
		q.View = id
	}
	p, _ := h.page(r, q)
	return &FormError{Err: err, Form: func(f *views.FailureProps) templ.Component {
		refused := views.RefusedView{ID: id, Name: r.PostForm.Get("name"), Shared: r.PostForm.Get("shared") == "1"}
		if invalid, ok := errors.AsType[*fault.Error](err); ok && len(invalid.Fields) > 0 {
			refused.Errors = fieldErrors(r.Context(), invalid)
		} else {
			refused.Why = f.Sentence
		}
		p.Views.Refused = &refused
		if !p.Views.HasForm(id) { // gone, or not for who asks
			p.Notice = &views.NoticeProps{Level: "error", Sentence: f.Sentence}
		}
		return views.ResellersPage(p)
	}}
}
