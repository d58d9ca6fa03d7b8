package handlers

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/fault"
	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
)

// FuzzFlagForm: what a form of flags is taken to say stands in it, once and in a
// form that pages send; anything else is refused, with a short text for the log.
func FuzzFlagForm(f *testing.F) {
	for _, body := range []string{
		"was.invoice=off&is.invoice=on&was.open_api=on", "was.invoice=on", "is.invoice=on", "was.invoice=unset&is.invoice=on&reason=x",
		"was.invoice=on&is.invoice=on&choose.invoice=now", "was.invoice=off&choose.invoice=seen", "was.invoice=off&choose.invoice=mine&is.invoice=on",
		"was.invoice=on&was.invoice=off", "was.invoice=on&is.invoice=on&is.invoice=on", "was.invoice=on&is.invoice=off", "was.=on", "was.invoice=odd",
		"was.invoice=on&choose.invoice=now&choose.invoice=mine", "was.%00=on&is.%00=on", "was.not_a_flag=off&is.not_a_flag=on", "WAS.invoice=on",
		"flag.invoice=off&flag.invoice=on&flag.open_api=off", "flag.invoice=on", "flag.invoice=on&flag.invoice=off", "flag.invoice=evil&flag.invoice=on",
		"flag.invoice=none&name=a&note=b", "flag.nothing=on", "flag.=on", "flag.invoice=" + strings.Repeat("x", 5000), "was.%zz=on&was.invoice=off;is.invoice=on",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, _ := url.ParseQuery(body) // as net/http, which keeps what it can read
		checkEdits(t, form)
		checkCreation(t, form)
		checkPreset(t, form)
	})
}

// refused reports whether err is the refusal of a form, and holds it to its form.
func refused(t *testing.T, err error) bool {
	if err != nil && (fault.KindOf(err) != fault.Invalid || len(err.Error()) > 2000) {
		t.Errorf("refused as %v with %d bytes", fault.KindOf(err), len(err.Error()))
	}
	return err != nil
}

func checkEdits(t *testing.T, form url.Values) {
	seen, want, err := edits(form)
	fine := true // by the form alone
	shown := 0
	for name, values := range form {
		if flag, ok := strings.CutPrefix(name, "was."); ok {
			shown++
			fine = fine && flag != "" && len(values) == 1 && slices.Contains([]string{"on", "off", "unset"}, values[0])
			is, chosen := form["is."+flag], form["choose."+flag]
			fine = fine && (is == nil || slices.Equal(is, []string{"on"}))
			fine = fine && (chosen == nil || len(chosen) == 1 && slices.Contains([]string{"mine", "now", "seen"}, chosen[0]))
		}
	}
	if refused(t, err) == fine || !fine && (seen != nil || want != nil) {
		t.Fatalf("%v: taken as %v, %v, %v", form, seen, want, err)
	}
	if !fine {
		return
	}
	if len(seen) != shown {
		t.Errorf("%v: %d flags were shown, %v is taken", form, shown, seen)
	}
	again := make(url.Values)
	for key, state := range seen {
		if form.Get("was."+string(key)) != state.String() {
			t.Errorf("%v: %q was %v", form, key, state)
		}
		again.Set("was."+string(key), state.String())
		if on, touched := want[key]; on || !touched && state == wave.On {
			again.Set("is."+string(key), "on")
		}
	}
	for key, on := range want {
		was, ok := seen[key]
		if !ok || on == (was == wave.On) {
			t.Errorf("%v: %q is wanted %v and was %v", form, key, on, was)
		}
		if !form.Has("choose."+string(key)) && on != form.Has("is."+string(key)) {
			t.Errorf("%v: %q is wanted %v", form, key, on)
		}
	}
	if s, w, err := edits(again); err != nil || !cmp.Equal(s, seen) || !cmp.Equal(w, want) {
		t.Errorf("%v reads as %v, %v, %v; want %v, %v", again, s, w, err, seen, want)
	}
}

func checkCreation(t *testing.T, form url.Values) {
	m, err := createMeta(form)
	fine, want := true, wave.Defaults()
	for name, values := range form {
		if flag, ok := strings.CutPrefix(name, "flag."); ok {
			_, known := wave.Lookup(wave.Key(flag))
			box := strings.Join(values, ",")
			fine = fine && known && (box == "on" || box == "off" || box == "off,on")
			if fine {
				want = want.With(wave.Key(flag), box != "off")
			}
		}
	}
	if refused(t, err) == fine || fine && len(wave.Diff(want, m)) > 0 {
		t.Errorf("%v: %v as against the defaults, %v", form, wave.Diff(wave.Defaults(), m), err)
	}
}

func checkPreset(t *testing.T, form url.Values) {
	before := preset.Content{Flags: wave.Wanted{"invoice": true, "open_api": false}}
	c, err := readPreset(form, before)
	fine, want := true, wave.Wanted{"invoice": true, "open_api": false}
	for name, values := range form {
		if flag, ok := strings.CutPrefix(name, "flag."); ok {
			_, known := wave.Lookup(wave.Key(flag))
			fine = fine && known && len(values) == 1 && slices.Contains([]string{"on", "off", "none"}, values[0])
			if want[wave.Key(flag)] = values[0] == "on"; values[0] == "none" {
				delete(want, wave.Key(flag))
			}
		}
	}
	if refused(t, err) == fine || fine && !cmp.Equal(c.Flags, want) {
		t.Errorf("%v: %v, %v, want %v", form, c.Flags, err, want)
	}
	if len(before.Flags) != 2 || !before.Flags["invoice"] {
		t.Errorf("what was seen is %v now", before.Flags)
	}
}
