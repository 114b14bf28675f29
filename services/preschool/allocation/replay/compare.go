package replay

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/eshik-kg/eshik/services/preschool/allocation"
	"github.com/eshik-kg/eshik/services/preschool/allocation/verify"
)

// Report is what a file was found to be.
type Report struct {
	// Whole: the file is the one of its last line's digest.
	Whole bool
	// Committed: the seed is the one that was committed to.
	Committed bool
	// Other are the rows whose place is another when it is computed anew.
	Other []int
	// Faults are what other code finds wrong with the places: somebody passed over, a group too full.
	Faults []verify.Fault
}

// Same reports that nothing is otherwise than the file says.
func (r Report) Same() bool { return r.Whole && r.Committed && len(r.Other) == 0 && len(r.Faults) == 0 }

// Compare computes a file's allocation anew, with the algorithm and with the check that shares no
// code with it. An error wraps [ErrFile].
func Compare(f File) (Report, error) {
	m, at, err := f.market()
	if err != nil {
		return Report{}, err
	}
	anew, err := allocation.Allocate(m)
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	seed, err := hex.DecodeString(f.Header.Seed)
	committed := sha256.Sum256(seed)
	r := Report{
		Whole: f.Digest == f.Computed, Committed: err == nil && hex.EncodeToString(committed[:]) == f.Header.Commitment,
		Faults: verify.Outcome(m, at),
	}
	for i := range at {
		if at[i] != anew[i] {
			r.Other = append(r.Other, i)
		}
	}
	return r, nil
}

// market is what the algorithm takes, and the places that the file says.
func (f File) market() (allocation.Market, []int, error) {
	m := allocation.Market{OpenEvery: f.Header.OpenEvery, Groups: make([]allocation.Group, len(f.Groups)), Children: make([]allocation.Child, len(f.Rows))}
	for i, g := range f.Groups {
		m.Groups[i] = allocation.Group{Free: g.Free, Taken: g.Taken}
	}
	at := make([]int, len(f.Rows))
	for i, c := range f.Rows {
		child := allocation.Child{Rank: c.Order, Since: int64(c.Moment), Wishes: c.Wishes}
		if _, err := hex.Decode(child.Tie[:], []byte(c.Lot[:min(len(c.Lot), 2*lotBytes)])); err != nil {
			return m, nil, fmt.Errorf("the lot of the row %d: %w", i, ErrFile)
		}
		for _, group := range c.Wishes {
			if group < 0 || group >= len(f.Groups) {
				return m, nil, fmt.Errorf("the row %d wishes for the group %d: %w", i, group, ErrFile)
			}
		}
		m.Children[i], at[i] = child, allocation.Nowhere
		if c.Place != nil {
			at[i] = *c.Place
		}
	}
	return m, at, nil
}

// Wish is how one wish of a child went.
type Wish struct {
	Group Group
	Given int // places that were given there
	// Before are those of them that went to a child who comes before this one, by benefit, by moment
	// or by lot.
	Before int
	Own    bool // the child was given its place there
}

// Find is the row of the child with a key, and how its wishes went; false: it is not in the file.
func (f File) Find(key string) (Row, []Wish, bool) {
	seed, err := hex.DecodeString(f.Header.Seed)
	if err != nil {
		return Row{}, nil, false
	}
	lot := Lot(seed, strings.TrimSpace(key))
	for _, row := range f.Rows {
		if row.Lot == lot {
			return row, f.wishes(row), true
		}
	}
	return Row{}, nil, false
}

func (f File) wishes(of Row) (wishes []Wish) {
	for _, group := range of.Wishes {
		w := Wish{Group: f.Groups[group], Own: of.Place != nil && *of.Place == group}
		for _, row := range f.Rows {
			if row.Place == nil || *row.Place != group {
				continue
			}
			w.Given++
			if row.Lot != of.Lot && cmp.Or(cmp.Compare(row.Order, of.Order), strings.Compare(row.Lot, of.Lot)) < 0 {
				w.Before++
			}
		}
		wishes = append(wishes, w)
	}
	return wishes
}
