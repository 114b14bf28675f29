package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Suspended is a bill of which the register says "paid", which we may have paid, and
// of which nothing proves by whom.
type Suspended struct {
	PaymentID string
	N         int64 // the line's number within its payment
	Service   string
	Ref       string // the bill's number in its register
	Amount    money.Amount
	Code      string    // what the citizen paid by
	PaidAt    time.Time // the payment date that the register was told, if it was
	Since     time.Time // when the line came to be in doubt
}

const suspenseShown = 500

// Suspense lists what an operator has to decide, the oldest doubt first.
func (s *Service) Suspense(ctx context.Context) ([]Suspended, error) {
	rows, err := db.New(s.DB.Reader()).ListSuspended(ctx, suspenseShown)
	if err != nil {
		return nil, fmt.Errorf("list the payments in doubt: %w", err)
	}
	list := make([]Suspended, len(rows))
	for i, r := range rows {
		list[i] = Suspended{
			PaymentID: r.ID, N: r.N, Service: r.Service, Ref: r.Ref, Amount: money.Amount(r.Amount), Code: r.Code,
			PaidAt: r.AcceptedAt.Time, Since: r.DoubtedAt.Time,
		}
	}
	return list, nil
}

// suspend sets a line's money aside until it is known whose payment the
// register holds. The claim stays: the bill is not to be paid again.
func (s *Service) suspend(ctx context.Context, tx *store.Tx, row db.Payment, line db.PaymentLine, now dbtime.Time) error {
	n, err := db.New(tx).SuspendLine(ctx, db.SuspendLineParams{PaymentID: row.ID, N: line.N, DoubtedAt: now})
	if err != nil || n == 0 {
		return err
	}
	return post(ctx, tx, transfer{
		kind: entryDoubt, paymentID: row.ID, line: line.N, amount: line.Amount, at: now,
		source: clearingAccount(row.Service), destination: suspenseAccount(row.Service),
	})
}

var (
	// ErrNotSuspended is returned by Decide for a line that is not in doubt, or not any
	// more.
	ErrNotSuspended = problem.New(problem.NotFound, "problem.payment_no_doubt")
	// ErrReference is returned by Decide for evidence that cannot be looked up.
	ErrReference = problem.New(problem.Invalid, "problem.staff_reference")

	reference = regexp.MustCompile(`^[\p{L}0-9./_-]{1,40}$`)
)

// Decide ends a doubt as the register's holder answered: it has our payment
// (settled), or it has not, and the money goes back. evidence (the
// number of a letter, a statement) goes to the audit log.
func (s *Service) Decide(ctx context.Context, act staff.Act, paymentID string, n int64, settled bool, evidence string) error {
	if !reference.MatchString(evidence) {
		return ErrReference
	}
	outcome, action := OutcomePaid, "payment.doubt_refund"
	if settled {
		outcome, action = OutcomeSettled, "payment.doubt_settle"
	}
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q, now := db.New(tx), dbtime.From(s.Now())
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		if _, err := q.LockSuspended(ctx, db.LockSuspendedParams{ID: paymentID, Now: now}); err != nil {
			return err
		}
		row, line, err := suspended(ctx, q, paymentID, n)
		if err != nil {
			return err
		}
		if err := s.closeLine(ctx, tx, row, line, outcome, now); err != nil {
			return err
		}
		line.State, line.Reason = ending(outcome)
		err = s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: now.Time, Actor: act.Actor, Action: action,
			Object: paymentID, Subject: row.Owner, Purpose: "payment " + evidence,
			Decided: []*audit.Group{decisionOf(line)},
		}})
		if err != nil {
			return err
		}
		return s.finishPayment(ctx, tx, row, now, act.Actor)
	})
	if err != nil {
		return fmt.Errorf("decide a payment in doubt: %w", err)
	}
	return nil
}

// DoubtFacts says what ending a doubt rests on. Errors: ErrNotSuspended, ErrReference.
func (s *Service) DoubtFacts(ctx context.Context, paymentID string, n int64, evidence string) (string, error) {
	if !reference.MatchString(evidence) {
		return "", ErrReference
	}
	_, line, err := suspended(ctx, db.New(s.DB.Reader()), paymentID, n)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("bill %s, %s som", line.Ref, money.Amount(line.Amount).Decimal()), nil
}

// suspended reads a line that is in doubt, with its payment.
func suspended(ctx context.Context, q *db.Queries, paymentID string, n int64) (row db.Payment, line db.PaymentLine, err error) {
	row, err = q.GetPayment(ctx, paymentID)
	if errors.Is(err, sql.ErrNoRows) {
		return row, line, ErrNotSuspended
	}
	if err != nil {
		return row, line, err
	}
	lines, err := q.ListLines(ctx, paymentID)
	if err != nil {
		return row, line, err
	}
	for _, l := range lines {
		if l.N == n && State(l.State) == InDoubt {
			return row, l, nil
		}
	}
	return row, line, ErrNotSuspended
}
