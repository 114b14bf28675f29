package payment

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// The accounts. Debits are positive, credits negative: money leaves its source by a
// debit and comes to its destination by a credit.
//
//	partner:<id>       what the partner has taken and owes us
//	clearing:<service> taken, and its register not told for certain
//	suspense:<service> taken, and in doubt whether the register holds it
//	treasury:<service> recorded by the register: owed to the budget
//	refunds:<service>  owed back to citizens, until the partner gave it back
//	treasury:bank      what partners paid over to the treasury's account at its bank
//
// There is no balance column: every payment of a partner would queue for it. A balance is that of
// the last day that is closed (close.go) and what came since. What is posted stays:
// the database refuses to change or delete it (store.KeptTables), and the audit log's chain covers
// it, as the record of each step has digests of the bills, the transaction and every entry's kind,
// line and time (decided.go), by which Check computes each posting anew.
func partnerAccount(id string) string       { return "partner:" + id }
func clearingAccount(service string) string { return "clearing:" + service }
func suspenseAccount(service string) string { return "suspense:" + service }
func treasuryAccount(service string) string { return "treasury:" + service }
func refundsAccount(service string) string  { return "refunds:" + service }

// treasuryBank is among the treasury's: together they are what is still to be paid over. No service
// has that name.
const treasuryBank = "treasury:bank"

// The kinds of entries.
const (
	entryAccept = "accept"
	entrySettle = "settle"
	entryRefund = "refund"
	entryDoubt  = "doubt"
	// What an operator decided of a line in doubt.
	entryDoubtSettle = "doubt_settle"
	entryDoubtRefund = "doubt_refund"
	// A partner asked for a settled bill's money back, and two officers agreed.
	entryReverse = "reverse"
	// The partner gave back what was due: it owes us that no more. It did not after all, as two
	// officers found; and then it did.
	entryReturned      = "returned"
	entryNotReturned   = "not_returned"
	entryReturnedAgain = "returned_again"
	// Of no payment: the partner paid over to the treasury what it had taken; it did not after all, as
	// two officers found.
	entryRemittance       = "remittance"
	entryRemittanceUndone = "remittance_undone"
)

// backTurns are the entries of what is due back of a line in their order: after an odd number of them
// its money is with the citizen. There is no fourth: whom to believe then is no matter of a ledger.
var backTurns = []string{entryReturned, entryNotReturned, entryReturnedAgain}

// wholePayment stands for a line's number in an entry about all of them.
const wholePayment = -1

// transfer is one ledger entry: amount moves from the source, which is debited, to the
// destination, which is credited.
type transfer struct {
	kind                string
	paymentID           string
	line                int64
	source, destination string
	amount              int64
	at                  dbtime.Time
}

// post writes an entry with its two postings. The unique key of entries refuses
// a second one of the same kind for the same line.
func post(ctx context.Context, tx *store.Tx, t transfer) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an entry's id: %w", err)
	}
	q := db.New(tx)
	err = q.InsertEntry(ctx, db.InsertEntryParams{
		ID: id.String(), Kind: t.kind, PaymentID: t.paymentID, Line: t.line, HappenedAt: t.at,
	})
	if err != nil {
		return fmt.Errorf("write a ledger entry: %w", err)
	}
	for n, p := range []db.InsertPostingParams{
		{Account: t.source, Amount: t.amount}, {Account: t.destination, Amount: -t.amount},
	} {
		p.EntryID, p.N = id.String(), int64(n)
		if err := q.InsertPosting(ctx, p); err != nil {
			return fmt.Errorf("write a posting: %w", err)
		}
	}
	return nil
}
