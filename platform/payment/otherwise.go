package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// closeOthers closes the codes that can be paid and hold a bill that this payment's
// line found paid, in its transaction. A code with other bills is closed whole: its
// sum was told and agreed to, and a wallet that has just checked it would pay that sum
// for less. The citizen asks for a new code for the rest. Money that another code has
// taken already is not touched: its own settlement gives it back.
func (s *Service) closeOthers(ctx context.Context, tx *store.Tx, row db.Payment, ref string, now dbtime.Time) error {
	others, err := db.New(tx).PayableWithBill(ctx, db.PayableWithBillParams{
		Service: row.Service, Ref: ref, PaymentID: row.ID, Now: now,
	})
	if err != nil {
		return fmt.Errorf("look for other codes of a bill: %w", err)
	}
	for _, other := range others {
		if err := s.closeCode(ctx, tx, other, now, func(of string) bool { return of == ref }); err != nil {
			return err
		}
	}
	return nil
}

// closeCode closes a code that can still be paid, as a bill of it is paid otherwise,
// and tells the citizen. Of several at once one does it. paid names bills that are known to
// be paid, also where no payment of ours did it; nil: none.
func (s *Service) closeCode(ctx context.Context, tx *store.Tx, row db.Payment, now dbtime.Time, paid func(ref string) bool) error {
	q := db.New(tx)
	n, err := q.CloseCode(ctx, db.CloseCodeParams{ID: row.ID, FinishedAt: now})
	if err != nil || n == 0 {
		return err
	}
	return s.closed(ctx, tx, row, now, paid)
}

// closed leaves a record of a code that was closed as a bill of it is paid, and the
// citizen's message.
func (s *Service) closed(ctx context.Context, tx *store.Tx, row db.Payment, now dbtime.Time, paid func(ref string) bool) error {
	key, err := paidMessage(ctx, db.New(tx), row, paid)
	if err != nil {
		return err
	}
	return s.closedAs(ctx, tx, row, now, aboutOtherwise, key)
}

// aboutOtherwise is what a message is about that tells of a bill that is paid otherwise.
const aboutOtherwise = "otherwise"

// paidMessage is what is told of a code of which a bill is paid otherwise: a new code is for
// bills that nobody pays, and "already paid" is said of no bill that is not.
func paidMessage(ctx context.Context, q *db.Queries, row db.Payment, paid func(ref string) bool) (key string, err error) {
	lines, err := q.ListLines(ctx, row.ID)
	if err != nil {
		return "", fmt.Errorf("read a payment's bills: %w", err)
	}
	free, taken := false, false
	for _, l := range lines {
		if paid != nil && paid(l.Ref) {
			continue
		}
		holder, err := q.ClaimHolder(ctx, db.ClaimHolderParams{Service: row.Service, Ref: l.Ref})
		switch {
		case errors.Is(err, sql.ErrNoRows):
			free = true
		case err != nil:
			return "", fmt.Errorf("look who pays a bill: %w", err)
		case State(holder.State) != Settled:
			taken = true
		}
	}
	switch {
	case free:
		return "payment.otherwise_rest_sms", nil
	case taken:
		return "payment.otherwise_taken_sms", nil
	}
	return "payment.otherwise_sms", nil
}

// closedAs leaves a record of a code that was closed, and the citizen's message. Whose it is
// is read now that it is locked: the number may have been released while the register was asked.
func (s *Service) closedAs(ctx context.Context, tx *store.Tx, row db.Payment, now dbtime.Time, about, key string) error {
	row, err := db.New(tx).GetPayment(ctx, row.ID)
	if err != nil {
		return err
	}
	told, err := s.write(row, about, key, "code", row.Code)
	if err != nil {
		return err
	}
	if err := s.noteQuote(ctx, tx, row, Refused); err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: now.Time, Actor: worker, Action: "payment.paid_otherwise",
			Object: row.ID, Subject: row.Owner, Purpose: "payment",
		},
		Messages: told,
	})
}

const (
	// overtakenEvery is how often the codes of paid bills are looked for: what is
	// left over is of before they were closed at once, or was confirmed meanwhile.
	overtakenEvery = time.Minute
	overtakenBatch = 100
)

// CloseOvertaken closes the codes that can be paid and hold a bill that another
// payment has settled. Call it now and then, from any number of processes; a process
// that looked less than a minute ago does nothing.
func (s *Service) CloseOvertaken(ctx context.Context) error {
	now := s.Now()
	last := s.overtaken.Load()
	if now.UnixNano()-last < int64(overtakenEvery) || !s.overtaken.CompareAndSwap(last, now.UnixNano()) {
		return nil
	}
	at := dbtime.From(now)
	rows, err := db.New(s.DB.Reader()).OvertakenCodes(ctx, db.OvertakenCodesParams{Now: at, UpTo: overtakenBatch})
	if err != nil {
		return fmt.Errorf("look for codes of paid bills: %w", err)
	}
	for _, row := range rows {
		err := s.DB.InTx(ctx, func(tx *store.Tx) error { return s.closeCode(ctx, tx, row, at, nil) })
		if err != nil {
			return fmt.Errorf("close a code of a paid bill: %w", err)
		}
	}
	return nil
}
