package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Refund is what a citizen paid and the register did not take: the partner that took the
// money gives it back.
type Refund struct {
	PaymentID string
	Partner   string
	TxnID     string // the partner's transaction
	Service   string
	Ref       string // the bill's number in its register
	Amount    money.Amount
	Reason    Outcome
	Since     time.Time
	Overdue   bool // it is due for longer than RefundWithin
}

// RefundWithin is how long a partner has to give back what is due.
const RefundWithin = 10 * 24 * time.Hour

const refundsShown = 500

// Refunds lists, bill by bill, what is due back and not noted as returned, the oldest first.
func (s *Service) Refunds(ctx context.Context) ([]Refund, error) {
	rows, err := db.New(s.DB.Reader()).ListRefunds(ctx, refundsShown)
	if err != nil {
		return nil, fmt.Errorf("list the refunds that are due: %w", err)
	}
	list := make([]Refund, len(rows))
	for i, r := range rows {
		list[i] = Refund{
			PaymentID: r.ID, Partner: r.PartnerID, TxnID: r.TxnID, Service: r.Service, Ref: r.Ref,
			Amount: money.Amount(r.Amount), Reason: Outcome(r.Reason), Since: dueSince(r.AcceptedAt, r.FinishedAt, r.CorrectedAt),
		}
		list[i].Overdue = s.Now().Sub(list[i].Since) > RefundWithin
	}
	return list, nil
}

// dueSince is when money came to be due back: at the end of its payment or, where another bill
// keeps that open, at the latest since the money was taken. Where it was found not to have come, the
// partner has its days from then on, as the citizen was told.
func dueSince(accepted, finished, corrected dbtime.Time) time.Time {
	switch {
	case !corrected.IsZero():
		return corrected.Time
	case !finished.IsZero():
		return finished.Time
	}
	return accepted.Time
}

// ErrNoRefund is Returned's answer for a payment of which nothing is due back, or no more.
var ErrNoRefund = problem.New(problem.NotFound, "problem.payment_no_refund")

// Returned notes that the partner gave back all that was due of a payment: it owes us that
// no more. evidence (the number of a statement, a letter) goes to the audit log.
// Errors: ErrNoRefund, ErrReference, staff.ErrFacts (something else is due since it was agreed on).
func (s *Service) Returned(ctx context.Context, act staff.Act, paymentID, evidence string) (returned money.Amount, err error) {
	if !reference.MatchString(evidence) {
		return 0, ErrReference
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		q, now := db.New(tx), dbtime.From(s.Now())
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		if n, err := q.LockRefund(ctx, db.LockRefundParams{ID: paymentID, Now: now}); err != nil || n == 0 {
			return errors.Join(err, ErrNoRefund)
		}
		due, err := q.RefundsOf(ctx, paymentID)
		switch {
		case err != nil:
			return err
		case len(due) == 0:
			return ErrNoRefund
		case act.Facts != "" && act.Facts != bySum(due): // another line of it came to be due meanwhile
			return staff.ErrFacts
		}
		if returned, err = s.giveBack(ctx, tx, paymentID, due, now); err != nil {
			return err
		}
		return s.noteReturned(ctx, tx, paymentID, act.Actor, "payment "+evidence, now)
	})
	if err != nil {
		return 0, fmt.Errorf("note a refund: %w", err)
	}
	return returned, nil
}

// RefundFacts says what noting a refund rests on: what is due back of the payment. Errors:
// ErrNoRefund, ErrReference.
func (s *Service) RefundFacts(ctx context.Context, paymentID, evidence string) (string, error) {
	if !reference.MatchString(evidence) {
		return "", ErrReference
	}
	due, err := db.New(s.DB.Reader()).RefundsOf(ctx, paymentID)
	if err != nil {
		return "", fmt.Errorf("look what is due back: %w", err)
	}
	if len(due) == 0 {
		return "", ErrNoRefund
	}
	return bySum(due), nil
}

// bySum says of lines what whoever decides about them has to see.
func bySum(lines []db.RefundsOfRow) string {
	all := make([]string, len(lines))
	for i, l := range lines {
		all[i] = fmt.Sprintf("%s som of bill %d, by %s", money.Amount(l.Amount).Decimal(), l.N, l.PartnerID)
	}
	return strings.Join(all, "; ")
}

// giveBack posts lines of a payment that are due back to the partner that took it.
func (s *Service) giveBack(ctx context.Context, tx *store.Tx, paymentID string, due []db.RefundsOfRow, now dbtime.Time) (sum money.Amount, err error) {
	turns, err := turnsBack(ctx, db.New(tx), paymentID)
	if err != nil {
		return 0, err
	}
	for _, d := range due {
		err := post(ctx, tx, transfer{
			kind: backTurns[turns[d.N]], paymentID: paymentID, line: d.N, amount: d.Amount, at: now,
			source: refundsAccount(d.Service), destination: partnerAccount(d.PartnerID),
		})
		if err != nil {
			return 0, err
		}
		sum += money.Amount(d.Amount)
	}
	return sum, nil
}

// GaveBack keeps that a partner gave back to its payer all that is due of a payment, and says how
// the transaction stands: the partner owes us that no more. sum is all that went back of the
// payment. Saying it twice is saying it once, also where staff noted it. Problems:
// partner_payment_absent, partner_refund_none (nothing is due), partner_refund_amount (another
// sum is), partner_refund_disputed (it said so before, and two officers found that nothing came).
func (s *Service) GaveBack(ctx context.Context, partner Partner, txnID string, sum money.Amount) (Transaction, error) {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q, now := db.New(tx), dbtime.From(s.Now())
		row, err := paidRow(ctx, q, partner, txnID)
		if err != nil {
			return err
		}
		if _, err := q.LockRefund(ctx, db.LockRefundParams{ID: row.ID, Now: now}); err != nil {
			return err
		}
		if row, err = q.GetPayment(ctx, row.ID); err != nil { // as it stands now that it is locked
			return err
		}
		lines, err := linesOf(ctx, q, row.ID)
		if err != nil {
			return err
		}
		stands := stand(lines)
		switch {
		case State(row.State) != RefundDue:
			return errNoneDue
		case stands.back+stands.gone != sum:
			return errRefundAmount
		case stands.back == 0:
			return nil
		}
		if slices.ContainsFunc(lines, disputed) {
			return errDisputed
		}
		due, err := q.RefundsOf(ctx, row.ID)
		if err == nil {
			_, err = s.giveBack(ctx, tx, row.ID, due, now)
		}
		if err != nil {
			return err
		}
		return s.noteReturned(ctx, tx, row.ID, partnerAccount(partner.ID), "payment", now)
	})
	if err != nil {
		return Transaction{}, fmt.Errorf("note what a partner gave back: %w", err)
	}
	return s.Transaction(ctx, partner.ID, txnID)
}

func (s *Service) noteReturned(ctx context.Context, tx *store.Tx, paymentID, actor, purpose string, now dbtime.Time) error {
	q := db.New(tx)
	row, err := q.GetPayment(ctx, paymentID)
	if err != nil {
		return err
	}
	lines, err := linesOf(ctx, q, paymentID)
	if err != nil {
		return err
	}
	told, err := s.tellReturned(row, lines)
	if err != nil {
		return err
	}
	return s.noteBack(ctx, tx, row, lines, Refunded, trail.Step{
		Audit: audit.Entry{At: now.Time, Actor: actor, Action: "payment.returned", Purpose: purpose}, Messages: told,
	})
}

// noteBack leaves a step by which the money of a payment goes back, or does not: its partner hears that
// it is in a state, and the record says whose it is and how it stands with its lines, beside what the
// step says itself.
func (s *Service) noteBack(ctx context.Context, tx *store.Tx, row db.Payment, lines []Line, state State, step trail.Step) error {
	if err := s.notePaid(ctx, tx, row, state, stand(lines)); err != nil {
		return err
	}
	became, err := ended(ctx, db.New(tx), row)
	if err != nil {
		return err
	}
	step.Audit.Object, step.Audit.Subject = row.ID, row.Owner
	step.Audit.Decided = slices.Insert(step.Audit.Decided, 0, became)
	return s.Trail.Leave(ctx, tx, step)
}

// tellReturned tells the payer where the money is. While another bill of the payment is in
// doubt it does not: what stands where is told once, when that is decided.
func (s *Service) tellReturned(row db.Payment, lines []Line) ([]notify.Message, error) {
	if standsAt(row, lines) != Refunded {
		return nil, nil
	}
	id, key, args := stand(lines).over(row.Code)
	if corrected(lines) { // told once for each time that it came
		id = fmt.Sprintf("%s_again_%d", id, turnsOf(lines))
	}
	return s.write(row, id, key, args...)
}

// waitingRefunds counts what is due back and not noted as returned, and what is asked for.
func (s *Service) waitingRefunds(ctx context.Context, w *Waiting) (err error) {
	q := db.New(s.DB.Reader())
	if w.Refunds, err = q.CountRefunds(ctx); err != nil {
		return fmt.Errorf("count the refunds that are due: %w", err)
	}
	oldest, err := q.OldestRefund(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("find the oldest refund that is due: %w", err)
	}
	w.RefundsSince = dueSince(oldest.AcceptedAt, oldest.FinishedAt, oldest.CorrectedAt)
	if w.Asked, err = q.CountAskedRefunds(ctx); err != nil {
		return fmt.Errorf("count the refunds that are asked for: %w", err)
	}
	asked, err := q.OldestAskedRefund(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("find the oldest refund that is asked for: %w", err)
	}
	w.AskedSince = asked.Time
	return nil
}
