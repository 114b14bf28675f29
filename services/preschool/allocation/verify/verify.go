// Package verify checks the outcome of an allocation. It shares no code with the algorithm:
// it sorts nothing into heaps, and compares children itself.
package verify

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/services/preschool/allocation"
)

// Kind is what is wrong.
type Kind string

// The faults of an outcome.
const (
	// Shape: the outcome is not one group, or none, for each child.
	Shape Kind = "shape"
	// NotAsked: the child is placed where it did not ask to be.
	NotAsked Kind = "not_asked"
	// Overfilled: more are placed in the group than it has seats.
	Overfilled Kind = "overfilled"
	// Empty: a seat of the group is left though the child would rather have it.
	Empty Kind = "empty"
	// PassedOver: the child would rather have a seat of the group that one has who comes after it.
	PassedOver Kind = "passed_over"
)

// Fault is one thing that is wrong. Child and Group are indices of the market's; -1 where
// there is none.
type Fault struct {
	Kind  Kind
	Child int
	Group int
	// For is who has the seat though they come after Child; -1 where there is nobody.
	For int
}

// String says it for operators.
func (f Fault) String() string {
	return fmt.Sprintf("%s: child %d, group %d, for %d", f.Kind, f.Child, f.Group, f.For)
}

// Outcome gives all that is wrong with an outcome of a market: every blocking pair among
// them, that is a child and a group that would both rather have each other. None: it is
// stable.
func Outcome(m allocation.Market, at []int) []Fault {
	if len(at) != len(m.Children) {
		return []Fault{{Kind: Shape, Child: -1, Group: -1, For: -1}}
	}
	var found []Fault
	in := make([][]int, len(m.Groups)) // who is placed where
	for child, group := range at {
		switch {
		case group == allocation.Nowhere:
		case group < 0 || group >= len(m.Groups):
			found = append(found, Fault{Kind: Shape, Child: child, Group: group, For: -1})
		case !slices.Contains(m.Children[child].Wishes, group):
			found = append(found, Fault{Kind: NotAsked, Child: child, Group: group, For: -1})
			fallthrough // it has a seat all the same
		default:
			in[group] = append(in[group], child)
		}
	}
	seated := make([]seats, len(m.Groups))
	for group, held := range in {
		if free := m.Groups[group].Free; len(held) > free {
			found = append(found, Fault{Kind: Overfilled, Child: -1, Group: group, For: -1})
		}
		seated[group] = seat(m, group, held)
	}
	for child, c := range m.Children {
		for _, group := range c.Wishes {
			if group == at[child] {
				break // what comes after is not dearer
			}
			if f, blocks := seated[group].blocks(m, child, group); blocks {
				found = append(found, f)
			}
		}
	}
	return found
}

// seats is who comes last among the holders of a group's seats: -1 where nobody holds one.
type seats struct {
	left       bool // one is
	lastRanked int  // among those seated by rank
	lastOpen   int  // among those on open seats
}

// seat seats those who are placed in a group: by rank as many as it has such seats, the
// others on the open ones.
func seat(m allocation.Market, group int, held []int) seats {
	ranked := m.Groups[group].Free
	if m.OpenEvery > 0 {
		for number := m.Groups[group].Taken + 1; number <= m.Groups[group].Taken+m.Groups[group].Free; number++ {
			if number%m.OpenEvery == 0 {
				ranked--
			}
		}
	}
	s := seats{left: len(held) < m.Groups[group].Free, lastRanked: -1, lastOpen: -1}
	held = slices.Clone(held)
	slices.SortFunc(held, func(a, b int) int {
		if ahead(m.Children[a], m.Children[b]) {
			return -1
		}
		return 1
	})
	ranked = min(ranked, len(held))
	if ranked > 0 {
		s.lastRanked = held[ranked-1]
	}
	for _, child := range held[ranked:] {
		if s.lastOpen < 0 || before(m.Children[s.lastOpen], m.Children[child]) {
			s.lastOpen = child
		}
	}
	return s
}

// blocks reports that a group would rather have a child than one it has, or than nobody.
func (s seats) blocks(m allocation.Market, child, group int) (Fault, bool) {
	c := m.Children[child]
	switch {
	case s.left:
		return Fault{Kind: Empty, Child: child, Group: group, For: -1}, true
	case s.lastRanked >= 0 && ahead(c, m.Children[s.lastRanked]):
		return Fault{Kind: PassedOver, Child: child, Group: group, For: s.lastRanked}, true
	case s.lastOpen >= 0 && before(c, m.Children[s.lastOpen]):
		return Fault{Kind: PassedOver, Child: child, Group: group, For: s.lastOpen}, true
	}
	return Fault{}, false
}

// ahead reports that a comes before b where the rank counts.
func ahead(a, b allocation.Child) bool {
	if a.Rank != b.Rank {
		return a.Rank < b.Rank
	}
	return before(a, b)
}

// before reports that a comes before b by the moment alone.
func before(a, b allocation.Child) bool {
	if a.Since != b.Since {
		return a.Since < b.Since
	}
	return bytes.Compare(a.Tie[:], b.Tie[:]) < 0
}
