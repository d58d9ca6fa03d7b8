package app_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"waveadmin/internal/app"
	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/testkit"
)

// grants returns the statements that the guide for operators tells to run, one
// list for each block of them.
func grants(t *testing.T) (blocks [][]string) {
	t.Helper()
	guide, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(guide), "### A server that cannot edit the audit log\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	for _, part := range strings.Split(section, "```sql\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		var statements []string
		for s := range strings.SplitSeq(block, ";") {
			if s = strings.TrimSpace(s); s != "" {
				statements = append(statements, s)
			}
		}
		blocks = append(blocks, statements)
	}
	if !found || len(blocks) != 3 {
		t.Fatalf("the guide has %d blocks of statements, want 3", len(blocks))
	}
	return blocks
}

// as returns the address of the guide's database on the server of address, for
// one of its users.
func as(t *testing.T, address, user string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User, u.Path = url.User(user), "/waveadmin"
	return u.String()
}

// TestGrants does what the guide says: one user migrates, and the server, which
// is another one, can work but not edit the audit log.
func TestGrants_aServerThatCannotEditTheAuditLog(t *testing.T) {
	address, blocks := dbtest.Postgres.Empty(t), grants(t)
	admin := openRaw(t, address)
	t.Cleanup(func() {
		runAll(t, openRaw(t, address), "DROP DATABASE waveadmin WITH (FORCE)", "DROP ROLE waveadmin_owner", "DROP ROLE waveadmin_server")
	})
	runAll(t, admin, blocks[0]...)
	owner := openRaw(t, as(t, address, "waveadmin_owner"))
	runAll(t, owner, blocks[1]...)
	if _, err := app.Migrate(t.Context(), config.Database{URL: config.DatabaseURL(as(t, address, "waveadmin_owner"))}); err != nil {
		t.Fatal(err)
	}
	runAll(t, owner, blocks[2]...)

	lesser := as(t, address, "waveadmin_server")
	var cfg config.Config
	t.Run("works", func(t *testing.T) {
		s := testkit.Start(t, testkit.Options{Accounts: 1, Wave: acme(t), Config: func(c *config.Config) {
			c.Database.URL = config.DatabaseURL(lesser)
			cfg = *c
		}})
		c := s.SignedIn(t, testkit.Editor)
		if p := c.Unredirected().Post("/resellers/acme/meta", turnOn(offKey(t, s))); p.Status != http.StatusSeeOther {
			t.Errorf("a save = %d: %s", p.Status, p.Text())
		}
		c.Post("/auth/logout", url.Values{})
	})
	report, err := app.VerifyAudit(t.Context(), cfg, nil)
	if err != nil || !report.OK() || report.Events != 6 { // settings, sign-in, three of the change, sign-out
		t.Errorf("verify: %+v, %v", report, err)
	}
	server := openRaw(t, lesser)
	for _, statement := range []string{
		"UPDATE audit_events SET actor_name = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events", "DROP TABLE audit_events",
		"ALTER TABLE audit_events DISABLE TRIGGER ALL", "DROP TRIGGER audit_events_append_only ON audit_events",
		"SET session_replication_role = replica", "DROP FUNCTION audit_events_append_only() CASCADE",
		"CREATE OR REPLACE FUNCTION audit_events_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
		"DELETE FROM goose_db_version",
	} {
		_, err := server.ExecContext(t.Context(), statement)
		if err == nil || !strings.Contains(err.Error(), "permission denied") && !strings.Contains(err.Error(), "must be owner") {
			t.Errorf("%s: %v, want no permission", statement, err)
		}
	}

	runAll(t, owner, "DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)")
	a, err := app.New(t.Context(), cfg, app.Options{})
	if err == nil {
		a.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "migrate the database") {
		t.Errorf("a server that has a step to do, but may not: %v", err)
	}
}
