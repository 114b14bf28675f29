package store_test

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestTheLedgerIsOnlyAddedTo: the database itself refuses to change, to delete and to replace what
// stands in the ledger, also what an earlier version wrote, and goes on taking what is new.
func TestTheLedgerIsOnlyAddedTo(t *testing.T) {
	t.Parallel()
	storetest.Before(t, 361, func(t *testing.T, db *store.DB) {
		exec := func(statement string) error {
			_, err := db.Writer().ExecContext(t.Context(), statement)
			return err
		}
		must := func(statement string) {
			t.Helper()
			if err := exec(statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		must("INSERT INTO payments (id, code, service, owner, phone_sealed, open_key, locale, channel, operator, amount, state, opened_at, expires_at) " +
			"VALUES ('p', '1', 'fine', 'o', 'x', 'k', 'ky', 'ussd', '', 1, 'accepted', 1, 1)")
		must("INSERT INTO ledger_entries (id, kind, payment_id, line, happened_at) VALUES ('e', 'accept', 'p', -1, 1)")
		must("INSERT INTO ledger_postings (entry_id, n, account, amount) VALUES ('e', 0, 'a', 1), ('e', 1, 'b', -1)")
		if _, err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused := []string{
			"UPDATE ledger_entries SET happened_at = 2", "DELETE FROM ledger_entries WHERE id = 'e'",
			"UPDATE ledger_postings SET amount = amount * 2", "DELETE FROM ledger_postings",
			"UPDATE ledger_postings SET account = account WHERE entry_id = 'e'",
		}
		if db.Engine() == store.SQLite {
			refused = append(refused, "INSERT OR REPLACE INTO ledger_postings (entry_id, n, account, amount) VALUES ('e', 0, 'a', 2)",
				"REPLACE INTO ledger_entries (id, kind, payment_id, line, happened_at) VALUES ('f', 'accept', 'p', -1, 2)")
		} else {
			refused = append(refused, "TRUNCATE ledger_postings", "TRUNCATE ledger_entries CASCADE",
				"INSERT INTO ledger_postings (entry_id, n, account, amount) VALUES ('e', 0, 'a', 2) ON CONFLICT (entry_id, n) DO UPDATE SET amount = 2")
		}
		for _, statement := range refused {
			if err := exec(statement); err == nil || !strings.Contains(err.Error(), "the ledger is only added to") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		must("INSERT INTO ledger_entries (id, kind, payment_id, line, happened_at) VALUES ('g', 'settle', 'p', 0, 2)")
		must("INSERT INTO ledger_postings (entry_id, n, account, amount) VALUES ('g', 0, 'b', 1), ('g', 1, 'c', -1)")
		var sum int
		if err := db.Reader().QueryRowContext(t.Context(), "SELECT SUM(amount) FROM ledger_postings WHERE account = 'a'").Scan(&sum); err != nil || sum != 1 {
			t.Errorf("it stands at %d, %v", sum, err)
		}
	})
}
