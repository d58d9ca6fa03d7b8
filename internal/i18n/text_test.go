package i18n

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		args       []any
		want       string
	}{
		{"no place", "Nothing to save.", nil, "Nothing to save."},
		{"a place", "Saved at {time}.", []any{"time", "14:03"}, "Saved at 14:03."},
		{"a place twice", "{a} and {a}", []any{"a", 1}, "1 and 1"},
		{"the singular", "{n} {n|change|changes}", []any{"n", 1}, "1 change"},
		{"the plural", "{n} {n|change|changes}", []any{"n", 2}, "2 changes"},
		{"the plural of nothing", "{n} {n|change|changes}", []any{"n", 0}, "0 changes"},
		{"a number that was formatted before", "{n} {n|change|changes}", []any{"n", "1,000"}, "1,000 changes"},
		{"an empty form", "file{n||s}", []any{"n", 1}, "file"},
		{"arguments in another order", "{a}{b}", []any{"b", "2", "a", "1"}, "12"},
		{"an argument that the text does not name", "{a}", []any{"b", 2, "a", 1}, "1"},
		{"an argument that is not given", "Saved at {time}.", nil, "Saved at {time}."},
		{"a name without a value", "Saved at {time}.", []any{"time"}, "Saved at {time}."},
		{"braces in a value", "{a}", []any{"a", "{b}", "b", "no"}, "{b}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.format(tt.args); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	for _, broken := range []string{"{", "a {name", "{}", "{|one|many}", "{n|one}", "{n|a|b|c}"} {
		if m, err := parse(broken); err == nil {
			t.Errorf("%q was read as %v, want an error", broken, m)
		}
	}
}

func TestT(t *testing.T) {
	ja, en := WithLang(t.Context(), "ja"), WithLang(t.Context(), "en")
	for _, tt := range []struct {
		name string
		ctx  context.Context
		want string
	}{
		{"Japanese", ja, "3件の変更を保存しました（14:03）。"},
		{"English", en, "Saved 3 changes at 14:03."},
		{"no language is the default", t.Context(), "3件の変更を保存しました（14:03）。"},
		{"a language without a catalogue leaves the one before", WithLang(en, "fr"), "Saved 3 changes at 14:03."},
	} {
		if got := T(tt.ctx, "save.done", "count", 3, "time", "14:03"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := T(en, "no.such_key", "a", 1); got != "no.such_key" {
		t.Errorf("an unknown key is %q, want itself", got)
	}
	if !Has("ja", "save.done") || Has("ja", "no.such_key") || Has("fr", "save.done") {
		t.Error("Has does not tell what the catalogues have")
	}
}

func TestRawUnder(t *testing.T) {
	en := WithLang(t.Context(), "en")
	texts := RawUnder(en, "js.")
	if got, want := texts["unsaved"], "{count} unsaved {count|change|changes} ({on} on, {off} off)"; got != want {
		t.Errorf("unsaved = %q, want it as it stands: %q", got, want)
	}
	if ja := RawUnder(WithLang(t.Context(), "ja"), "js."); ja["unsaved"] == texts["unsaved"] || len(ja) != len(texts) {
		t.Errorf("%d texts in Japanese and %d in English, want as many and others", len(ja), len(texts))
	}
	for name := range texts {
		if strings.HasPrefix(name, "js.") {
			t.Errorf("%s still has the prefix", name)
		}
	}
}

var jst = time.FixedZone("JST", 9*60*60)

func TestTimes(t *testing.T) {
	at := time.Date(2026, 11, 22, 20, 3, 22, 999, time.UTC)
	ctx := WithZone(t.Context(), jst)
	got := []string{Date(ctx, at), DateTime(ctx, at), Clock(ctx, at), Full(ctx, at), Machine(at), Date(t.Context(), at), Date(ctx, time.Time{}), Clock(ctx, time.Time{})}
	want := []string{"2026/11/23", "2026/11/23 05:03", "05:03:22 JST", "2026/11/23 05:03:22 JST", "2026-11-22T20:03:22Z", "2026/11/22", "", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := Machine(at.In(jst)); got != want[4] {
		t.Errorf("Machine depends on the zone: %s", got)
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 12345: "12,345", 123456: "123,456", 1234567: "1,234,567",
		-7: "-7", -999: "-999", -1000: "-1,000", -123456: "-123,456",
	} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestJoin(t *testing.T) {
	items := []string{"請求書", "A", "B"}
	if got := Join(WithLang(t.Context(), "ja"), items); got != "請求書、A、B" {
		t.Errorf("Japanese: %q", got)
	}
	if got := Join(WithLang(t.Context(), "en"), items); got != "請求書, A, B" {
		t.Errorf("English: %q", got)
	}
	if got := Join(t.Context(), nil); got != "" {
		t.Errorf("nothing: %q", got)
	}
}
