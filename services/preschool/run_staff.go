package preschool

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
)

// allocationTasks are what operators do about allocations.
func allocationTasks() []module.Task {
	return []module.Task{
		{Name: "allocation", Shows: true, Help: "Show what the next allocation of free preschool places would do, and how the last one stands.", Do: staffShowsAllocation},
		{
			Name: "allocate", Help: "Offer the free preschool places to those whose turn it is, all at once, as staff allocation shows it. A second person decides.",
			Flags: []module.Flag{
				{Name: "allocation", Help: "Its number, as staff allocation shows it."},
				{Name: "seats", Help: "The most seats that may be offered: those that staff allocation shows, or more if seats will come free until it is decided."},
				{Name: "waiting", Help: "How many children ask for them, as staff allocation shows it."},
			},
			Facts: allocateFacts, Do: staffAllocates,
		},
	}
}

var problemRunFigure = problem.New(problem.Invalid, "problem.preschool_allocation_figure")

// shownOf reads the figures that an allocation is proposed with.
func shownOf(given map[string]string) (shown Shown, err error) {
	for _, f := range []struct {
		name string
		set  func(n int64)
	}{
		{"allocation", func(n int64) { shown.N = n }},
		{"seats", func(n int64) { shown.Seats = int(n) }},
		{"waiting", func(n int64) { shown.Waiting = int(n) }},
	} {
		n, err := strconv.ParseInt(given[f.name], 10, 32)
		if err != nil || n < 0 {
			return shown, problemRunFigure
		}
		f.set(n)
	}
	return shown, nil
}

// allocateFacts is what an allocation rests on that does not change from one minute to the next:
// which one it is, and its seed. What is free and who waits is looked at under the effect's lock; it
// is refused here too where more seats are free than may be offered.
func allocateFacts(ctx context.Context, modules []module.Module, given map[string]string) (string, error) {
	s := module.Of[*Service](modules)
	shown, err := shownOf(given)
	if err != nil {
		return "", err
	}
	row, seed, err := s.admitted(ctx, shown)
	if err != nil {
		return "", err
	}
	all, err := s.list(ctx)
	if err != nil {
		return "", err
	}
	m, err := s.gatherNow(ctx, seed, all)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the allocation %d, whose seed has the SHA-256 %s", row.N, row.Commitment), m.admit(shown)
}

// staffAllocates decides the next allocation and makes its offers.
func staffAllocates(ctx context.Context, modules []module.Module, act staff.Act, given map[string]string) (staff.Done, error) {
	s := module.Of[*Service](modules)
	shown, err := shownOf(given)
	if err != nil {
		return staff.Done{}, err
	}
	d, err := s.Allocate(ctx, act, shown)
	if err != nil {
		return staff.Done{}, err
	}
	said := fmt.Sprintf("Decided: the allocation %d offers %d places. ", d.N, d.Placed)
	if d.Seats != shown.Seats || d.Waiting != shown.Waiting {
		said += fmt.Sprintf("It was computed anew: proposed with at most %d seats free and %d children who ask for them, it found %d and %d. ",
			shown.Seats, shown.Waiting, d.Seats, d.Waiting)
	}
	last, err := s.run(ctx, d.N)
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: said + sayRun(*last), Made: d}, nil
}

// staffShowsAllocation shows the next allocation, and the last one.
func staffShowsAllocation(ctx context.Context, modules []module.Module, _ staff.Act, _ map[string]string) (staff.Done, error) {
	found, err := module.Of[*Service](modules).Allocations(ctx)
	if err != nil {
		return staff.Done{}, err
	}
	var lines strings.Builder
	if found.Last != nil {
		lines.WriteString(sayRun(*found.Last) + "\n")
	}
	if p := found.Next; p != nil {
		for _, g := range p.Groups {
			fmt.Fprintf(&lines, "%s %s, group %d-%d: free %d, asking %d, offered %d, of them with a benefit %d: %s\n",
				g.Kindergarten, g.Name.RU, g.Age, g.Age+1, g.Free, g.Asking, len(g.Offered), g.Benefit, strings.Join(g.Offered, " "))
		}
		fmt.Fprintf(&lines, "The allocation %d, if it were now: free seats %d, children who ask for them %d, offers %d. The SHA-256 of its seed: %s.",
			p.N, p.Seats, p.Waiting, p.Placed, p.Commitment)
		if p.Placed > 0 {
			fmt.Fprintf(&lines, "\nTo propose it: eshik staff allocate --allocation %d --seats %d --waiting %d", p.N, p.Seats, p.Waiting)
		}
	}
	return staff.Done{Said: strings.TrimSuffix(lines.String(), "\n"), Made: found}, nil
}

// sayRun says how an allocation stands.
func sayRun(r Run) string {
	switch {
	case r.State == runWrong:
		return fmt.Sprintf("The allocation %d offered nobody a place: its check found %s. Ask who keeps the server.", r.N, r.Verdict)
	case r.Verdict == "":
		return fmt.Sprintf("The allocation %d: %d places to offer, once its check is over.", r.N, r.Waits)
	}
	said := fmt.Sprintf("The allocation %d: offered %d, gone meanwhile %d, given up %d, to offer still %d; its check: %s; its seed: %s.",
		r.N, r.Offered, r.Gone, r.Failed, r.Waits, r.Verdict, r.Seed)
	if r.State == runOffering {
		said += " The offers are being made."
	}
	for _, f := range r.Failing {
		what := "is tried again until " + clock.Moment(f.Since.Add(offersFailFor))
		if f.GivenUp {
			what = "is given up; its seat is of the next allocation"
		}
		said += fmt.Sprintf("\nThe offer to the registration %s failed at %s and %s. The server's log says why.", f.Number, clock.Moment(f.Since), what)
	}
	return said
}
