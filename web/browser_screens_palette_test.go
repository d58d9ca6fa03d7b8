package web_test

import "waveadmin/internal/testkit"

func init() { screens = append(screens, paletteScreens...) }

// paletteScreens are the states of the search over the whole tool.
var paletteScreens = []screen{
	{"palette", "", `#palette [role=option]`, func(v *visit) {
		v.open("/resellers?size=25")
		v.b.Click(`[data-palette-open]`)
	}},
	{"palette with all kinds", "", `#palette [data-palette-group=accounts] a`, func(v *visit) {
		v.palette("co")
		v.b.Until(`document.querySelectorAll("#palette [role=group]").length > 1`)
	}},
	{"palette with what is long", "", `#palette a[href$="/unusual"]`, func(v *visit) { v.palette("headquarters") }},
	{"palette without a match", testkit.Editor, `#palette [role=status]`, func(v *visit) {
		v.palette("zzzzzzzz")
		v.b.Until(`document.querySelector("#palette [role=status]").textContent !== ""`)
	}},
}

// palette opens the palette on the page of an account and types.
func (v *visit) palette(text string) {
	v.open(unusual)
	v.b.Click(`[data-palette-open]`)
	v.b.Type(`#palette-field`, text)
}
