package bulk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/bulk"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	got, err := bulk.Decode(`{"source":"matrix","items":[
		{"user":"a","seen":{"invoice":"off","open_api":"unset"},"want":{"invoice":"on","open_api":"off"}},
		{"user":"b","want":{"invoice":"off"}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := bulk.Draft{Source: "matrix", Items: []bulk.DraftItem{
		{UserID: "a", Seen: wave.Seen{"invoice": wave.Off, "open_api": wave.Unset}, Want: wave.Wanted{"invoice": true, "open_api": false}},
		{UserID: "b", Seen: wave.Seen{}, Want: wave.Wanted{"invoice": false}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecode_refuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON":               `x`,
		"half of it":            `{"source":"matrix","items":[`,
		"two documents":         `{"source":"matrix","items":[]}{}`,
		"an unknown name":       `{"source":"matrix","items":[],"reason":"x"}`,
		"another case":          `{"Source":"matrix","items":[]}`,
		"an unknown source":     `{"source":"elsewhere","items":[]}`,
		"no source":             `{"items":[]}`,
		"an account twice":      `{"source":"flag","items":[{"user":"a","want":{"invoice":"on"}},{"user":"a","want":{"invoice":"off"}}]}`,
		"a flag twice":          `{"source":"flag","items":[{"user":"a","want":{"invoice":"on","invoice":"off"}}]}`,
		"items twice":           `{"source":"flag","items":[],"items":[]}`,
		"no user":               `{"source":"flag","items":[{"user":"","want":{"invoice":"on"}}]}`,
		"a user of two lines":   `{"source":"flag","items":[{"user":"a\nb","want":{"invoice":"on"}}]}`,
		"nothing wanted":        `{"source":"flag","items":[{"user":"a","want":{}}]}`,
		"a value that is none":  `{"source":"flag","items":[{"user":"a","want":{"invoice":"yes"}}]}`,
		"unset is not wanted":   `{"source":"flag","items":[{"user":"a","want":{"invoice":"unset"}}]}`,
		"a boolean":             `{"source":"flag","items":[{"user":"a","want":{"invoice":true}}]}`,
		"seen but not wanted":   `{"source":"flag","items":[{"user":"a","seen":{"open_api":"on"},"want":{"invoice":"on"}}]}`,
		"seen as nothing known": `{"source":"flag","items":[{"user":"a","seen":{"invoice":"odd"},"want":{"invoice":"on"}}]}`,
		"a flag without a name": `{"source":"flag","items":[{"user":"a","want":{"":"on"}}]}`,
	} {
		if _, err := bulk.Decode(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: err = %v, want fault.Invalid", name, err)
		}
	}
}

func TestDecode_bounds(t *testing.T) {
	t.Parallel()
	plan := func(accounts int) string {
		var items []string
		for n := range accounts {
			items = append(items, fmt.Sprintf(`{"user":"u%d","want":{"invoice":"on"}}`, n))
		}
		return `{"source":"flag","items":[` + strings.Join(items, ",") + `]}`
	}
	if d, err := bulk.Decode(plan(bulk.MaxCells)); err != nil || len(d.Items) != bulk.MaxCells {
		t.Errorf("%d cells: %v", bulk.MaxCells, err)
	}
	if _, err := bulk.Decode(plan(bulk.MaxCells + 1)); !fault.Is(err, fault.Invalid) || fault.SentenceOf(err).Key != "bulk.too_many_cells" {
		t.Errorf("one more: %v", err)
	}
}
