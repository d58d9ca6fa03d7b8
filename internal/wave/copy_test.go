package wave_test

import (
	"slices"
	"testing"

	"waveadmin/internal/wave"
)

func TestCopy(t *testing.T) {
	tests := []struct {
		name        string
		there, here wave.Meta
		want        []wave.Copied
	}{
		{"alike", wave.Defaults(), wave.Defaults(), nil},
		{
			"on and off",
			wave.Meta{}.With("invoice", true).With("open_api", false),
			wave.Meta{}.With("invoice", false).With("open_api", true),
			[]wave.Copied{
				{Key: "invoice", There: wave.On, Here: wave.Off},
				{Key: "open_api", There: wave.Off, Here: wave.On},
			},
		},
		{
			"not set counts as off",
			wave.Meta{}.With("open_api", false),
			wave.Meta{}.With("invoice", true),
			[]wave.Copied{{Key: "invoice", There: wave.Unset, Here: wave.On}},
		},
		{
			"an odd value over there is not guessed at",
			wave.Meta{}.WithRaw("invoice", []byte(`"true"`)),
			wave.Meta{}.With("invoice", true),
			[]wave.Copied{{Key: "invoice", There: wave.Odd, Here: wave.On, Left: wave.LeftOdd}},
		},
		{
			"an odd value here is replaced",
			wave.Meta{}.With("invoice", true),
			wave.Meta{}.WithRaw("invoice", []byte(`1`)),
			[]wave.Copied{{Key: "invoice", There: wave.On, Here: wave.Odd}},
		},
		{
			"outside the catalogue only what both have",
			wave.Meta{}.With("x_both", true).With("x_there", true),
			wave.Meta{}.With("x_both", false).With("x_here", true),
			[]wave.Copied{
				{Key: "x_both", There: wave.On, Here: wave.Off},
				{Key: "x_here", There: wave.Unset, Here: wave.On, Left: wave.LeftMissing},
				{Key: "x_there", There: wave.On, Here: wave.Unset, Left: wave.LeftMissing},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := wave.Copy(tt.there, tt.here)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}
