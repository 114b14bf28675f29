package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/pressly/goose/v3"
)

// The numbers of the migrations that have the database itself refuse to change or delete what
// stands in the ledger, and what is written of its closed days.
const (
	keptVersion          = 361
	keptDaysVersion      = 382
	keptTransfersVersion = 384
	keptPostingsVersion  = 394
)

// ledgerTables, dayTables and transferTables are what each of them keeps.
var (
	ledgerTables   = []string{"ledger_entries", "ledger_postings"}
	dayTables      = []string{"ledger_days", "ledger_day_accounts", "ledger_day_kinds"}
	transferTables = []string{"ledger_transfers"}
)

// KeptTables are those whose rows are written once: the database refuses to change and to delete
// them, whoever asks. A migration that has to do so disables their triggers meanwhile.
func KeptTables() []string { return slices.Concat(ledgerTables, dayTables, transferTables) }

// keptKeys say for each table which row of before a new one would replace. SQLite's INSERT OR
// REPLACE deletes it and asks no trigger of deletions.
var keptKeys = map[string]string{
	"ledger_entries":      "id = NEW.id OR payment_id = NEW.payment_id AND line = NEW.line AND kind = NEW.kind",
	"ledger_postings":     "entry_id = NEW.entry_id AND n = NEW.n",
	"ledger_transfers":    "id = NEW.id OR partner_id = NEW.partner_id AND reference = NEW.reference AND kind = NEW.kind",
	"ledger_days":         "day = NEW.day OR until_at = NEW.until_at",
	"ledger_day_accounts": "account = NEW.account AND day = NEW.day",
	"ledger_day_kinds":    "account = NEW.account AND day = NEW.day AND kind = NEW.kind",
}

const refusal = "the ledger is only added to"

const closedRefusal = "the day is closed"

// keptMigrations are the migrations: triggers are written differently in each engine's SQL.
func keptMigrations(engine Engine) []*goose.Migration {
	const closed = "EXISTS (SELECT 1 FROM ledger_days WHERE until_at > NEW.happened_at)"
	const entryClosed = "EXISTS (SELECT 1 FROM ledger_days WHERE until_at > (SELECT happened_at FROM ledger_entries WHERE id = NEW.entry_id))"
	var kept, over, entryOver []string
	if engine == PostgreSQL {
		kept = []string{"CREATE FUNCTION ledger_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '" + refusal + "'; END $$"}
		over = []string{closedFunction("ledger_closed", closed)}
		entryOver = []string{closedFunction("ledger_entry_closed", entryClosed)}
	}
	return []*goose.Migration{
		keep(keptVersion, slices.Concat(kept, keptTriggers(engine, ledgerTables))),
		keep(keptDaysVersion, slices.Concat(keptTriggers(engine, dayTables), over, closedTrigger(engine, "ledger_entries", "ledger_closed", closed))),
		keep(keptTransfersVersion, slices.Concat(keptTriggers(engine, transferTables), closedTrigger(engine, "ledger_transfers", "ledger_closed", closed))),
		keep(keptPostingsVersion, slices.Concat(entryOver, closedTrigger(engine, "ledger_postings", "ledger_entry_closed", entryClosed))),
	}
}

func keep(version int64, statements []string) *goose.Migration {
	return goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("have the ledger kept: %w", err)
			}
		}
		return nil
	}}, nil)
}

func keptTriggers(engine Engine, tables []string) (statements []string) {
	for _, table := range tables {
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

// closedFunction is what PostgreSQL's triggers of closedTrigger call.
func closedFunction(name, closed string) string {
	return "CREATE FUNCTION " + name + "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF " + closed + " THEN RAISE EXCEPTION '" + closedRefusal + "'; END IF; RETURN NEW; END $$"
}

// closedTrigger refuses entries of a day that is closed, and postings to them: a process whose clock is wrong, or whoever
// writes to the database by hand. What was under way when the day was closed cannot be of it: see
// TransactionLasts.
func closedTrigger(engine Engine, table, function, closed string) []string {
	if engine == PostgreSQL {
		return []string{"CREATE TRIGGER " + table + "_closed BEFORE INSERT ON " + table + " FOR EACH ROW EXECUTE FUNCTION " + function + "()"}
	}
	return []string{"CREATE TRIGGER " + table + "_closed BEFORE INSERT ON " + table + " WHEN " + closed + " BEGIN SELECT RAISE(ABORT, '" + closedRefusal + "'); END"}
}
