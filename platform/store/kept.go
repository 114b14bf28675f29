package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// keptVersion is the number of the migration that has the database itself refuse to change or
// delete what stands in the ledger.
const keptVersion = 361

// KeptTables are those whose rows are written once: the database refuses to change and to delete
// them, whoever asks. A migration that has to do so disables their triggers meanwhile.
func KeptTables() []string { return []string{"ledger_entries", "ledger_postings"} }

// keptKeys say for each table which row of before a new one would replace. SQLite's INSERT OR
// REPLACE deletes it and asks no trigger of deletions.
var keptKeys = map[string]string{
	"ledger_entries":  "id = NEW.id OR payment_id = NEW.payment_id AND line = NEW.line AND kind = NEW.kind",
	"ledger_postings": "entry_id = NEW.entry_id AND n = NEW.n",
}

const refusal = "the ledger is only added to"

// keepLedger is the migration: triggers are written differently in each engine's SQL.
func keepLedger(engine Engine) *goose.Migration {
	return goose.NewGoMigration(keptVersion, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range keptTriggers(engine) {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("have the ledger kept: %w", err)
			}
		}
		return nil
	}}, nil)
}

func keptTriggers(engine Engine) (statements []string) {
	if engine == PostgreSQL {
		statements = append(statements, "CREATE FUNCTION ledger_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '"+refusal+"'; END $$")
	}
	for _, table := range KeptTables() {
		if engine == PostgreSQL {
			statements = append(statements, "CREATE TRIGGER "+table+"_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON "+table+" FOR EACH STATEMENT EXECUTE FUNCTION ledger_kept()")
			continue
		}
		const refuse = " BEGIN SELECT RAISE(ABORT, '" + refusal + "'); END"
		statements = append(statements,
			"CREATE TRIGGER "+table+"_unchanged BEFORE UPDATE ON "+table+refuse,
			"CREATE TRIGGER "+table+"_undeleted BEFORE DELETE ON "+table+refuse,
			"CREATE TRIGGER "+table+"_unreplaced BEFORE INSERT ON "+table+" WHEN EXISTS (SELECT 1 FROM "+table+" WHERE "+keptKeys[table]+")"+refuse)
	}
	return statements
}
