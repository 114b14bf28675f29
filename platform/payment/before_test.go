package payment_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// numbered are the result numbers of OSMP that decisions were kept as before they had
// words, and what they are.
var numbered = map[int]payment.Decision{
	0: payment.Approved, 1: payment.NotNow, 4: payment.MalformedCode, 5: payment.UnknownCode, 79: payment.NotPayable,
	241: payment.SumTooSmall, 242: payment.SumTooLarge,
}

// plantNumbers writes a transaction of each number, and a payment that one of them paid.
func plantNumbers(t *testing.T, db *store.DB) {
	t.Helper()
	at := testworld.Start.UnixMicro()
	statements := []string{
		"INSERT INTO payments (id, code, service, owner, phone_sealed, open_key, locale, channel, operator, amount, state, opened_at, expires_at, confirmed_at, accepted_at) " +
			fmt.Sprintf("VALUES ('p', '1234567897', 'fine', 'o', 'x', 'k', 'ky', 'ussd', '', 1500, 'accepted', %[1]d, %[1]d, %[1]d, %[1]d)", at),
		"INSERT INTO payment_lines (payment_id, n, ref, amount, state, reason, sent) VALUES ('p', 0, '1', 1500, 'claimed', '', FALSE)",
		"INSERT INTO payment_claims (service, ref, payment_id) VALUES ('fine', '1', 'p')",
		fmt.Sprintf("INSERT INTO ledger_entries (id, kind, payment_id, line, happened_at) VALUES ('e', 'accept', 'p', -1, %d)", at),
		"INSERT INTO ledger_postings (entry_id, n, account, amount) VALUES ('e', 0, 'partner:" + wallet + "', 1500), ('e', 1, 'clearing:fine', -1500)",
	}
	for number := range numbered {
		of := ""
		if number == 0 {
			of = "p"
		}
		statements = append(statements, "INSERT INTO payment_txns (partner_id, txn_id, prv_txn, account, amount, paid_at, received_at, payment_id, result) "+
			fmt.Sprintf("VALUES ('%s', '%[2]d', 'our %[2]d', '1234567897', 1500, %[3]d, %[3]d, '%[4]s', %[2]d)", wallet, number, at, of))
	}
	for _, statement := range statements {
		if _, err := db.Writer().ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// TestDecisionsFromBefore: a transaction that was decided when decisions were numbers is
// answered as it was then, and the ledger is what follows from it.
func TestDecisionsFromBefore(t *testing.T) {
	t.Parallel()
	storetest.Before(t, 101, func(t *testing.T, db *store.DB) {
		plantNumbers(t, db)
		_, err := db.Migrate(t.Context())
		testworld.OK(t, err)
		testworld.OK(t, job.Migrate(t.Context(), db))
		w := newWorld(t, db)
		for number, want := range numbered {
			a, err := w.Accept(context.Background(), payment.Partner{ID: wallet, Every: true}, fmt.Sprint(number), "1234567897", 1500, testworld.Start)
			if err != nil || a.Decision != want || a.Reference != fmt.Sprint("our ", number) {
				t.Errorf("%d is answered %+v, %v; want %s", number, a, err, want)
			}
		}
		testworld.OK(t, w.VerifyLedger(t.Context()))
		storetest.Planted(t, db, []storetest.Plant{{
			Name: "the accepted one, refused", Statements: []string{"UPDATE payment_txns SET decision = 'not_payable' WHERE payment_id = 'p'"}, Named: []string{"p is accepted"},
		}}, func(tx *sql.Tx) error { return payment.NewCheck(nil).Run(context.Background(), tx, func(int) {}) })
	})
}
