package allocation_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/eshik-kg/eshik/services/preschool/allocation"
	"github.com/eshik-kg/eshik/services/preschool/allocation/verify"
)

func allocate(t testing.TB, m allocation.Market) []int {
	t.Helper()
	at, err := allocation.Allocate(m)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// No market of ten thousand has a child that is passed over, by the checker and by choose.
func TestNobodyIsPassedOver(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 10_000 {
		m := random(r, 24, 8)
		at := allocate(t, m)
		if faults := verify.Outcome(m, at); len(faults) > 0 {
			t.Fatalf("market %d: %v in %+v", n, faults, m)
		}
		if n%20 == 0 && !stable(m, at) {
			t.Fatalf("market %d is not stable though the checker says so: %+v", n, m)
		}
	}
}

// Of all outcomes without a blocking pair no child likes another one better, and the checker
// finds a fault in exactly those that have one.
func TestAsBruteForce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 400 {
		m := random(r, 5, 3)
		if n%2 == 0 {
			m = contested(r, 3+n%4/2)
		}
		got := allocate(t, m)
		best := make([]int, len(m.Children))
		for i, c := range m.Children {
			best[i] = len(c.Wishes) + 1
		}
		outcomes(m, func(at []int) {
			holds := stable(m, at)
			if faults := verify.Outcome(m, at); holds != (len(faults) == 0) {
				t.Fatalf("stable is %v, the checker says %v of %v in %+v", holds, faults, at, m)
			}
			if holds {
				for i, c := range m.Children {
					best[i] = min(best[i], place(c, at[i]))
				}
			}
		})
		for i, c := range m.Children {
			if place(c, got[i]) != best[i] {
				t.Fatalf("the child %d could have its wish %d and got %d: %+v", i, best[i], place(c, got[i]), m)
			}
		}
	}
}

// orders are all orders of wishes that can be told, of some groups.
func orders(groups int) (all [][]int) {
	var next func(so []int)
	next = func(so []int) {
		all = append(all, slices.Clone(so))
		for g := range groups {
			if !slices.Contains(so, g) {
				next(append(slices.Clone(so), g))
			}
		}
	}
	next(nil)
	return all
}

// No parent gains by another order of wishes than the true one, or by leaving some out.
func TestLyingGainsNothing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	lies := orders(3)
	for n := range 1_000 {
		m := random(r, 5, 3)
		if n%2 == 0 {
			m = contested(r, 3)
		}
		for len(m.Groups) < 3 {
			m.Groups = append(m.Groups, allocation.Group{Free: r.IntN(2)})
		}
		honest := allocate(t, m)
		for i, c := range m.Children {
			truth := place(c, honest[i])
			for _, lie := range lies {
				m.Children[i].Wishes = lie
				if lied := allocate(t, m); place(c, lied[i]) < truth {
					t.Fatalf("the child %d, who wants %v, says %v and gets %d: %+v", i, c.Wishes, lie, lied[i], m)
				}
			}
			m.Children[i] = c
		}
	}
}

// In whichever order the children are given, each is offered the same.
func TestTheOrderOfChildrenIsNothing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		m := random(r, 24, 6)
		at := allocate(t, m)
		shuffled, from := m, r.Perm(len(m.Children))
		shuffled.Children = make([]allocation.Child, len(from))
		for to, child := range from {
			shuffled.Children[to] = m.Children[child]
		}
		for to, group := range allocate(t, shuffled) {
			if group != at[from[to]] {
				t.Fatalf("given in another order the child %d is offered %d and not %d", from[to], group, at[from[to]])
			}
		}
	}
}

// A tie is of the child and the seed, and of nothing else.
func TestTies(t *testing.T) {
	t.Parallel()
	seed := []byte("a seed")
	mac := hmac.New(sha256.New, seed)
	mac.Write([]byte("child"))
	if tie := allocation.Tie(seed, "child"); !hmac.Equal(tie[:], mac.Sum(nil)) {
		t.Errorf("a tie is %x", tie)
	}
	first := map[int]int{}
	for seed := range 200 { // nobody is favoured by all seeds
		m := allocation.Market{Groups: []allocation.Group{{Free: 1}}}
		for i := range 2 {
			m.Children = append(m.Children, allocation.Child{Tie: allocation.Tie(fmt.Append(nil, seed), fmt.Sprint(i)), Wishes: []int{0}})
		}
		first[slices.Index(allocate(t, m), 0)]++
	}
	if first[0] < 60 || first[1] < 60 {
		t.Errorf("of 200 seeds so many favoured each: %v", first)
	}
}

// Of eight seats every fourth goes by the moment alone: two children without a benefit who
// waited longest have a place beside six with one.
func TestOpenSeats(t *testing.T) {
	t.Parallel()
	m := allocation.Market{OpenEvery: 4, Groups: []allocation.Group{{Free: 5, Taken: 3}}}
	for i := range 12 {
		c := allocation.Child{Rank: 1000, Since: int64(i), Tie: [32]byte{byte(i)}, Wishes: []int{0}}
		if i >= 4 {
			c.Rank = 10
		}
		m.Children = append(m.Children, c)
	}
	// The seats 4 and 8 are open, 5 to 7 go by rank.
	if got, want := allocate(t, m), []int{0, 0, -1, -1, 0, 0, 0, -1, -1, -1, -1, -1}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	m.OpenEvery = 0
	if got, want := allocate(t, m), []int{-1, -1, -1, -1, 0, 0, 0, 0, 0, -1, -1, -1}; !slices.Equal(got, want) {
		t.Errorf("without open seats %v, not %v", got, want)
	}
}

// What is no market is refused by name.
func TestNoMarket(t *testing.T) {
	t.Parallel()
	one := []allocation.Group{{Free: 1}}
	for name, m := range map[string]allocation.Market{
		"a group that is not there":  {Groups: one, Children: []allocation.Child{{Wishes: []int{1}}}},
		"a wish below nought":        {Groups: one, Children: []allocation.Child{{Wishes: []int{-1}}}},
		"a wish twice":               {Groups: one, Children: []allocation.Child{{Wishes: []int{0, 0}}}},
		"a child twice":              {Groups: one, Children: []allocation.Child{{}, {}}},
		"fewer seats than none":      {Groups: []allocation.Group{{Free: -1}}},
		"fewer taken than none":      {Groups: []allocation.Group{{Taken: -1}}},
		"more seats than there are":  {Groups: []allocation.Group{{Free: 1 << 40}}},
		"every minus second is open": {OpenEvery: -2},
	} {
		if _, err := allocation.Allocate(m); !errors.Is(err, allocation.ErrMarket) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if at := allocate(t, allocation.Market{}); len(at) != 0 {
		t.Errorf("of nobody: %v", at)
	}
}

// FuzzAllocate: whatever the market, it is refused, or its outcome has no fault.
func FuzzAllocate(f *testing.F) {
	f.Add([]byte{2, 1, 0, 2, 3, 1, 0, 0, 1, 1, 1, 2, 2, 0, 1}, 2)
	f.Add([]byte{}, -1)
	f.Fuzz(func(t *testing.T, data []byte, openEvery int) {
		next := func() int {
			if len(data) == 0 {
				return 0
			}
			b := int(int8(data[0]))
			data = data[1:]
			return b
		}
		m := allocation.Market{OpenEvery: openEvery}
		for range next() & 7 {
			m.Groups = append(m.Groups, allocation.Group{Free: next(), Taken: next()})
		}
		for i := 0; len(data) > 0; i++ {
			c := allocation.Child{Rank: next(), Since: int64(next()), Tie: [32]byte{byte(next()), byte(i), byte(i >> 8)}}
			for range next() & 3 {
				c.Wishes = append(c.Wishes, next())
			}
			m.Children = append(m.Children, c)
		}
		at, err := allocation.Allocate(m)
		if err != nil && !errors.Is(err, allocation.ErrMarket) {
			t.Fatal(err)
		}
		if err == nil {
			if faults := verify.Outcome(m, at); len(faults) > 0 {
				t.Fatalf("%v in %+v", faults, m)
			}
		}
	})
}
