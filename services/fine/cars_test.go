package fine_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/fine"
)

// owner is the strongly proven owner of the car.
func (w *world) ownerOn(phone string) caller.Caller {
	w.proven, w.strong = true, true
	c := w.Caller(phone, "")
	c.Subject, c.Level = citizen, caller.LevelStrong
	return c
}

// linked links the car on a phone, and has the register be asked once.
func (w *world) linked(t *testing.T) fine.Car {
	t.Helper()
	car, err := w.Link(t.Context(), w.ownerOn(aigul), plate)
	testworld.OK(t, err)
	testworld.OK(t, w.Watch(t.Context(), car.ID))
	return car
}

// queued are the messages that wait to be sent, or are.
func (w *world) queued(where string) int {
	return w.Number("SELECT COUNT(*) FROM notify_messages WHERE " + where)
}

func TestOnlyAnOwnerLinksACar(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for name, c := range map[string]struct {
			change func(*caller.Caller)
			typed  string
			key    string
		}{
			"nobody proved":     {func(c *caller.Caller) { c.Subject = "" }, plate, "problem.fine_proof"},
			"weakly proved":     {func(c *caller.Caller) { c.Level = caller.LevelWeak }, plate, "problem.level_strong"},
			"no plate":          {func(*caller.Caller) {}, "???", "problem.fine_plate"},
			"cut off meanwhile": {func(*caller.Caller) { w.proven = false }, plate, "problem.fine_proof"},
			"another's car":     {func(*caller.Caller) { w.city.sold = true }, plate, "problem.registry_not_owner"},
		} {
			who := w.ownerOn(aigul)
			c.change(&who)
			if _, err := w.Link(t.Context(), who, c.typed); problem.From(err).Key != c.key {
				t.Errorf("%s: %v", name, err)
			}
			w.city.sold = false
		}
		first := w.linked(t)
		again, err := w.Link(t.Context(), w.ownerOn(aigul), "01 kg 123 авс")
		testworld.OK(t, err)
		list, err := w.Cars(t.Context(), w.ownerOn(bakyt))
		testworld.OK(t, err)
		if again.ID != first.ID || len(list) != 1 || list[0].Plate != plate || list[0].Here || !again.Here {
			t.Errorf("linked twice: %+v, %+v, %+v", first, again, list)
		}
		if w.city.follows[first.ID] != plate {
			t.Errorf("the register was not told: %v", w.city.follows)
		}
		other := w.ownerOn(bakyt)
		other.Subject = "citizen-2"
		if err := w.Unlink(t.Context(), other, first.ID); problem.From(err).Key != "problem.fine_car" {
			t.Errorf("another's car: %v", err)
		}
		testworld.OK(t, w.Unlink(t.Context(), w.ownerOn(aigul), first.ID))
		w.city.add("104", w.Now())
		testworld.OK(t, w.Watch(t.Context(), first.ID))
		if n := w.Number("SELECT COUNT(*) FROM fine_cars") + w.queued("1 = 1") + len(w.city.follows); n != 0 {
			t.Errorf("%d things are left of a car that was unlinked", n)
		}
	})
}

// TestACarTellsItsPhone: of a new fine once, with its sum, the end of its discount and a code
// that pays it, whatever is asked again; of the discount before it ends, once.
func TestACarTellsItsPhone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		car := w.linked(t)
		if n := w.queued("1 = 1"); n != 0 {
			t.Fatalf("%d messages about what was unpaid before", n)
		}
		w.city.add("104", w.Now())
		w.city.add("105", time.Time{})
		for range 3 {
			testworld.OK(t, w.Watch(t.Context(), car.ID))
		}
		if n := w.queued("1 = 1"); n != 2 {
			t.Fatalf("%d messages of two fines", n)
		}
		w.Work()
		var text string
		testworld.Eventually(t, "the messages", func() bool {
			for _, m := range w.Phones.Sent() {
				if strings.Contains(m.Text, "до 23.12.2026") {
					text = m.Text
				}
			}
			return text != "" && len(w.Phones.Sent()) == 2
		})
		if !strings.HasPrefix(text, "Новый штраф 01KG123ABC: 1 500 сом до 23.12.2026, потом 5 000 сом. Код оплаты ") || !strings.Contains(text, "СТОП") {
			t.Errorf("told %q", text)
		}
		code := tenDigits.FindString(text)
		if answer, err := w.payments.Check(t.Context(), payment.Partner{ID: "demo-wallet", Every: true}, code, 0); err != nil || answer.Decision != payment.Approved || answer.Due != 150000 {
			t.Errorf("the code is not to be paid: %+v, %v", answer, err)
		}
		w.Set(w.Now().AddDate(0, 1, -4))
		testworld.OK(t, w.Watch(t.Context(), car.ID))
		if n := w.queued("1 = 1"); n != 2 {
			t.Errorf("%d messages before the discount ends soon", n)
		}
		w.Pass(30 * time.Hour)
		for range 2 {
			testworld.OK(t, w.Watch(t.Context(), car.ID))
		}
		if n := w.queued("1 = 1"); n != 3 {
			t.Errorf("%d messages where the discount ends soon", n)
		}
		w.Pass(10 * 24 * time.Hour)
		testworld.OK(t, w.Watch(t.Context(), car.ID))
		if n := w.queued("1 = 1"); n != 3 {
			t.Errorf("%d messages where it has ended", n)
		}
	})
}

// TestTheSweepTakesUpWhatIsDue: each car in its turn, by one job; a register that is down
// costs nothing but time.
func TestTheSweepTakesUpWhatIsDue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		_, err := w.Link(t.Context(), w.ownerOn(aigul), plate)
		testworld.OK(t, err)
		w.city.add("104", w.Now())
		w.city.closed = true
		w.Work()
		for range 3 {
			testworld.OK(t, w.WatchDue(t.Context()))
		}
		due := func() bool {
			return w.Number("SELECT COUNT(*) FROM fine_cars WHERE watch_at <= $1", w.Now().Add(6*time.Minute).UnixMicro()) == 1
		}
		testworld.Eventually(t, "a turn while the register is down", due)
		w.city.mu.Lock()
		w.city.closed = false
		asked := len(w.city.calls)
		w.city.mu.Unlock()
		w.Pass(6 * time.Minute)
		testworld.OK(t, w.WatchDue(t.Context()))
		testworld.Eventually(t, "the message", func() bool { return len(w.Phones.Sent()) == 1 })
		if asked > 3 {
			t.Errorf("the register was asked %d times in one turn", asked)
		}
	})
}

// TestACutPhoneHearsNothingOfCars: neither what is queued nor what comes, nor what becomes of
// the codes that it was told; the heir is told of what comes.
func TestACutPhoneHearsNothingOfCars(t *testing.T) {
	t.Parallel()
	for name, heir := range map[string]string{"with an heir": bakyt, "with none": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				car := w.linked(t)
				w.city.add("104", w.Now())
				testworld.OK(t, w.Watch(t.Context(), car.ID))
				testworld.OK(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error {
					if err := w.CutPerson(t.Context(), tx, citizen, aigul, heir, w.Now()); err != nil {
						return err
					}
					return w.Outbox.CutPerson(t.Context(), tx, citizen, aigul, heir, w.Now())
				}))
				if n := w.queued("state = 'queued'"); n != 0 {
					t.Errorf("%d messages wait for the phone that was cut off", n)
				}
				if list, err := w.payments.List(t.Context(), w.Caller(aigul, ""), "", 10); err != nil || len(list) != 0 {
					t.Errorf("its payments: %+v, %v", list, err)
				}
				w.city.add("105", w.Now())
				testworld.OK(t, w.Watch(t.Context(), car.ID))
				told := w.queued("state = 'queued' AND phone_index = '" + w.Sealer.Index("notify.phone", bakyt) + "'")
				if want := map[bool]int{true: 1}[heir != ""]; told != want || w.queued("state = 'queued'") != want {
					t.Errorf("the heir is told %d things of %d", told, want)
				}
			})
		})
	}
}

// TestASilencedCarTellsItsOwnerAgain: cars that a cut silenced tell the phone on which their owner is
// proved strongly next, also where that happens in two places at once; a weak proof, and a person
// whose they are not, changes nothing. The log says so once, and fsck agrees.
func TestASilencedCarTellsItsOwnerAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		car := w.linked(t)
		testworld.OK(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error { return w.CutPerson(t.Context(), tx, citizen, aigul, "", w.Now()) }))
		w.city.add("104", w.Now())
		testworld.OK(t, w.Watch(t.Context(), car.ID))
		cut := w.records("fine.phone")
		proved := func(c caller.Caller) {
			testworld.OK(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error { return w.ProvedStrongly(t.Context(), tx, c) }))
		}
		weak, other := w.ownerOn(bakyt), w.ownerOn(bakyt)
		weak.Level, other.Subject = caller.LevelWeak, "citizen-2"
		proved(weak)
		proved(other)
		if n := w.records("fine.phone"); n != cut {
			t.Fatalf("%d records of somebody else's proof", n-cut)
		}
		owner := w.ownerOn(aigul)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { proved(owner) })
		}
		both.Wait()
		if n := w.records("fine.phone"); n != cut+1 {
			t.Errorf("%d records that the car tells again", n-cut)
		}
		if list, err := w.Cars(t.Context(), owner); err != nil || len(list) != 1 || !list[0].Here {
			t.Errorf("the owner's cars: %+v, %v", list, err)
		}
		w.city.add("105", w.Now())
		testworld.OK(t, w.Watch(t.Context(), car.ID))
		if n := w.queued("state = 'queued' AND phone_index = '" + w.Sealer.Index("notify.phone", aigul) + "'"); n == 0 {
			t.Error("the owner is not told again")
		}
		if err := db.Snapshot(t.Context(), w.look); err != nil {
			t.Error(err)
		}
	})
}

func TestAReleasedNumberHearsNothingOfCars(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		car := w.linked(t)
		testworld.OK(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error { return w.CutPhone(t.Context(), tx, aigul, w.Now()) }))
		w.city.add("104", w.Now())
		testworld.OK(t, w.Watch(t.Context(), car.ID))
		if n := w.queued("1 = 1"); n != 0 {
			t.Errorf("%d messages", n)
		}
		again, err := w.Link(t.Context(), w.ownerOn(bakyt), plate)
		testworld.OK(t, err)
		if again.ID != car.ID || !again.Here {
			t.Errorf("on the new phone: %+v", again)
		}
	})
}

func TestASoldCarIsUnlinked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	car := w.linked(t)
	w.city.sold = true
	for range 2 {
		testworld.OK(t, w.Watch(t.Context(), car.ID))
	}
	if list, err := w.Cars(t.Context(), w.ownerOn(aigul)); err != nil || len(list) != 0 || w.queued("1 = 1") != 1 {
		t.Errorf("a sold car: %+v, %v, %d messages", list, err, w.queued("1 = 1"))
	}
}

// TestLinkedAgainMeanwhile: a car that is linked again while the register is told that it was
// unlinked stays, and the register is told anew.
func TestLinkedAgainMeanwhile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		car := w.linked(t)
		testworld.OK(t, w.Unlink(t.Context(), w.ownerOn(aigul), car.ID))
		w.city.meanwhile = func() {
			_, err := w.Link(t.Context(), w.ownerOn(aigul), plate)
			testworld.OK(t, err)
		}
		testworld.OK(t, w.Watch(t.Context(), car.ID))
		if list, err := w.Cars(t.Context(), w.ownerOn(aigul)); err != nil || len(list) != 1 {
			t.Errorf("the list is %+v, %v", list, err)
		}
		if n := w.Number("SELECT COUNT(*) FROM fine_cars WHERE followed_at IS NULL"); n != 1 {
			t.Error("the register counts nobody a subscriber, and is not told")
		}
		testworld.OK(t, db.Snapshot(t.Context(), w.look))
	})
}

func TestConversationOfCars(t *testing.T) {
	t.Parallel()
	for _, loc := range []locales.Locale{locales.KY, locales.RU} {
		t.Run(string(loc), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
			k := newConversation(t, w, loc)
			k.start("")
			k.say("1")
			k.expect(k.say("1"), "SMS") // no cars yet
			k.say("1")
			k.expect(k.say("01kg123авс"), plate)
			k.expect(k.say("1"), plate, "SMS")
			again := newConversation(t, w, loc)
			again.channel, again.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
			again.expect(again.start("мои машины"), "(1)", plate)
			again.expect(again.say("1"), plate)
			again.expect(again.say("2"), plate)
			if list, err := w.Cars(t.Context(), w.ownerOn(aigul)); err != nil || len(list) != 0 {
				t.Errorf("left: %+v, %v", list, err)
			}
		})
	}
}
