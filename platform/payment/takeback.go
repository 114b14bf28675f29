package payment

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

var errForwarded = problem.New(problem.Conflict, "problem.partner_payment_forwarded")

// TakeBack cancels a partner's payment of which no register was told, and says how the
// transaction stands then. Its bills can be paid again by a new code, and the partner, which
// gives the money back itself, owes us nothing of it. Doing it twice is doing it once, and of
// what was declined there is nothing to take back. A transaction that we do not know is sealed:
// a payment of it that comes late takes nothing. Problems: partner_payment_absent (of a service
// that is not the partner's), partner_payment_forwarded (a register was told, or may have been).
func (s *Service) TakeBack(ctx context.Context, partner Partner, txnID string) (Transaction, error) {
	reference, err := newReference(s.Random)
	if err != nil {
		return Transaction{}, err
	}
	now := dbtime.From(s.Now())
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		sealed, err := sealTxn(ctx, db.New(tx), db.InsertTxnParams{
			PartnerID: partner.ID, TxnID: txnID, PrvTxn: reference, PaidAt: now, ReceivedAt: now,
		}, TakenBack)
		if err != nil || sealed {
			return err
		}
		return s.takeBack(ctx, tx, partner, txnID, now)
	})
	if err != nil {
		return Transaction{}, fmt.Errorf("take a payment back: %w", err)
	}
	return s.Transaction(ctx, partner.ID, txnID)
}

// takeBack ends what a transaction took, unless its register was told.
func (s *Service) takeBack(ctx context.Context, tx *store.Tx, partner Partner, txnID string, now dbtime.Time) error {
	q := db.New(tx)
	txn, err := q.GetTxn(ctx, db.GetTxnParams{PartnerID: partner.ID, TxnID: txnID})
	if err != nil || txn.TakenBack || Decision(txn.PaymentTxn.Decision) != Approved {
		return err
	}
	row, err := q.GetPayment(ctx, txn.PaymentTxn.PaymentID)
	if err != nil {
		return err
	}
	if !partner.serves(row.Service) {
		return errTransaction
	}
	// The payment first and its lines after it, as a settlement locks them.
	changed, err := q.FinishPayment(ctx, db.FinishPaymentParams{ID: row.ID, State: string(RefundDue), FinishedAt: now})
	if err != nil {
		return err
	}
	if changed == 0 {
		return takenBackMeanwhile(ctx, q, txn.PaymentTxn)
	}
	lines, err := q.ListLines(ctx, row.ID)
	if err != nil {
		return err
	}
	// A line that is marked as sent meanwhile is not among them, and one that is among them is
	// not marked any more: whichever comes first, the other has no effect.
	unsent, err := q.TakeBackLines(ctx, db.TakeBackLinesParams{PaymentID: row.ID, Reason: string(OutcomeTakenBack)})
	if err != nil {
		return err
	}
	if unsent != int64(len(lines)) {
		return errForwarded
	}
	if err := s.postBack(ctx, tx, row, lines, partner, now); err != nil {
		return err
	}
	return s.noteTakenBack(ctx, tx, row.ID, partner, now)
}

// takenBackMeanwhile refuses to take back what is over, unless another cancel came first and was
// waited for.
func takenBackMeanwhile(ctx context.Context, q *db.Queries, txn db.PaymentTxn) error {
	now, err := q.GetTxn(ctx, db.GetTxnParams{PartnerID: txn.PartnerID, TxnID: txn.TxnID})
	if err != nil || now.TakenBack {
		return err
	}
	return errForwarded
}

// postBack lets the bills go and posts that their money came to be due back and went back at once.
func (s *Service) postBack(ctx context.Context, tx *store.Tx, row db.Payment, lines []db.PaymentLine, partner Partner, now dbtime.Time) error {
	clearing, refunds := clearingAccount(row.Service), refundsAccount(row.Service)
	for _, l := range lines {
		t := transfer{kind: entryRefund, paymentID: row.ID, line: l.N, amount: l.Amount, at: now, source: clearing, destination: refunds}
		if err := post(ctx, tx, t); err != nil {
			return err
		}
		t.kind, t.source, t.destination = entryReturned, refunds, partnerAccount(partner.ID)
		if err := post(ctx, tx, t); err != nil {
			return err
		}
	}
	return db.New(tx).ReleaseClaims(ctx, row.ID)
}

// noteTakenBack leaves the record, the partner's event and the citizen's message.
func (s *Service) noteTakenBack(ctx context.Context, tx *store.Tx, id string, partner Partner, now dbtime.Time) error {
	q := db.New(tx)
	row, err := q.GetPayment(ctx, id) // whose it is now that it is locked
	if err != nil {
		return err
	}
	lines, err := linesOf(ctx, q, id)
	if err != nil {
		return err
	}
	if err := s.tellWaiting(ctx, tx, row, lines); err != nil {
		return err
	}
	told, err := s.write(row, "taken_back", "payment.taken_back_sms", "amount", money.Amount(row.Amount).String(), "code", row.Code)
	if err != nil {
		return err
	}
	return s.noteBack(ctx, tx, row, lines, Cancelled, trail.Step{
		Audit: audit.Entry{At: now.Time, Actor: partnerAccount(partner.ID), Action: "payment.taken_back", Purpose: "payment"},
		Event: event(row, "payment.take_back", "done", now.Time), Messages: told,
	})
}
