package db

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// nextStates are the states that may follow each state of a change. In doubt may
// follow itself: it then lets go of its lock. What is not named here is final.
// docs/architecture.md draws it, and change.State says what they mean.
var nextStates = map[string][]string{
	"queued":   {"running", "cancelled"},
	"running":  {"running", "sent", "no_change", "conflict", "failed", "cancelled"}, // itself: a lease is renewed
	"sent":     {"sent", "done", "failed", "in_doubt"},
	"in_doubt": {"in_doubt", "done", "failed"},
}

// states is the step after which the database itself refuses a change that skips
// a state, comes back from a final one, or starts in the middle. It also fills
// change_flags for the changes of before. Each engine says that in its own words.
func states(dialect goose.Dialect) *goose.Migration {
	up, down := sqliteStates(), sqliteAnyState
	if dialect == goose.DialectPostgres {
		up, down = postgresStates(), postgresAnyState
	}
	return goose.NewGoMigration(7, &goose.GoFunc{RunTx: runAll(up)}, &goose.GoFunc{RunTx: runAll(down)})
}

// allowed is the condition under which a row may be updated, in SQL of both.
func allowed() string {
	var from []string
	for state := range nextStates {
		from = append(from, state)
	}
	slices.Sort(from)
	or := make([]string, len(from))
	for i, state := range from {
		or[i] = fmt.Sprintf("(OLD.state = '%s' AND NEW.state IN ('%s'))", state, strings.Join(nextStates[state], "', '"))
	}
	return strings.Join(or, " OR ")
}

// first is the condition under which a row may be inserted.
const first = "NEW.state IN ('queued', 'running') OR NEW.source = 'outside'"

func sqliteStates() []string {
	return []string{
		`INSERT INTO change_flags (flag, change_id) SELECT f.key, c.id FROM changes c, json_each(c.wanted) f WHERE c.wanted IS NOT NULL`,
		`CREATE TRIGGER changes_step BEFORE UPDATE ON changes WHEN NOT (` + allowed() + `)
			BEGIN SELECT RAISE(ABORT, 'changes: this state cannot follow the one that the row is in'); END`,
		`CREATE TRIGGER changes_first BEFORE INSERT ON changes WHEN NOT (` + first + `)
			BEGIN SELECT RAISE(ABORT, 'changes: a row starts as queued or running'); END`,
	}
}

var sqliteAnyState = []string{`DROP TRIGGER changes_step`, `DROP TRIGGER changes_first`}

func postgresStates() []string {
	return []string{
		`INSERT INTO change_flags (flag, change_id) SELECT f.key, c.id FROM changes c, LATERAL json_object_keys(c.wanted::json) AS f(key) WHERE c.wanted IS NOT NULL`,
		`CREATE FUNCTION changes_step() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF TG_OP = 'UPDATE' AND NOT (` + allowed() + `) THEN
				RAISE EXCEPTION 'changes: % cannot follow %', NEW.state, OLD.state;
			END IF;
			IF TG_OP = 'INSERT' AND NOT (` + first + `) THEN
				RAISE EXCEPTION 'changes: a row starts as queued or running, not as %', NEW.state;
			END IF;
			RETURN NEW;
		END $$`,
		`CREATE TRIGGER changes_step BEFORE INSERT OR UPDATE ON changes FOR EACH ROW EXECUTE FUNCTION changes_step()`,
	}
}

var postgresAnyState = []string{`DROP TRIGGER changes_step ON changes`, `DROP FUNCTION changes_step()`}
