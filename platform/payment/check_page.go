package payment

import (
	"context"
	"database/sql"

	"github.com/eshik-kg/eshik/platform/payment/db"
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
	err := each(ctx, p.tx, "SELECT id, code, service, owner, phone_sealed, amount, state, opened_at, confirmed_at, accepted_at, finished_at, partner_id "+
		"FROM payments WHERE id > $1 ORDER BY id LIMIT $2", []any{after, checkPage},
		func(rows *sql.Rows) error {
			f := &file{postings: map[posting]int64{}}
			r := &f.row
			err := rows.Scan(&r.ID, &r.Code, &r.Service, &r.Owner, &r.PhoneSealed, &r.Amount, &r.State,
				&r.OpenedAt, &r.ConfirmedAt, &r.AcceptedAt, &r.FinishedAt, &r.PartnerID)
			if err != nil {
				return err
			}
			p.files[r.ID], p.last = f, r.ID
			return nil
		})
	if err != nil || len(p.files) == 0 {
		return 0, err
	}
	for _, part := range []func(context.Context, []any) error{p.lines, p.transactions, p.entries, p.events, p.requests} {
		if err := part(ctx, []any{after, p.last}); err != nil {
			return 0, err
		}
	}
	return len(p.files), nil
}

func (p *page) lines(ctx context.Context, stretch []any) error {
	return each(ctx, p.tx, "SELECT payment_id, n, ref, amount, state, reason, doubted_at FROM payment_lines WHERE payment_id > $1 AND payment_id <= $2", stretch,
		func(rows *sql.Rows) error {
			var l db.PaymentLine
			if err := rows.Scan(&l.PaymentID, &l.N, &l.Ref, &l.Amount, &l.State, &l.Reason, &l.DoubtedAt); err != nil {
				return err
			}
			if f := p.files[l.PaymentID]; f != nil {
				f.lines = append(f.lines, l)
			}
			return nil
		})
}

func (p *page) transactions(ctx context.Context, stretch []any) error {
	return each(ctx, p.tx, "SELECT partner_id, txn_id, prv_txn, account, amount, paid_at, received_at, payment_id FROM payment_txns "+
		"WHERE decision = 'approved' AND payment_id > $1 AND payment_id <= $2", stretch,
		func(rows *sql.Rows) error {
			var t db.PaymentTxn
			err := rows.Scan(&t.PartnerID, &t.TxnID, &t.PrvTxn, &t.Account, &t.Amount, &t.PaidAt, &t.ReceivedAt, &t.PaymentID)
			if err != nil {
				return err
			}
			if f := p.files[t.PaymentID]; f != nil {
				f.txns = append(f.txns, t)
			}
			return nil
		})
}

// entries reads the postings, and each entry once: with its first posting.
func (p *page) entries(ctx context.Context, stretch []any) error {
	return each(ctx, p.tx, "SELECT e.payment_id, e.id, e.kind, e.line, e.happened_at, p.n, p.account, p.amount FROM ledger_entries e "+
		"LEFT JOIN ledger_postings p ON p.entry_id = e.id WHERE e.payment_id > $1 AND e.payment_id <= $2", stretch,
		func(rows *sql.Rows) error {
			var id, entry string
			var e db.EntriesOfRow
			var account sql.NullString
			var n, amount sql.NullInt64
			if err := rows.Scan(&id, &entry, &e.Kind, &e.Line, &e.HappenedAt, &n, &account, &amount); err != nil {
				return err
			}
			if !account.Valid {
				p.c.say("the ledger entry %s has no postings", entry)
				return nil
			}
			if f := p.files[id]; f != nil {
				f.postings[posting{e.Kind, e.Line, account.String}] += amount.Int64
				if n.Int64 == 0 {
					f.entries = append(f.entries, e)
				}
			}
			return nil
		})
}

// VerifyLedger checks the whole ledger: every entry is what follows from its
// payment. It returns an error that names each difference.
func (s *Service) VerifyLedger(ctx context.Context) error {
	return s.DB.Snapshot(ctx, func(tx *sql.Tx) error {
		return NewCheck(nil).Run(ctx, tx, func(int) {})
	})
}
