package db

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// appendOnly is the step after which rows of the audit log can be added and no
// more. It is no .sql file because each engine says that in its own words.
func appendOnly(dialect goose.Dialect) *goose.Migration {
	up, down := sqliteAppendOnly, sqliteChangeable
	if dialect == goose.DialectPostgres {
		up, down = postgresAppendOnly, postgresChangeable
	}
	return goose.NewGoMigration(4, &goose.GoFunc{RunTx: runAll(up)}, &goose.GoFunc{RunTx: runAll(down)})
}

func runAll(statements []string) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		for _, s := range statements {
			if _, err := tx.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}
}

var (
	sqliteAppendOnly = []string{
		`CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
			BEGIN SELECT RAISE(ABORT, 'audit_events: rows are never changed'); END`,
		`CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
			BEGIN SELECT RAISE(ABORT, 'audit_events: rows are never deleted'); END`,
		// INSERT OR REPLACE deletes without a trigger for DELETE.
		`CREATE TRIGGER audit_events_no_replace BEFORE INSERT ON audit_events
			WHEN EXISTS (SELECT 1 FROM audit_events WHERE seq = NEW.seq)
			BEGIN SELECT RAISE(ABORT, 'audit_events: rows are never replaced'); END`,
	}
	sqliteChangeable = []string{
		`DROP TRIGGER audit_events_no_update`, `DROP TRIGGER audit_events_no_delete`, `DROP TRIGGER audit_events_no_replace`,
	}
	postgresAppendOnly = []string{
		`CREATE FUNCTION audit_events_append_only() RETURNS trigger LANGUAGE plpgsql
			AS 'BEGIN RAISE EXCEPTION ''audit_events: rows are never changed or deleted''; END'`,
		`CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
			FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only()`,
	}
	postgresChangeable = []string{
		`DROP TRIGGER audit_events_append_only ON audit_events`, `DROP FUNCTION audit_events_append_only()`,
	}
)
