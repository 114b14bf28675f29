package preschool

import (
	"context"
	"fmt"
	"strings"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/staff"
)

// Staff is what an operator may have the queue do.
func Staff() []module.Task {
	registration := module.Flag{Name: "registration", Help: "Registration number of the child."}
	return append([]module.Task{
		{
			Name: "offer", Help: "Offer a preschool place; the parent is told by SMS.",
			Flags: []module.Flag{
				registration, {Name: "kindergarten", Help: "Code of the kindergarten."},
				{Name: "out-of-turn", Switch: true, Operation: "offer-out-of-turn", Help: "Other children are before this one: a second person decides."},
			},
			Offices: officesOfKindergarten, Facts: offerFacts, Do: staffOffers,
		},
		{
			Name: "take-back", Help: "End a preschool place that the parent gave back; the child may be registered anew. A second person decides.",
			Flags: []module.Flag{registration}, Offices: officesOfPlace, Facts: placeFacts, Do: staffTakesBack,
		},
		{
			Name: "withdraw", Help: "End a wrong registration in the preschool queue; the parent is told, the child may be registered anew. A second person decides.",
			Flags: []module.Flag{
				registration,
				{Name: "undone", Switch: true, Operation: "withdraw-undone", Help: "A phone made it that was undone: the child's next registration within 30 days takes over its place in the queue."},
			},
			Offices: officesOfChoices, Facts: withdrawFacts, Do: staffWithdraws,
		},
		{Name: "unheard", Shows: true, Help: "List the registrations in the preschool queue that no phone hears of, those with an offer first, the answers to offers from phones that were cut off afterwards, and the decisions of appeals that no phone was told.", Do: staffListsUnheard},
	}, allocationTasks()...)
}

// staffOffers offers a place.
func staffOffers(ctx context.Context, modules []module.Module, act staff.Act, given map[string]string) (staff.Done, error) {
	s := module.Of[*Service](modules)
	do := s.Offer
	if given["out-of-turn"] == "true" {
		do = s.OfferOutOfTurn
	}
	offer, err := do(ctx, act, given["registration"], given["kindergarten"])
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("Offered: %s (%s), registration %s, to be answered by %s. Children before it in the queue: %d.",
		offer.Name.RU, offer.Kindergarten, offer.Number, clock.ShowDate(offer.LastDay()), offer.Ahead), Made: offer}, nil
}

// staffTakesBack ends a place.
func staffTakesBack(ctx context.Context, modules []module.Module, act staff.Act, given map[string]string) (staff.Done, error) {
	ended, err := module.Of[*Service](modules).TakeBack(ctx, act, given["registration"])
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("Given back: %s (%s), registration %s. The child may be registered anew.", ended.Name.RU, ended.Kindergarten, ended.Number)}, nil
}

// staffWithdraws ends a registration that is wrong.
func staffWithdraws(ctx context.Context, modules []module.Module, act staff.Act, given map[string]string) (staff.Done, error) {
	undone := given["undone"] == "true"
	err := module.Of[*Service](modules).Withdraw(ctx, act, given["registration"], undone)
	if err != nil {
		return staff.Done{}, err
	}
	if undone {
		return staff.Done{Said: "Withdrawn: the child's next registration within 30 days takes over its place in the queue."}, nil
	}
	return staff.Done{Said: "Withdrawn: the child may be registered anew, at the end of the queue."}, nil
}

// staffListsUnheard lists whose parents no message reaches.
func staffListsUnheard(ctx context.Context, modules []module.Module, _ staff.Act, _ map[string]string) (staff.Done, error) {
	list, err := module.Of[*Service](modules).Unheard(ctx)
	if err != nil {
		return staff.Done{}, err
	}
	var lines strings.Builder
	for _, u := range list {
		fmt.Fprintf(&lines, "%s  %s", u.Number, u.State)
		if o := u.Offer; o != nil {
			fmt.Fprintf(&lines, ", offered %s (%s), to be answered by %s", o.Name.RU, o.Kindergarten, clock.ShowDate(o.LastDay()))
		}
		lines.WriteByte('\n')
	}
	fmt.Fprintf(&lines, "%d registrations that no phone hears of.\n", len(list))
	answers, err := module.Of[*Service](modules).ShutOutAnswers(ctx)
	if err != nil {
		return staff.Done{}, err
	}
	for _, a := range answers {
		lines.WriteString(sayShutOut(a))
	}
	fmt.Fprintf(&lines, "%d answers from phones that were cut off afterwards, in the last 30 days.", len(answers))
	for _, m := range modules {
		if m.Unheard == nil {
			continue
		}
		said, err := m.Unheard(ctx)
		if err != nil {
			return staff.Done{}, err
		}
		lines.WriteString("\n" + strings.TrimSuffix(said, "\n"))
	}
	return staff.Done{Said: lines.String()}, nil
}

// sayShutOut is the line of an answer, with the command that mends it.
func sayShutOut(a ShutOutAnswer) string {
	mend := fmt.Sprintf("offer --registration %s --kindergarten %s", a.Offer.Number, a.Offer.Kindergarten)
	if a.Offer.State == Accepted {
		mend = "take-back --registration " + a.Offer.Number
	}
	return fmt.Sprintf("%s  %s %s (%s) at %s by a phone that was cut off at %s; if that was not the parent: eshik staff %s\n",
		a.Offer.Number, a.Offer.State, a.Offer.Name.RU, a.Offer.Kindergarten, clock.Moment(a.At), clock.Moment(a.CutAt), mend)
}
