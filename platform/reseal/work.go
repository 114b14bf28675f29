package reseal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/reseal/db"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// batch is how many rows are looked at in one transaction: on SQLite all other writers wait
// for it.
const batch = 100

// atOnceBytes is how much of sealed values is read before the rest waits for the next batch: a
// value may be a file, and is in memory as it was and as it becomes.
const atOnceBytes = 8 << 20

// Work goes on with what is to be sealed anew, until it is done, and destroys the former keys
// when their time has come. Processes that do so at once share the work. Where nothing is to
// be done it asks the database nothing.
func (s *Service) Work(ctx context.Context) error {
	standing := seal.Standing(s.Keys.List())
	if len(standing) < 2 {
		return nil
	}
	newest := standing[len(standing)-1]
	if s.Now().Before(newest.SealsFrom) {
		return nil
	}
	// Its moment has come: this process must seal by it before it says that anything is done.
	if err := s.Keys.Refresh(ctx); err != nil {
		return err
	}
	if seals := s.Keys.Seals(); seals != newest.Number {
		return fmt.Errorf("this process seals by data key %d and not by %d: was it given the master key %s?", seals, newest.Number, newest.Master)
	}
	for _, c := range s.Columns {
		if err := s.column(ctx, c, newest); err != nil {
			return fmt.Errorf("seal %s anew: %w", c.Place(), err)
		}
	}
	if s.Now().Before(newest.SealsFrom.Add(seal.Rests)) {
		return nil
	}
	return s.finish(ctx, newest)
}

// column goes on with a column, batch by batch. It rests as long as it worked: whoever is
// served meanwhile has the other half.
func (s *Service) column(ctx context.Context, c Column, newest seal.Key) error {
	for {
		begun := time.Now()
		more, err := s.batch(ctx, c, newest)
		if err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Since(begun)):
		}
	}
}

// batch seals the next rows of a column anew and notes how far that came, in one
// transaction. A row that somebody changed meanwhile is theirs, and sealed by the newest key
// or counted at the end.
func (s *Service) batch(ctx context.Context, c Column, newest seal.Key) (more bool, err error) {
	at := db.RewriteParams{Number: int64(newest.Number), Place: c.Place()}
	row, err := db.New(s.DB.Reader()).Rewrite(ctx, at)
	if errors.Is(err, sql.ErrNoRows) { // a later version has a column more
		return true, s.DB.InTx(ctx, func(tx *store.Tx) error { return db.New(tx).Begin(ctx, db.BeginParams(at)) })
	}
	if err != nil || !row.DoneAt.IsZero() {
		return false, err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := q.Lock(ctx, db.LockParams(at)); err != nil {
			return err
		}
		row, err := q.Rewrite(ctx, at) // as another process left it
		if more = false; err != nil || !row.DoneAt.IsZero() {
			return err
		}
		key, err := keyOf(row.After)
		if err != nil {
			return err
		}
		list, rest, err := c.after(ctx, tx, key, batch)
		if err != nil {
			return err
		}
		reached := db.ReachParams{Number: at.Number, Place: at.Place, After: row.After}
		if more = rest; !more {
			reached.DoneAt = dbtime.From(s.Now())
		}
		if len(list) > 0 {
			if reached.After, err = keyText(list[len(list)-1].key); err != nil {
				return err
			}
		}
		if reached.Resealed, reached.Failed, err = s.swap(ctx, tx, c, list); err != nil {
			return err
		}
		return q.Reach(ctx, reached)
	})
	return more, err
}

// swap seals the values of rows anew.
func (s *Service) swap(ctx context.Context, tx *store.Tx, c Column, list []value) (resealed, failed int64, err error) {
	var rows [][]any
	for _, v := range list {
		if len(v.sealed) == 0 {
			continue
		}
		fresh, changed, err := s.Keys.Sealer().Reseal(v.sealed, c.Context(v.key))
		if err != nil {
			failed++ // eshik fsck names the row
			s.Log.WarnContext(ctx, "a sealed value does not open and cannot be sealed anew", "column", c.Place())
			continue
		}
		if !changed {
			continue
		}
		row := []any{fresh}
		for _, part := range v.key {
			row = append(row, part)
		}
		rows = append(rows, append(row, v.sealed))
	}
	if len(rows) == 0 {
		return 0, failed, nil
	}
	swapped, err := tx.Each(ctx, c.swap(), rows)
	for _, n := range swapped {
		resealed += n
	}
	return resealed, failed, err
}

// finish destroys the former keys where nothing is sealed by them any more, and otherwise
// has everything looked through once more, now and then.
func (s *Service) finish(ctx context.Context, newest seal.Key) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		list, err := s.Keys.Lock(ctx, tx)
		if err != nil {
			return err
		}
		left := int64(0)
		for _, key := range seal.Standing(list) {
			if key.Number >= newest.Number {
				continue
			}
			values, err := s.values(ctx, tx, key.Number)
			if err != nil {
				return err
			}
			if left += values; values > 0 {
				continue
			}
			if err := s.Keys.Destroy(ctx, tx, key.Number); err != nil {
				return err
			}
			if err := s.leave(ctx, tx, "system", "destroyed", key.Number); err != nil {
				return err
			}
		}
		if left == 0 {
			return nil
		}
		return s.again(ctx, tx, newest, left)
	})
	if err != nil {
		return fmt.Errorf("destroy the former data keys: %w", err)
	}
	return s.Keys.Refresh(ctx)
}

// values counts what a key sealed.
func (s *Service) values(ctx context.Context, q querier, number uint32) (n int64, err error) {
	for _, c := range s.Columns {
		some, err := c.count(ctx, q, number)
		if err != nil {
			return 0, err
		}
		n += some
	}
	return n, nil
}

// again has all columns looked through once more: at once where none was since the former
// key rests, otherwise an hour after the last time, as what is left does not open.
func (s *Service) again(ctx context.Context, tx *store.Tx, newest seal.Key, left int64) error {
	q := db.New(tx)
	rows, err := q.Rewrites(ctx, int64(newest.Number))
	if err != nil {
		return err
	}
	rested := newest.SealsFrom.Add(seal.Rests)
	for _, row := range rows {
		if !row.DoneAt.Before(rested) && s.Now().Before(row.DoneAt.Add(seal.Rests)) {
			return nil
		}
	}
	s.Log.WarnContext(ctx, "values are still sealed by a former data key, and looked for once more", "values", left)
	return q.Again(ctx, int64(newest.Number))
}
