package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// What is told of a code that came second. "Already paid" is true once the register has
// recorded it; until then the other payment's money may still go back.
const (
	waitingAbout, waitingKey = "waiting", "payment.waiting_sms"
	againAbout, againKey     = "again", "payment.again_sms"
)

// refuse ends a payment whose money is not taken, since another one holds its bill ref.
// While it is not known what becomes of that one, the citizen is told to wait: see
// tellWaiting.
func (s *Service) refuse(ctx context.Context, tx *store.Tx, row db.Payment, ref string, at dbtime.Time) error {
	q := db.New(tx)
	if err := q.ReleaseClaims(ctx, row.ID); err != nil {
		return err
	}
	holder, err := s.holder(ctx, q, row.Service, ref)
	if err != nil {
		return err
	}
	refusal := db.RefusePaymentParams{ID: row.ID, FinishedAt: at}
	switch State(holder.State) {
	case Settled:
		return errors.Join(q.RefusePayment(ctx, refusal), s.closed(ctx, tx, row, at, nil))
	case "": // its money went back meanwhile
		return errors.Join(q.RefusePayment(ctx, refusal), s.closedAs(ctx, tx, row, at, againAbout, againKey))
	}
	refusal.WaitsFor = holder.PaymentID
	return errors.Join(q.RefusePayment(ctx, refusal), s.closedAs(ctx, tx, row, at, waitingAbout, waitingKey))
}

// holder gives the payment that holds a bill, which does not end before the transaction
// does; none where it ended and let the bill go.
func (s *Service) holder(ctx context.Context, q *db.Queries, service, ref string) (holder db.ClaimHolderRow, err error) {
	bill := db.ClaimHolderParams{Service: service, Ref: ref}
	if holder, err = q.ClaimHolder(ctx, bill); err == nil {
		if err = q.HoldPayment(ctx, holder.PaymentID); err == nil {
			holder, err = q.ClaimHolder(ctx, bill) // as it stands now that it is held
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return db.ClaimHolderRow{}, nil
	}
	if err != nil {
		return holder, fmt.Errorf("look who pays a bill: %w", err)
	}
	return holder, nil
}

// tellWaiting tells those whose codes came second to a payment that is over now what
// became of the bill: it is paid, or they may pay it by a new code.
func (s *Service) tellWaiting(ctx context.Context, tx *store.Tx, over db.Payment, lines []Line) error {
	q := db.New(tx)
	waiting, err := q.WaitingFor(ctx, over.ID)
	if err != nil {
		return fmt.Errorf("look who waits for a payment: %w", err)
	}
	for _, row := range waiting {
		own, err := q.ListLines(ctx, row.ID)
		if err != nil {
			return err
		}
		about, key := againAbout, againKey
		if slices.ContainsFunc(own, func(l db.PaymentLine) bool { return paidBy(lines, l.Ref) }) {
			about = aboutOtherwise
			key, err = paidMessage(ctx, q, row, func(ref string) bool { return paidBy(lines, ref) })
			if err != nil {
				return err
			}
		}
		n, err := q.WaitNoMore(ctx, row.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if row, err = q.GetPayment(ctx, row.ID); err != nil { // whose it is now that it is locked
			return err
		}
		told, err := s.write(row, about, key, "code", row.Code)
		if err != nil {
			return err
		}
		if err := s.Trail.Leave(ctx, tx, trail.Step{Messages: told}); err != nil {
			return err
		}
	}
	return nil
}

// paidBy reports a bill that is paid as the lines say: by them, or by somebody else.
func paidBy(lines []Line, ref string) bool {
	return slices.ContainsFunc(lines, func(l Line) bool {
		return l.Ref == ref && (l.State == Settled || l.Reason == OutcomePaid)
	})
}
