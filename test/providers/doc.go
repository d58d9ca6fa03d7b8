// Package providers holds the tests of sign-in at OpenID providers that others wrote:
// Dex and the library of Zitadel. Both run as processes and show their own pages; the
// site is the program as serve builds it, and people go through both as a browser does.
//
// The providers are modules of their own, test/dex and test/zitadel. Their programs are
// built when they are first needed and kept in the cache directory of the user, by what
// they are made of: Dex takes about two minutes once and nothing after that.
package providers
