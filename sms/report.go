package sms

import (
	"context"
	"errors"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
)

// Deliveries takes a provider's word on what became of a message, as
// *notify.Outbox does. It may come twice and out of order.
type Deliveries interface {
	Report(ctx context.Context, r notify.Report) error
}

// The waits for a message that is not known yet; they double, 630 ms in all.
const (
	firstWait = 10 * time.Millisecond
	lastWait  = 320 * time.Millisecond
)

// report takes what a provider says of the message with one of the ids: some
// write an id in two ways. A report may overtake the answer to the very call that
// sent the message, and few providers repeat it: such a one waits a moment. Then the
// answer is taken for lost, and the message is sought by its phone.
func report(ctx context.Context, to Deliveries, r notify.Report, ids ...string) error {
	phone := r.Phone
	r.Phone = ""
	for wait := firstWait; ; wait *= 2 {
		err := tell(ctx, to, r, ids...)
		switch {
		case !errors.Is(err, notify.ErrUnknown), wait > lastWait && phone == "":
			return err
		case wait > lastWait:
			r.Phone = phone
			return tell(ctx, to, r, ids[0])
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// tell is report without the waits.
func tell(ctx context.Context, to Deliveries, r notify.Report, ids ...string) (err error) {
	for _, r.ID = range ids {
		if err = to.Report(ctx, r); !errors.Is(err, notify.ErrUnknown) {
			return err
		}
	}
	return err
}
