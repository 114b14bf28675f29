package payment

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// The accounts. Debits are positive, credits negative:
//
//	partner:<id>       what the partner has taken and owes us
//	clearing:<service> taken, and its register not told for certain
//	suspense:<service> taken, and in doubt whether the register holds it
//	treasury:<service> recorded by the register: owed to the budget
//	refunds:<service>  owed back to citizens
//
// There is no balance column: every payment of a partner would queue for it.
func partnerAccount(id string) string       { return "partner:" + id }
func clearingAccount(service string) string { return "clearing:" + service }
func suspenseAccount(service string) string { return "suspense:" + service }
func treasuryAccount(service string) string { return "treasury:" + service }
func refundsAccount(service string) string  { return "refunds:" + service }

// The kinds of entries.
const (
	entryAccept = "accept"
	entrySettle = "settle"
	entryRefund = "refund"
	entryDoubt  = "doubt"
	// What an operator decided of a line in doubt.
	entryDoubtSettle = "doubt_settle"
	entryDoubtRefund = "doubt_refund"
)

// wholePayment stands for a line's number in an entry about all of them.
const wholePayment = -1

// transfer is one ledger entry: amount moves from one account to another.
type transfer struct {
	kind      string
	paymentID string
	line      int64
	from, to  string // to is debited, from is credited
	amount    int64
	at        dbtime.Time
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
		{Account: t.to, Amount: t.amount}, {Account: t.from, Amount: -t.amount},
	} {
		p.EntryID, p.N = id.String(), int64(n)
		if err := q.InsertPosting(ctx, p); err != nil {
			return fmt.Errorf("write a posting: %w", err)
		}
	}
	return nil
}

// unbalanced finds entries whose postings do not sum to zero, or that have none.
const unbalanced = `
SELECT e.id, COALESCE(SUM(p.amount), 0) FROM ledger_entries e
LEFT JOIN ledger_postings p ON p.entry_id = e.id
GROUP BY e.id HAVING COUNT(p.n) < 2 OR SUM(p.amount) <> 0
UNION ALL
SELECT entry_id, amount FROM ledger_postings WHERE entry_id NOT IN (SELECT id FROM ledger_entries)`

// disagreeing finds accounts whose balance is not what the payments say: each
// accepted transaction and each line stands against the account it must be on.
// One statement sees one moment, so that it can run beside payments.
const disagreeing = `
SELECT account, SUM(amount) FROM (
    SELECT account, amount FROM ledger_postings
    UNION ALL
    SELECT 'partner:' || partner_id, -amount FROM payment_txns WHERE result = 0
    UNION ALL
    SELECT CASE l.state WHEN 'claimed' THEN 'clearing:' WHEN 'in_doubt' THEN 'suspense:' WHEN 'settled' THEN 'treasury:' ELSE 'refunds:' END || p.service, l.amount
    FROM payment_lines l JOIN payments p ON p.id = l.payment_id
    WHERE l.state <> 'quoted'
) AS balances GROUP BY account HAVING SUM(amount) <> 0`

// VerifyLedger checks the whole ledger: every entry sums to zero, and every
// account agrees with the payments. It returns an error that names each
// difference.
func (s *Service) VerifyLedger(ctx context.Context) error {
	return errors.Join(
		s.differences(ctx, unbalanced, "the ledger entry %s is off by %d tyiyn or incomplete"),
		s.differences(ctx, disagreeing, "the account %s is off by %d tyiyn"),
	)
}

func (s *Service) differences(ctx context.Context, query, sentence string) error {
	rows, err := s.DB.Reader().QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("verify the ledger: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	var found []error
	for rows.Next() {
		var what string
		var by int64
		if err := rows.Scan(&what, &by); err != nil {
			return fmt.Errorf("verify the ledger: %w", err)
		}
		found = append(found, fmt.Errorf(sentence, what, by))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("verify the ledger: %w", err)
	}
	return errors.Join(found...)
}
