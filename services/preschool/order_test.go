package preschool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// model is the queue of K01's group 3-4 as it should be.
type model struct {
	s       *Service
	w       *world
	seats   int
	born    int // children registered so far, over all runs
	pupils  []*pupil
	offered int // seats that open and accepted offers hold
}

type pupil struct {
	c      caller.Caller
	number string
	rank   int
	since  time.Time
	state  State
	until  time.Time
}

// String keeps the log of a failed run short.
func (p *pupil) String() string { return p.number + " " + string(p.state) }

// TestOrderHolds does random things to a queue and checks after each that the
// order is benefit, then time, and that offers never exceed the seats.
func TestOrderHolds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		s := newService(t, w)
		runs := 0
		rapid.Check(t, func(rt *rapid.T) {
			runs++
			w.Set(start)
			w.list[0].Code = fmt.Sprintf("R%04d", runs) // a fresh kindergarten for each run
			m := &model{s: s, w: w, seats: rapid.IntRange(0, 3).Draw(rt, "seats"), born: runs * 1000}
			w.list[0].Free = map[int]int{3: m.seats}
			rt.Repeat(map[string]func(*rapid.T){
				"register": m.register, "benefit": m.benefit, "offer": m.offer, "answer": m.answer,
				"expire": m.expire, "wait": m.wait, "": m.check,
			})
		})
	})
}

func (m *model) code() string { return m.w.list[0].Code }

func (m *model) register(t *rapid.T) {
	m.born++
	c := m.w.bear(m.born, time.Date(2023, time.May, 9, 0, 0, 0, 0, time.UTC))
	made, err := m.s.Register(context.Background(), c, m.s.childIndex(m.w.families[c.Subject][0].PIN)[:refLength], []string{m.code()})
	if err != nil {
		t.Fatal(err)
	}
	m.pupils = append(m.pupils, &pupil{c: c, number: made.Number, rank: noBenefit, since: m.w.Now(), state: StateWaiting})
}

func (m *model) pick(t *rapid.T) *pupil {
	if len(m.pupils) == 0 {
		t.Skip("nobody is registered")
	}
	return rapid.SampledFrom(m.pupils).Draw(t, "pupil")
}

func (m *model) benefit(t *rapid.T) {
	p := m.pick(t)
	benefit := rapid.SampledFrom([]string{"", "orphan", "large_family"}).Draw(t, "benefit")
	if err := m.s.SetBenefit(context.Background(), "officer", p.number, benefit); err != nil {
		t.Fatal(err)
	}
	p.rank, _ = m.s.rules.at(m.w.Now()).rank(benefit)
}

func (m *model) offer(t *rapid.T) {
	p := m.pick(t)
	made, err := m.s.OfferOutOfTurn(context.Background(), staff.Act{Actor: "officer"}, p.number, m.code())
	switch {
	case p.state != StateWaiting:
		if !errors.Is(err, problemNotWaits) {
			t.Fatalf("an offer to one who is %s: %v", p.state, err)
		}
	case m.offered == m.seats:
		if !errors.Is(err, problemSeats) {
			t.Fatalf("an offer of no seat: %v", err)
		}
	case err != nil:
		t.Fatal(err)
	default:
		p.state, p.until = StateOffered, made.Until
		m.offered++
	}
}

func (m *model) answer(t *rapid.T) {
	p := m.pick(t)
	if p.state != StateOffered {
		t.Skip("no offer")
	}
	accept := rapid.Bool().Draw(t, "accept")
	c := p.c
	c.Now = m.w.Now()
	_, err := m.s.Answer(context.Background(), c, p.number, lastOffer(m.s, p.number), accept)
	switch {
	case !m.w.Now().Before(p.until):
		if !errors.Is(err, problemOver) {
			t.Fatalf("an answer after the end: %v", err)
		}
	case err != nil:
		t.Fatal(err)
	case accept:
		p.state = StatePlaced
	default:
		p.state = StateWaiting
		m.offered--
	}
}

func (m *model) expire(t *rapid.T) {
	if _, err := m.s.Expire(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.pupils {
		if p.state == StateOffered && !m.w.Now().Before(p.until) {
			p.state = StateWaiting
			m.offered--
		}
	}
}

// wait lets time pass, but not so much that the intake turns.
func (m *model) wait(t *rapid.T) {
	hours := rapid.IntRange(1, 240).Draw(t, "hours")
	later := m.w.Now().Add(time.Duration(hours) * time.Hour)
	if later.After(start.AddDate(0, 5, 0)) {
		t.Skip("the year is over")
	}
	m.w.Set(later)
}

// check compares the queue with the order of the rules.
func (m *model) check(t *rapid.T) {
	waiting := []*pupil{}
	for _, p := range m.pupils {
		if p.state != StatePlaced {
			waiting = append(waiting, p)
		}
	}
	for _, p := range waiting {
		ahead, level := 0, -1 // itself
		for _, other := range waiting {
			switch before := cmp.Or(cmp.Compare(other.rank, p.rank), other.since.Compare(p.since)); {
			case before < 0:
				ahead++
			case before == 0:
				level++
			}
		}
		seen, err := m.s.Position(context.Background(), caller.Caller{Now: m.w.Now()}, p.number)
		if err != nil || seen.Places[0].Position != ahead+1 || seen.Places[0].Level != level || seen.State != p.state {
			t.Fatalf("%d are before %s, and %d level; seen as %+v, %v", ahead, p.number, level, seen, err)
		}
	}
	if m.offered > m.seats {
		t.Fatalf("%d offers of %d seats", m.offered, m.seats)
	}
}
