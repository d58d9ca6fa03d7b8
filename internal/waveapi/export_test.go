package waveapi

var (
	NewTransport  = newTransport
	ReadResellers = readResellers
	ReadError     = readError
	RetryAfter    = retryAfter
	Scrub         = func(text, s string) string { return scrub(text, hide(s)) }
)
