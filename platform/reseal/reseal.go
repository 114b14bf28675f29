// Package reseal replaces the keys that seal: it makes the next data key, seals anew by it
// what the former ones sealed, while everything goes on, and destroys a key by which
// nothing is sealed any more. What is to be done stands in SQL: a process that is killed
// leaves the rest to any other.
package reseal

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/reseal/db"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Deps is what a Service stands on; every field is needed.
type Deps struct {
	DB      *store.DB
	Keys    *seal.Keys
	Trail   *trail.Trail
	Columns []Column
	Now     func() time.Time
	Log     *slog.Logger
}

// Service replaces keys. Several processes on one database may do so at once.
type Service struct{ Deps }

// New makes a Service.
func New(deps Deps) (*Service, error) {
	if err := needs.All("the keys' replacement", deps); err != nil {
		return nil, err
	}
	return &Service{Deps: deps}, nil
}

// Rotate makes the next data key. Where a former one is being replaced already, nothing is
// made and the newest is given.
func (s *Service) Rotate(ctx context.Context, act staff.Act) (key seal.Key, made bool, err error) {
	err = s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		if key, made, err = s.Keys.Add(ctx, tx); err != nil || !made {
			return err
		}
		q := db.New(tx)
		if err := q.Forget(ctx, int64(key.Number)); err != nil {
			return err
		}
		for _, c := range s.Columns {
			if err := q.Begin(ctx, db.BeginParams{Number: int64(key.Number), Place: c.Place()}); err != nil {
				return err
			}
		}
		return s.leave(ctx, tx, act.Actor, "made", key.Number)
	})
	if err != nil {
		return key, false, fmt.Errorf("rotate the data key: %w", err)
	}
	return key, made, nil
}

// RotateMaster wraps the keys by the master key that this process was given first, and says
// how many another one wrapped.
func (s *Service) RotateMaster(ctx context.Context, act staff.Act) (rewrapped int, err error) {
	err = s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		rewrapped, err = s.Keys.Rewrap(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("rotate the master key: %w", err)
	}
	return rewrapped, nil
}

func (s *Service) leave(ctx context.Context, tx *store.Tx, actor, what string, number uint32) error {
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: s.Now(), Actor: actor, Action: "seal.key." + what, Object: fmt.Sprintf("data key %d", number), Purpose: "key rotation",
	}})
}

// Progress is how far a column is sealed anew.
type Progress struct {
	Place    string // table.column
	Resealed int64
	Failed   int64 // did not open, and were left as they are
	Done     bool
}

// Status is how a data key stands.
type Status struct {
	seal.Key
	Values   int64      // that it sealed, in all columns
	Progress []Progress // of the newest, where there was another before it
}

// List gives the data keys, the oldest first. It counts, which takes a while in a large
// database.
func (s *Service) List(ctx context.Context) ([]Status, error) {
	if err := s.Keys.Refresh(ctx); err != nil {
		return nil, err
	}
	var list []Status
	for _, key := range s.Keys.List() {
		n, err := s.values(ctx, s.DB.Reader(), key.Number)
		if err != nil {
			return nil, err
		}
		one := Status{Key: key, Values: n}
		rows, err := db.New(s.DB.Reader()).Rewrites(ctx, int64(key.Number))
		if err != nil {
			return nil, fmt.Errorf("read how far the values are sealed anew: %w", err)
		}
		for _, row := range rows {
			one.Progress = append(one.Progress, Progress{Place: row.Place, Resealed: row.Resealed, Failed: row.Failed, Done: !row.DoneAt.IsZero()})
		}
		list = append(list, one)
	}
	return list, nil
}
