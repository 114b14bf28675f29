package fine_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/fine"
)

// rejects decides an appeal that dinara took.
func (w *world) rejects(t *testing.T, a fine.Appeal) {
	t.Helper()
	testworld.OK(t, w.DecideAppeal(t.Context(), officer("dinara"), a.Number, fine.AppealRejected, "Знак виден на фото."))
}

// proves has the owner be proved strongly on a phone just now.
func (w *world) proves(t *testing.T, phone string) {
	t.Helper()
	c := caller.Caller{Phone: phone, Subject: citizen, Level: caller.LevelStrong, Locale: locales.RU, Now: w.Now()}
	testworld.OK(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error { return w.ProvedStrongly(t.Context(), tx, c) }))
}

// cut cuts a phone from the owner, as identity does: what is queued for it is dropped last.
func (w *world) cut(t *testing.T, phone, heir string) {
	t.Helper()
	testworld.OK(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error {
		if err := w.Service.CutPerson(t.Context(), tx, citizen, phone, heir, w.Now()); err != nil {
			return err
		}
		return w.Outbox.CutPerson(t.Context(), tx, citizen, phone, heir, w.Now())
	}))
}

// TestADecisionIsNotLost: where no phone was the person's when it was decided, or what waited for the
// phone was dropped as it was cut off, the heir or the next phone that is proved strongly is told, once;
// until then officers have it in their list.
func TestADecisionIsNotLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		phones []string
		cut    bool // before the message left
		heir   string
	}{
		"nobody's phone":   {},
		"cut in the night": {phones: []string{aigul}, cut: true},
		"with an heir":     {phones: []string{aigul}, cut: true, heir: bakyt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				a := w.taken(t, "dinara")
				w.phones = c.phones
				w.rejects(t, a)
				if c.cut {
					w.cut(t, aigul, c.heir)
				}
				waits := func(want bool) {
					t.Helper()
					heard, err := w.Heard(t.Context(), a.Number)
					testworld.OK(t, err)
					list, err := w.UnheardDecisions(t.Context())
					testworld.OK(t, err)
					queued := w.queued("state = 'queued' AND purpose = 'statutory'")
					if heard == want || (len(list) == 1 && list[0].Number == a.Number) != want || (queued == 0) != want || queued > 1 {
						t.Errorf("heard %t, listed %v, %d messages wait", heard, list, queued)
					}
				}
				waits(c.heir == "")
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() { w.proves(t, aigul) })
				}
				all.Wait()
				waits(false)
				w.proves(t, bakyt)
				waits(false)
			})
		})
	}
}

// TestADecisionIsToldLate only for a while, and what is withdrawn is none.
func TestADecisionIsToldLate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.rejects(t, w.taken(t, "dinara"))
		a := w.appealed(t)
		_, err := w.WithdrawAppeal(t.Context(), w.ownerOn(aigul), a.Number)
		testworld.OK(t, err)
		w.Pass(91 * 24 * time.Hour)
		w.proves(t, aigul)
		if n := w.queued("purpose = 'statutory'"); n != 0 {
			t.Errorf("%d are told", n)
		}
		if list, err := w.UnheardDecisions(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("listed: %v, %v", list, err)
		}
	})
}

// TestARejectionSaysWhatIsTrueOfTheFine: who paid it, through us or otherwise, is not told to pay it, and
// where the register does not answer nobody is.
func TestARejectionSaysWhatIsTrueOfTheFine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(t *testing.T, w *world)
		says   string
	}{
		"unpaid":         {func(*testing.T, *world) {}, "до " + clock.Moment(start.AddDate(0, 1, 0)) + ": ШТРАФ"},
		"paid to us":     {func(t *testing.T, w *world) { w.paid(t, "t7", "101") }, "второй раз"},
		"paid elsewhere": {func(_ *testing.T, w *world) { w.city.fines["101"].info.Paid = true }, "второй раз"},
		"register away":  {func(_ *testing.T, w *world) { w.city.down = 9 }, "Сколько осталось"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.city.fines["101"].Delivered = start
				a := w.taken(t, "dinara")
				c.before(t, w)
				w.phones = []string{bakyt}
				w.rejects(t, a)
				list, err := w.Outbox.List(t.Context(), bakyt)
				testworld.OK(t, err)
				if len(list) != 1 || !strings.Contains(list[0].Text, c.says) || strings.Contains(list[0].Text, "Оплатить") != (name == "unpaid") {
					t.Errorf("told: %+v", list)
				}
			})
		})
	}
}

// TestOurFailuresAreNoAppeals: where the register does not answer nothing is counted.
func TestOurFailuresAreNoAppeals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.city.closed = true
		for range 12 {
			if _, err := w.Appeal(t.Context(), w.ownerOn(aigul), grievance()); err == nil {
				t.Fatal("the register is away")
			}
		}
		w.city.closed = false
		w.appealed(t)
	})
}
