// Package kill holds the tests of what survives when the program dies. They run
// the real binary between the sandboxes and kill it with SIGKILL: at each point of
// a change, and at random moments under load; alone on SQLite, and as one of two
// on PostgreSQL. Nothing in the program helps them: they watch the database and
// what arrives at Wave from outside.
//
// They see that every change ends in one state, which is the truth about Wave or
// doubt; that nothing stays open; that a creation and a password are sent at most
// once an intent; that no call arrives before its intent is committed; and that
// the audit log is whole.
package kill
