package sms

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
)

// later knows a message only after some time.
type later struct {
	from  time.Time
	asked []string
	fault error
}

func (l *later) NoteReceipt(_ context.Context, r notify.DeliveryReceipt) error {
	l.asked = append(l.asked, r.ID)
	if time.Now().Before(l.from) {
		return notify.ErrUnknown
	}
	return l.fault
}

// A report that overtakes the answer to the call that sent the message waits for
// it a little; one on a message that nobody sent does not wait for ever.
func TestReportOvertakesTheAnswer(t *testing.T) {
	t.Parallel()
	broken := errors.New("planned")
	for name, c := range map[string]struct {
		known time.Duration // from when the message is
		fault error
		want  error
		took  time.Duration
	}{
		"known":         {0, nil, nil, 0},
		"soon known":    {25 * time.Millisecond, nil, nil, 30 * time.Millisecond},
		"just known":    {600 * time.Millisecond, nil, nil, 630 * time.Millisecond},
		"never known":   {time.Hour, nil, notify.ErrUnknown, 630 * time.Millisecond},
		"not taken now": {25 * time.Millisecond, broken, broken, 30 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			to := &later{from: begin.Add(c.known), fault: c.fault}
			err := report(t.Context(), to, notify.DeliveryReceipt{Provider: "smpp", ID: "A1", Status: "DELIVRD"})
			if took := time.Since(begin); !errors.Is(err, c.want) || took != c.took || to.asked[0] != "A1" {
				t.Errorf("%s: %v after %s, asked for %q", name, err, took, to.asked)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := report(ctx, &later{from: time.Now().Add(time.Hour)}, notify.DeliveryReceipt{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a request that ends: %v", err)
		}
	})
}
