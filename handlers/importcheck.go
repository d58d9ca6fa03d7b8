package handlers

import (
	"context"
	"slices"
	"strings"

	"waveadmin/internal/bulk"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/reseller"
	"waveadmin/internal/sheet"
	"waveadmin/internal/wave"
)

// toldRows is how many rows with problems are told of one by one.
const toldRows = 300

// draft returns the accounts of s that can be issued, and why the others cannot, as
// accounts, billing groups and presets are now. All of what is wrong with its rows is
// kept.
func (h *Import) draft(ctx context.Context, s sheet.Sheet) (bulk.Draft, error) {
	snapshot, err := h.Directory.Current(ctx)
	if err != nil {
		return bulk.Draft{}, err
	}
	groups, complete, err := h.Groups.BillingGroups(ctx)
	if err != nil {
		return bulk.Draft{}, err
	}
	k := newFileCheck(ctx, snapshot, groups, complete, h.Presets.Book())
	d := bulk.Draft{Kind: bulk.Creations, Source: "file"}
	var told []fault.Text
	var all bulk.FileProblems
	wrong := 0
	for _, row := range s.Rows {
		account, problems := k.account(row)
		if len(problems) == 0 {
			d.Items = append(d.Items, bulk.DraftItem{New: account})
			continue
		}
		if wrong++; wrong <= toldRows {
			told = append(told, problems...)
		}
		for _, say := range problems {
			if err := all.Add(say); err != nil {
				return bulk.Draft{}, err
			}
		}
	}
	if d.FileProblems, err = h.Plans.KeepProblems(ctx, &all); err != nil {
		return bulk.Draft{}, err
	}
	note := func(is bool, key string, args ...any) {
		if is {
			d.Problems = append(d.Problems, fault.Say(key, args...))
		}
	}
	note(len(s.Ignored) > 0, "import.ignored", "columns", strings.Join(s.Ignored, ", "))
	note(k.unsure, "import.groups_partial")
	note(wrong > 0, "import.rows_left_out", "count", wrong)
	d.Problems = append(d.Problems, told...)
	note(wrong > toldRows, "import.more", "count", wrong-toldRows)
	return d, nil
}

// fileCheck is what the rows of a file are checked against.
type fileCheck struct {
	accounts *reseller.Snapshot
	groups   map[string]wave.BillingGroup // by company id
	ids      map[string][]string          // company ids by the id of the billing group
	complete bool                         // there are no other groups
	presets  map[string]*preset.Preset    // by id and by what they are called, folded; nil for none
	forNew   *preset.Preset               // of who does not say; nil for none

	unsure bool // a company id could not be checked
}

func newFileCheck(ctx context.Context, accounts *reseller.Snapshot, groups []wave.BillingGroup, complete bool, book *preset.Book) *fileCheck {
	k := &fileCheck{
		accounts: accounts, complete: complete, presets: make(map[string]*preset.Preset),
		groups: make(map[string]wave.BillingGroup, len(groups)), ids: make(map[string][]string, len(groups)),
	}
	for _, g := range groups {
		k.groups[g.CompanyID] = g
		k.ids[g.ID] = append(k.ids[g.ID], g.CompanyID)
	}
	if first := book.ForNew(); first.ID != preset.Defaults { // as the form for one account does
		k.forNew = first
	}
	call := func(key string, p *preset.Preset) {
		for _, lang := range i18n.Languages {
			k.presets[i18n.Fold(i18n.T(i18n.WithLang(ctx, lang), key))] = p
		}
	}
	call("create.no_preset", nil)
	for _, p := range book.All() {
		if p.ID == preset.Defaults {
			call("preset.defaults", p)
		} else {
			k.presets[i18n.Fold(p.Name)] = p
		}
	}
	for _, p := range book.All() {
		k.presets[i18n.Fold(p.ID)] = p
	}
	return k
}

// account returns the account of a row, or why it cannot be issued.
func (k *fileCheck) account(row sheet.Row) (*bulk.NewAccount, []fault.Text) {
	var problems []fault.Text
	for _, p := range row.Problems {
		problems = append(problems, p.Say)
	}
	// What is wrong with a column already is not said in other words as well.
	wrong := func(column, key string, args ...any) {
		if !slices.ContainsFunc(row.Problems, func(p sheet.Problem) bool { return p.Column == column || p.Column == "" }) {
			problems = append(problems, fault.Say(key, append(args, "row", row.Number, "column", row.Called(column))...))
		}
	}
	n := &bulk.NewAccount{Email: row.Email, CompanyID: row.CompanyID, Notify: row.Notify != wave.Off, Meta: wave.Defaults()}
	invalid := reseller.CheckNew(row.Email, row.CompanyID)
	if _, bad := invalid["email"]; bad {
		wrong(sheet.Email, "import.bad_email", "value", cut(row.Email, maxTold))
	} else if _, used := k.accounts.ByEmail(row.Email); used {
		wrong(sheet.Email, "import.email_used", "value", row.Email)
	}
	if _, bad := invalid["company_id"]; bad {
		wrong(sheet.CompanyID, "import.bad_company", "value", cut(row.CompanyID, maxTold))
	} else {
		k.company(row, n, wrong)
	}
	k.functions(row, n, wrong)
	return n, problems
}

// maxTold is how many characters of a cell a problem repeats.
const maxTold = 60

// company finds the billing group of a row. One that is not listed may be there all the
// same when the list is not complete.
func (k *fileCheck) company(row sheet.Row, n *bulk.NewAccount, wrong func(column, key string, args ...any)) {
	group, ok := k.groups[row.CompanyID]
	switch ids := k.ids[row.CompanyID]; {
	case ok:
		n.Group = group.Name
	case len(ids) == 1: // the other one of its ids
		wrong(sheet.CompanyID, "import.company_is_group", "value", cut(row.CompanyID, maxTold), "id", ids[0])
	case k.complete:
		wrong(sheet.CompanyID, "import.company_unknown", "value", cut(row.CompanyID, maxTold))
	default:
		k.unsure = true
	}
}

// functions sets those of the preset of a row, and over them what the row says.
func (k *fileCheck) functions(row sheet.Row, n *bulk.NewAccount, wrong func(column, key string, args ...any)) {
	p := k.forNew
	if row.Preset != "" {
		var ok bool
		if p, ok = k.presets[i18n.Fold(row.Preset)]; !ok {
			wrong(sheet.Preset, "import.preset_unknown", "value", cut(row.Preset, maxTold))
		}
	}
	if p != nil {
		n.Preset = p.ID
	}
	for _, f := range wave.Flags { // only what the catalogue has can be asked for
		if p != nil {
			if on, ok := p.Flags[f.Key]; ok {
				n.Meta = n.Meta.With(f.Key, on)
			}
		}
		if state := row.Flags.State(f.Key); state != wave.Unset {
			n.Meta = n.Meta.With(f.Key, state == wave.On)
		}
	}
}
