package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/platform/webhook"
)

// RefundReason is why a partner asks for a settled payment's money back.
type RefundReason string

// The reasons.
const (
	ByMistake     RefundReason = "by_mistake"     // the payer paid what was not theirs
	PaidTwice     RefundReason = "twice"          // it was paid elsewhere too
	BillCancelled RefundReason = "bill_cancelled" // its bill was cancelled afterwards, as by a court
	NotPayer      RefundReason = "not_payer"      // somebody else used the payer's wallet
)

// Refusal is why staff refuse such a request.
type Refusal string

// The refusals.
const (
	RegisterKeeps Refusal = "register_keeps" // the register's holder does not undo the payment
	NotProven     Refusal = "not_proven"     // nothing shows what the partner says
)

// RequestState is how a request stands.
type RequestState string

// The states of a request. A refused one may be approved later, when its proof came.
const (
	RefundAsked    RequestState = "asked"
	RefundRefused  RequestState = "refused"
	RefundApproved RequestState = "approved"
)

// RefundRequest is that a partner asked for a settled payment to go back.
type RefundRequest struct {
	State   RequestState
	Reason  RefundReason
	Refusal Refusal // empty where it is not refused
	AskedAt time.Time
	// DecidedAt is when it was refused or approved; zero: it waits.
	DecidedAt time.Time
}

// AskedRefund is a request that waits for staff.
type AskedRefund struct {
	RefundRequest
	PaymentID string
	Partner   string
	TxnID     string
	Service   string
	Amount    money.Amount
}

var (
	errNotSettled   = problem.New(problem.Conflict, "problem.partner_refund_state")
	errOtherReason  = problem.New(problem.Mismatch, "problem.partner_refund_reason")
	errNoneDue      = problem.New(problem.Conflict, "problem.partner_refund_none")
	errRefundAmount = problem.New(problem.Mismatch, "problem.partner_refund_amount")
	// ErrNoRequest is the answer for a payment whose refund no partner asks for, or of which that
	// was decided.
	ErrNoRequest = problem.New(problem.NotFound, "problem.payment_no_request")
)

// AskRefund keeps that a partner asks for its settled payment to go back, and says how the
// transaction stands. Nothing is moved: staff decide. Once for each payment; the same request
// again changes nothing. Problems: partner_payment_absent, partner_refund_state (not settled),
// partner_refund_reason (asked before, for another reason).
func (s *Service) AskRefund(ctx context.Context, partner Partner, txnID string, reason RefundReason) (Transaction, error) {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q, now := db.New(tx), dbtime.From(s.Now())
		row, err := paidRow(ctx, q, partner, txnID)
		if err != nil {
			return err
		}
		held, err := q.HoldSettled(ctx, row.ID)
		if err != nil {
			return err
		}
		before, err := q.RefundRequest(ctx, row.ID)
		switch {
		case err == nil && before.Reason == string(reason):
			return nil
		case err == nil:
			return errOtherReason
		case !errors.Is(err, sql.ErrNoRows):
			return err
		case held == 0:
			return errNotSettled
		}
		_, err = q.AskRefund(ctx, db.AskRefundParams{PaymentID: row.ID, PartnerID: partner.ID, Reason: string(reason), AskedAt: now})
		if err != nil {
			return err
		}
		return s.noteRequest(ctx, tx, row.ID, partnerAccount(partner.ID), "payment.refund_asked", "payment", now)
	})
	if err != nil {
		return Transaction{}, fmt.Errorf("ask for a refund: %w", err)
	}
	return s.Transaction(ctx, partner.ID, txnID)
}

// paidRow is the payment that a partner's transaction took; errTransaction where it took none,
// or is of a service that is not the partner's.
func paidRow(ctx context.Context, q *db.Queries, partner Partner, txnID string) (db.Payment, error) {
	txn, err := q.GetTxn(ctx, db.GetTxnParams{PartnerID: partner.ID, TxnID: txnID})
	if errors.Is(err, sql.ErrNoRows) || err == nil && Decision(txn.PaymentTxn.Decision) != Approved {
		return db.Payment{}, errTransaction
	}
	if err != nil {
		return db.Payment{}, fmt.Errorf("find a partner's transaction: %w", err)
	}
	row, err := q.GetPayment(ctx, txn.PaymentTxn.PaymentID)
	if err == nil && !partner.serves(row.Service) {
		return db.Payment{}, errTransaction
	}
	return row, err
}

// requestTold are the messages about a request, by what became of it.
var requestTold = map[string]string{
	"payment.refund_asked": "payment.refund_asked_sms", "payment.refund_refused": "payment.refund_refused_sms",
}

// noteRequest leaves the record of a request that moved no money, and the citizen's message.
func (s *Service) noteRequest(ctx context.Context, tx *store.Tx, id, actor, action, purpose string, now dbtime.Time) error {
	q := db.New(tx)
	row, err := q.GetPayment(ctx, id) // whose it is now that it is locked
	if err != nil {
		return err
	}
	request, err := q.RefundRequest(ctx, id)
	if err != nil {
		return err
	}
	told, err := s.write(row, action, requestTold[action], "amount", money.Amount(row.Amount).String(), "code", row.Code)
	if err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: now.Time, Actor: actor, Action: action, Object: id, Subject: row.Owner, Purpose: purpose,
			Decided: []*audit.Group{requestOf(request)},
		},
		Messages: told,
	})
}

// AskedRefunds lists the requests that wait, the oldest first.
func (s *Service) AskedRefunds(ctx context.Context) ([]AskedRefund, error) {
	rows, err := db.New(s.DB.Reader()).AskedRefunds(ctx, refundsShown)
	if err != nil {
		return nil, fmt.Errorf("list the refunds that are asked for: %w", err)
	}
	list := make([]AskedRefund, len(rows))
	for i, r := range rows {
		list[i] = AskedRefund{
			RefundRequest: requestAs(r.PaymentRefundRequest), PaymentID: r.PaymentRefundRequest.PaymentID,
			Partner: r.PaymentRefundRequest.PartnerID, TxnID: r.TxnID, Service: r.Service, Amount: money.Amount(r.Amount),
		}
	}
	return list, nil
}

func requestAs(r db.PaymentRefundRequest) RefundRequest {
	return RefundRequest{
		State: RequestState(r.State), Reason: RefundReason(r.Reason), Refusal: Refusal(r.Refusal), AskedAt: r.AskedAt.Time, DecidedAt: r.DecidedAt.Time,
	}
}

// ReverseFacts says what sending a payment back rests on. Errors: ErrNoRequest, ErrReference.
func (s *Service) ReverseFacts(ctx context.Context, paymentID, evidence string) (string, error) {
	if !reference.MatchString(evidence) {
		return "", ErrReference
	}
	q := db.New(s.DB.Reader())
	r, err := q.RefundRequest(ctx, paymentID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && RequestState(r.State) == RefundApproved {
		return "", ErrNoRequest
	}
	if err != nil {
		return "", fmt.Errorf("find a request: %w", err)
	}
	row, err := q.GetPayment(ctx, paymentID)
	if err != nil {
		return "", fmt.Errorf("find its payment: %w", err)
	}
	return reverseFacts(r, row, State(row.State)), nil
}

func reverseFacts(r db.PaymentRefundRequest, row db.Payment, state State) string {
	return fmt.Sprintf("%s asked at %s (%s), %s %s; %s som, %s", r.PartnerID, r.AskedAt.Format(time.RFC3339), r.Reason,
		r.State, r.Refusal, money.Amount(row.Amount).Decimal(), state)
}

// Reverse approves that a settled payment goes back, as its partner asked: its money is due from
// the treasury's account to the citizen, by the partner, and its bills can be paid again where
// their register lets them. evidence is where the register's holder says that it undoes the
// payment. Errors: ErrNoRequest, ErrReference, staff.ErrFacts (it was refused meanwhile).
func (s *Service) Reverse(ctx context.Context, act staff.Act, paymentID, evidence string) (sum money.Amount, err error) {
	if !reference.MatchString(evidence) {
		return 0, ErrReference
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		q, now := db.New(tx), dbtime.From(s.Now())
		// The payment first and what hangs on it after it, as everything else locks them.
		n, err := q.ReversePayment(ctx, db.ReversePaymentParams{ID: paymentID, FinishedAt: now})
		if err != nil || n == 0 {
			return errors.Join(err, noRequest(n))
		}
		row, err := q.GetPayment(ctx, paymentID)
		if err == nil {
			err = approveRequest(ctx, q, act, row, now)
		}
		if err != nil {
			return err
		}
		sum = money.Amount(row.Amount)
		if err := postReversed(ctx, tx, row, now); err != nil {
			return err
		}
		return s.noteReversed(ctx, tx, row, act.Actor, evidence, now)
	})
	if err != nil {
		return 0, fmt.Errorf("send a settled payment back: %w", err)
	}
	return sum, nil
}

// approveRequest approves the request of a payment that was settled until now, as it is what the act rests on.
func approveRequest(ctx context.Context, q *db.Queries, act staff.Act, row db.Payment, now dbtime.Time) error {
	r, err := q.RefundRequest(ctx, row.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNoRequest
	}
	if err != nil {
		return err
	}
	if act.Facts != "" && act.Facts != reverseFacts(r, row, Settled) {
		return staff.ErrFacts
	}
	n, err := q.ApproveRefund(ctx, db.ApproveRefundParams{PaymentID: row.ID, DecidedAt: now, Was: r.State})
	return errors.Join(err, noRequest(n))
}

func noRequest(found int64) error {
	if found == 0 {
		return ErrNoRequest
	}
	return nil
}

// postReversed posts that each bill's money is due back, and lets the bills go.
func postReversed(ctx context.Context, tx *store.Tx, row db.Payment, now dbtime.Time) error {
	q := db.New(tx)
	lines, err := q.ListLines(ctx, row.ID)
	if err != nil {
		return err
	}
	n, err := q.ReverseLines(ctx, db.ReverseLinesParams{PaymentID: row.ID, Reason: string(OutcomeReversed)})
	if err == nil && n != int64(len(lines)) {
		err = fmt.Errorf("%d of the %d bills of a settled payment are settled", n, len(lines))
	}
	if err != nil {
		return err
	}
	for _, l := range lines {
		err := post(ctx, tx, transfer{
			kind: entryReverse, paymentID: row.ID, line: l.N, amount: l.Amount, at: now,
			source: treasuryAccount(row.Service), destination: refundsAccount(row.Service),
		})
		if err != nil {
			return err
		}
	}
	return q.ReleaseClaims(ctx, row.ID)
}

// noteReversed leaves the record, the partner's event and the citizen's message.
func (s *Service) noteReversed(ctx context.Context, tx *store.Tx, row db.Payment, actor, evidence string, now dbtime.Time) error {
	q := db.New(tx)
	lines, err := linesOf(ctx, q, row.ID)
	if err != nil {
		return err
	}
	request, err := q.RefundRequest(ctx, row.ID)
	if err != nil {
		return err
	}
	told, err := s.tell(row, stand(lines))
	if err != nil {
		return err
	}
	return s.noteBack(ctx, tx, row, lines, RefundDue, trail.Step{
		Audit: audit.Entry{
			At: now.Time, Actor: actor, Action: "payment.reversed", Purpose: "payment " + evidence, Decided: []*audit.Group{requestOf(request)},
		},
		Event: event(row, "payment.refund", "done", now.Time), Messages: told,
	})
}

// RefuseRefund refuses a request: the payment stands as it does. The partner and the citizen are
// told. Error: ErrNoRequest.
func (s *Service) RefuseRefund(ctx context.Context, act staff.Act, paymentID string, why Refusal) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		q, now := db.New(tx), dbtime.From(s.Now())
		n, err := q.HoldSettled(ctx, paymentID)
		if err == nil && n == 1 {
			n, err = q.RefuseRefund(ctx, db.RefuseRefundParams{PaymentID: paymentID, Refusal: string(why), DecidedAt: now})
		}
		if err != nil || n == 0 {
			return errors.Join(err, noRequest(n))
		}
		if err := s.noteRefusal(ctx, tx, paymentID); err != nil {
			return err
		}
		return s.noteRequest(ctx, tx, paymentID, act.Actor, "payment.refund_refused", "payment "+string(why), now)
	})
	if err != nil {
		return fmt.Errorf("refuse a refund: %w", err)
	}
	return nil
}

// noteRefusal writes down for the partner that its request was refused.
func (s *Service) noteRefusal(ctx context.Context, tx *store.Tx, paymentID string) error {
	q := db.New(tx)
	row, err := q.GetPayment(ctx, paymentID)
	if err != nil {
		return err
	}
	txn, err := q.PaidBy(ctx, paymentID)
	if err != nil {
		return fmt.Errorf("find who paid: %w", err)
	}
	return s.Events.Record(ctx, tx, webhook.Event{
		Partner: txn.PartnerID, Kind: webhook.RefundRefused, PaymentID: row.ID, Code: row.Code, TxnID: txn.TxnID, Reference: txn.PrvTxn,
		Service: row.Service, Amount: money.Amount(row.Amount),
	})
}
