package audit

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/audit/db"
	"github.com/eshik-kg/eshik/platform/store"
)

// Of gives the records of one person's data about an object, the earliest first, for who is
// about to do what cannot be taken back. Each was written by us: an error that wraps
// ErrTampered names one that was not. One that was deleted is not missed, but by Verify.
func (l *Log) Of(ctx context.Context, tx *store.Tx, subject, object string) ([]Recorded, error) {
	q := db.New(tx)
	rows, err := q.OfObject(ctx, db.OfObjectParams{Subject: subject, Object: object})
	if err != nil {
		return nil, fmt.Errorf("list the records about an object: %w", err)
	}
	list := make([]Recorded, len(rows))
	for i, r := range rows {
		genuine, err := l.genuine(ctx, q, r)
		if err != nil {
			return nil, err
		}
		if !genuine {
			return nil, fmt.Errorf("the record %s (%s of %s) was not written by us: %w", r.ID, r.Action, r.Object, ErrTampered)
		}
		list[i] = recorded(r)
	}
	return list, nil
}

// genuine reports that we wrote a record: its mark is ours, or the hash that chains it to the
// one before.
func (l *Log) genuine(ctx context.Context, q *db.Queries, r db.AuditRecord) (bool, error) {
	if !r.N.Valid {
		return l.ours(r, false), nil
	}
	var before sql.NullString
	if r.N.Int64 > 1 {
		var err error
		before, err = q.SealedMac(ctx, sql.NullInt64{Int64: r.N.Int64 - 1, Valid: true})
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read the record before one: %w", err)
		}
	}
	return hmac.Equal([]byte(l.mac(before.String, r.N.Int64, r)), []byte(r.Mac.String)), nil
}
