package views

// ViewsProps is the menu of saved views.
type ViewsProps struct {
	Own, Shared []SavedView
	Active      *SavedView // the one that the address names; nil for none
	Modified    bool       // whether the table is otherwise than Active has it
	Gone        bool       // the address names one that is not there for who asks
	Away        bool       // they could not be read
	Refused     *RefusedView
}

// SavedView is one of them, as who asks may use it.
type SavedView struct {
	ID, Name string
	URL      string // of the table as it is saved
	Owner    string // who made it
	Shared   bool   // everyone sees it
	MayEdit  bool
}

// RefusedView is what someone asked for and did not get.
type RefusedView struct {
	ID     string // of the view, empty for a new one
	Name   string
	Shared bool
	Errors map[string]string // field -> what is wrong with it
	Why    string            // when it is no field
}

// refused returns what was refused of the view with that id, empty for a new one, or
// what the form begins with.
func (p ViewsProps) refused(id, name string, shared bool) RefusedView {
	if p.Refused != nil && p.Refused.ID == id {
		return *p.Refused
	}
	return RefusedView{ID: id, Name: name, Shared: shared}
}

// HasForm reports whether the menu has a form for the view with that id, empty for a
// new one, in which it says what was refused.
func (p ViewsProps) HasForm(id string) bool {
	return !p.Away && (id == "" || p.Active != nil && p.Active.ID == id && p.Active.MayEdit)
}
