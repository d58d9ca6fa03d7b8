package views

import (
	"context"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// PaletteProps is what the search over the whole tool found among the accounts.
type PaletteProps struct {
	Text   string // what was searched for
	Rows   []wave.Reseller
	Total  int       // accounts that match
	Away   time.Time // of the list when Wave has not answered since; else zero
	Failed bool      // there is nothing to search
}

// paletteItem is one place that the search leads to.
type paletteItem struct {
	url, icon, label, detail string
	code                     string // the raw key of a flag; empty for others
	search                   string // what the search looks in, folded
}

// screenItems are the screens that the person may use, those of the menu first.
func screenItems(ctx context.Context) []paletteItem {
	var items []paletteItem
	for _, n := range slices.Concat(navigation, further) {
		if n.write && !mayModify(ctx) {
			continue
		}
		var names []string
		for _, lang := range i18n.Languages {
			names = append(names, i18n.T(i18n.WithLang(ctx, lang), n.label))
		}
		items = append(items, paletteItem{
			url: n.url, icon: n.icon, label: t(ctx, n.label), search: i18n.Fold(strings.Join(names, " ")),
		})
	}
	return items
}

// flagItems are the flags of the catalogue, found by the labels of either language,
// by key and by group.
func flagItems(ctx context.Context) []paletteItem {
	lang := i18n.Lang(ctx)
	items := make([]paletteItem, 0, len(wave.Flags))
	for _, g := range wave.Groups {
		for _, f := range g.Flags {
			items = append(items, paletteItem{
				url: FlagURL(f.Key), icon: "flag", label: f.Label.In(lang), detail: g.Label.In(lang), code: string(f.Key),
				search: searchTexts[f.Key] + " " + i18n.Fold(g.Label.EN+" "+g.Label.JA),
			})
		}
	}
	return items
}

// accountItems are the accounts found. One without an id has no page.
func (p PaletteProps) accountItems() []paletteItem {
	var items []paletteItem
	for _, a := range p.Rows {
		if a.UserID == "" {
			continue
		}
		g := a.BillingGroup
		items = append(items, paletteItem{
			url: AccountURL(a.UserID, ""), icon: "users", label: a.Email, detail: strings.TrimSpace(g.Name + " " + g.ID),
			search: i18n.Fold(strings.Join([]string{a.Email, string(a.UserID), g.Name, g.ID, g.CompanyID}, " ")),
		})
	}
	return items
}

// note is what is to be known of the accounts found; empty for nothing.
func (p PaletteProps) note(ctx context.Context) string {
	switch {
	case p.Failed:
		return t(ctx, "palette.failed")
	case !p.Away.IsZero():
		return t(ctx, "palette.away", "time", i18n.Clock(ctx, p.Away))
	}
	return ""
}
