package reseller

import (
	"fmt"
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

func TestSnapshot_byFlag(t *testing.T) {
	s := newSnapshot(sample, day(30), i18n.Fold, nil)
	for _, tt := range []struct {
		q    Query
		want string
	}{
		{Query{Sort: ByFlag("invoice")}, "u2 u3 - u1 u4"},
		{Query{Sort: ByFlag("invoice"), Desc: true}, "u1 u4 u2 u3 -"},
		{Query{Sort: ByFlag("new_in_2027"), Desc: true}, "u2 u1 u3 u4 -"},
		{Query{Sort: ByFlag("nobody_has_it"), Desc: true}, "u1 u2 u3 u4 -"},
		{Query{Sort: ByFlag("invoice"), Desc: true, On: []wave.Key{"open_api"}}, "u1"},
		{Query{Sort: "flag."}, "u1 u2 u3 u4 -"},
	} {
		if got := ids(s.Find(tt.q, nil).Rows); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.q, got, tt.want)
		}
	}
}

func TestSnapshot_Unknown(t *testing.T) {
	list := append([]wave.Reseller{
		{UserID: "x1", Email: "x1@example.com", Meta: flags("zz_late", "aa_early")},
		{UserID: "x2", Email: "x2@example.com", Meta: flags("").WithRaw("aa_early", []byte("7"))},
	}, sample...)
	s := newSnapshot(list, day(30), i18n.Fold, nil)
	if got := fmt.Sprint(s.Unknown(20)); got != "[aa_early new_in_2027 zz_late]" {
		t.Errorf("unknown are %s", got)
	}
	if got := s.Unknown(1); len(got) != 1 {
		t.Errorf("of one: %v", got)
	}
	if got := newSnapshot(nil, day(30), i18n.Fold, nil).Unknown(20); len(got) != 0 {
		t.Errorf("of none: %v", got)
	}
}
