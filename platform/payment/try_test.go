package payment_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// M1: no way in which a job can end leaves money behind.
func TestM1MoneyOutlivesItsJob(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{
		"discarded": "UPDATE river_job SET state = 'discarded', finalized_at = scheduled_at, attempt = max_attempts",
		"deleted":   "DELETE FROM river_job",
		"completed": "UPDATE river_job SET state = 'completed', finalized_at = scheduled_at",
		// What an earlier version left: no try is planned and the job is gone.
		"killed in a try": "UPDATE payments SET trying = TRUE, tries = 25, try_at = accepted_at WHERE state = 'accepted'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w, ctx := newWorld(t, db), context.Background()
				p := w.awaiting(t, aigul, "t1", "1")
				w.accept(t, "1", p)
				_, err := db.Writer().Exec(end)
				testworld.OK(t, err)
				w.Pass(time.Minute)
				waiting, err := w.Waiting(ctx)
				if err != nil || waiting.Accepted != 1 || waiting.OldestAccepted != p.ID || !waiting.AcceptedSince.Equal(testworld.Start) {
					t.Errorf("waiting: %+v, %v", waiting, err)
				}
				testworld.OK(t, w.Sweep(ctx))
				if s := w.state(t, aigul, p); s.State != payment.Settled {
					t.Errorf("after the sweep: %s", s.State)
				}
				testworld.OK(t, w.VerifyLedger(ctx))
				if waiting, err := w.Waiting(ctx); err != nil || waiting != (payment.Waiting{}) {
					t.Errorf("waiting at the end: %+v, %v", waiting, err)
				}
			})
		})
	}
}

// TestAnOvertakenTryTakesNoMarkBack: a try stood still until another took over and paid, whose
// answer is on its way. What the first finds out then, that it sent nothing, is not of the second.
func TestAnOvertakenTryTakesNoMarkBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p := w.awaiting(t, aigul, "t1", "1")
		w.accept(t, "1", p)
		w.register.untouched = func() {
			w.register.untouched = nil
			w.Pass(time.Minute) // the lease is over
			w.register.lose = 1
			if err := w.Settle(ctx, p.ID); !errors.Is(err, errLost) {
				t.Errorf("the second try: %v", err)
			}
		}
		if err := w.Settle(ctx, p.ID); !errors.Is(err, errLost) {
			t.Errorf("the first try: %v", err)
		}
		_, err := w.TakeBack(ctx, ownWallet, "1")
		mustBe(t, err, "problem.partner_payment_forwarded")
		w.Pass(time.Minute)
		testworld.OK(t, w.Settle(ctx, p.ID))
		if s := w.state(t, aigul, p); s.State != payment.Settled || w.register.pays != 1 {
			t.Errorf("it is %s, the register was paid %d times", s.State, w.register.pays)
		}
		w.whole(t)
	})
}

// A register that is away for a week is asked for a week: tries have no end.
func TestM1TriesHaveNoEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p := w.awaiting(t, aigul, "t1", "1")
		w.accept(t, "1", p)
		w.register.down = 1 << 30
		for range 60 {
			w.Pass(17 * time.Minute)
			testworld.OK(t, w.Sweep(ctx))
		}
		if n := w.Number("SELECT tries FROM payments"); n != 60 {
			t.Errorf("%d tries", n)
		}
		w.register.down = 0
		w.Pass(17 * time.Minute)
		testworld.OK(t, w.Sweep(ctx))
		if s := w.state(t, aigul, p); s.State != payment.Settled {
			t.Errorf("at the end: %s", s.State)
		}
	})
}

// Two tries of one payment never overlap, and one that was overtaken neither sends
// nor decides.
func TestM1OneTryAtATime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p := w.awaiting(t, aigul, "t1", "1")
		w.accept(t, "1", p)
		under, goOn := make(chan struct{}), make(chan struct{})
		w.register.pause = func() {
			w.register.pause = nil
			close(under)
			<-goOn
		}
		var first error
		var all sync.WaitGroup
		all.Go(func() { first = w.Settle(ctx, p.ID) })
		<-under
		testworld.OK(t, w.Settle(ctx, p.ID))
		w.Pass(time.Second)
		testworld.OK(t, w.Sweep(ctx))
		if w.register.pays != 0 {
			t.Error("a second try began beside the first")
		}
		w.Pass(time.Minute) // the first counts as killed
		testworld.OK(t, w.Sweep(ctx))
		if s := w.state(t, aigul, p); s.State != payment.Settled || w.register.pays != 1 {
			t.Errorf("after the second try: %s, %d payments", s.State, w.register.pays)
		}
		close(goOn)
		all.Wait()
		if first != nil && !errors.Is(first, errLost) {
			t.Logf("the first try ended with %v", first)
		}
		if s := w.state(t, aigul, p); s.State != payment.Settled || w.register.pays != 1 {
			t.Errorf("after the first try came back: %s, %d payments", s.State, w.register.pays)
		}
		testworld.OK(t, w.VerifyLedger(ctx))
	})
}

// M8: the end of an outage is seen within a probe's pause, and all that waited goes
// on then, however long their own pauses had become.
func TestM8WaitingWorkGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		const n = 150
		for i := range n {
			w.accept(t, fmt.Sprint(i), w.awaiting(t, aigul, fmt.Sprint(i), fmt.Sprint(i)))
		}
		w.register.down = 1 << 30
		for range 20 {
			w.Pass(17 * time.Minute)
			testworld.OK(t, w.Sweep(ctx))
		}
		asked := 1<<30 - w.register.down
		if asked < 20 || asked > 20*(n/4) {
			t.Errorf("a register that is away was asked %d times in 20 sweeps for %d payments", asked, n)
		}
		w.register.down = 0
		_, err := db.Writer().Exec("UPDATE payments SET try_at = $1, tries = 40 WHERE state = 'accepted'", w.Clock.Now().Add(15*time.Minute).UnixMicro())
		testworld.OK(t, err)
		w.Pass(11 * time.Second)
		testworld.OK(t, w.Sweep(ctx)) // the probe
		testworld.OK(t, w.Sweep(ctx))
		if left := w.Number("SELECT COUNT(*) FROM payments WHERE state <> 'settled'"); left != 0 {
			t.Errorf("%d of %d still wait", left, n)
		}
		if w.register.pays != n {
			t.Errorf("the register was paid %d times", w.register.pays)
		}
		testworld.OK(t, w.VerifyLedger(ctx))
	})
}
