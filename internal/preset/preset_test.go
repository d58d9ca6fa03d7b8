package preset_test

import (
	"testing"

	"pgregory.net/rapid"

	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
)

func TestDrift(t *testing.T) {
	m := wave.Defaults().With("new_in_2027", true).WithRaw("invoice", []byte(`"true"`))
	for _, tt := range []struct {
		name  string
		flags wave.Wanted
		want  []wave.Moved
	}{
		{"nothing specified", wave.Wanted{}, nil},
		{"as it is", wave.Wanted{"open_api": wave.Defaults().On("open_api"), "new_in_2027": true}, nil},
		{"odd counts as off", wave.Wanted{"invoice": true}, []wave.Moved{{Key: "invoice", From: wave.Odd, To: wave.On}}},
		{"odd is no difference to off", wave.Wanted{"invoice": false}, nil},
		{"unset counts as off", wave.Wanted{"later": true, "never": false}, []wave.Moved{{Key: "later", From: wave.Unset, To: wave.On}}},
		{"one the catalogue lacks", wave.Wanted{"new_in_2027": false}, []wave.Moved{{Key: "new_in_2027", From: wave.On, To: wave.Off}}},
	} {
		p := preset.New(preset.Preset{ID: "p", Flags: tt.flags})
		got := p.Drift(m)
		if len(got) != len(tt.want) || len(got) > 0 && got[0] != tt.want[0] {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if n := p.DriftCount(m); n != len(tt.want) {
			t.Errorf("%s: counts %d", tt.name, n)
		}
	}
}

// TestDrift_countsWhatItLists: two ways to the same figure.
func TestDrift_countsWhatItLists(t *testing.T) {
	keys := []wave.Key{"x1", "x2"}
	for _, f := range wave.Flags {
		keys = append(keys, f.Key)
	}
	rapid.Check(t, func(t *rapid.T) {
		var m wave.Meta
		flags := wave.Wanted{}
		for _, key := range keys {
			if v := rapid.IntRange(0, 2).Draw(t, "has"); v > 0 {
				m = m.With(key, v == 2)
			}
			if v := rapid.IntRange(0, 2).Draw(t, "wants"); v > 0 {
				flags[key] = v == 2
			}
		}
		p := preset.New(preset.Preset{Flags: flags})
		if got, want := p.DriftCount(m), len(p.Drift(m)); got != want {
			t.Fatalf("counts %d and lists %d", got, want)
		}
		for key, on := range flags {
			m = m.With(key, on)
		}
		if n := p.DriftCount(m); n != 0 {
			t.Fatalf("applied, and %d still differ", n)
		}
	})
}

func TestBook(t *testing.T) {
	gold := preset.New(preset.Preset{ID: "g", Name: "Gold", Flags: wave.Wanted{"invoice": true}})
	basic := preset.New(preset.Preset{ID: "b", Name: "Basic"})
	b := preset.NewBook([]*preset.Preset{gold, basic}, []preset.Assignment{
		{Account: "u1", Preset: "g"}, {Account: "u2", Preset: "deleted"},
	}, "b")
	var order []string
	for _, p := range b.All() {
		order = append(order, p.ID)
	}
	if len(order) != 3 || order[0] != preset.Defaults || order[1] != "b" || order[2] != "g" {
		t.Errorf("the order is %v", order)
	}
	if b.ForNew() != basic || b.PresetOf("u1") != gold || b.PresetOf("u2") != nil || b.Get("deleted") != nil {
		t.Error("a preset is not found, or one that is gone is")
	}
	if n := b.DriftOf("u1", wave.Meta{}); n != 1 {
		t.Errorf("the drift of u1 is %d", n)
	}
	if id, n := b.Standing("u1", wave.Meta{}); id != "g" || n != 1 {
		t.Errorf("u1 stands at %q with %d", id, n)
	}
	if id, n := b.Standing("u2", wave.Meta{}); id != "" || n != 0 {
		t.Errorf("u2, whose preset is gone, stands at %q with %d", id, n)
	}
	if preset.NewBook(nil, nil, "deleted").ForNew() != preset.BuiltIn() {
		t.Error("without a preset for new accounts there is none")
	}
}
