package preschool

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/services/preschool/allocation"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// market is what an allocation rests on, as it is kept: the groups that have a free seat which
// somebody asks for, and who asks.
type market struct {
	intake, openEvery int
	groups            []db.PreschoolRunGroup
	children          []db.PreschoolRunChild
}

// seats is how many are free.
func (m market) seats() (n int) {
	for _, g := range m.groups {
		n += int(g.Free)
	}
	return n
}

// placed is how many children are offered one.
func (m market) placed() (n int) {
	for _, c := range m.children {
		if c.Place >= 0 {
			n++
		}
	}
	return n
}

// gathering collects who asks for what.
type gathering struct {
	market
	seed []byte
	at   map[string]int // a child's blind index: where in children it is
	asks map[string][]ask
}

// ask is that a registration wishes for a place.
type ask struct{ choice, place int }

// gather reads the market of a moment, within one snapshot: seats that the register reports
// and no offer holds, and the children who wait for them.
func (s *Service) gather(ctx context.Context, q *db.Queries, seed []byte, all []Kindergarten, now time.Time) (market, error) {
	p := s.rules.at(now)
	g := gathering{market: market{intake: p.intake(now), openEvery: p.OpenEvery}, seed: seed, at: map[string]int{}, asks: map[string][]ask{}}
	for _, k := range all {
		for age := p.Youngest; age <= p.Oldest; age++ {
			if k.Free[age] <= 0 {
				continue
			}
			if err := g.group(ctx, q, k, age, p.Refused == asksAgain); err != nil {
				return market{}, err
			}
		}
	}
	g.wish()
	return g.market, g.allocate()
}

// group adds a group, if it has a free seat and somebody asks for it.
func (g *gathering) group(ctx context.Context, q *db.Queries, k Kindergarten, age int, again bool) error {
	taken, err := q.TakenSeats(ctx, db.TakenSeatsParams{Kindergarten: k.Code, Intake: int64(g.intake), Age: int64(age)})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("count the seats that are held: %w", err)
	}
	free := int64(k.Free[age]) - taken
	if free <= 0 {
		return nil
	}
	rows, err := q.Asking(ctx, db.AskingParams{Kindergarten: k.Code, Cohort: int64(g.intake - age)})
	if err != nil {
		return fmt.Errorf("list who waits for a kindergarten: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(r db.AskingRow) bool { return r.ChildIndex == "" || r.Refused > 0 && !again })
	if len(rows) == 0 {
		return nil
	}
	place := len(g.groups)
	g.groups = append(g.groups, db.PreschoolRunGroup{Place: int64(place), Kindergarten: k.Code, Age: int64(age), Free: free, Taken: taken})
	for _, r := range rows {
		g.ask(r, place)
	}
	return nil
}

// ask adds a child's wish. A child that has two registrations, of before that was refused, asks
// by the one that comes first.
func (g *gathering) ask(r db.AskingRow, place int) {
	at, known := g.at[r.ChildIndex]
	if !known {
		at = len(g.children)
		g.at[r.ChildIndex] = at
		g.children = append(g.children, db.PreschoolRunChild{})
	}
	if c := &g.children[at]; !known || c.RegistrationID != r.ID && comesFirst(r, *c) {
		tie := allocation.Tie(g.seed, r.ChildIndex)
		*c = db.PreschoolRunChild{
			RegistrationID: r.ID, Number: r.Number, BenefitRank: r.BenefitRank, QueuedAt: r.QueuedAt, Tie: hex.EncodeToString(tie[:]),
		}
	}
	g.asks[r.ID] = append(g.asks[r.ID], ask{choice: int(r.Choice), place: place})
}

// comesFirst reports that the other registration of a child comes before the one that is known. The
// number decides between two of one moment: they have one lot, so no other child is passed over.
func comesFirst(r db.AskingRow, c db.PreschoolRunChild) bool {
	if r.BenefitRank != c.BenefitRank {
		return r.BenefitRank < c.BenefitRank
	}
	return r.QueuedAt.Before(c.QueuedAt.Time) || r.QueuedAt.Equal(c.QueuedAt.Time) && r.Number < c.Number
}

// wish puts the children in the order of their registrations' ids, and each one's wishes in the parent's.
func (g *gathering) wish() {
	slices.SortFunc(g.children, func(a, b db.PreschoolRunChild) int { return strings.Compare(a.RegistrationID, b.RegistrationID) })
	for i := range g.children {
		c := &g.children[i]
		asks := g.asks[c.RegistrationID]
		slices.SortFunc(asks, func(a, b ask) int { return a.choice - b.choice })
		places := make([]string, len(asks))
		for n, a := range asks {
			places[n] = strconv.Itoa(a.place)
		}
		c.Child, c.Wishes = int64(i), strings.Join(places, " ")
	}
}

// allocate writes into the market where each child is offered a place.
func (m market) allocate() error {
	given, err := m.given()
	if err != nil {
		return err
	}
	at, err := allocation.Allocate(given)
	if err != nil {
		return fmt.Errorf("allocate the places: %w", err)
	}
	for i, place := range at {
		m.children[i].Place = int64(place)
	}
	return nil
}

// errMarket is of rows that no market is read from.
var errMarket = errors.New("it cannot be read")

// given is the market as the algorithm takes it.
func (m market) given() (allocation.Market, error) {
	given := allocation.Market{OpenEvery: m.openEvery, Groups: make([]allocation.Group, len(m.groups)), Children: make([]allocation.Child, len(m.children))}
	for i, g := range m.groups {
		if g.Place != int64(i) {
			return given, fmt.Errorf("the group %d is missing: %w", i, errMarket)
		}
		given.Groups[i] = allocation.Group{Free: int(g.Free), Taken: int(g.Taken)}
	}
	for i, c := range m.children {
		child := allocation.Child{Rank: int(c.BenefitRank), Since: c.QueuedAt.Micros()}
		if n, err := hex.Decode(child.Tie[:], []byte(c.Tie[:min(len(c.Tie), 2*len(child.Tie))])); err != nil || n != len(child.Tie) || c.Child != int64(i) {
			return given, fmt.Errorf("the child %d, of the registration %s: %w", i, c.Number, errMarket)
		}
		for _, word := range strings.Fields(c.Wishes) {
			place, err := strconv.Atoi(word)
			if err != nil || place < 0 || place >= len(m.groups) {
				return given, fmt.Errorf("the wishes of the registration %s: %w", c.Number, errMarket)
			}
			child.Wishes = append(child.Wishes, place)
		}
		if len(child.Wishes) == 0 {
			return given, fmt.Errorf("the wishes of the registration %s: %w", c.Number, errMarket)
		}
		given.Children[i] = child
	}
	return given, nil
}
