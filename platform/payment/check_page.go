package payment

import (
	"context"
	"database/sql"

	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// page is a stretch of the payments by id, with all that belongs to each.
type page struct {
	c     *Check
	tx    *sql.Tx
	files map[string]*file
	last  string
}

// read reads the page after an id and reports how many payments it has.
func (p *page) read(ctx context.Context, after string) (int, error) {
	p.files = map[string]*file{}
	err := each(ctx, p.tx, "SELECT id, service, state, amount FROM payments WHERE id > $1 ORDER BY id LIMIT $2", []any{after, checkPage},
		func(rows *sql.Rows) error {
			f := &file{entries: map[posting]int64{}}
			if err := rows.Scan(&f.id, &f.service, &f.state, &f.amount); err != nil {
				return err
			}
			p.files[f.id], p.last = f, f.id
			return nil
		})
	if err != nil || len(p.files) == 0 {
		return 0, err
	}
	for _, part := range []func(context.Context, []any) error{p.lines, p.transactions, p.entries} {
		if err := part(ctx, []any{after, p.last}); err != nil {
			return 0, err
		}
	}
	return len(p.files), nil
}

func (p *page) lines(ctx context.Context, stretch []any) error {
	return each(ctx, p.tx, "SELECT payment_id, n, amount, state, doubted_at FROM payment_lines WHERE payment_id > $1 AND payment_id <= $2", stretch,
		func(rows *sql.Rows) error {
			var id string
			var l fileLine
			var doubted dbtime.Time
			if err := rows.Scan(&id, &l.n, &l.amount, &l.state, &doubted); err != nil {
				return err
			}
			l.doubted = !doubted.IsZero()
			if f := p.files[id]; f != nil {
				f.lines = append(f.lines, l)
			}
			return nil
		})
}

func (p *page) transactions(ctx context.Context, stretch []any) error {
	return each(ctx, p.tx, "SELECT payment_id, partner_id, amount FROM payment_txns WHERE result = 0 AND payment_id > $1 AND payment_id <= $2", stretch,
		func(rows *sql.Rows) error {
			var id, partner string
			var amount int64
			if err := rows.Scan(&id, &partner, &amount); err != nil {
				return err
			}
			if f := p.files[id]; f != nil {
				f.partners, f.taken = append(f.partners, partner), f.taken+amount
			}
			return nil
		})
}

func (p *page) entries(ctx context.Context, stretch []any) error {
	return each(ctx, p.tx, "SELECT e.payment_id, e.id, e.kind, e.line, p.account, p.amount FROM ledger_entries e "+
		"LEFT JOIN ledger_postings p ON p.entry_id = e.id WHERE e.payment_id > $1 AND e.payment_id <= $2", stretch,
		func(rows *sql.Rows) error {
			var id, entry, kind string
			var line int64
			var account sql.NullString
			var amount sql.NullInt64
			if err := rows.Scan(&id, &entry, &kind, &line, &account, &amount); err != nil {
				return err
			}
			if !account.Valid {
				p.c.say("the ledger entry %s has no postings", entry)
				return nil
			}
			if f := p.files[id]; f != nil {
				f.entries[posting{kind, line, account.String}] += amount.Int64
			}
			return nil
		})
}

// VerifyLedger checks the whole ledger: every entry is what follows from its
// payment. It returns an error that names each difference.
func (s *Service) VerifyLedger(ctx context.Context) error {
	return s.DB.Snapshot(ctx, func(tx *sql.Tx) error {
		return NewCheck().Run(ctx, tx, func(int) {})
	})
}
