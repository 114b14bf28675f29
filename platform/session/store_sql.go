package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/session/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// operationTime is what an operation on one session may take: a citizen waits
// behind it, whose turn's own time may be over when it is saved.
const operationTime = 2 * time.Second

// SQL is a Store in the database: slower than Redis, and there when Redis is
// not.
type SQL struct{ db *store.DB }

// NewSQL makes a store in the database.
func NewSQL(database *store.DB) *SQL { return &SQL{db: database} }

// Load implements Store.
func (s *SQL) Load(ctx context.Context, key string) (Record, error) {
	ctx, cancel := context.WithTimeout(ctx, operationTime)
	defer cancel()
	row, err := db.New(s.db.Reader()).LoadRecord(ctx, key)
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, nil
	}
	if err != nil {
		return Record{}, fmt.Errorf("load a session from the database: %w", err)
	}
	return Record{Version: row.Version, Expires: row.ExpiresAt.Time, Data: row.Sealed}, nil
}

// Save implements Store.
func (s *SQL) Save(ctx context.Context, key string, rec Record, expect int64) error {
	data := rec.Data
	if data == nil {
		data = []byte{}
	}
	ctx, cancel := context.WithTimeout(ctx, operationTime)
	defer cancel()
	var saved int64
	err := s.db.InTx(ctx, func(tx *store.Tx) (err error) {
		if expect == 0 {
			saved, err = db.New(tx).InsertRecord(ctx, db.InsertRecordParams{
				Key: key, Version: rec.Version, ExpiresAt: dbtime.From(rec.Expires), Sealed: data,
			})
			return err
		}
		saved, err = db.New(tx).UpdateRecord(ctx, db.UpdateRecordParams{
			Key: key, Version: rec.Version, ExpiresAt: dbtime.From(rec.Expires), Sealed: data, Expect: expect,
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("save a session in the database: %w", err)
	}
	if saved == 0 {
		return ErrConflict
	}
	return nil
}

// Replace implements Store.
func (s *SQL) Replace(ctx context.Context, key string, rec Record, expect int64) error {
	return s.Save(ctx, key, rec, expect)
}

// Delete implements Store.
func (s *SQL) Delete(ctx context.Context, key string, expect int64) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, operationTime)
	defer cancel()
	var deleted int64
	err := s.db.InTx(ctx, func(tx *store.Tx) (err error) {
		deleted, err = db.New(tx).DeleteRecord(ctx, db.DeleteRecordParams{Key: key, Version: expect})
		return err
	})
	if err != nil {
		return false, fmt.Errorf("delete a session from the database: %w", err)
	}
	return deleted == 1, nil
}

// Expired implements Store.
func (s *SQL) Expired(ctx context.Context, before time.Time, limit int) ([]Entry, error) {
	rows, err := db.New(s.db.Reader()).ExpiredRecords(ctx, db.ExpiredRecordsParams{
		ExpiresAt: dbtime.From(before), Limit: int32(min(limit, 1<<20)), // #nosec G115 -- bounded
	})
	if err != nil {
		return nil, fmt.Errorf("list expired sessions of the database: %w", err)
	}
	found := make([]Entry, len(rows))
	for i, row := range rows {
		found[i] = Entry{Key: row.Key, Record: Record{Version: row.Version, Expires: row.ExpiresAt.Time, Data: row.Sealed}}
	}
	return found, nil
}

// Any reports whether there is any record.
func (s *SQL) Any(ctx context.Context) (bool, error) {
	_, err := db.New(s.db.Reader()).AnyRecord(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
