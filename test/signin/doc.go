// Package signin holds the adversarial tests of sign-in: the whole program, over
// its real router, against a provider that lies. The modules of the OpenID
// Foundation's conformance suite for relying parties (Basic, Config, Back-Channel
// Logout and RP-Initiated Logout with the code flow) are here under their names,
// and beside them whatever else a provider, a network or a person could try.
//
// Each case holds that a refusal is a 4xx, or a 503 when the provider is down;
// that there is no session; that the audit log has exactly one event, with the
// reason; and that the person gets a page in their language that says what to do.
// With -v the number of cases a group is printed at the end.
package signin
