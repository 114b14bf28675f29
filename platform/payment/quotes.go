package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// PartnerQuote is what bills cost a partner's user, as long as it holds. It is a payment that
// the partner opened: its code is paid as a citizen's is, by that partner alone.
type PartnerQuote struct {
	Payment
	// Source names whose rule the price is of.
	Source string
	// TxnID is the partner's transaction that paid it; empty: none did.
	TxnID string
	// Replayed says that it was made by an earlier request of the same key.
	Replayed bool
}

var (
	errQuote     = problem.New(problem.NotFound, "problem.partner_quote_absent")
	errQuotePaid = problem.New(problem.Conflict, "problem.partner_quote_paid")
	errKey       = problem.New(problem.Mismatch, "problem.partner_key_reused")
)

const quotePurpose = "payment.quote"

// Quote prices bills for a partner's user, who looked at them within the hour, and holds the
// price for QuoteLife. The same key of the user's partner gives the same quote. Problems: those of
// Open but payment_phone, and partner_key_reused (the key was used for other bills or another user).
func (s *Service) Quote(ctx context.Context, u User, service string, refs []string) (PartnerQuote, error) {
	biller, known := s.billers[service]
	if !known || !u.Partner.serves(service) {
		return PartnerQuote{}, errService
	}
	c := u.caller()
	id, err := uuid.NewV7()
	if err != nil {
		return PartnerQuote{}, fmt.Errorf("make a quote's id: %w", err)
	}
	given := refs
	refs = slices.Compact(slices.Sorted(slices.Values(refs)))
	if len(refs) == 0 || len(refs) > MaxBills {
		return PartnerQuote{}, errBills
	}
	row := db.InsertPaymentParams{
		ID: id.String(), Service: service, Owner: s.owner(c.Phone), OpenKey: s.Sealer.Index(quotePurpose, u.Partner.ID+"|"+u.Key),
		Locale: string(c.Locale), Channel: string(c.Channel), OpenedAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(c.Now.Add(QuoteLife)),
		PartnerID: u.Partner.ID,
	}
	if made, err := s.quoteOf(ctx, row, refs); err == nil || !errors.Is(err, sql.ErrNoRows) {
		return made, err
	}
	if err := biller.Admit(ctx, c, refs); err != nil {
		return PartnerQuote{}, fmt.Errorf("quote bills: %w", err)
	}
	if err := s.free(ctx, c, service, given); err != nil {
		return PartnerQuote{}, err
	}
	lines, closed, err := s.quote(ctx, biller, row.ID, row.Owner, refs)
	if err = errors.Join(err, closed.of(given)); err != nil {
		return PartnerQuote{}, err
	}
	// Nobody is told of it: the partner's user has the partner.
	if row.PhoneSealed, err = s.Sealer.Seal(nil, phoneContext); err != nil {
		return PartnerQuote{}, fmt.Errorf("seal nobody's phone: %w", err)
	}
	for _, l := range lines {
		row.Amount += l.Amount
	}
	return s.insertQuote(ctx, row, lines, refs)
}

// quoteOf is the quote that the key of row made before.
func (s *Service) quoteOf(ctx context.Context, row db.InsertPaymentParams, refs []string) (PartnerQuote, error) {
	was, err := db.New(s.DB.Reader()).GetPaymentByOpenKey(ctx, row.OpenKey)
	if err != nil {
		return PartnerQuote{}, fmt.Errorf("find a quote by its key: %w", err)
	}
	p, err := s.load(ctx, was)
	if err != nil {
		return PartnerQuote{}, err
	}
	same := slices.EqualFunc(p.Lines, refs, func(l Line, ref string) bool { return l.Ref == ref })
	if !same || was.Owner != row.Owner || was.Service != row.Service {
		return PartnerQuote{}, errKey
	}
	return PartnerQuote{Payment: p, Source: s.Source(was.Service), Replayed: true}, nil
}

// insertQuote keeps a quote, under a code that is free.
func (s *Service) insertQuote(ctx context.Context, row db.InsertPaymentParams, lines []db.InsertLineParams, refs []string) (PartnerQuote, error) {
	for range codeTries {
		code, err := newCode(s.Random)
		if err != nil {
			return PartnerQuote{}, err
		}
		row.Code = code
		inserted := false
		err = s.DB.InTx(ctx, func(tx *store.Tx) error {
			n, err := db.New(tx).InsertPayment(ctx, row)
			if inserted = n == 1; err != nil || !inserted {
				return err
			}
			return s.keepQuote(ctx, tx, row, lines)
		})
		if err != nil {
			return PartnerQuote{}, fmt.Errorf("keep a quote: %w", err)
		}
		made, err := s.quoteOf(ctx, row, refs)
		if inserted {
			made.Replayed = false
			return made, err
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return made, err // the same request ran twice at once
		}
	}
	return PartnerQuote{}, fmt.Errorf("keep a quote: no free code in %d draws", codeTries)
}

// keepQuote keeps the bills of a quote, which can be paid from now on.
func (s *Service) keepQuote(ctx context.Context, tx *store.Tx, row db.InsertPaymentParams, lines []db.InsertLineParams) error {
	q := db.New(tx)
	for _, l := range lines {
		if err := q.InsertLine(ctx, l); err != nil {
			return err
		}
	}
	if _, err := q.ConfirmPayment(ctx, db.ConfirmPaymentParams{ID: row.ID, ConfirmedAt: row.OpenedAt, ExpiresAt: row.ExpiresAt}); err != nil {
		return err
	}
	kept, err := q.GetPayment(ctx, row.ID)
	if err != nil {
		return err
	}
	bills, err := q.ListLines(ctx, row.ID)
	if err != nil {
		return err
	}
	if err := s.noteQuote(ctx, tx, kept, Awaiting); err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: row.OpenedAt.Time, Actor: partnerAccount(row.PartnerID), Action: "payment.quote", Object: row.ID, Purpose: "payment",
			Decided: []*audit.Group{billsOf(kept, bills), payerOf(kept.Owner, kept.PhoneSealed)},
		},
		Event: event(kept, "payment.quote", "done", row.OpenedAt.Time),
	})
}

// QuoteByCode gives a partner's own quote; another's is absent. Problem: partner_quote_absent.
func (s *Service) QuoteByCode(ctx context.Context, partner, code string) (PartnerQuote, error) {
	row, err := s.quoteRow(ctx, db.New(s.DB.Reader()), partner, code)
	if err != nil {
		return PartnerQuote{}, err
	}
	return s.loadQuote(ctx, row)
}

func (s *Service) quoteRow(ctx context.Context, q *db.Queries, partner, code string) (db.Payment, error) {
	row, err := q.GetPaymentByCode(ctx, code)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (partner == "" || row.PartnerID != partner) {
		return db.Payment{}, errQuote
	}
	if err != nil {
		return db.Payment{}, fmt.Errorf("find a quote: %w", err)
	}
	return row, nil
}

func (s *Service) loadQuote(ctx context.Context, row db.Payment) (PartnerQuote, error) {
	p, err := s.load(ctx, row)
	if err != nil {
		return PartnerQuote{}, err
	}
	quote := PartnerQuote{Payment: p, Source: s.Source(row.Service)}
	if row.AcceptedAt.IsZero() {
		return quote, nil
	}
	txn, err := db.New(s.DB.Reader()).PaidBy(ctx, row.ID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return PartnerQuote{}, fmt.Errorf("find what paid a quote: %w", err)
	}
	quote.TxnID = txn.TxnID
	return quote, nil
}

// Quotes lists a partner's own, the newest first: at most rows (1 to MaxListed); before is the id to
// go on from, "" for the newest.
func (s *Service) Quotes(ctx context.Context, partner, before string, rows int) ([]PartnerQuote, error) {
	if before == "" {
		before = beyond
	}
	found, err := db.New(s.DB.Reader()).QuotesOf(ctx, db.QuotesOfParams{
		PartnerID: partner, Before: before, Rows: int32(max(1, min(rows, MaxListed))), // #nosec G115 -- bounded
	})
	if err != nil {
		return nil, fmt.Errorf("list quotes: %w", err)
	}
	list := make([]PartnerQuote, len(found))
	for i, row := range found {
		if list[i], err = s.loadQuote(ctx, row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// CancelQuote takes a quote back, so that nobody pays it; doing it twice is doing it once.
// Problems: partner_quote_absent, partner_quote_paid (or the register would not have it: it is
// no quote any more).
func (s *Service) CancelQuote(ctx context.Context, partner, code string, now time.Time) (PartnerQuote, error) {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		row, err := s.quoteRow(ctx, q, partner, code)
		if err != nil {
			return err
		}
		n, err := q.CancelQuote(ctx, db.CancelQuoteParams{ID: row.ID, PartnerID: partner, FinishedAt: dbtime.From(now)})
		if err != nil {
			return err
		}
		if n == 0 {
			return s.cancelledBefore(ctx, q, partner, code)
		}
		if err := s.noteQuote(ctx, tx, row, Cancelled); err != nil {
			return err
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: now, Actor: partnerAccount(partner), Action: "payment.quote_cancel", Object: row.ID, Purpose: "payment",
		}})
	})
	if err != nil {
		return PartnerQuote{}, fmt.Errorf("cancel a quote: %w", err)
	}
	return s.QuoteByCode(ctx, partner, code)
}

func (s *Service) cancelledBefore(ctx context.Context, q *db.Queries, partner, code string) error {
	row, err := s.quoteRow(ctx, q, partner, code)
	if err == nil && State(row.State) != Cancelled {
		return errQuotePaid
	}
	return err
}
