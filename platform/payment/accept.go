package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Accept takes a partner's payment of sum for a payment code, exactly once per txnID:
// a repeated one is answered as the first time, and with another code or sum it is
// Reused; one that was taken back stays so. What a partner was told it is told again, also where
// it may pay less by now. at is the partner's date of the payment. An error means that nothing
// was kept: the partner should try again.
func (s *Service) Accept(ctx context.Context, partner Partner, txnID, code string, sum money.Amount, at time.Time) (Answer, error) {
	now := s.Now()
	if at.IsZero() {
		at = now
	}
	reference, err := newReference(s.Random)
	if err != nil {
		return Answer{}, err
	}
	txn := db.InsertTxnParams{
		PartnerID: partner.ID, TxnID: txnID, PrvTxn: reference, Account: code, Amount: int64(sum),
		PaidAt: dbtime.From(at), ReceivedAt: dbtime.From(now),
	}
	var answer Answer
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		inserted, err := db.New(tx).InsertTxn(ctx, txn)
		if err != nil {
			return err
		}
		if inserted == 0 {
			answer, err = stored(ctx, db.New(tx), txn)
			return err
		}
		answer, err = s.decide(ctx, tx, partner, txn)
		return err
	})
	if err != nil {
		return Answer{}, fmt.Errorf("accept a payment: %w", err)
	}
	return answer, nil
}

// stored is the answer that the same transaction got before.
func stored(ctx context.Context, q *db.Queries, txn db.InsertTxnParams) (Answer, error) {
	found, err := q.GetTxn(ctx, db.GetTxnParams{PartnerID: txn.PartnerID, TxnID: txn.TxnID})
	if err != nil {
		return Answer{}, err
	}
	was := found.PaymentTxn
	if found.TakenBack || Decision(was.Decision) == TakenBack {
		return Answer{Decision: TakenBack, Reference: was.PrvTxn}, nil
	}
	if was.Account != txn.Account || was.Amount != txn.Amount {
		return Answer{Decision: Reused}, nil
	}
	return Answer{Decision: Decision(was.Decision), Reference: was.PrvTxn}, nil
}

// Malformed seals a transaction that was to pay and is not of the partner's protocol: it is
// refused for good, as every other refusal is, so that its id pays nothing later.
func (s *Service) Malformed(ctx context.Context, partner Partner, txnID string) error {
	reference, err := newReference(s.Random)
	if err != nil {
		return err
	}
	now := dbtime.From(s.Now())
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := sealTxn(ctx, db.New(tx), db.InsertTxnParams{
			PartnerID: partner.ID, TxnID: txnID, PrvTxn: reference, PaidAt: now, ReceivedAt: now,
		}, Malformed)
		return err
	})
	if err != nil {
		return fmt.Errorf("seal a transaction: %w", err)
	}
	return nil
}

// sealTxn keeps a transaction that takes nothing, unless there is one of its id.
func sealTxn(ctx context.Context, q *db.Queries, txn db.InsertTxnParams, decision Decision) (sealed bool, err error) {
	inserted, err := q.InsertTxn(ctx, txn)
	if err != nil || inserted == 0 {
		return false, err
	}
	return true, q.DecideTxn(ctx, db.DecideTxnParams{PartnerID: txn.PartnerID, TxnID: txn.TxnID, Decision: string(decision)})
}

// decide judges a new transaction and keeps the decision with all its effects.
func (s *Service) decide(ctx context.Context, tx *store.Tx, partner Partner, txn db.InsertTxnParams) (Answer, error) {
	q := db.New(tx)
	answer := Answer{Decision: MalformedCode, Reference: txn.PrvTxn}
	var row db.Payment
	if ValidCode(txn.Account) {
		var err error
		row, err = q.GetPaymentByCode(ctx, txn.Account)
		switch {
		case errors.Is(err, sql.ErrNoRows), err == nil && !partner.knows(row):
			answer.Decision, row = UnknownCode, db.Payment{}
		case err != nil:
			return Answer{}, err
		default:
			answer.Decision = payable(row, money.Amount(txn.Amount), txn.ReceivedAt.Time)
		}
	}
	if answer.Decision == Approved {
		var accepted acceptance
		var err error
		if accepted, answer.Decision, err = s.claim(ctx, tx, row.ID, txn); err != nil {
			return Answer{}, err
		}
		if answer.Decision == Approved {
			if err := s.effects(ctx, tx, accepted); err != nil {
				return Answer{}, err
			}
		}
	}
	return answer, q.DecideTxn(ctx, db.DecideTxnParams{
		PartnerID: txn.PartnerID, TxnID: txn.TxnID, PaymentID: row.ID, Decision: string(answer.Decision),
	})
}

// acceptance is a payment whose money was accepted, as its rows are from then on.
type acceptance struct {
	row   db.Payment
	lines []db.PaymentLine
	txn   db.InsertTxnParams
}

// claim takes the payment and each of its bills, or none. Bills are claimed in
// the order of their numbers, so that two payments never wait for each other.
func (s *Service) claim(ctx context.Context, tx *store.Tx, id string, txn db.InsertTxnParams) (accepted acceptance, decision Decision, err error) {
	q, at := db.New(tx), txn.ReceivedAt
	accepted.txn = txn
	// The register knows whole seconds: an accepted_at in whole seconds is what
	// our own payment is recognised by.
	second := dbtime.From(at.Truncate(time.Second))
	accepted.row, err = q.AcceptPayment(ctx, db.AcceptPaymentParams{
		ID: id, AcceptedAt: second, TryAt: dbtime.From(at.Add(queueTakes)),
	})
	if errors.Is(err, sql.ErrNoRows) {
		return accepted, NotPayable, nil // another transaction was faster
	}
	if err != nil {
		return accepted, NotNow, err
	}
	if accepted.lines, err = q.ListLines(ctx, id); err != nil {
		return accepted, NotNow, err
	}
	for _, l := range accepted.lines {
		n, err := q.ClaimBill(ctx, db.ClaimBillParams{Service: accepted.row.Service, Ref: l.Ref, PaymentID: id})
		if err != nil {
			return accepted, NotNow, err
		}
		if n == 0 {
			return accepted, NotPayable, s.refuse(ctx, tx, accepted.row, l.Ref, at)
		}
	}
	return accepted, Approved, q.ClaimLines(ctx, id)
}

// effects are what an accepted payment leaves in the same transaction.
func (s *Service) effects(ctx context.Context, tx *store.Tx, accepted acceptance) error {
	row, txn := accepted.row, accepted.txn
	err := post(ctx, tx, transfer{
		kind: entryAccept, paymentID: row.ID, line: wholePayment, amount: row.Amount, at: txn.ReceivedAt,
		source: partnerAccount(txn.PartnerID), destination: clearingAccount(row.Service),
	})
	if err != nil {
		return err
	}
	err = s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: txn.ReceivedAt.Time, Actor: partnerAccount(txn.PartnerID), Action: "payment.accept",
			Object: row.ID, Subject: row.Owner, Purpose: "payment", Decided: accepted.decided(),
		},
		Event: event(row, "payment.accept", "done", txn.ReceivedAt.Time),
	})
	if err != nil {
		return err
	}
	return s.Queue.Insert(ctx, tx, settleArgs{PaymentID: row.ID}, job.Options{})
}

func (a acceptance) decided() []*audit.Group {
	return []*audit.Group{
		billsOf(a.row, a.lines), payerOf(a.row.Owner, a.row.PhoneSealed),
		transactionOf(a.row, db.PaymentTxn{
			PartnerID: a.txn.PartnerID, TxnID: a.txn.TxnID, PrvTxn: a.txn.PrvTxn, Account: a.txn.Account, Amount: a.txn.Amount,
			PaidAt: a.txn.PaidAt, ReceivedAt: a.txn.ReceivedAt,
		}),
	}
}

// event counts a step of a payment, in the channel and language it was opened
// in, with the time since then.
func event(row db.Payment, step, outcome string, at time.Time) analytics.Event {
	return analytics.Event{
		At: at, Service: row.Service, Step: step, Outcome: outcome,
		Channel: caller.Channel(row.Channel), Locale: locales.Locale(row.Locale), Operator: row.Operator,
		Duration: at.Sub(row.OpenedAt.Time),
	}
}
