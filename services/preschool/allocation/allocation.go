// Package allocation decides which child is offered a place in which kindergarten's age
// group: deferred acceptance in which the children ask (Gale and Shapley, 1962). Each child
// asks for its first wish; each group keeps, of those who ask, those who come first, and turns
// the others away, who ask for their next wish; until nobody asks any more. So no child is
// passed over for one that comes after it, and no parent does better by another order of wishes
// than the true one.
//
// It has no clock, no database and draws nothing: the same market has the same outcome,
// in whichever order its children are given.
//
// Package verify checks an outcome by other code.
package allocation

import (
	"bytes"
	"cmp"
	"container/heap"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// Nowhere is the outcome of a child who is offered no place.
const Nowhere = -1

// ErrMarket says that a market is none: what is wrong with it stands before.
var ErrMarket = errors.New("this is no market that places are allocated in")

// Market is all that an allocation rests on.
type Market struct {
	Groups   []Group
	Children []Child
	// OpenEvery makes each seat whose number it divides an open one: 4 is the fourth, the eighth
	// and so on. An open seat goes by the moment alone; every other one to the child of the lowest
	// rank, and among them by the moment. 0: no seat is open.
	OpenEvery int
}

// Group is an age group of a kindergarten.
type Group struct {
	// Taken are the seats that are held already: the free ones are numbered from Taken+1 on.
	Taken int
	Free  int
}

// Child is one who waits.
type Child struct {
	Rank  int   // of its benefit, the lower first
	Since int64 // when it took its place in the queue, in microseconds; only compared
	// Tie decides between two of one moment; no two children have the same. See [Tie].
	Tie [sha256.Size]byte
	// Wishes are indices of [Market.Groups], the dearest first, none twice.
	Wishes []int
}

// Tie is what decides for a child among those of one moment: the HMAC-SHA256 of the child's
// pseudonymous index by the seed of the run. It is the child's and not the application's:
// cancelling and applying again changes nothing. Whoever commits to the seed
// beforehand cannot choose whom it favours.
func Tie(seed []byte, child string) (tie [sha256.Size]byte) {
	mac := hmac.New(sha256.New, seed)
	mac.Write([]byte(child)) // never fails
	mac.Sum(tie[:0])
	return tie
}

// Open is how many of a group's free seats go by the moment alone.
func (m Market) Open(g Group) int {
	if m.OpenEvery == 0 {
		return 0
	}
	return (g.Taken+g.Free)/m.OpenEvery - g.Taken/m.OpenEvery
}

// Allocate gives for each child the index of the group where it is offered a place, or
// [Nowhere]. An error wraps [ErrMarket].
func Allocate(m Market) ([]int, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	byRank, byMoment := m.orders()
	groups := make([]taken, len(m.Groups))
	for i, g := range m.Groups {
		open := m.Open(g)
		groups[i] = taken{
			ranked: kept{order: byRank, seats: g.Free - open},
			open:   kept{order: byMoment, seats: open},
		}
	}
	at, asked := make([]int, len(m.Children)), make([]int, len(m.Children))
	for i := range m.Children {
		at[i] = Nowhere
		for child := i; child != Nowhere; {
			wishes := m.Children[child].Wishes
			if asked[child] == len(wishes) {
				break // of those that it wants none will have it
			}
			group := wishes[asked[child]]
			asked[child]++
			at[child] = group
			child = groups[group].ask(child)
			if child != Nowhere {
				at[child] = Nowhere
			}
		}
	}
	return at, nil
}

// taken are the children that a group keeps so far.
type taken struct{ ranked, open kept }

// ask has a child ask for a seat: first for one that goes by rank, then for an open one. It
// gives who is turned away for good, which may be the child itself, or Nowhere.
func (t *taken) ask(child int) (away int) {
	if away = t.ranked.ask(child); away == Nowhere {
		return Nowhere
	}
	return t.open.ask(away)
}

// kept are the holders of some seats in a heap whose top comes last in an order.
type kept struct {
	order   []int32 // each child's place in the order
	holders []int
	seats   int
}

// ask gives who has no seat when a child more asks: Nowhere is nobody.
func (k *kept) ask(child int) (away int) {
	switch {
	case k.seats == 0:
		return child
	case len(k.holders) < k.seats:
		heap.Push(k, child)
		return Nowhere
	case k.order[child] > k.order[k.holders[0]]:
		return child
	}
	away, k.holders[0] = k.holders[0], child
	heap.Fix(k, 0)
	return away
}

// Len implements heap.Interface.
func (k *kept) Len() int { return len(k.holders) }

// Less implements heap.Interface: the last in the order is on top.
func (k *kept) Less(i, j int) bool { return k.order[k.holders[i]] > k.order[k.holders[j]] }

// Swap implements heap.Interface.
func (k *kept) Swap(i, j int) { k.holders[i], k.holders[j] = k.holders[j], k.holders[i] }

// Push implements heap.Interface.
func (k *kept) Push(child any) {
	if c, ok := child.(int); ok { // which ask gives
		k.holders = append(k.holders, c)
	}
}

// Pop implements heap.Interface; nothing is popped here.
func (k *kept) Pop() any {
	last := k.holders[len(k.holders)-1]
	k.holders = k.holders[:len(k.holders)-1]
	return last
}

// orders give each child's place among all, by rank and moment, and by the moment alone.
func (m Market) orders() (byRank, byMoment []int32) {
	sorted := make([]int32, len(m.Children))
	for i := range sorted {
		sorted[i] = int32(i) // #nosec G115 -- check bounds the children
	}
	places := func() []int32 {
		order := make([]int32, len(sorted))
		for place, child := range sorted {
			order[child] = int32(place) // #nosec G115 -- as above
		}
		return order
	}
	slices.SortFunc(sorted, func(a, b int32) int { return m.Children[a].earlier(m.Children[b]) })
	byMoment = places()
	slices.SortStableFunc(sorted, func(a, b int32) int { return cmp.Compare(m.Children[a].Rank, m.Children[b].Rank) })
	return places(), byMoment
}

func (c Child) earlier(other Child) int {
	return cmp.Or(cmp.Compare(c.Since, other.Since), bytes.Compare(c.Tie[:], other.Tie[:]))
}

// Bounds of a market: far above any, and they keep sums of seats from overflowing.
const (
	maxChildren = 10_000_000
	maxSeats    = 1_000_000
)

func (m Market) check() error {
	if m.OpenEvery < 0 || len(m.Children) > maxChildren {
		return fmt.Errorf("every %d seats open, %d children: %w", m.OpenEvery, len(m.Children), ErrMarket)
	}
	for i, g := range m.Groups {
		if g.Free < 0 || g.Taken < 0 || g.Free > maxSeats || g.Taken > maxSeats {
			return fmt.Errorf("the group %d has %d seats free and %d taken: %w", i, g.Free, g.Taken, ErrMarket)
		}
	}
	ties := make(map[[sha256.Size]byte]struct{}, len(m.Children))
	for i, c := range m.Children {
		for n, group := range c.Wishes {
			if group < 0 || group >= len(m.Groups) || slices.Contains(c.Wishes[:n], group) {
				return fmt.Errorf("the wish %d of the child %d is for the group %d: %w", n, i, group, ErrMarket)
			}
		}
		ties[c.Tie] = struct{}{}
	}
	if len(ties) < len(m.Children) {
		return fmt.Errorf("a child is there twice: %w", ErrMarket)
	}
	return nil
}
