package allocation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/eshik-kg/eshik/services/preschool/allocation"
)

// matching are the rules of a stable outcome for an answer set solver, which knows nothing of
// deferred acceptance: at(C,G,K) has the child C on a seat of the kind K of the group G;
// before(K,C,D) is that C comes before D on seats of a kind.
const matching = `
{at(C,G,K) : wish(C,G,_), kind(K)} 1 :- child(C).
placed(C) :- at(C,_,_).
got(C,R) :- at(C,G,_), wish(C,G,R).
full(G,K) :- seats(G,K,N), N <= #count{C : at(C,G,K)}.
:- seats(G,K,N), N < #count{C : at(C,G,K)}.
:- at(_,G,open), not full(G,ranked).
:- at(C,G,open), at(D,G,ranked), before(ranked,C,D).
envies(C,G) :- wish(C,G,_), not placed(C).
envies(C,G) :- wish(C,G,R), got(C,S), R < S.
:- envies(C,G), seats(G,K,_), not full(G,K).
:- envies(C,G), at(D,G,K), before(K,C,D).
#show at/3.
`

// facts tell the solver of a market.
func facts(m allocation.Market) string {
	var out strings.Builder
	out.WriteString("kind(ranked). kind(open).\n")
	for i, g := range m.Groups {
		fmt.Fprintf(&out, "seats(%d,ranked,%d). seats(%d,open,%d).\n", i, g.Free-m.Open(g), i, m.Open(g))
	}
	for i, c := range m.Children {
		fmt.Fprintf(&out, "child(%d).\n", i)
		for n, group := range c.Wishes {
			fmt.Fprintf(&out, "wish(%d,%d,%d).\n", i, group, n)
		}
		for j, d := range m.Children {
			earlier := c.Since < d.Since || c.Since == d.Since && bytes.Compare(c.Tie[:], d.Tie[:]) < 0
			if i != j && earlier {
				fmt.Fprintf(&out, "before(open,%d,%d).\n", i, j)
			}
			if i != j && (c.Rank < d.Rank || c.Rank == d.Rank && earlier) {
				fmt.Fprintf(&out, "before(ranked,%d,%d).\n", i, j)
			}
		}
	}
	return out.String()
}

// solve gives all stable outcomes that the solver finds.
func solve(m allocation.Market) (all [][]int, err error) {
	cmd := exec.Command("clingo", "--outf=2", "--models=0", "-")
	cmd.Stdin = strings.NewReader(matching + facts(m))
	said, err := cmd.Output() // its exit code says whether there are any, too
	var answer struct {
		Result string
		Call   []struct{ Witnesses []struct{ Value []string } }
	}
	if jsonErr := json.Unmarshal(said, &answer); jsonErr != nil || answer.Result == "UNKNOWN" || len(answer.Call) == 0 {
		return nil, fmt.Errorf("clingo said %q: %w, %w", said, err, jsonErr)
	}
	for _, w := range answer.Call[0].Witnesses {
		at := slices.Repeat([]int{allocation.Nowhere}, len(m.Children))
		for _, atom := range w.Value {
			var child, group int
			if _, err := fmt.Sscanf(atom, "at(%d,%d,", &child, &group); err != nil {
				return nil, fmt.Errorf("clingo's atom %s: %w", atom, err)
			}
			at[child] = group
		}
		all = append(all, at)
	}
	return all, nil
}

// TestAsClingo has another program say which outcomes are stable, by the rules alone: ours
// is one of them, and no child likes another of them better.
func TestAsClingo(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("clingo"); err != nil {
		t.Fatalf("the solver clingo is missing (Debian's package gringo; var/bin/withservers installs it): %v", err)
	}
	r := rand.New(rand.NewPCG(9, 10))
	several := 0
	var wait sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, 4)
	for n := range 200 {
		m := random(r, 7, 4)
		if n%2 == 0 {
			m = contested(r, 2+n%4)
		}
		wait.Go(func() {
			slots <- struct{}{}
			all, err := solve(m)
			<-slots
			mu.Lock()
			defer mu.Unlock()
			several += min(1, max(0, len(all)-1))
			if err != nil {
				t.Error(err)
				return
			}
			compare(t, m, all)
		})
	}
	wait.Wait()
	t.Logf("%d of 200 markets have several stable outcomes", several)
	if several == 0 {
		t.Error("no market had more than one stable outcome: which is the children's was never asked")
	}
}

func compare(t *testing.T, m allocation.Market, all [][]int) {
	t.Helper()
	got, err := allocation.Allocate(m)
	if err != nil || !slices.ContainsFunc(all, func(at []int) bool { return slices.Equal(at, got) }) {
		t.Errorf("%v (%v) is none of clingo's %v: %+v", got, err, all, m)
		return
	}
	for _, at := range all {
		for i, c := range m.Children {
			if place(c, at[i]) < place(c, got[i]) {
				t.Errorf("the child %d likes clingo's %v better than %v: %+v", i, at, got, m)
			}
		}
	}
}
