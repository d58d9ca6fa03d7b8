package web_test

import (
	"net/url"
	"time"

	"waveadmin/internal/testkit"
)

func init() { screens = append(screens, flagScreens...) }

// flagScreens are the overview and the pages of one function.
var flagScreens = []screen{
	{"overview", "", `[data-testid="adoption"]`, func(v *visit) { v.open("/") }},
	{"overview with its table", "", `.figures[open] table`, func(v *visit) {
		v.open("/")
		v.b.Click(`.figures summary`)
	}},
	{"overview with changes", "", `[data-testid="recent"] li`, func(v *visit) {
		c := v.s.SignedIn(v.t, testkit.Editor)
		c.Post(unusual+"/meta", url.Values{"was.open_api": {"off"}, "is.open_api": {"on"}, "reason": {time.Now().String()}})
		c.Post(unusual+"/meta", url.Values{"was.open_api": {"on"}})
		v.open("/")
	}},
}
