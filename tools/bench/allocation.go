package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/eshik-kg/eshik/services/preschool/allocation"
	"github.com/eshik-kg/eshik/services/preschool/allocation/verify"
)

// The country's queue, and what one allocation of it may cost.
const (
	countryChildren      = 120_000
	countryKindergartens = 2_344
	countryAges          = 5 // groups of a kindergarten
	countryWishes        = 3
	maxAllocation        = time.Second
)

// measureAllocation counts the CPU time, all threads and the garbage collector included, in
// which the places of the country are allocated: the ties are drawn too, nothing is read or
// written. Control is the most that it may take.
func measureAllocation(_ context.Context, s settings) (row, error) {
	var seconds []float64
	var note string
	for round := range s.rounds {
		r := rand.New(rand.NewPCG(uint64(round), 1)) // #nosec G115 G404 -- invented children
		start := processorTime()
		m := country(r)
		made := processorTime()
		seed := []byte("a seed of thirty-two bytes, too.")
		for i := range m.Children {
			m.Children[i].Tie = allocation.Tie(seed, string(binary.BigEndian.AppendUint64(nil, uint64(i)))) // #nosec G115 -- not negative
		}
		at, err := allocation.Allocate(m)
		if err != nil {
			return row{}, err
		}
		done := processorTime()
		seconds = append(seconds, (done - made).Seconds())
		if faults := verify.Outcome(m, at); len(faults) > 0 {
			return row{}, fmt.Errorf("the outcome has %d faults, the first: %s", len(faults), faults[0])
		}
		placed := 0
		for _, group := range at {
			if group != allocation.Nowhere {
				placed++
			}
		}
		note = fmt.Sprintf("%d children placed; the market made in %.2f s, the outcome checked in %.2f s", placed, (made - start).Seconds(), (processorTime() - done).Seconds())
	}
	value := median(seconds)
	return row{
		Value: value, Unit: "s CPU", Control: maxAllocation.Seconds(), Ratio: value / maxAllocation.Seconds(),
		Pass: value <= maxAllocation.Seconds(), Note: note,
	}, nil
}

// country is a market as large as the country's: seats for a third of the children, wishes for
// one age's groups of a few kindergartens that lie together, one in five with a benefit.
func country(r *rand.Rand) allocation.Market {
	m := allocation.Market{OpenEvery: 4, Groups: make([]allocation.Group, countryKindergartens*countryAges), Children: make([]allocation.Child, countryChildren)}
	for i := range m.Groups {
		m.Groups[i] = allocation.Group{Taken: r.IntN(25), Free: r.IntN(8)}
	}
	for i := range m.Children {
		rank := 1000
		if r.IntN(5) == 0 {
			rank = 10 + 10*r.IntN(4)
		}
		age, first := r.IntN(countryAges), r.IntN(countryKindergartens)
		wishes := make([]int, countryWishes)
		for n, near := range r.Perm(20)[:countryWishes] {
			wishes[n] = (first+near)%countryKindergartens*countryAges + age
		}
		m.Children[i] = allocation.Child{Rank: rank, Since: r.Int64N(1_000_000), Wishes: wishes}
	}
	return m
}
