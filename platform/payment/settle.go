package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// settleArgs name a payment whose bills' register must be told.
type settleArgs struct {
	PaymentID string `json:"payment_id"`
}

// Kind implements job.Args.
func (settleArgs) Kind() string { return "payment.settle" }

// receiptLife is how long a receipt is worth delivering.
const receiptLife = 72 * time.Hour

// work is the first try of a payment, right after it was accepted. Whatever
// becomes of it, the payment's own row says when the next try is due (Sweep): the
// job's attempts keep nothing alive.
func (s *Service) work(ctx context.Context, args settleArgs, _ job.Attempt) error {
	if err := s.Settle(ctx, args.PaymentID); err != nil {
		s.Log.Warn("a settlement is still open", "payment", args.PaymentID, "error", err)
	}
	return nil
}

// settleLines tells the register of each line that it has not been told of for
// certain. What no longer fits into the try's time waits for the next one: a call
// that is cut off is an outcome that is not known.
func (s *Service) settleLines(ctx context.Context, row db.Payment) error {
	lines, err := db.New(s.DB.Reader()).ListLines(ctx, row.ID)
	if err != nil {
		return fmt.Errorf("read the bills to settle: %w", err)
	}
	// Nobody begins with another bill when this is over.
	early, cancel := context.WithTimeout(ctx, tryTime-lineTime)
	defer cancel()
	var failed []error
	for i, l := range lines {
		if State(l.State) != Claimed {
			continue
		}
		if i > 0 && early.Err() != nil {
			return errors.Join(append(failed, errLater)...)
		}
		failed = append(failed, s.settleLine(ctx, row, l))
	}
	return errors.Join(failed...)
}

func (s *Service) settleLine(ctx context.Context, row db.Payment, line db.PaymentLine) error {
	outcome, err := s.billers[row.Service].Settle(ctx, Settlement{
		Bill:   Bill{Ref: line.Ref, PaymentID: row.ID, Payer: row.Owner},
		Amount: money.Amount(line.Amount), At: row.AcceptedAt.Time, Sent: line.Sent,
		Sending: func(ctx context.Context) error { return s.markSent(ctx, row, line) },
		Unsent:  func(ctx context.Context) error { return s.markUnsent(ctx, row, line) },
	})
	if err != nil {
		return fmt.Errorf("settle line %d: %w", line.N, err)
	}
	ctx, cancel := keeping(ctx)
	defer cancel()
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		return s.finishLine(ctx, tx, row, line, outcome)
	})
	if err != nil {
		return fmt.Errorf("keep the outcome of line %d: %w", line.N, err)
	}
	return nil
}

// errOvertaken says that another process took the payment over from this try.
var errOvertaken = errors.New("another try has taken the payment over")

// errLate says that the ledger takes no entry of now: what the register said could not be kept.
var errLate = errors.New("the ledger's day is closed already: the clock of this server is late")

// markSent commits before the payment leaves: after a crash in between, the next
// try knows that the register may have been paid. A try that was overtaken sends
// nothing, nor one whose outcome the ledger would refuse.
func (s *Service) markSent(ctx context.Context, row db.Payment, line db.PaymentLine) error {
	err := s.marking(ctx, row, func(q *db.Queries, mine bool) error {
		last, err := q.LastDay(ctx)
		switch {
		case err == nil && last.UntilAt.After(s.Now()):
			return errLate
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		}
		n, err := q.MarkSent(ctx, db.MarkSentParams{PaymentID: line.PaymentID, N: line.N})
		if err == nil && (!mine || n == 0) {
			return errOvertaken
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("mark a settlement: %w", err)
	}
	return nil
}

// markUnsent takes this try's mark back, never another's: an earlier one may have paid, and where
// a later one took over while this one stood still, the mark is of what that one sends.
func (s *Service) markUnsent(ctx context.Context, row db.Payment, line db.PaymentLine) error {
	if line.Sent {
		return nil
	}
	ctx, cancel := keeping(ctx)
	defer cancel()
	err := s.marking(ctx, row, func(q *db.Queries, mine bool) error {
		if !mine {
			return nil
		}
		return q.MarkUnsent(ctx, db.MarkUnsentParams{PaymentID: line.PaymentID, N: line.N})
	})
	if err != nil {
		return fmt.Errorf("unmark a settlement: %w", err)
	}
	return nil
}

// marking changes a line's mark while its payment is locked, so that no other try begins
// meanwhile and reads the mark that is about to change. mine: no other try has begun before.
func (s *Service) marking(ctx context.Context, row db.Payment, change func(q *db.Queries, mine bool) error) error {
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		n, err := q.LockTry(ctx, db.LockTryParams{ID: row.ID, Now: dbtime.From(s.Now()), Tries: row.Tries})
		if err != nil {
			return err
		}
		return change(q, n != 0)
	})
}

// finishLine keeps a line's outcome with its postings and, when it was the last
// one open, finishes the payment. A second run for the same line does nothing.
func (s *Service) finishLine(ctx context.Context, tx *store.Tx, row db.Payment, line db.PaymentLine, outcome Outcome) error {
	q, now := db.New(tx), dbtime.From(s.Now())
	// Also the lock that makes two workers of one payment take turns.
	open, err := q.LockTry(ctx, db.LockTryParams{ID: row.ID, Now: now, Tries: row.Tries})
	if err != nil || open == 0 {
		return err
	}
	if outcome == OutcomeDoubt {
		err = s.suspend(ctx, tx, row, line, now)
	} else {
		err = s.closeLine(ctx, tx, row, line, outcome, now)
	}
	if err != nil {
		return err
	}
	return s.finishPayment(ctx, tx, row, now, worker)
}

// worker stands in the audit log for what no person decided.
const worker = "worker"

// closeLine ends a line, claimed or in doubt, for good.
func (s *Service) closeLine(ctx context.Context, tx *store.Tx, row db.Payment, line db.PaymentLine, outcome Outcome, now dbtime.Time) error {
	q := db.New(tx)
	finish := db.FinishLineParams{PaymentID: row.ID, N: line.N, Was: line.State}
	finish.State, finish.Reason = ending(outcome)
	t := transfer{
		kind: entrySettle, paymentID: row.ID, line: line.N, amount: line.Amount, at: now,
		source: clearingAccount(row.Service), destination: treasuryAccount(row.Service),
	}
	doubted := State(line.State) == InDoubt
	if doubted {
		t.kind, t.source = entryDoubtSettle, suspenseAccount(row.Service)
	}
	if outcome != OutcomeSettled {
		t.kind, t.destination = entryRefund, refundsAccount(row.Service)
		if doubted {
			t.kind = entryDoubtRefund
		}
	}
	n, err := q.FinishLine(ctx, finish)
	if err != nil || n == 0 {
		return err
	}
	if err := post(ctx, tx, t); err != nil {
		return err
	}
	if outcome == OutcomeSettled || outcome == OutcomePaid {
		if err := s.closeOthers(ctx, tx, row, line.Ref, now); err != nil {
			return err
		}
	}
	if outcome == OutcomeSettled {
		return nil
	}
	return q.ReleaseClaim(ctx, db.ReleaseClaimParams{Service: row.Service, Ref: line.Ref, PaymentID: row.ID})
}

// ending is how an outcome leaves a line: its state, and why a refund is due.
func ending(outcome Outcome) (state, reason string) {
	if outcome == OutcomeSettled {
		return string(Settled), ""
	}
	return string(RefundDue), string(outcome)
}

// standing is how much of a payment's money stands where.
// gone was given back; reversed says that its register had recorded it.
type standing struct {
	claimed, doubt, paid, back, gone money.Amount
	reversed                         bool
}

func stand(lines []Line) (sum standing) {
	for _, l := range lines {
		sum.add(l.State, l.Amount)
		sum.reversed = sum.reversed || l.Reason == OutcomeReversed
	}
	return sum
}

func (s *standing) add(state State, amount money.Amount) {
	switch state {
	case Settled:
		s.paid += amount
	case RefundDue:
		s.back += amount
	case Refunded:
		s.gone += amount
	case InDoubt:
		s.doubt += amount
	default:
		s.claimed += amount
	}
}

// finishPayment closes the payment when no line is open, or says that it is in
// doubt when only such lines are, and tells the citizen.
func (s *Service) finishPayment(ctx context.Context, tx *store.Tx, row db.Payment, now dbtime.Time, actor string) error {
	q := db.New(tx)
	lines, err := linesOf(ctx, q, row.ID)
	if err != nil {
		return err
	}
	sum := stand(lines)
	state, outcome := Settled, "done"
	var changed int64
	switch {
	case sum.claimed > 0:
		return nil
	case sum.doubt > 0:
		state, outcome = InDoubt, "doubt"
		changed, err = q.SuspendPayment(ctx, row.ID)
	case sum.back+sum.gone > 0:
		state, outcome = RefundDue, "refused"
		fallthrough
	default:
		changed, err = q.FinishPayment(ctx, db.FinishPaymentParams{ID: row.ID, State: string(state), FinishedAt: now})
	}
	if err != nil || changed == 0 {
		return err
	}
	if state != InDoubt {
		if err := s.tellWaiting(ctx, tx, row, lines); err != nil {
			return err
		}
	}
	// The number may have been released while the register was asked: its next holder is not told.
	if row, err = q.GetPayment(ctx, row.ID); err != nil {
		return err
	}
	if err := s.notePaid(ctx, tx, row, state, sum); err != nil {
		return err
	}
	became, err := ended(ctx, q, row)
	if err != nil {
		return err
	}
	told, err := s.tell(row, sum)
	if err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: now.Time, Actor: actor, Action: "payment." + string(state),
			Object: row.ID, Subject: row.Owner, Purpose: "payment", Decided: []*audit.Group{became},
		},
		Event:    event(row, "payment.settle", outcome, now.Time),
		Messages: told,
	})
}

// ended is what became of a payment, as its lines and the ledger say now.
func ended(ctx context.Context, q *db.Queries, row db.Payment) (*audit.Group, error) {
	lines, err := q.ListLines(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	entries, err := q.EntriesOf(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	return outcomeOf(row, lines, entries), nil
}

// tell writes the receipt for what was paid, with what goes back; or, while
// something is in doubt, one message of how the whole sum stands.
func (s *Service) tell(row db.Payment, sum standing) ([]notify.Message, error) {
	if sum.doubt > 0 {
		key := "payment.doubt_sms"
		switch {
		case sum.back > 0:
			key = "payment.doubt_back_sms"
		case sum.paid > 0:
			key = "payment.doubt_part_sms"
		}
		return s.write(row, "doubt", key, "amount", sum.doubt.String(), "code", row.Code,
			"total", money.Amount(row.Amount).String(), "paid", sum.paid.String(), "back", sum.back.String())
	}
	id, key, args := sum.over(row.Code)
	return s.write(row, id, key, args...)
}

// over is the message about a payment that is over: what it is about, its key and its
// values. What was paid and what goes back are one sentence: two about one code, each with
// a sum, would contradict each other.
func (s standing) over(code string) (id, key string, args []any) {
	if s.back == 0 && s.gone > 0 {
		return s.returned(code)
	}
	args = []any{"code", code, "total", (s.paid + s.back).String(), "paid", s.paid.String(), "back", s.back.String()}
	switch {
	case s.back == 0:
		return "receipt", "payment.receipt_sms", append(args, "amount", s.paid.String())
	case s.reversed:
		return "reversed", "payment.reversed_sms", append(args, "amount", s.back.String())
	case s.paid == 0:
		return "refund", "payment.refund_sms", append(args, "amount", s.back.String())
	}
	return "refund_part", "payment.refund_part_sms", args
}

// returned is over of a payment of which nothing is due back any more.
func (s standing) returned(code string) (id, key string, args []any) {
	if s.paid == 0 {
		return "returned", "payment.returned_sms", []any{"code", code, "amount", s.gone.String()}
	}
	return "returned", "payment.returned_part_sms",
		[]any{"code", code, "total", (s.paid + s.gone).String(), "paid", s.paid.String(), "back", s.gone.String()}
}

// topic is what all messages about a payment are about.
func topic(row db.Payment) string { return "payment:" + row.ID }

// write makes the payer's message about a payment, sent once for what it is about. Who
// had the number before gets none: see CutPhone.
func (s *Service) write(row db.Payment, about, key string, args ...any) ([]notify.Message, error) {
	phone, err := s.Sealer.Open(row.PhoneSealed, phoneContext)
	if err != nil {
		return nil, fmt.Errorf("open the payer's phone: %w", err)
	}
	if len(phone) == 0 {
		return nil, nil
	}
	loc := locales.Locale(row.Locale)
	return []notify.Message{{
		To: string(phone), Locale: loc, Purpose: notify.Receipt, Dedup: topic(row) + ":" + about, Topic: topic(row),
		Text: gsm.Pick(s.Texts.Message(loc, key, args...)), ExpiresAt: s.Now().Add(receiptLife),
	}}, nil
}
