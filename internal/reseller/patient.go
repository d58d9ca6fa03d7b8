package reseller

import "context"

type patientKey struct{}

// Patiently returns a context with which a write lets the calls that people wait
// for go first. It is for runs of many.
func Patiently(ctx context.Context) context.Context {
	return context.WithValue(ctx, patientKey{}, true)
}

// IsPatient reports whether ctx comes from Patiently.
func IsPatient(ctx context.Context) bool { return ctx.Value(patientKey{}) != nil }
