package owndata_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/owndata"
)

// dying is a part over whose erasure the process dies, as long as it is told to.
type dying struct{ err error }

func (dying) Export(context.Context, *store.Tx, personal.Person) ([]personal.Record, error) {
	return nil, nil
}

func (dying) Keeps(context.Context, *store.Tx, personal.Person) ([]personal.Kept, error) {
	return nil, nil
}

func (d *dying) Erase(context.Context, *store.Tx, personal.Person) error { return d.err }

// TestAnErasureIsWholeOrNothing: where one part fails, or is not ready, nothing is erased by the
// others, and a later round does it all.
func TestAnErasureIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her := w.strong(w.aigul())
		last := &dying{err: errors.New("the process died here")}
		w.holders.Add("dying", last)
		if _, err := w.AskErasure(t.Context(), her); err != nil {
			t.Fatal(err)
		}
		left := func() int { return w.Number("SELECT COUNT(*) FROM identity_citizens") }
		w.Pass(owndata.EraseAfter - time.Second)
		w.OK(w.EraseDue(t.Context()))
		if left() != 1 {
			t.Fatal("erased before its time")
		}
		w.Pass(time.Second)
		if err := w.EraseDue(t.Context()); !errors.Is(err, last.err) || left() != 1 {
			t.Errorf("%v, and %d are left", err, left())
		}
		last.err = personal.ErrNotYet
		if err := w.EraseDue(t.Context()); err != nil || left() != 1 {
			t.Errorf("%v, and %d are left", err, left())
		}
		last.err = nil
		w.OK(w.EraseDue(t.Context()))
		w.OK(w.EraseDue(t.Context()))
		if done := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'owndata.erased'"); left() != 0 || done != 1 {
			t.Errorf("%d are left, done %d times", left(), done)
		}
	})
}

// TestAskingTwiceIsAskingOnce: an erasure keeps its day, and its phones hear of it once.
func TestAskingTwiceIsAskingOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her := w.strong(w.aigul())
		first, err := w.AskErasure(t.Context(), her)
		w.OK(err)
		w.Pass(time.Hour)
		her.Now = w.Clock.Now()
		second, err := w.AskErasure(t.Context(), her)
		w.OK(err)
		if !second.DueAt.Equal(first.DueAt) || w.Number("SELECT COUNT(*) FROM owndata_erasures") != 1 {
			t.Errorf("due %s, then %s", first.DueAt, second.DueAt)
		}
		if n := w.Number("SELECT COUNT(*) FROM notify_messages WHERE about = $1", her.Subject); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}
