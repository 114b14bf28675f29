package fine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/payment"
)

// offer is the list of what is owed on a plate: all at once, then each fine, the
// newest first. The register tells what a fine is for to the car's owner alone, so
// others tell fines apart by their numbers' ends, which stand in the notice.
func (s *Service) offer(ctx context.Context, t *dialog.Turn, list Listing) dialog.Screen {
	plate, payable := list.Plate.Text, list.Payable()
	screen := say("fine.list", "plate", plate, "n", len(payable))
	if len(payable) == 0 {
		screen = say(underWay(list.Bills), "plate", plate)
	}
	if len(payable) > 1 && len(payable) <= payment.MaxBills {
		screen.Options = append(screen.Options, option(
			dialog.Say("fine.pay_all", "amount", list.Total.String()), payment.Pay(Name, payable...)))
	}
	known, owner := s.told(ctx, t, plate)
	screen.About = owner
	for _, b := range newest(list.Bills, known) {
		if !b.Paying {
			screen.Options = append(screen.Options, option(
				label(b, known[b.Number], t.Caller.Now), payment.Pay(Name, b.Number)))
		}
	}
	screen.Options = append(screen.Options, option(
		dialog.Say("fine.more"), dialog.Call(identity.NodeStart, nodeDetails, memoryPlate, plate)))
	if list.Heavy {
		screen.Options = append(screen.Options, option(dialog.Say("fine.warning"), dialog.Go(nodeWarning)))
	}
	return screen
}

// underWay is what is said where every fine is being paid: to wait for the SMS only
// where one comes to the caller.
func underWay(bills []Bill) string {
	if slices.ContainsFunc(bills, func(b Bill) bool { return b.Told }) {
		return "fine.all_paying"
	}
	return "fine.all_elsewhere"
}

// told are the fines by number as the register tells their owner, and the owner's id; none for
// anybody else. The list stands without it: that the register does not answer is no problem.
func (s *Service) told(ctx context.Context, t *dialog.Turn, plate string) (known map[string]Violation, owner string) {
	citizen, err := s.owner(ctx, t.Caller)
	if err != nil {
		return nil, ""
	}
	list, err := s.details(ctx, t.Caller, citizen, plate)
	if err != nil {
		return nil, ""
	}
	known = make(map[string]Violation, len(list))
	for _, v := range list {
		known[v.Number] = v
	}
	return known, citizen.ID
}

// newest orders bills by when they were made, the newest first; where that is not
// told, by their numbers, which run in sequence.
func newest(bills []Bill, known map[string]Violation) []Bill {
	return slices.SortedStableFunc(slices.Values(bills), func(a, b Bill) int {
		if order := known[b.Number].At.Compare(known[a.Number].At); order != 0 {
			return order
		}
		if order := len(b.Number) - len(a.Number); order != 0 {
			return order
		}
		return strings.Compare(b.Number, a.Number)
	})
}

// label says in the fewest words what a fine is. Its words come before its sum: the
// number of an option and a sum beside each other would read as one number.
func label(b Bill, v Violation, now time.Time) dialog.Message {
	switch due := b.Due.String(); {
	case v.At.IsZero():
		return dialog.Say("fine.bill_number", "tail", tailOf(b.Number), "amount", due)
	case v.Word == "":
		return dialog.Say("fine.bill_day", "day", clock.ShortDay(v.At, now), "amount", due)
	default:
		return dialog.Say("fine.bill", "kind", v.Word, "day", clock.ShortDay(v.At, now), "amount", due)
	}
}

// tailDigits is how much of a fine's number is shown.
const tailDigits = 4

// tailOf is the end of a fine's number, by which its person finds it in the notice.
func tailOf(number string) string { return number[max(0, len(number)-tailDigits):] }
