package handlers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Plans is the part of bulk.Runs that pages need.
type Plans interface {
	Make(ctx context.Context, author auth.Actor, d bulk.Draft) (*bulk.Plan, error)
	Again(ctx context.Context, author auth.Actor, id string) (*bulk.Plan, error)
	Preview(ctx context.Context, id string) (*bulk.Preview, error)
	PreviewItems(ctx context.Context, id string, show bulk.Show, limit, offset int) ([]bulk.Item, error)
	ItemsOf(ctx context.Context, id string, accounts []wave.UserID, limit int) ([]bulk.Item, error)
	LeaveOut(ctx context.Context, id string, shown, out []int) error
	List(ctx context.Context, limit int) ([]bulk.Listed, error)
	Run(ctx context.Context, id string) (*bulk.Run, bulk.Counts, error)
	Progress(ctx context.Context, id string) (*bulk.Progress, error)
	Parts(ctx context.Context, id string) iter.Seq2[[]bulk.Item, error]
	Start(ctx context.Context, s bulk.Start) error
	NeedsApproval(v *bulk.Preview) bool
	Approve(ctx context.Context, by auth.Actor, id, mark string) error
	Pause(ctx context.Context, by auth.Actor, id string) error
	Resume(ctx context.Context, by auth.Actor, id string) error
	Cancel(ctx context.Context, by auth.Actor, id string) error
	Retry(ctx context.Context, by auth.Actor, id string) (*bulk.Plan, error)
	Revert(ctx context.Context, by auth.Actor, id string) (*bulk.Plan, error)
}

// Bulk serves the pages of bulk changes.
type Bulk struct {
	Directory      Directory
	Ledger         Ledger
	Plans          Plans
	Looks          Looks
	Presets        Book
	Editors        Editors
	Exports        ExportRecorder
	Kept           KeptForms
	ReasonRequired bool
}

// New answers GET and POST /bulk/new: the form for targets and changes. The targets
// come as fields user, or as all=1 with list, the query of the reseller table, which
// is frozen here; preset chooses one. Nothing is stored. A POST leads to the same by GET
// where an address can say it: from there the way back and a reload lose nothing.
func (h *Bulk) New(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if to, ok := views.BulkNewFor(r.PostForm); ok && r.Method == http.MethodPost && reachable(r.Context(), to) {
		hx.Redirect(w, r, to)
		return nil
	}
	snapshot, err := h.Directory.Current(r.Context())
	if err != nil {
		return err
	}
	f, err := h.readForm(r.Form, snapshot)
	if err != nil {
		return err
	}
	return views.Render(w, r, http.StatusOK, views.BulkNewPage(h.formProps(r.Context(), f, snapshot)))
}

// maxAddress is what proxies take for an address, with some room.
const maxAddress = 6000

// reachable reports whether a browser gets to an address of ours, which may be long, by
// way of a sign-in too if one is due.
func reachable(ctx context.Context, to string) bool {
	return auth.ReturnTo(to) == to || len(to) <= maxAddress && !auth.StandingOf(ctx).Due
}

// Create answers POST /bulk: it stores the plan of that form, or of the field plan,
// and leads to its preview.
func (h *Bulk) Create(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	actor := auth.ActorFrom(r.Context())
	if r.PostForm.Has("plan") {
		if len(r.PostForm["plan"]) > 1 {
			return fault.New(fault.Invalid, errors.New("more than one plan"))
		}
		draft, err := bulk.Decode(r.PostForm.Get("plan"))
		if err != nil {
			return err
		}
		draft.Reason = trimmed(r, "reason")
		plan, err := h.Plans.Make(r.Context(), actor, draft)
		if err != nil {
			return err
		}
		hx.Redirect(w, r, views.BulkURL(plan.ID))
		return nil
	}
	snapshot, err := h.Directory.Current(r.Context())
	if err != nil {
		return err
	}
	f, err := h.readForm(r.PostForm, snapshot)
	if err != nil {
		return err
	}
	draft, err := h.draft(f, snapshot)
	if err == nil {
		var plan *bulk.Plan
		if plan, err = h.Plans.Make(r.Context(), actor, draft); err == nil {
			hx.Redirect(w, r, views.BulkURL(plan.ID))
			return nil
		}
	}
	p := h.formProps(r.Context(), f, snapshot)
	if invalid, ok := errors.AsType[*fault.Error](err); ok {
		p.Errors = fieldErrors(r.Context(), invalid)
	}
	return &FormError{Err: err, Form: func(failure *views.FailureProps) templ.Component {
		if len(p.Errors) == 0 {
			p.Failure = failure
		}
		return views.BulkNewPage(p)
	}}
}

// bulkForm is what the form says, with its targets frozen.
type bulkForm struct {
	users   []wave.UserID // each once, those that are no accounts included
	paste   string        // as it was typed
	unknown []string      // what was pasted and names no account
	what    string        // one of bulkWhats
	flags   wave.Wanted   // of flags
	preset  string
	copyOf  string // an email or a user id
	reason  string
}

// bulkWhats are what the form can be about.
var bulkWhats = []string{"flags", "preset", "copy", "password", "delete"}

// readForm reads the form. A value that no form of ours sends is refused.
func (h *Bulk) readForm(v url.Values, snapshot *reseller.Snapshot) (bulkForm, error) {
	f := bulkForm{
		paste: v.Get("paste"), preset: cut(v.Get("preset"), maxText), copyOf: cut(strings.TrimSpace(v.Get("copy")), maxText),
		reason: strings.TrimSpace(v.Get("reason")), what: v.Get("what"), flags: wave.Wanted{},
	}
	if f.what == "" && f.preset != "" {
		f.what = "preset"
	} else if f.what == "" {
		f.what = "flags"
	}
	if !slices.Contains(bulkWhats, f.what) {
		return f, fault.New(fault.Invalid, fmt.Errorf("what is %.40q", f.what))
	}
	for name, values := range v {
		flag, ok := strings.CutPrefix(name, "flag.")
		if !ok || len(values) == 1 && values[0] == "keep" {
			continue
		}
		state := stateNames[values[0]]
		if _, known := wave.Lookup(wave.Key(flag)); !known || len(values) > 1 || state == wave.Unset {
			return f, oddField(name, values)
		}
		f.flags[wave.Key(flag)] = state == wave.On
	}
	f.target(v, snapshot, h.Ledger, h.Presets.Book())
	return f, nil
}

// target collects the accounts, each once, in the order in which they were named.
func (f *bulkForm) target(v url.Values, snapshot *reseller.Snapshot, ledger Ledger, book *preset.Book) {
	met := make(map[wave.UserID]bool)
	add := func(id wave.UserID) {
		switch {
		case id == "" || met[id]:
			return
		case len(id) > maxText: // no id, and too long to be kept as one
			f.unknown = append(f.unknown, cut(string(id), maxText))
		default:
			f.users = append(f.users, id)
		}
		met[id] = true
	}
	for _, id := range v["user"] {
		add(wave.UserID(id))
	}
	for id := range strings.FieldsFuncSeq(v.Get("users"), func(r rune) bool { return r == '\n' || r == '\r' }) {
		add(wave.UserID(id))
	}
	if v.Get("all") == "1" {
		list, _ := url.ParseQuery(strings.TrimPrefix(v.Get("list"), "?")) // what it can read of it
		q := storeQuery(listQuery(list), book)
		q.Page, q.Size = 1, max(1, snapshot.Len())
		for _, account := range snapshot.Find(q, ledger.LastOf).Rows {
			add(account.UserID)
		}
	}
	known, unknown := namedAccounts(snapshot, words(f.paste))
	for _, id := range known {
		add(id)
	}
	f.unknown = append(f.unknown, unknown...)
}

// accountNamed returns the account with that user id or email.
func accountNamed(snapshot *reseller.Snapshot, word string) (wave.Reseller, bool) {
	if account, ok := snapshot.Get(wave.UserID(word)); ok {
		return account, true
	}
	return snapshot.ByEmail(word)
}

// draft returns what the form asks for. It fails with fault.Invalid about the
// field that is wrong.
func (h *Bulk) draft(f bulkForm, snapshot *reseller.Snapshot) (bulk.Draft, error) {
	d := bulk.Draft{Source: "table", Reason: f.reason, Unknown: f.unknown}
	want := f.flags
	switch f.what {
	case "password":
		d.Kind, want = bulk.Passwords, nil
	case "delete":
		d.Kind, want = bulk.Deletions, nil
	case "preset":
		p := h.Presets.Book().Get(f.preset)
		if p == nil {
			return d, fault.Field("preset", "bulk.no_preset")
		}
		d.Source, want = "preset", p.Flags
	case "copy":
		model, ok := accountNamed(snapshot, f.copyOf)
		if !ok || model.Flaw != wave.NoFlaw {
			return d, fault.Field("copy", "bulk.no_model")
		}
		want = make(wave.Wanted, len(wave.Flags))
		for _, flag := range wave.Flags {
			if model.Meta.State(flag.Key) != wave.Odd { // which says neither
				want[flag.Key] = model.Meta.On(flag.Key)
			}
		}
	}
	switch {
	case len(f.unknown) > bulk.MaxAccounts:
		return d, fault.Field("paste", "bulk.too_many_words", "max", bulk.MaxAccounts)
	case len(f.users) == 0 && len(f.unknown) > 0:
		return d, fault.Field("paste", "bulk.none_known")
	case len(f.users) == 0:
		return d, fault.Field("paste", "bulk.no_targets")
	case d.Kind != "":
	case len(want) == 0 && f.what == "preset":
		return d, fault.Field("preset", "bulk.empty_preset")
	case len(want) == 0:
		return d, fault.Field("what", "bulk.nothing_chosen")
	}
	for _, id := range f.users {
		d.Items = append(d.Items, bulk.DraftItem{UserID: id, Want: want})
	}
	return d, nil
}

// shownTargets is how many targets the form names.
const shownTargets = 200

func (h *Bulk) formProps(ctx context.Context, f bulkForm, snapshot *reseller.Snapshot) views.BulkNewProps {
	p := views.BulkNewProps{
		Count: len(f.users), Paste: f.paste, Unknown: f.unknown, What: f.what, Preset: f.preset, Copy: f.copyOf, Reason: f.reason,
		NeedReason: h.ReasonRequired,
	}
	if len(f.unknown) > 0 || f.paste != "" { // known ones are targets by now; the others wait to be mended
		p.Paste = strings.Join(f.unknown, "\n")
	}
	ids := make([]string, len(f.users))
	var metas []wave.Meta
	for n, id := range f.users {
		ids[n] = string(id)
		account, ok := snapshot.Get(id)
		if ok {
			metas = append(metas, account.Meta)
		}
		if n < shownTargets {
			p.Targets = append(p.Targets, views.BulkTarget{ID: id, Email: account.Email, Group: account.BillingGroup.Name})
		}
	}
	p.Users = strings.Join(ids, "\n")
	lang := i18n.Lang(ctx)
	for _, g := range wave.Groups {
		group := views.BulkGroup{ID: g.ID, Label: g.Label.In(lang)}
		for _, flag := range g.Flags {
			choice := views.BulkChoice{Key: flag.Key, Label: flag.Label.In(lang), Value: "keep"}
			if on, ok := f.flags[flag.Key]; ok {
				choice.Value = wave.StateOf(on).String()
			}
			for _, m := range metas {
				if m.On(flag.Key) {
					choice.On++
				}
			}
			group.Flags = append(group.Flags, choice)
		}
		p.Groups = append(p.Groups, group)
	}
	for _, preset := range h.Presets.Book().All() {
		p.Presets = append(p.Presets, views.BulkOption{Value: preset.ID, Label: presetName(ctx, preset), Count: len(preset.Flags)})
	}
	return p
}
