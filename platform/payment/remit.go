package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Remittance is what a partner paid over to the treasury, by one document of a bank.
type Remittance struct {
	Partner   string
	Amount    money.Amount
	Reference string // the document's number
}

// MaxRemittance bounds one document, in tyiyn: ten thousand million som.
const MaxRemittance money.Amount = 10_000_000_000 * money.Som

var (
	// ErrRemitted is Remit's answer for a document that is in the ledger.
	ErrRemitted = problem.New(problem.Conflict, "problem.payment_remitted")
	// ErrNoRemittance is UndoRemittance's answer for a document that is not in the ledger, or was turned around.
	ErrNoRemittance = problem.New(problem.NotFound, "problem.payment_no_remittance")
	// ErrRemittanceSum is the answer for a sum that no document has.
	ErrRemittanceSum = problem.New(problem.Invalid, "problem.payment_remittance_sum")
)

// check refuses what is no remittance.
func (r Remittance) check() error {
	switch {
	case !reference.MatchString(r.Reference):
		return ErrReference
	case r.Amount <= 0 || r.Amount > MaxRemittance:
		return ErrRemittanceSum
	}
	return nil
}

// facts are what two persons agree on.
func (r Remittance) facts() string {
	return fmt.Sprintf("%s som of %s, document %s", r.Amount.Decimal(), r.Partner, r.Reference)
}

// transferOf is an entry that is of no payment.
func transferOf(t db.LedgerTransfer) *audit.Group {
	return audit.Decided(groupTransfer).Text(t.Kind, t.PartnerID, t.Source, t.Destination, t.Reference).Number(t.Amount).Moment(t.HappenedAt)
}

// Remit posts that a partner paid over to the treasury what it had taken: it owes us that no more. Once for each
// document of a partner. Problems: staff_reference, payment_remittance_sum, payment_no_account (a partner to which
// nothing was ever posted), payment_remitted; staff.ErrFacts.
func (s *Service) Remit(ctx context.Context, act staff.Act, r Remittance) error {
	return s.transfer(ctx, act, r.facts, func(q *db.Queries) (db.LedgerTransfer, error) {
		return db.LedgerTransfer{
			Kind: entryRemittance, PartnerID: r.Partner, Source: treasuryBank, Destination: partnerAccount(r.Partner), Amount: int64(r.Amount), Reference: r.Reference,
		}, s.remittable(ctx, q, r)
	})
}

// RemitFacts says what noting a remittance rests on. Problems as Remit's.
func (s *Service) RemitFacts(ctx context.Context, r Remittance) (string, error) {
	return r.facts(), s.remittable(ctx, db.New(s.DB.Reader()), r)
}

// remittable refuses what cannot be noted.
func (s *Service) remittable(ctx context.Context, q *db.Queries, r Remittance) error {
	if err := r.check(); err != nil {
		return err
	}
	_, err := q.AnyPosting(ctx, partnerAccount(r.Partner))
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNoAccount
	}
	if err != nil {
		return fmt.Errorf("look for a partner's account: %w", err)
	}
	before, err := q.Transfers(ctx, db.TransfersParams{PartnerID: r.Partner, Reference: r.Reference})
	if err == nil && len(before) > 0 {
		return ErrRemitted
	}
	return err
}

// UndoRemittance turns a remittance around that was posted wrongly: another sum, another partner, or nothing came.
// What was posted stays, and its document's number is used up: the right one is noted with another, as 12-3/45.2.
// Problems: staff_reference, payment_no_remittance; staff.ErrFacts.
func (s *Service) UndoRemittance(ctx context.Context, act staff.Act, partner, document string) (sum money.Amount, err error) {
	var was Remittance
	err = s.transfer(ctx, act, func() string { return was.facts() }, func(q *db.Queries) (db.LedgerTransfer, error) {
		was, err = undoable(ctx, q, partner, document)
		return db.LedgerTransfer{
			Kind: entryRemittanceUndone, PartnerID: partner, Source: partnerAccount(partner), Destination: treasuryBank, Amount: int64(was.Amount), Reference: document,
		}, err
	})
	return was.Amount, err
}

// UndoRemittanceFacts says what turning a remittance around rests on. Problems as UndoRemittance's.
func (s *Service) UndoRemittanceFacts(ctx context.Context, partner, document string) (string, error) {
	was, err := undoable(ctx, db.New(s.DB.Reader()), partner, document)
	return was.facts(), err
}

// undoable is a remittance that is in the ledger and was not turned around.
func undoable(ctx context.Context, q *db.Queries, partner, document string) (Remittance, error) {
	if !reference.MatchString(document) {
		return Remittance{}, ErrReference
	}
	rows, err := q.Transfers(ctx, db.TransfersParams{PartnerID: partner, Reference: document})
	if err != nil {
		return Remittance{}, fmt.Errorf("look for a remittance: %w", err)
	}
	if len(rows) != 1 {
		return Remittance{}, ErrNoRemittance
	}
	return Remittance{Partner: partner, Amount: money.Amount(rows[0].Amount), Reference: document}, nil
}

// transfer posts what find says, where the act agreed on the same.
func (s *Service) transfer(ctx context.Context, act staff.Act, facts func() string, find func(q *db.Queries) (db.LedgerTransfer, error)) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an entry's id: %w", err)
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		q := db.New(tx)
		t, err := find(q)
		switch {
		case err != nil:
			return err
		case act.Facts != "" && act.Facts != facts():
			return staff.ErrFacts
		}
		t.ID, t.HappenedAt = id.String(), dbtime.From(s.Now())
		n, err := q.InsertTransfer(ctx, db.InsertTransferParams(t))
		switch {
		case err != nil:
			return err
		case n == 0 && t.Kind == entryRemittance: // by another officer, meanwhile
			return ErrRemitted
		case n == 0:
			return ErrNoRemittance
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: t.HappenedAt.Time, Actor: act.Actor, Action: "payment." + t.Kind, Object: t.ID, Purpose: "payment " + t.Reference, Decided: []*audit.Group{transferOf(t)},
		}})
	})
	if err != nil {
		return fmt.Errorf("post a transfer: %w", err)
	}
	return nil
}
