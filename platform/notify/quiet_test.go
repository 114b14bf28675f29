package notify

import (
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
)

func TestDeparture(t *testing.T) {
	t.Parallel()
	night, err := ParseQuiet("21:00-08:00", clock.Bishkek)
	if err != nil {
		t.Fatal(err)
	}
	noon, err := ParseQuiet("12:00-14:00", clock.Bishkek)
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) time.Time {
		return time.Date(2026, 11, day, hour, minute, 0, 0, clock.Bishkek)
	}
	for _, c := range []struct {
		quiet      Quiet
		purpose    Purpose
		now        time.Time
		over, want time.Time
	}{
		{night, Notice, at(24, 20, 59), time.Time{}, at(24, 20, 59)},
		{night, Notice, at(24, 21, 0), time.Time{}, at(25, 8, 0)},
		{night, Statutory, at(24, 23, 30), time.Time{}, at(25, 8, 0)},
		{night, Notice, at(25, 0, 10), time.Time{}, at(25, 8, 0)},
		{night, Notice, at(25, 7, 59), time.Time{}, at(25, 8, 0)},
		{night, Notice, at(25, 8, 0), time.Time{}, at(25, 8, 0)},
		{night, Code, at(25, 3, 0), time.Time{}, at(25, 3, 0)},
		{night, Answer, at(25, 3, 0), time.Time{}, at(25, 3, 0)},
		{night, Receipt, at(25, 3, 0), time.Time{}, at(25, 3, 0)},
		{night, Notice, at(25, 3, 0), at(25, 7, 0), at(25, 3, 0)},
		{night, Notice, at(25, 3, 0), at(25, 9, 0), at(25, 8, 0)},
		{noon, Notice, at(25, 11, 59), time.Time{}, at(25, 11, 59)},
		{noon, Notice, at(25, 12, 0), time.Time{}, at(25, 14, 0)},
		{noon, Notice, at(25, 14, 0), time.Time{}, at(25, 14, 0)},
		{Quiet{}, Notice, at(25, 3, 0), time.Time{}, at(25, 3, 0)},
	} {
		o := &Outbox{quiet: c.quiet}
		if got := o.departure(Message{Purpose: c.purpose, ExpiresAt: c.over}, c.now.UTC()); !got.Equal(c.want) {
			t.Errorf("%s of %s leaves %s, want %s", c.purpose, c.now, got, c.want)
		}
	}
}
