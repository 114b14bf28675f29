package sms

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
)

const (
	// askAfter is when a report that was not pushed is asked for, unless the account
	// says otherwise: a phone that is on gets a message within seconds.
	askAfter = time.Minute
	// askRound is how many messages are asked for in one round of AskReports.
	askRound = 20
	// askPause is how long a provider that does not answer such questions is left alone.
	askPause = 30 * time.Second
)

// reportTeller is a provider that can be asked what became of a message.
type reportTeller interface {
	// AskReport gives the status of a message as notify.DeliveryReceipt has it; empty: it is
	// not known, or not known yet.
	AskReport(ctx context.Context, m notify.Unreported) (status string, err error)
}

// Unreported gives the messages whose end nobody told, and takes it, as *notify.Outbox
// does.
type Unreported interface {
	Deliveries
	Unreported(ctx context.Context, provider string, after time.Duration, n int) ([]notify.Unreported, error)
	Ask(ctx context.Context, m notify.Unreported, after time.Duration) (mine bool, err error)
}

// AskReports asks providers, those that can be asked, for the reports that did not come
// by themselves. A report that comes both ways counts once. Run it every few seconds;
// instances may run it at once.
func (r *Router) AskReports(ctx context.Context, outbox Unreported) error {
	var faults []error
	for _, route := range r.routes {
		teller, can := route.Provider.(reportTeller)
		if !can || !route.Reports || !r.asking.isOver(route.Provider.Name(), r.now()) {
			continue
		}
		if err := askReports(ctx, outbox, route, teller); err != nil {
			r.asking.begin(route.Provider.Name(), r.now().Add(askPause))
			faults = append(faults, fmt.Errorf("ask %s for delivery reports: %w", route.Provider.Name(), err))
		}
	}
	return errors.Join(faults...)
}

// askReports asks one provider. The first question without an answer ends the round:
// the message it was about waits for its next turn, so that it holds up no other.
func askReports(ctx context.Context, outbox Unreported, route Route, teller reportTeller) error {
	name, after := route.Provider.Name(), route.AskAfter
	if after == 0 {
		after = askAfter
	}
	list, err := outbox.Unreported(ctx, name, after, askRound)
	if err != nil {
		return err
	}
	for _, m := range list {
		mine, err := outbox.Ask(ctx, m, after)
		if err != nil {
			return err
		}
		if !mine {
			continue
		}
		status, err := teller.AskReport(ctx, m)
		if err != nil {
			return err
		}
		if status == "" {
			continue
		}
		told := notify.DeliveryReceipt{Provider: name, ID: m.ProviderID, Message: m.ID, Status: status}
		if err := outbox.NoteReceipt(ctx, told); err != nil && !errors.Is(err, notify.ErrUnknown) {
			return err
		}
	}
	return nil
}
