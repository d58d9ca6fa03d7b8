package views

import (
	"context"
	"strings"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// GridProps is the flags of one account, saved or to be, under their headings.
type GridProps struct {
	Prefix   string // of the boxes' names: "is." on an account, "flag." in creation
	WithWas  bool   // whether the form says what each flag was
	ReadOnly bool
	Groups   []GroupProps
	Preset   wave.Wanted // what the preset says, for marks where a flag differs
}

// presetSays returns "on" or "off" as the preset says of the flag, or "".
func (p GridProps) presetSays(key wave.Key) string {
	if on, ok := p.Preset[key]; ok {
		return onOff(on)
	}
	return ""
}

// GroupProps is a heading with its flags.
type GroupProps struct {
	ID    string
	Label string
	Flags []FlagProps
}

// FlagProps is one flag of a grid.
type FlagProps struct {
	Key     wave.Key
	Label   string
	Help    string
	Search  string // what the filter of the grid looks in, folded
	Parent  wave.Key
	Child   bool // its parent stands above it in the same group
	Saved   wave.State
	On      bool // as the person has it now
	Default bool
	Known   bool // in the catalogue
}

// Grid returns the flags of an account: those of the catalogue, then under a
// heading of their own those that this program does not know. Staged values lie
// over the saved ones.
func Grid(ctx context.Context, saved wave.Meta, staged wave.Wanted) []GroupProps {
	lang := i18n.Lang(ctx)
	shown := func(key wave.Key) bool {
		if on, ok := staged[key]; ok {
			return on
		}
		return saved.On(key)
	}
	groups := make([]GroupProps, 0, len(wave.Groups)+1)
	for _, g := range wave.Groups {
		group := GroupProps{ID: g.ID, Label: g.Label.In(lang), Flags: make([]FlagProps, 0, len(g.Flags))}
		for _, f := range g.Flags {
			parent, _ := wave.Lookup(f.Parent)
			group.Flags = append(group.Flags, FlagProps{
				Key: f.Key, Label: f.Label.In(lang), Help: f.Help.In(lang), Search: searchTexts[f.Key],
				Parent: f.Parent, Child: f.Parent != "" && parent.Group == f.Group,
				Saved: saved.State(f.Key), On: shown(f.Key), Default: f.Default, Known: true,
			})
		}
		groups = append(groups, group)
	}
	if unknown := saved.Unknown(); len(unknown) > 0 {
		group := GroupProps{ID: "other", Label: t(ctx, "grid.other")}
		for _, key := range unknown {
			if key == "" {
				continue // no form field can name it; it is sent back as it came
			}
			group.Flags = append(group.Flags, FlagProps{
				Key: key, Label: string(key), Help: t(ctx, "grid.other_help"), Search: i18n.Fold(string(key)),
				Saved: saved.State(key), On: shown(key), Default: saved.On(key),
			})
		}
		groups = append(groups, group)
	}
	return groups
}

// searchTexts holds for each flag its labels in both languages and its key, as
// i18n.Fold leaves them: a person may type any of them.
var searchTexts = func() map[wave.Key]string {
	texts := make(map[wave.Key]string, len(wave.Flags))
	for _, f := range wave.Flags {
		texts[f.Key] = i18n.Fold(strings.Join([]string{f.Label.EN, f.Label.JA, string(f.Key)}, " "))
	}
	return texts
}()

func (g GroupProps) on() int {
	n := 0
	for _, f := range g.Flags {
		if f.On {
			n++
		}
	}
	return n
}

// wasValue is what the form says of a flag's saved state: on, off or unset. An
// odd value is shown as off.
func (f FlagProps) wasValue() string {
	if f.Saved == wave.Odd {
		return wave.Off.String()
	}
	return f.Saved.String()
}

func onOff(on bool) string { return wave.StateOf(on).String() }

// presetMark says what the preset says of a flag.
func presetMark(ctx context.Context, says string) string {
	if says == onOff(true) {
		return t(ctx, "grid.preset_on")
	}
	return t(ctx, "grid.preset_off")
}
