package payment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// ErrNotReturned is NotReturned's answer for a payment of which nothing was given back, or of which that
// was corrected before.
var ErrNotReturned = problem.New(problem.NotFound, "problem.payment_not_returned")

// errDisputed refuses a partner that says a second time that it gave money back: the first time it did
// not, so two officers have to see that it did.
var errDisputed = problem.New(problem.Conflict, "problem.partner_refund_disputed")

// turnsBack counts by line the entries of what is due back (see backTurns).
func turnsBack(ctx context.Context, q *db.Queries, paymentID string) (map[int64]int64, error) {
	rows, err := q.TurnsBack(ctx, paymentID)
	if err != nil {
		return nil, fmt.Errorf("read what of a payment was given back: %w", err)
	}
	turns := make(map[int64]int64, len(rows))
	for _, r := range rows {
		turns[r.Line] = r.Turns
	}
	return turns, nil
}

// corrected reports that it was found of a line that its money was not given back after all.
func corrected(lines []Line) bool {
	return slices.ContainsFunc(lines, func(l Line) bool { return l.turns > 1 })
}

// disputed reports that a line's money is due back as it was found that it was not given back after all.
func disputed(l Line) bool { return l.State == RefundDue && l.turns > 1 }

// turnsOf counts the entries of what is due back of a payment. Each correction has another count, also where
// its bills went back one after the other, so that each is told of once.
func turnsOf(lines []Line) (all int64) {
	for _, l := range lines {
		all += l.turns
	}
	return all
}

// NotReturned corrects that a partner gave back what was due of a payment, as the citizen says that
// nothing came and the partner cannot show that it did: the partner owes us that again, and we the
// citizen, who is told. The entry that said so stays; another one turns it around. A payment that its
// partner took back before anything was sent is none of these. evidence (the number of the citizen's
// complaint, of a bank's letter) goes to the audit log. Errors: ErrNotReturned, ErrReference,
// staff.ErrFacts (what it rests on is otherwise since).
func (s *Service) NotReturned(ctx context.Context, act staff.Act, paymentID, evidence string) (due money.Amount, err error) {
	if !reference.MatchString(evidence) {
		return 0, ErrReference
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		q, now := db.New(tx), dbtime.From(s.Now())
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		if n, err := q.LockRefund(ctx, db.LockRefundParams{ID: paymentID, Now: now}); err != nil || n == 0 {
			return errors.Join(err, ErrNotReturned)
		}
		gone, err := returnedOnce(ctx, q, paymentID)
		if err == nil && act.Facts != "" && act.Facts != bySum(gone) { // another line of it went back meanwhile
			err = staff.ErrFacts
		}
		if err != nil {
			return err
		}
		for _, g := range gone {
			err := post(ctx, tx, transfer{
				kind: entryNotReturned, paymentID: paymentID, line: g.N, amount: g.Amount, at: now,
				source: partnerAccount(g.PartnerID), destination: refundsAccount(g.Service),
			})
			if err != nil {
				return err
			}
			due += money.Amount(g.Amount)
		}
		return s.noteNotReturned(ctx, tx, paymentID, due, act.Actor, evidence, now)
	})
	if err != nil {
		return 0, fmt.Errorf("correct a refund: %w", err)
	}
	return due, nil
}

// NotReturnedFacts says what correcting a refund rests on: what was given back of the payment. Errors:
// ErrNotReturned, ErrReference.
func (s *Service) NotReturnedFacts(ctx context.Context, paymentID, evidence string) (string, error) {
	if !reference.MatchString(evidence) {
		return "", ErrReference
	}
	gone, err := returnedOnce(ctx, db.New(s.DB.Reader()), paymentID)
	if err != nil {
		return "", err
	}
	return bySum(gone), nil
}

// returnedOnce are the lines of a payment that were given back, which was not corrected before.
func returnedOnce(ctx context.Context, q *db.Queries, paymentID string) ([]db.RefundsOfRow, error) {
	gone, err := q.ReturnedOnce(ctx, db.ReturnedOnceParams{ID: paymentID, TakenBack: string(OutcomeTakenBack)})
	if err != nil {
		return nil, fmt.Errorf("look what was given back: %w", err)
	}
	if len(gone) == 0 {
		return nil, ErrNotReturned
	}
	lines := make([]db.RefundsOfRow, len(gone))
	for i, g := range gone {
		lines[i] = db.RefundsOfRow(g)
	}
	return lines, nil
}

// noteNotReturned leaves the record, the partner's event and the citizen's message.
func (s *Service) noteNotReturned(ctx context.Context, tx *store.Tx, paymentID string, due money.Amount, actor, evidence string, now dbtime.Time) error {
	q := db.New(tx)
	row, err := q.GetPayment(ctx, paymentID)
	if err != nil {
		return err
	}
	lines, err := linesOf(ctx, q, paymentID)
	if err != nil {
		return err
	}
	told, err := s.write(row, fmt.Sprintf("not_returned_%d", turnsOf(lines)), "payment.not_returned_sms", "amount", due.String(), "code", row.Code)
	if err != nil {
		return err
	}
	return s.noteBack(ctx, tx, row, lines, RefundDue, trail.Step{
		Audit: audit.Entry{At: now.Time, Actor: actor, Action: "payment.not_returned", Purpose: "payment " + evidence}, Messages: told,
	})
}
