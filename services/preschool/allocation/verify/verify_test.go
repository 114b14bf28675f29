package verify_test

import (
	"testing"

	"github.com/eshik-kg/eshik/services/preschool/allocation"
	"github.com/eshik-kg/eshik/services/preschool/allocation/verify"
)

// Each fault is found where it was made, and named.
func TestFaults(t *testing.T) {
	t.Parallel()
	m := allocation.Market{Groups: []allocation.Group{{Free: 1}, {Free: 1}, {Free: 2, Taken: 1}}}
	for i, c := range []allocation.Child{
		{Rank: 10, Since: 5, Wishes: []int{0, 1}}, {Rank: 1000, Since: 1, Wishes: []int{0, 1}}, {Rank: 1000, Since: 2, Wishes: []int{1}},
	} {
		c.Tie[0] = byte(i)
		m.Children = append(m.Children, c)
	}
	open := m
	open.OpenEvery = 1
	for name, test := range map[string]struct {
		m    allocation.Market
		at   []int
		want []verify.Fault
	}{
		"as it should be":              {m, []int{0, 1, -1}, nil},
		"too short":                    {m, []int{0, 1}, []verify.Fault{{Kind: verify.Shape, Child: -1, Group: -1, For: -1}}},
		"a group that is not there":    {m, []int{0, 1, 9}, []verify.Fault{{Kind: verify.Shape, Child: 2, Group: 9, For: -1}}},
		"where it did not ask":         {m, []int{0, 1, 2}, []verify.Fault{{Kind: verify.NotAsked, Child: 2, Group: 2, For: -1}}},
		"too many":                     {m, []int{0, 1, 1}, []verify.Fault{{Kind: verify.Overfilled, Child: -1, Group: 1, For: -1}}},
		"a seat left":                  {m, []int{0, -1, -1}, []verify.Fault{{Kind: verify.Empty, Child: 1, Group: 1, For: -1}, {Kind: verify.Empty, Child: 2, Group: 1, For: -1}}},
		"before one with a benefit":    {m, []int{1, 0, -1}, []verify.Fault{{Kind: verify.PassedOver, Child: 0, Group: 0, For: 1}}},
		"before one who waited longer": {m, []int{0, -1, 1}, []verify.Fault{{Kind: verify.PassedOver, Child: 1, Group: 1, For: 2}}},
		"open seats go by the moment":  {open, []int{0, 1, -1}, []verify.Fault{{Kind: verify.PassedOver, Child: 1, Group: 0, For: 0}}},
		"to who waited longest":        {open, []int{-1, 0, 1}, nil},
	} {
		got := verify.Outcome(test.m, test.at)
		if len(got) != len(test.want) {
			t.Errorf("%s: %v, not %v", name, got, test.want)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%s: %v, not %v", name, got[i], test.want[i])
			}
		}
	}
}
