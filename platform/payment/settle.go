package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// settleArgs name a payment whose bills' register must be told.
type settleArgs struct {
	PaymentID string `json:"payment_id"`
}

// Kind implements job.Args.
func (settleArgs) Kind() string { return "payment.settle" }

// afterLast is the pause between tries once the queue's own are used up: money
// that was taken is never given up on.
const afterLast = 15 * time.Minute

// receiptLife is how long a receipt is worth delivering.
const receiptLife = 72 * time.Hour

func (s *Service) work(ctx context.Context, args settleArgs, attempt job.Attempt) error {
	err := s.Settle(ctx, args.PaymentID)
	if err != nil && attempt.Last {
		s.Log.Error("a settlement is still open", "payment", args.PaymentID, "error", err)
		return job.Again(afterLast)
	}
	return err
}

// Settle tells the register of each bill of an accepted payment that it has not
// been told of for certain. An error means that some are left: call it again.
func (s *Service) Settle(ctx context.Context, id string) error {
	q := db.New(s.DB.Reader())
	row, err := q.GetPayment(ctx, id)
	if err != nil {
		return fmt.Errorf("read the payment to settle: %w", err)
	}
	if State(row.State) != Accepted {
		return nil
	}
	lines, err := q.ListLines(ctx, id)
	if err != nil {
		return fmt.Errorf("read the bills to settle: %w", err)
	}
	var failed []error
	for _, l := range lines {
		if State(l.State) == Claimed {
			failed = append(failed, s.settleLine(ctx, row, l))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) settleLine(ctx context.Context, row db.Payment, line db.PaymentLine) error {
	outcome, err := s.billers[row.Service].Settle(ctx, Settlement{
		Bill:   Bill{Ref: line.Ref, PaymentID: row.ID, Payer: row.Owner},
		Amount: Tyiyn(line.Amount), At: row.AcceptedAt.Time, Sent: line.Sent,
		Sending: func(ctx context.Context) error { return s.markSent(ctx, line) },
	})
	if err != nil {
		return fmt.Errorf("settle line %d: %w", line.N, err)
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		return s.finishLine(ctx, tx, row, line, outcome)
	})
	if err != nil {
		return fmt.Errorf("keep the outcome of line %d: %w", line.N, err)
	}
	return nil
}

// markSent commits before the payment leaves: after a crash in between, the next
// try knows that the register may have been paid.
func (s *Service) markSent(ctx context.Context, line db.PaymentLine) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).MarkSent(ctx, db.MarkSentParams{PaymentID: line.PaymentID, N: line.N})
	})
	if err != nil {
		return fmt.Errorf("mark a settlement: %w", err)
	}
	return nil
}

// finishLine keeps a line's outcome with its postings and, when it was the last
// one open, finishes the payment. A second run for the same line does nothing.
func (s *Service) finishLine(ctx context.Context, tx *store.Tx, row db.Payment, line db.PaymentLine, outcome Outcome) error {
	q, now := db.New(tx), dbtime.From(s.Now())
	// Also the lock that makes two workers of one payment take turns.
	open, err := q.LockAccepted(ctx, db.LockAcceptedParams{ID: row.ID, WorkedAt: now})
	if err != nil || open == 0 {
		return err
	}
	t := transfer{
		kind: entrySettle, paymentID: row.ID, line: line.N, amount: line.Amount, at: now,
		from: treasuryAccount(row.Service), to: clearingAccount(row.Service),
	}
	finish := db.FinishLineParams{PaymentID: row.ID, N: line.N, State: string(Settled)}
	if outcome != OutcomeSettled {
		t.kind, t.from = entryRefund, refundsAccount(row.Service)
		finish.State, finish.Reason = string(RefundDue), string(outcome)
	}
	n, err := q.FinishLine(ctx, finish)
	if err != nil || n == 0 {
		return err
	}
	if err := post(ctx, tx, t); err != nil {
		return err
	}
	if outcome != OutcomeSettled {
		err := q.ReleaseClaim(ctx, db.ReleaseClaimParams{Service: row.Service, Ref: line.Ref, PaymentID: row.ID})
		if err != nil {
			return err
		}
	}
	return s.finishPayment(ctx, tx, row, now)
}

// finishPayment closes the payment when no line is open, and tells the citizen.
func (s *Service) finishPayment(ctx context.Context, tx *store.Tx, row db.Payment, now dbtime.Time) error {
	q := db.New(tx)
	lines, err := q.ListLines(ctx, row.ID)
	if err != nil {
		return err
	}
	var paid, back Tyiyn
	for _, l := range lines {
		switch State(l.State) {
		case Settled:
			paid += Tyiyn(l.Amount)
		case RefundDue:
			back += Tyiyn(l.Amount)
		default:
			return nil
		}
	}
	state, outcome := Settled, "done"
	if back > 0 {
		state, outcome = RefundDue, "refused"
	}
	if _, err := q.FinishPayment(ctx, db.FinishPaymentParams{ID: row.ID, State: string(state), FinishedAt: now}); err != nil {
		return err
	}
	err = s.Audit.Record(ctx, tx, audit.Entry{
		At: now.Time, Actor: "worker", Action: "payment." + string(state),
		Object: row.ID, Subject: row.Owner, Purpose: "payment",
	})
	if err != nil {
		return err
	}
	if err := s.Events.InTx(ctx, tx, event(row, "payment.settle", outcome, now.Time)); err != nil {
		return err
	}
	return s.tell(ctx, tx, row, paid, back)
}

// tell sends the receipt for what was paid, and a notice of what goes back.
func (s *Service) tell(ctx context.Context, tx *store.Tx, row db.Payment, paid, back Tyiyn) error {
	phone, err := s.Sealer.Open(row.PhoneSealed, phoneContext)
	if err != nil {
		return fmt.Errorf("open the payer's phone: %w", err)
	}
	if len(phone) == 0 { // the number has another holder: see CutPhone
		return nil
	}
	loc := locales.Locale(row.Locale)
	for _, m := range []struct {
		sum     Tyiyn
		key, id string
	}{
		{paid, "payment.receipt_sms", "receipt"},
		{back, "payment.refund_sms", "refund"},
	} {
		if m.sum == 0 {
			continue
		}
		err := s.Outbox.Send(ctx, tx, notify.Message{
			To: string(phone), Locale: loc, Purpose: notify.Receipt, Dedup: "payment:" + row.ID + ":" + m.id,
			Text:      gsm.Pick(s.Texts.Message(loc, m.key, "amount", m.sum.String(), "code", row.Code)),
			ExpiresAt: s.Now().Add(receiptLife),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
