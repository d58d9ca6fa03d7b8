package archtest

import (
	"cmp"
	"strconv"
	"strings"
	"testing"
)

// judge returns what is wrong with the modules that are required, by the list.
func judge(mod goMod, list []component) []string {
	var wrong []string
	say := func(parts ...string) { wrong = append(wrong, strings.Join(parts, " ")) }
	required := make(map[string]string, len(mod.Require))
	for _, r := range mod.Require {
		required[r.Path] = r.Version
	}
	known := make(map[string]bool)
	for _, c := range list {
		have, used := required[c.name]
		if c.kind == "go" {
			have, used = mod.Go, true
		}
		if known[c.name] {
			say(c.name, "is listed twice")
		}
		known[c.name] = true
		switch {
		case c.kind == "file":
		case c.kind == "refused":
			if used {
				say(c.name, "is not to be used:", c.purpose)
			}
		case !used:
			say(c.name, "is listed and not required")
		case c.unsafe != "" && compareVersions(have, c.unsafe) < 0:
			say(c.name, have, "is vulnerable, take", c.unsafe, "at least")
		case compareVersions(have, c.atLeast) < 0:
			say(c.name, have, "is lower than", c.atLeast)
		}
	}
	for path, version := range required {
		if !known[path] {
			say(path, version, "is not listed")
		}
	}
	if len(mod.Replace)+len(mod.Exclude) > 0 {
		say("go.mod replaces or excludes modules")
	}
	return wrong
}

// compareVersions orders versions as Go modules do: three numbers, and one with a
// pre-release before the one without; pre-releases by their text, as pseudo-versions
// are made for that.
func compareVersions(a, b string) int {
	an, ap, _ := strings.Cut(strings.TrimPrefix(a, "v"), "-")
	bn, bp, _ := strings.Cut(strings.TrimPrefix(b, "v"), "-")
	as, bs := strings.Split(an, "."), strings.Split(bn, ".")
	for i := range 3 {
		var x, y int
		if i < len(as) {
			x, _ = strconv.Atoi(strings.TrimSuffix(as[i], "+incompatible"))
		}
		if i < len(bs) {
			y, _ = strconv.Atoi(strings.TrimSuffix(bs[i], "+incompatible"))
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	if (ap == "") != (bp == "") {
		return cmp.Compare(len(bp), len(ap))
	}
	return cmp.Compare(ap, bp)
}

// TestComponents_judge holds the test itself to what it promises.
func TestComponents_judge(t *testing.T) {
	list := []component{
		{kind: "go", name: "go", atLeast: "1.26.6"},
		{kind: "module", name: "a", atLeast: "v1.10.0", unsafe: "v1.9.2"},
		{kind: "refused", name: "bad"},
	}
	type req = struct{ Path, Version string }
	tests := []struct {
		name string
		mod  goMod
		want string
	}{
		{"as listed", goMod{Go: "1.26.6", Require: []req{{"a", "v1.10.0"}}}, ""},
		{"newer", goMod{Go: "1.27", Require: []req{{"a", "v2.0.0"}}}, ""},
		{"lower", goMod{Go: "1.26.6", Require: []req{{"a", "v1.9.9"}}}, "a v1.9.9 is lower than v1.10.0"},
		{"a candidate", goMod{Go: "1.26.6", Require: []req{{"a", "v1.10.0-rc.1"}}}, "a v1.10.0-rc.1 is lower than v1.10.0"},
		{"vulnerable", goMod{Go: "1.26.6", Require: []req{{"a", "v1.9.1"}}}, "a v1.9.1 is vulnerable, take v1.9.2 at least"},
		{"an old language", goMod{Go: "1.26.0", Require: []req{{"a", "v1.10.0"}}}, "go 1.26.0 is lower than 1.26.6"},
		{"gone", goMod{Go: "1.26.6"}, "a is listed and not required"},
		{"new", goMod{Go: "1.26.6", Require: []req{{"a", "v1.10.0"}, {"b", "v1.0.0"}}}, "b v1.0.0 is not listed"},
		{"refused", goMod{Go: "1.26.6", Require: []req{{"a", "v1.10.0"}, {"bad", "v1.0.0"}}}, "bad is not to be used: "},
		{"replaced", goMod{Go: "1.26.6", Require: []req{{"a", "v1.10.0"}}, Replace: []any{1}}, "go.mod replaces or excludes modules"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(judge(tt.mod, list), "; "); got != tt.want {
				t.Errorf("judge: %q, want %q", got, tt.want)
			}
		})
	}
}
