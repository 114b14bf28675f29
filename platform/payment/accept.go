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
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Result is what a partner's request came to, as a result code of the OSMP (QIWI)
// provider protocol. Temporary alone asks the partner to try again.
type Result int

// The results.
const (
	OK          Result = 0
	Temporary   Result = 1
	BadAccount  Result = 4 // no payment code
	Unknown     Result = 5 // no such payment
	Forbidden   Result = 7
	Inactive    Result = 79 // lapsed, paid already, or a bill of it is
	TooSmall    Result = 241
	TooLarge    Result = 242
	OtherFailed Result = 300 // a txn_id again, with another account or sum
)

// Answer is what a partner is told.
type Answer struct {
	Result Result
	// PrvTxn is our number of the transaction; empty on a check, and where none
	// was kept.
	PrvTxn string
	// Service and Due name what the code pays for and its exact price; empty when
	// no payment was found.
	Service string
	Due     money.Amount
}

// Check tells a partner whether account (a payment code) can be paid with sum
// now. It asks the register once more, so that a stale price is never taken. A
// sum of 0 asks for the price only.
func (s *Service) Check(ctx context.Context, _ string, account string, sum money.Amount) (Answer, error) {
	if !ValidCode(account) {
		return Answer{Result: BadAccount}, nil
	}
	row, err := db.New(s.DB.Reader()).GetPaymentByCode(ctx, account)
	if errors.Is(err, sql.ErrNoRows) {
		return Answer{Result: Unknown}, nil
	}
	if err != nil {
		return Answer{}, fmt.Errorf("find a payment by its code: %w", err)
	}
	a := Answer{Result: payable(row, sum, s.Now()), Service: row.Service, Due: money.Amount(row.Amount)}
	if sum == 0 && a.Result == TooSmall {
		a.Result = OK
	}
	if a.Result != OK {
		return a, nil
	}
	a.Result, err = s.requote(ctx, row)
	return a, err
}

// requote asks the register whether each bill still costs what was quoted.
func (s *Service) requote(ctx context.Context, row db.Payment) (Result, error) {
	lines, err := db.New(s.DB.Reader()).ListLines(ctx, row.ID)
	if err != nil {
		return Temporary, fmt.Errorf("read a payment's bills: %w", err)
	}
	for _, l := range lines {
		taken, err := s.Taken(ctx, row.Service, l.Ref)
		if err != nil {
			return Temporary, err
		}
		if taken {
			return Inactive, nil
		}
		q, err := s.billers[row.Service].Quote(ctx, Bill{Ref: l.Ref, PaymentID: row.ID, Payer: row.Owner})
		if err != nil {
			return quoteResult(err), nil
		}
		if int64(q.Amount) != l.Amount {
			return Inactive, nil
		}
	}
	return OK, nil
}

// quoteResult tells a bill that cannot be paid from a register that cannot be
// asked: only the latter is worth another try.
func quoteResult(err error) Result {
	switch problem.From(err).Code {
	case problem.NotFound, problem.Conflict:
		return Inactive
	default:
		return Temporary
	}
}

// payable judges a payment at a moment without asking anybody.
func payable(row db.Payment, sum money.Amount, now time.Time) Result {
	switch {
	case State(row.State) == Quoted:
		return Unknown // its code was never told to anybody
	case State(row.State) != Awaiting || !now.Before(row.ExpiresAt.Time):
		return Inactive
	case sum < money.Amount(row.Amount):
		return TooSmall
	case sum > money.Amount(row.Amount):
		return TooLarge
	}
	return OK
}

// Accept takes a partner's payment of sum for account (a payment code), exactly
// once per txnID: a repeated one is answered as the first time, and with another
// account or sum it is OtherFailed. at is the partner's date of the payment.
// An error means that nothing was kept: the partner should try again.
func (s *Service) Accept(ctx context.Context, partner, txnID, account string, sum money.Amount, at time.Time) (Answer, error) {
	now := s.Now()
	if at.IsZero() {
		at = now
	}
	prvTxn, err := newPrvTxn(s.Random)
	if err != nil {
		return Answer{}, err
	}
	txn := db.InsertTxnParams{
		PartnerID: partner, TxnID: txnID, PrvTxn: prvTxn, Account: account, Amount: int64(sum),
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
		answer, err = s.take(ctx, tx, txn)
		return err
	})
	if err != nil {
		return Answer{}, fmt.Errorf("accept a payment: %w", err)
	}
	return answer, nil
}

// stored is the answer that the same transaction got before.
func stored(ctx context.Context, q *db.Queries, txn db.InsertTxnParams) (Answer, error) {
	was, err := q.GetTxn(ctx, db.GetTxnParams{PartnerID: txn.PartnerID, TxnID: txn.TxnID})
	if err != nil {
		return Answer{}, err
	}
	if was.Account != txn.Account || was.Amount != txn.Amount {
		return Answer{Result: OtherFailed}, nil
	}
	return Answer{Result: Result(was.Result), PrvTxn: was.PrvTxn}, nil
}

// take decides a new transaction and keeps the decision with all its effects.
func (s *Service) take(ctx context.Context, tx *store.Tx, txn db.InsertTxnParams) (Answer, error) {
	q := db.New(tx)
	answer := Answer{Result: BadAccount, PrvTxn: txn.PrvTxn}
	var row db.Payment
	if ValidCode(txn.Account) {
		var err error
		row, err = q.GetPaymentByCode(ctx, txn.Account)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			answer.Result = Unknown
		case err != nil:
			return Answer{}, err
		default:
			answer.Result = payable(row, money.Amount(txn.Amount), txn.ReceivedAt.Time)
		}
	}
	if answer.Result == OK {
		var taken acceptance
		var err error
		if taken, answer.Result, err = s.claim(ctx, tx, row.ID, txn); err != nil {
			return Answer{}, err
		}
		if answer.Result == OK {
			if err := s.effects(ctx, tx, taken); err != nil {
				return Answer{}, err
			}
		}
	}
	return answer, q.DecideTxn(ctx, db.DecideTxnParams{
		PartnerID: txn.PartnerID, TxnID: txn.TxnID, PaymentID: row.ID, Result: int64(answer.Result),
	})
}

// acceptance is a payment whose money is taken, as its rows are from then on.
type acceptance struct {
	row   db.Payment
	lines []db.PaymentLine
	txn   db.InsertTxnParams
}

// claim takes the payment and each of its bills, or none. Bills are claimed in
// the order of their numbers, so that two payments never wait for each other.
func (s *Service) claim(ctx context.Context, tx *store.Tx, id string, txn db.InsertTxnParams) (taken acceptance, result Result, err error) {
	q, at := db.New(tx), txn.ReceivedAt
	taken.txn = txn
	// The register knows whole seconds: an accepted_at in whole seconds is what
	// our own payment is recognised by.
	second := dbtime.From(at.Truncate(time.Second))
	taken.row, err = q.AcceptPayment(ctx, db.AcceptPaymentParams{
		ID: id, AcceptedAt: second, TryAt: dbtime.From(at.Add(queueTakes)),
	})
	if errors.Is(err, sql.ErrNoRows) {
		return taken, Inactive, nil // another transaction was faster
	}
	if err != nil {
		return taken, Temporary, err
	}
	if taken.lines, err = q.ListLines(ctx, id); err != nil {
		return taken, Temporary, err
	}
	for _, l := range taken.lines {
		n, err := q.ClaimBill(ctx, db.ClaimBillParams{Service: taken.row.Service, Ref: l.Ref, PaymentID: id})
		if err != nil {
			return taken, Temporary, err
		}
		if n == 0 {
			return taken, Inactive, errors.Join(
				q.ReleaseClaims(ctx, id),
				q.RefusePayment(ctx, db.RefusePaymentParams{ID: id, FinishedAt: at}),
				s.closed(ctx, tx, taken.row, at),
			)
		}
	}
	return taken, OK, q.ClaimLines(ctx, id)
}

// effects are what an accepted payment leaves in the same transaction.
func (s *Service) effects(ctx context.Context, tx *store.Tx, taken acceptance) error {
	row, txn := taken.row, taken.txn
	err := post(ctx, tx, transfer{
		kind: entryAccept, paymentID: row.ID, line: wholePayment, amount: row.Amount, at: txn.ReceivedAt,
		from: clearingAccount(row.Service), to: partnerAccount(txn.PartnerID),
	})
	if err != nil {
		return err
	}
	err = s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: txn.ReceivedAt.Time, Actor: partnerAccount(txn.PartnerID), Action: "payment.accept",
			Object: row.ID, Subject: row.Owner, Purpose: "payment", Decided: taken.decided(),
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
