package payment_test

import (
	"context"
	"database/sql"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// crowd writes n settled payments with their lines, claims, transactions and
// entries, as accepting and settling would leave them.
func crowd(t testing.TB, db *store.DB, n int) {
	t.Helper()
	const numbers = "WITH RECURSIVE many (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM many WHERE i < $1) "
	for _, statement := range []string{
		"INSERT INTO payments (id, code, service, owner, phone_sealed, open_key, locale, channel, operator, amount, state, opened_at, expires_at, accepted_at, finished_at) " +
			numbers + "SELECT 'p' || (1000000000 + i), 'c' || i, 'fine', 'o' || (i % 5000), 'x', 'k' || i, 'ky', 'ussd', '', 150000, 'settled', i, i, i, i FROM many",
		"INSERT INTO payment_lines (payment_id, n, ref, amount, state, reason, sent) " +
			numbers + "SELECT 'p' || (1000000000 + i), 0, 'r' || i, 150000, 'settled', '', TRUE FROM many",
		"INSERT INTO payment_claims (service, ref, payment_id) " + numbers + "SELECT 'fine', 'r' || i, 'p' || (1000000000 + i) FROM many",
		"INSERT INTO payment_txns (partner_id, txn_id, prv_txn, account, amount, paid_at, received_at, payment_id, decision) " +
			numbers + "SELECT 'demo-wallet', 't' || i, 'v' || i, 'c' || i, 150000, i, i, 'p' || (1000000000 + i), 'approved' FROM many",
		"INSERT INTO ledger_entries (id, kind, payment_id, line, happened_at) " + numbers + "SELECT 'a' || i, 'accept', 'p' || (1000000000 + i), -1, i FROM many",
		"INSERT INTO ledger_entries (id, kind, payment_id, line, happened_at) " + numbers + "SELECT 's' || i, 'settle', 'p' || (1000000000 + i), 0, i FROM many",
		"INSERT INTO ledger_postings (entry_id, n, account, amount) " + numbers + "SELECT 'a' || i, 0, 'partner:demo-wallet', 150000 FROM many",
		"INSERT INTO ledger_postings (entry_id, n, account, amount) " + numbers + "SELECT 'a' || i, 1, 'clearing:fine', -150000 FROM many",
		"INSERT INTO ledger_postings (entry_id, n, account, amount) " + numbers + "SELECT 's' || i, 0, 'clearing:fine', 150000 FROM many",
		"INSERT INTO ledger_postings (entry_id, n, account, amount) " + numbers + "SELECT 's' || i, 1, 'treasury:fine', -150000 FROM many",
	} {
		_, err := db.Writer().Exec(statement, n)
		testworld.OK(t, err)
	}
	_, err := db.Writer().Exec("ANALYZE")
	testworld.OK(t, err)
}

// M4: the check's time grows as the ledger does. 25 000 payments are 10^5 postings;
// ESHIK_TEST_PAYMENTS sets another number, to measure. A check that compares every
// entry with every other does not end within the deadline.
func TestM4CheckOfALargeLedger(t *testing.T) {
	t.Parallel()
	n := 25_000
	if given, err := strconv.Atoi(os.Getenv("ESHIK_TEST_PAYMENTS")); err == nil {
		n = given
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		crowd(t, db, n)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var told []int
		began := time.Now()
		testworld.OK(t, db.Snapshot(ctx, func(tx *sql.Tx) error {
			return payment.NewCheck(nil).Run(ctx, tx, func(payments int) { told = append(told, payments) })
		}))
		t.Logf("%d postings in %v", 4*n, time.Since(began))
		if len(told) != n/1000 || told[len(told)-1] != n {
			t.Errorf("progress was told %d times: %v", len(told), told)
		}
	})
}

// BenchmarkCheckWithLog is fsck's part about payments with the audit log beside it:
// the replay, and the check of what it says.
func BenchmarkCheckWithLog(b *testing.B) {
	n := 25_000
	if given, err := strconv.Atoi(os.Getenv("ESHIK_TEST_PAYMENTS")); err == nil {
		n = given
	}
	db := storetest.Open(b, storetest.NewSQLite(b))
	w := newWorld(b, db)
	crowd(b, db, n)
	log := w.Audit
	record(b, db, log, n)
	b.ResetTimer()
	for range b.N {
		testworld.OK(b, w.check(b))
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/check")
}

// record writes the audit records of a crowd.
func record(b *testing.B, db *store.DB, log *audit.Log, n int) {
	b.Helper()
	for first := 1; first <= n; first += 1000 {
		testworld.OK(b, db.InTx(b.Context(), func(tx *store.Tx) error {
			for i := first; i < first+1000 && i <= n; i++ {
				for _, e := range payment.CrowdRecords(int64(i)) {
					if err := log.Record(b.Context(), tx, e); err != nil {
						return err
					}
				}
			}
			return nil
		}))
	}
}
