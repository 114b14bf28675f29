package preschool

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// seated registers the only child of c and has the place accepted.
func seated(t *testing.T, s *Service, c caller.Caller, kindergarten string) Position {
	t.Helper()
	made := enrol(t, s, c, kindergarten)
	if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, kindergarten); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Answer(t.Context(), c, made.Number, lastOffer(s, made.Number), true); err != nil {
		t.Fatal(err)
	}
	return made
}

// TestOnePlaceAtATime: a child with a place is refused a second registration whoever
// asks and however the register writes its personal number, until the place is given
// back.
func TestOnePlaceAtATime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 2)
		s := newService(t, w)
		c := w.parent("t1")
		made := seated(t, s, c, "K01")
		father := caller.Caller{Phone: aigulOther, Subject: "citizen-father", Level: caller.LevelStrong, Channel: caller.REST, Locale: locales.RU, Now: w.Now()}
		ref := s.childIndex(nurai)[:refLength]
		for what, test := range map[string]struct {
			caller  caller.Caller
			pin     string
			choices []string
		}{
			"the same again":         {c, nurai, []string{"K01"}},
			"in another district":    {c, nurai, []string{"K12"}},
			"by the other parent":    {father, nurai, []string{"K02"}},
			"in groups":              {c, nurai[:1] + " " + nurai[1:9] + " " + nurai[9:], []string{"K02"}},
			"with a hyphen":          {father, nurai[:9] + "-" + nurai[9:], []string{"K02"}},
			"in digits of Arabic":    {c, strings.NewReplacer("1", "١", "0", "٠").Replace(nurai), []string{"K02"}},
			"with a space beside it": {c, " " + nurai + "\u00a0", []string{"K02"}},
		} {
			test.caller.Key = what
			w.families[test.caller.Subject] = []Minor{{PIN: test.pin, Name: "Нурай", Born: time.Date(2023, time.May, 9, 0, 0, 0, 0, time.UTC)}}
			_, err := s.Register(t.Context(), test.caller, ref, test.choices)
			p := problem.From(err)
			if test.caller.Subject != aigul {
				if !errors.Is(err, problemHasPlace) {
					t.Errorf("%s: %v", what, err)
				}
				continue
			}
			if !errors.Is(err, problemPlaced) || p.Code != problem.Conflict {
				t.Errorf("%s: %v", what, err)
				continue
			}
			if said := s.Texts.Text(test.caller.Locale, p.Key, p.Args...); !strings.Contains(said, "№ 1 «Күнчө», ") || !strings.Contains(said, "23.11.2026") {
				t.Errorf("%s is told %q", what, said)
			}
		}
		if again, err := s.Register(t.Context(), c, ref, []string{"K01"}); err != nil || again.Number != made.Number {
			t.Errorf("the turn that made it, repeated: %+v, %v", again, err)
		}
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); !errors.Is(err, problemNotWaits) {
			t.Errorf("a second offer: %v", err)
		}
		rows := []Waiting{{Minor: w.families[aigul][0], Choices: []string{"K02"}, Since: start}}
		if n, err := s.ImportWaiting(t.Context(), rows); n != 0 || err != nil {
			t.Errorf("imported %d, %v", n, err)
		}
		if n := count(t, db, "SELECT count(*) FROM preschool_registrations"); n != 1 {
			t.Errorf("%d registrations", n)
		}
	})
}

// TestWhereAChildIsFoundIsToldStrongly: who is refused because the child has its place hears
// where only as the citizen whose registration it is, proved as surely as the policy wants.
func TestWhereAChildIsFoundIsToldStrongly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		made := seated(t, s, w.parent("t1"), "K01")
		ref := s.childIndex(nurai)[:refLength]
		w.families["citizen-father"] = w.families[aigul]
		for name, test := range map[string]struct {
			subject string
			level   caller.Level
			where   bool
		}{
			"she, strongly":                 {aigul, caller.LevelStrong, true},
			"she, by the card's numbers":    {aigul, caller.LevelWeak, false},
			"the other parent":              {"citizen-father", caller.LevelStrong, false},
			"the other parent, by a card's": {"citizen-father", caller.LevelWeak, false},
		} {
			c := w.parent(name)
			c.Subject, c.Level = test.subject, test.level
			_, registers := s.Register(t.Context(), c, ref, []string{"K02"})
			for what, err := range map[string]error{"registers": registers, "chooses the child": s.placed(t.Context(), made.Number, c)} {
				p := problem.From(err)
				said := s.Texts.Text(c.Locale, p.Key, p.Args...)
				if p.Code != problem.Conflict || strings.Contains(said, "№ 1 «Күнчө»") != test.where || !strings.HasPrefix(said, "Баланын орду бар") {
					t.Errorf("%s %s and is told %q", name, what, said)
				}
			}
		}
		w.level = caller.LevelWeak
		p := newPhone(t, s, locales.KY)
		p.budget = dialog.Budget{Septets: 459, Units: 201}
		p.send(t, dialog.Input{Start: true})
		p.send(t, dialog.Input{Text: "1"})
		p.send(t, dialog.Input{Text: "1"})
		if got := p.send(t, dialog.Input{Text: "1"}); !strings.Contains(got, "Баланын орду бар.") || strings.Contains(got, "Күнчө") {
			t.Errorf("the weak phone's screen says %q", got)
		}
	})
}

// TestPlaceGivenBack: the seat is free again, the parent is told once, and the child
// may be registered; the other states have no place to give back.
func TestPlaceGivenBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		c := w.parent("t1")
		waiting := enrol(t, s, w.bear(5, start.AddDate(-3, 0, 0)), "K02")
		if _, err := s.TakeBack(t.Context(), staff.Act{Actor: "officer"}, waiting.Number); !errors.Is(err, problemNotPlaced) {
			t.Errorf("of one that waits: %v", err)
		}
		if _, err := s.TakeBack(t.Context(), staff.Act{Actor: "officer"}, "47000000000"); !errors.Is(err, problemNumber) {
			t.Errorf("of none: %v", err)
		}
		made := seated(t, s, c, "K01")
		var ended atomic.Int32
		atOnce(t, 8, func(int) error {
			switch _, err := s.TakeBack(t.Context(), staff.Act{Actor: "officer"}, made.Number); {
			case err == nil:
				ended.Add(1)
			case !errors.Is(err, problemNotPlaced):
				return err
			}
			return nil
		})
		if ended.Load() != 1 || count(t, db, "SELECT count(*) FROM preschool_seats WHERE taken = 0") != 1 {
			t.Errorf("given back %d times", ended.Load())
		}
		told := 0
		for _, m := range w.messages() {
			if strings.HasPrefix(m.Dedup, "preschool.left:") && m.To == aigulPhone && strings.Contains(m.Text, made.Number) {
				told++
			}
		}
		after, err := s.Position(t.Context(), c, made.Number)
		if err != nil || after.State != StateLeft || told != 1 {
			t.Errorf("told %d times of %+v, %v", told, after, err)
		}
		if _, err := s.Answer(t.Context(), c, made.Number, lastOffer(s, made.Number), false); !errors.Is(err, problemEnded) {
			t.Errorf("declined after all: %v", err)
		}
		if again := seated(t, s, w.parent("t2"), "K01"); again.Number == made.Number {
			t.Error("the number is the old one")
		}
		if err := w.checked(); err != nil {
			t.Error(err)
		}
	})
}

// TestRegisterWhileAccepting has a place accepted and the child registered anew at
// once: nothing but the one registration comes of it.
func TestRegisterWhileAccepting(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		c := w.parent("t1")
		made := enrol(t, s, c, "K01")
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		atOnce(t, 16, func(i int) error {
			if i == 0 {
				_, err := s.Answer(t.Context(), c, made.Number, lastOffer(s, made.Number), true)
				return err
			}
			_, err := s.Register(t.Context(), w.parent(fmt.Sprintf("turn-%d", i)), s.childIndex(nurai)[:refLength], []string{"K12"})
			if key := problem.From(err).Key; key != "problem.preschool_registered" && key != problemPlaced.Key {
				return fmt.Errorf("registered: %w", err)
			}
			return nil
		})
		if n := count(t, db, "SELECT count(*) FROM preschool_registrations"); n != 1 {
			t.Errorf("%d registrations", n)
		}
	})
}

// TestDoublesOfBefore: a child that held a place and a registration before that was
// refused is named, gets no offer and cannot accept one; what is left once one is given
// back holds on.
func TestDoublesOfBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 2)
		s := newService(t, w)
		c := w.parent("t1")
		placed := seated(t, s, c, "K01")
		second := enrol(t, s, w.bear(1, time.Date(2023, time.May, 9, 0, 0, 0, 0, time.UTC)), "K02")
		become(t, db, second.Number, s.childIndex(nurai))
		if err := w.checked(); err == nil || !strings.Contains(err.Error(), placed.Number) || !strings.Contains(err.Error(), second.Number) {
			t.Errorf("fsck says %v", err)
		}
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, second.Number, "K02"); !errors.Is(err, problemPlaced) {
			t.Errorf("offered: %v", err)
		}
		if _, err := s.TakeBack(t.Context(), staff.Act{Actor: "officer"}, placed.Number); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, second.Number, "K02"); err != nil {
			t.Errorf("offered once the place is free: %v", err)
		}
		_, err := s.Register(t.Context(), w.parent("t3"), s.childIndex(nurai)[:refLength], []string{"K03"})
		if key := problem.From(err).Key; key != "problem.preschool_registered" {
			t.Errorf("registered beside the one of before: %v", err)
		}
		// That the test made a double of it is said for good.
		if err := w.checked(); err == nil || strings.Contains(err.Error(), "has a place, and is") || !strings.Contains(err.Error(), "was changed in its child") {
			t.Errorf("fsck says %v", err)
		}
	})
}

// TestAcceptingASecondPlace: an offer that was open to a double of before is refused, to
// another citizen than the place's without where it is, and can be declined.
func TestAcceptingASecondPlace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 2)
		s := newService(t, w)
		seated(t, s, w.parent("t1"), "K01")
		c := w.bear(1, time.Date(2023, time.May, 9, 0, 0, 0, 0, time.UTC))
		second := enrol(t, s, c, "K02")
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, second.Number, "K02"); err != nil {
			t.Fatal(err)
		}
		become(t, db, second.Number, s.childIndex(nurai))
		if _, err := s.Answer(t.Context(), c, second.Number, lastOffer(s, second.Number), true); !errors.Is(err, problemHasPlace) {
			t.Errorf("accepted: %v", err)
		}
		if _, err := s.Answer(t.Context(), c, second.Number, lastOffer(s, second.Number), false); err != nil {
			t.Errorf("declined: %v", err)
		}
	})
}

// become makes a registration one of the child of index, as those of before were.
func become(t *testing.T, db *store.DB, number, index string) {
	t.Helper()
	_, err := db.Writer().Exec("UPDATE preschool_registrations SET child_index = $1, active_child = NULL WHERE number = $2", index, number)
	if err != nil {
		t.Fatal(err)
	}
}

// checked is what fsck says of the queue.
func (w *world) checked() error {
	return w.DB.Snapshot(w.T.Context(), func(tx *sql.Tx) error { _, err := w.look(tx); return err })
}

// TestOpenOfferIsSaid: whoever asks for the place in the queue hears that a place is
// offered and until when, on screens and in messages; not of one that lapsed.
func TestOpenOfferIsSaid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01", "K02")
		offer, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K02")
		if err != nil {
			t.Fatal(err)
		}
		for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.EN} {
			for channel, budget := range map[caller.Channel]dialog.Budget{
				caller.USSD: {Septets: 182, Units: 80}, caller.SMS: {Septets: 459, Units: 201},
			} {
				p := newPhone(t, s, loc)
				p.caller.Channel, p.budget = channel, budget
				if channel == caller.SMS {
					p.send(t, dialog.Input{Start: true, Text: "КЕЗЕК " + made.Number})
				} else {
					p.send(t, dialog.Input{Start: true})
					p.send(t, dialog.Input{Text: "1"})
					p.send(t, dialog.Input{Text: "2"})
				}
				got := p.send(t, dialog.Input{Text: made.Number})
				if !strings.Contains(got, "14.12.2026") || channel == caller.SMS && !strings.Contains(got, "- № 2 «Күнчө»") {
					t.Errorf("%s, %s: %q", channel, loc, got)
				}
			}
		}
		for what, now := range map[string]time.Time{"open": offer.Until.Add(-time.Microsecond), "lapsed": offer.Until} {
			seen, err := s.Position(t.Context(), caller.Caller{Now: now}, made.Number)
			if err != nil || (seen.Offer != nil) != (what == "open") {
				t.Errorf("%s: %+v, %v", what, seen.Offer, err)
			}
		}
		w.Set(offer.Until)
		if _, err := s.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if seen, err := s.Position(t.Context(), caller.Caller{Now: w.Now()}, made.Number); err != nil || seen.Offer != nil || len(seen.Places) != 2 {
			t.Errorf("after it lapsed: %+v, %v", seen, err)
		}
	})
}

// TestPlacedChildIsToldAtOnce: who chooses a child that has a place hears so before
// anything else is asked.
func TestPlacedChildIsToldAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		seated(t, s, w.parent("t1"), "K01")
		p := newPhone(t, s, locales.KY)
		p.budget = dialog.Budget{Septets: 459, Units: 201}
		p.send(t, dialog.Input{Start: true})
		p.send(t, dialog.Input{Text: "1"})
		p.send(t, dialog.Input{Text: "1"})
		if got := p.send(t, dialog.Input{Text: "1"}); !strings.Contains(got, "Баланын орду бар: № 1 «Күнчө», 23.11.2026") {
			t.Errorf("is told %q", got)
		}
	})
}
