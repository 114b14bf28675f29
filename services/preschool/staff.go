package preschool

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/module"
)

// Staff is what an operator may have the queue do.
func Staff() []module.Task {
	registration := module.Flag{Name: "registration", Help: "Registration number of the child."}
	return []module.Task{
		{
			Name: "offer", Help: "Offer a preschool place; the parent is told by SMS.",
			Flags: []module.Flag{registration, {Name: "kindergarten", Help: "Code of the kindergarten."}}, Do: staffOffers,
		},
		{
			Name: "take-back", Help: "End a preschool place that the parent gave back; the child may be registered anew.",
			Flags: []module.Flag{registration}, Do: staffTakesBack,
		},
	}
}

// staffOffers offers a place.
func staffOffers(ctx context.Context, modules []module.Module, officer string, given map[string]string) (string, error) {
	offer, err := module.Of[*Service](modules).Offer(ctx, officer, given["registration"], given["kindergarten"])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Offered: %s (%s), registration %s, to be answered by %s. Children before it in the queue: %d.",
		offer.Name.RU, offer.Kindergarten, offer.Number, clock.ShowDate(offer.LastDay()), offer.Ahead), nil
}

// staffTakesBack ends a place.
func staffTakesBack(ctx context.Context, modules []module.Module, officer string, given map[string]string) (string, error) {
	ended, err := module.Of[*Service](modules).TakeBack(ctx, officer, given["registration"])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Given back: %s (%s), registration %s. The child may be registered anew.", ended.Name.RU, ended.Kindergarten, ended.Number), nil
}
