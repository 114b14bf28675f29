package allocation_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/eshik-kg/eshik/services/preschool/allocation"
)

// random makes a market of up to as many children and groups; moments repeat, so that ties
// decide often.
func random(r *rand.Rand, children, groups int) allocation.Market {
	m := allocation.Market{OpenEvery: r.IntN(4), Groups: make([]allocation.Group, 1+r.IntN(groups)), Children: make([]allocation.Child, r.IntN(children+1))}
	for i := range m.Groups {
		m.Groups[i] = allocation.Group{Free: r.IntN(4), Taken: r.IntN(5)}
	}
	seed := fmt.Append(nil, r.Uint64())
	for i := range m.Children {
		wishes := r.Perm(len(m.Groups))
		m.Children[i] = allocation.Child{
			Rank: []int{10, 20, 1000, 1000}[r.IntN(4)], Since: int64(r.IntN(5)), Tie: allocation.Tie(seed, fmt.Sprint("child ", i)),
			Wishes: wishes[:r.IntN(min(3, len(wishes))+1)],
		}
	}
	return m
}

// contested makes a market in which who comes first differs between the groups, each of one
// seat, and all want them all: often several outcomes are stable.
func contested(r *rand.Rand, groups int) allocation.Market {
	m := allocation.Market{OpenEvery: 2}
	for i := range groups {
		m.Groups = append(m.Groups, allocation.Group{Free: 1, Taken: i})
	}
	for i := range groups + r.IntN(2) {
		m.Children = append(m.Children, allocation.Child{Rank: r.IntN(groups), Since: int64(r.IntN(groups)), Tie: [32]byte{byte(i)}, Wishes: r.Perm(groups)})
	}
	return m
}

// choose is which of those who ask a group takes, said as slowly as can be: its seats are
// filled one after the other, those that go by rank first.
func choose(m allocation.Market, group int, asking []int) (chosen []int) {
	g := m.Groups[group]
	left := slices.Clone(asking)
	fill := func(open bool) {
		for number := g.Taken + 1; number <= g.Taken+g.Free; number++ {
			if isOpen := m.OpenEvery > 0 && number%m.OpenEvery == 0; isOpen != open || len(left) == 0 {
				continue
			}
			best := slices.MinFunc(left, func(a, b int) int {
				x, y := m.Children[a], m.Children[b]
				if !open && x.Rank != y.Rank {
					return x.Rank - y.Rank
				}
				if x.Since != y.Since {
					return int(x.Since - y.Since)
				}
				return slices.Compare(x.Tie[:], y.Tie[:])
			})
			chosen = append(chosen, best)
			left = slices.DeleteFunc(left, func(c int) bool { return c == best })
		}
	}
	fill(false)
	fill(true)
	return chosen
}

// stable reports that an outcome has no blocking pair, by choose.
func stable(m allocation.Market, at []int) bool {
	for group, g := range m.Groups {
		var held []int
		for child, where := range at {
			if where == group {
				held = append(held, child)
			}
		}
		if len(held) > g.Free {
			return false
		}
		for child, c := range m.Children {
			for _, wish := range c.Wishes {
				if wish == at[child] {
					break
				}
				if wish == group && slices.Contains(choose(m, group, append(slices.Clone(held), child)), child) {
					return false
				}
			}
		}
	}
	return true
}

// place is how dear what a child got is to it: 0 is its first wish.
func place(c allocation.Child, group int) int {
	if at := slices.Index(c.Wishes, group); at >= 0 {
		return at
	}
	return len(c.Wishes)
}

// outcomes calls see with every outcome in which children are where they asked to be.
func outcomes(m allocation.Market, see func(at []int)) {
	at := make([]int, len(m.Children))
	var next func(child int)
	next = func(child int) {
		if child == len(at) {
			see(at)
			return
		}
		for _, group := range append([]int{allocation.Nowhere}, m.Children[child].Wishes...) {
			at[child] = group
			next(child + 1)
		}
	}
	next(0)
}
