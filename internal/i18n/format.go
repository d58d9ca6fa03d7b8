package i18n

import (
	"context"
	"strconv"
	"strings"
	"time"
)

type zoneKey struct{}

// WithZone returns a context whose times are shown in zone.
func WithZone(ctx context.Context, zone *time.Location) context.Context {
	return context.WithValue(ctx, zoneKey{}, zone)
}

// Zone returns the zone of ctx, UTC if none was set.
func Zone(ctx context.Context) *time.Location {
	if zone, ok := ctx.Value(zoneKey{}).(*time.Location); ok {
		return zone
	}
	return time.UTC
}

// Date returns the day of t, the same in both languages: 2026/11/22. The zero
// time is empty.
func Date(ctx context.Context, t time.Time) string { return format(ctx, t, "2006/01/02") }

// DateTime returns day and minute of t: 2026/11/22 14:03.
func DateTime(ctx context.Context, t time.Time) string { return format(ctx, t, "2006/01/02 15:04") }

// Clock returns the time of day with its zone: 14:03:22 JST.
func Clock(ctx context.Context, t time.Time) string { return format(ctx, t, "15:04:05 MST") }

// Full returns everything, for a title: 2026/11/22 14:03:22 JST.
func Full(ctx context.Context, t time.Time) string {
	return format(ctx, t, "2006/01/02 15:04:05 MST")
}

// Moment returns t as one says it at now: the time of day as Clock has it, and with
// the day when that is another one.
func Moment(ctx context.Context, t, now time.Time) string {
	if sameDay(ctx, t, now) {
		return Clock(ctx, t)
	}
	return Full(ctx, t)
}

// MomentShort is Moment to the minute and without the zone: 14:03.
func MomentShort(ctx context.Context, t, now time.Time) string {
	if sameDay(ctx, t, now) {
		return format(ctx, t, "15:04")
	}
	return DateTime(ctx, t)
}

func sameDay(ctx context.Context, a, b time.Time) bool { return Date(ctx, a) == Date(ctx, b) }

func format(ctx context.Context, t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.In(Zone(ctx)).Format(layout)
}

// Machine returns t for the datetime attribute of a time element.
func Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Number returns n with a comma between thousands, as both languages write it.
func Number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Join lists items as a part of a sentence: "a, b" or 「a、b」.
func Join(ctx context.Context, items []string) string {
	if Lang(ctx) == "ja" {
		return strings.Join(items, "、")
	}
	return strings.Join(items, ", ")
}
