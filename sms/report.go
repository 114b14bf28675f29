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
	NoteReceipt(ctx context.Context, r notify.DeliveryReceipt) error
}

// The waits for a message that is not known yet; they double, 630 ms in all.
const (
	firstWait = 10 * time.Millisecond
	lastWait  = 320 * time.Millisecond
)

// report takes what a provider says of a message. It may overtake the answer to the
// very call that sent the message, and few providers repeat it: such a one waits a
// moment. notify.ErrUnknown: no message has the id after that either.
func report(ctx context.Context, to Deliveries, r notify.DeliveryReceipt) error {
	for wait := firstWait; ; wait *= 2 {
		err := to.NoteReceipt(ctx, r)
		if !errors.Is(err, notify.ErrUnknown) || wait > lastWait {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// reportOrOrphan is report, and then the answer is taken for lost: the message is sought
// by its phone, if that is told. What stays without a message is counted.
func reportOrOrphan(ctx context.Context, to Deliveries, r notify.DeliveryReceipt, counted func(reason string)) error {
	err := report(ctx, to, r)
	if !errors.Is(err, notify.ErrUnknown) {
		return err
	}
	counted("orphan_receipt")
	if r.Phone == "" {
		return err
	}
	r.Orphan = true
	return to.NoteReceipt(ctx, r)
}
