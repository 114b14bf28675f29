package identity_test

import (
	"slices"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// proveStrong proves Айгүл on a phone whose number is hers by the operators' register.
func (w *world) proveStrong(phone string) identity.Citizen {
	w.T.Helper()
	w.prove(phone)
	citizen, err := w.service.StepUp(w.T.Context(), w.by(phone))
	w.OK(err)
	return citizen
}

// TestReleasedNumberHasAnHeir: in place of a number that is released another phone of the
// person is told, the cleared one before the last that was proved strongly; none that was
// undone, that only typed the card's numbers, that was strong before its number was released,
// or a month ago.
func TestReleasedNumberHasAnHeir(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, _ := newStrong(t, db)
		tie := &returns{}
		w.service.Tie(tie)
		released := func(phone, heir string) {
			t.Helper()
			tie.moved = nil
			w.OK(w.service.Release(t.Context(), staff.Act{Actor: "officer"}, phone))
			if !slices.Equal(tie.moved, []string{phone + ">" + heir}) {
				t.Errorf("told in whose place: %v", tie.moved)
			}
		}
		w.proveStrong(aigul)
		w.Pass(time.Minute)
		w.prove(second)
		released(aigul, "") // the second only typed the numbers
		w.Pass(identity.CodesPer)
		w.prove(aigul)       // the number's next holder
		released(second, "") // who held the first before was proved strongly, its holder is not
		w.Pass(identity.CodesPer)
		w.proveStrong(aigul)
		w.prove(second)
		released(second, aigul)
		w.Pass(identity.CodesPer)
		w.prove(second)
		w.Pass(32 * 24 * time.Hour)
		released(second, "")
		w.proveStrong(aigul)
		w.proveStrong(third)
		if got := w.undo(aigul, ""); got != identity.UndoDone {
			t.Fatalf("undone: %s", got)
		}
		released(aigul, "") // the third was undone
		w.OK(w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, third, aigulPIN))
		w.Pass(identity.DisputeLasts)
		w.prove(second)
		released(second, third)
	})
}

// TestAWeakWordInheritsNothing: the word of a phone on which somebody only typed the card's
// numbers has it told nothing that others heard; a strong one's is told it.
func TestAWeakWordInheritsNothing(t *testing.T) {
	for name, c := range map[string]struct{ by, moved string }{
		"the weak one's word": {second, aigul + ">"}, "the strong one's word": {aigul, second + ">" + aigul},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w, _ := newStrong(t, db)
				tie := &returns{}
				w.service.Tie(tie)
				her := w.proveStrong(aigul)
				w.Pass(time.Minute)
				w.prove(second)
				if got := w.undo(c.by, ""); got != identity.UndoDone || !slices.Equal(tie.moved, []string{c.moved}) {
					t.Errorf("undone: %s, told in whose place: %v", got, tie.moved)
				}
				w.Pass(identity.DisputeLasts)
				w.prove(second)
				w.proveStrong(third)
				if want := []string{her.ID + " " + aigul, her.ID + " " + third}; !slices.Equal(tie.strong, want) {
					t.Errorf("proved strongly: %v, want %v", tie.strong, want)
				}
			})
		})
	}
}

// TestAnUndonePhoneIsTheirsNoMore: what was let in before an undo finds it, and what waits
// to tell the phone of the person is dropped, its own messages are not.
func TestAnUndonePhoneIsTheirsNoMore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.service.Tie(w.Outbox)
		her := w.prove(aigul)
		w.Pass(time.Minute)
		w.prove(second)
		since := w.Now()
		c := w.by(second)
		c.Subject = her.ID
		holds := func(want bool) {
			t.Helper()
			var held bool
			w.OK(db.InTx(t.Context(), func(tx *store.Tx) (err error) { held, err = w.service.HoldProof(t.Context(), tx, c); return err }))
			kept, err := w.service.Kept(t.Context(), second, her.ID, since)
			if err != nil || held != want || kept != want {
				t.Errorf("held: %t, kept: %t, %v", held, kept, err)
			}
		}
		holds(true)
		w.OK(db.InTx(t.Context(), func(tx *store.Tx) error {
			for _, about := range []string{her.ID, ""} {
				m := notify.Message{To: second, Text: "about " + about, Purpose: notify.Receipt, Locale: "ru", About: about}
				if err := w.Outbox.Send(t.Context(), tx, m); err != nil {
					return err
				}
			}
			return nil
		}))
		w.Pass(time.Second)
		if got := w.undo(aigul, ""); got != identity.UndoDone {
			t.Fatalf("undone: %s", got)
		}
		holds(false)
		c.Now = since // a request that began before and waited for a register
		holds(false)
		if n := w.Number("SELECT COUNT(*) FROM notify_messages WHERE about <> '' AND state = 'dropped'"); n != 1 {
			t.Errorf("%d messages about the person were dropped", n)
		}
		if n := w.Number("SELECT COUNT(*) FROM notify_messages WHERE about = '' AND state = 'dropped'"); n != 0 {
			t.Errorf("%d messages of the phone's own were dropped", n)
		}
	})
}

// TestWhoIsToldWhoseNoticesMove: a phone of the person gets digits that undo, a stranger
// to the person none, and one beside a cleared phone is not told.
func TestWhoIsToldWhoseNoticesMove(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her := w.prove(aigul)
		w.Pass(time.Minute)
		w.prove(second)
		asks := func(by, phone string, word, told bool) string {
			t.Helper()
			c := w.by(by)
			c.Subject, c.Channel = her.ID, caller.REST
			var number string
			var tell bool
			w.OK(db.InTx(t.Context(), func(tx *store.Tx) (err error) {
				number, tell, err = w.service.UndoNumber(t.Context(), tx, c, phone)
				return err
			}))
			if (number != "") != word || tell != told {
				t.Errorf("%s of %s: %q, %t", phone, by, number, tell)
			}
			return number
		}
		asks(second, third, false, true)
		number := asks(second, aigul, true, true)
		if got := w.undo(aigul, number); got != identity.UndoDone || w.proved(second) {
			t.Errorf("the word: %s", got)
		}
		w.OK(w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, aigul, aigulPIN))
		asks(aigul, second, false, false)
		asks(second, aigul, true, true)
	})
}

// TestWhoIsToldWhatIsKnown of a person: phones that were proved strongly or that an operator
// cleared, and no other; of what is done in the person's name every phone is warned.
func TestWhoIsToldWhatIsKnown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, register := newStrong(t, db)
		her := w.proveStrong(aigul)
		told := func(when string, want ...string) {
			t.Helper()
			w.OK(db.InTx(t.Context(), func(tx *store.Tx) error {
				list, err := w.service.PhonesToTell(t.Context(), tx, her.ID, w.Now())
				var phones []string
				for _, p := range list {
					phones = append(phones, p.Phone)
				}
				if !slices.Equal(phones, want) {
					t.Errorf("%s: %v are told, want %v", when, phones, want)
				}
				return err
			}))
		}
		w.Pass(time.Minute)
		w.prove(second)
		told("a second one only typed the numbers", aigul)
		register.sim.ChangedAt = w.Now().Add(-time.Hour)
		if _, err := w.service.StepUp(t.Context(), w.by(second)); !problem.Is(err, problem.Weak) {
			t.Fatalf("a SIM card of an hour: %v", err)
		}
		told("its SIM card is an hour old", aigul)
		w.OK(w.service.Forget(t.Context(), w.by(second)))
		told("it forgot whose it is", aigul)
		w.OK(db.InTx(t.Context(), func(tx *store.Tx) error {
			list, err := w.service.PhonesToWarn(t.Context(), tx, her.ID, w.Now())
			if len(list) != 2 {
				t.Errorf("%v are warned", list)
			}
			return err
		}))
		register.sim.ChangedAt = w.Now().Add(-100 * time.Hour)
		w.Pass(identity.CodesPer)
		w.proveStrong(third)
		told("two are strong", aigul, third)
		if got := w.undo(second, ""); got != identity.UndoDone {
			t.Fatalf("undone: %s", got)
		}
		told("all are in dispute")
		w.OK(w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, aigul, aigulPIN))
		told("one is cleared", aigul)
		w.Pass(identity.DisputeLasts)
		told("the dispute is over", aigul)
		w.proveStrong(third)
		told("another is proved anew", aigul, third)
		w.Pass(32 * 24 * time.Hour)
		told("a month after its proof", aigul)
	})
}
