package web_test

import (
	"testing"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// TestMatrix_oddNames: accounts whose ids are names that every object of a script has
// are staged as others, and nothing that all objects share is changed.
func TestMatrix_oddNames(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "?size=25")
	names := []wave.UserID{"__proto__", "constructor", "toString"}
	for _, id := range names {
		a := wave.Reseller{UserID: id, Email: "a-" + string(id) + "@matrix.example.co.jp", Meta: wave.Defaults()}
		if err := m.s.Wave.AddAccount(a); err != nil {
			t.Fatal(err)
		}
	}
	m.Open("/matrix?size=25&q=a-")
	m.refresh()
	for _, id := range names {
		m.Click(m.at(string(id), "invoice"))
	}
	m.wantStaged("at first", "__proto__ invoice on, constructor invoice on, toString invoice on")
	m.Reload()
	m.ready()
	m.wantStaged("reloaded", "__proto__ invoice on, constructor invoice on, toString invoice on")
	m.Until(`Object.keys(Object.prototype).length === 0 && !("invoice" in {}) && !("invoice" in Object) && !("invoice" in (() => 0))`)
}
