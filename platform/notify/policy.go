package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// urgent reports a purpose that waits for no morning: the citizen has just asked
// for it, or it is about their money.
func urgent(purpose Purpose) bool {
	return purpose.Awaited() || purpose == Receipt
}

// Awaited reports a purpose that somebody waits for with the phone in the hand.
func (p Purpose) Awaited() bool { return p == Code || p == Answer }

// Quiet is the part of the day in which nothing leaves that can wait; the zero
// Quiet is none. It may lie over midnight.
type Quiet struct {
	// From and To are times of day, from midnight.
	From, To time.Duration
	// Place is where they hold.
	Place *time.Location
}

// ParseQuiet reads "21:00-08:00"; "none" and "" are no quiet hours.
func ParseQuiet(text string, place *time.Location) (Quiet, error) {
	if text == "" || text == "none" {
		return Quiet{}, nil
	}
	from, to, found := strings.Cut(text, "-")
	begin, err1 := time.Parse("15:04", from)
	end, err2 := time.Parse("15:04", to)
	if !found || err1 != nil || err2 != nil || from == to {
		return Quiet{}, errors.New("quiet hours are written as 21:00-08:00, or none")
	}
	midnight := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	return Quiet{From: begin.Sub(midnight), To: end.Sub(midnight), Place: place}, nil
}

// over is when a message of now may leave: now itself outside quiet hours.
func (q Quiet) over(now time.Time) time.Time {
	if q.From == q.To {
		return now
	}
	local := now.In(q.Place)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, q.Place)
	today := local.Sub(midnight)
	end := midnight.Add(q.To)
	switch {
	case q.From < q.To && (today < q.From || today >= q.To), q.From > q.To && today >= q.To && today < q.From:
		return now
	case today >= q.To: // the quiet of an evening ends on the next day
		return end.AddDate(0, 0, 1)
	}
	return end
}

// priority puts what the citizen waits for before what they do not.
func priority(purpose Purpose) int {
	switch {
	case purpose.Awaited():
		return 1
	case urgent(purpose):
		return 2
	default:
		return 3
	}
}

// hold keeps a queued message back, also between two tries: until the quiet hours and
// the wait for a report are over, or for good where the phone wants no notices any more.
func (o *Outbox) hold(ctx context.Context, m db.NotifyMessage) (held bool, err error) {
	purpose, now := Purpose(m.Purpose), o.now()
	blocked, err := blocked(ctx, db.New(o.db.Reader()), purpose, m.PhoneIndex)
	if err != nil {
		return true, err
	}
	if blocked {
		return true, o.giveUp(ctx, m, Blocked)
	}
	leaves := o.departure(Message{Purpose: purpose, ExpiresAt: m.ExpiresAt.Time}, now)
	if reported := reportBy(m); reported.After(leaves) {
		leaves = reported
	}
	if leaves.After(now) {
		return true, job.Again(leaves.Sub(now))
	}
	return false, nil
}

// departure is when m leaves at the earliest. What would be over by the morning
// is not worth sending then: it goes at once.
func (o *Outbox) departure(m Message, now time.Time) time.Time {
	if urgent(m.Purpose) {
		return now
	}
	leaves := o.quiet.over(now)
	if !m.ExpiresAt.IsZero() && !leaves.Before(m.ExpiresAt) {
		return now
	}
	return leaves
}

// Stop notes that a phone wants no more notices. What it asks for itself, its
// codes and receipts, and what the law has us say go on.
func (o *Outbox) Stop(ctx context.Context, tx *store.Tx, phone string) error {
	err := db.New(tx).Stop(ctx, db.StopParams{PhoneIndex: o.sealer.Index(phoneContext, phone), StoppedAt: dbtime.From(o.now())})
	if err != nil {
		return fmt.Errorf("stop notices: %w", err)
	}
	return nil
}

// CutPhone drops what waits to be sent to a phone whose number got another holder,
// with its text, and forgets that notices were stopped.
func (o *Outbox) CutPhone(ctx context.Context, tx *store.Tx, phone string, now time.Time) error {
	_, err := db.New(tx).Drop(ctx, db.DropParams{
		State: string(Dropped), FinishedAt: dbtime.From(now), TextSealed: []byte{}, PhoneIndex: o.sealer.Index(phoneContext, phone),
	})
	if err != nil {
		return fmt.Errorf("drop what waits for a phone: %w", err)
	}
	return o.Start(ctx, tx, phone)
}

// CutPerson drops what waits to tell a phone of a citizen, with its text: the phone is
// theirs no more. Whoever is told in its place is told by who keeps what it is about.
func (o *Outbox) CutPerson(ctx context.Context, tx *store.Tx, citizen, phone, _ string, now time.Time) error {
	err := db.New(tx).DropAbout(ctx, db.DropAboutParams{
		State: string(Dropped), FinishedAt: dbtime.From(now), TextSealed: []byte{},
		PhoneIndex: o.sealer.Index(phoneContext, phone), About: citizen,
	})
	if err != nil {
		return fmt.Errorf("drop what waits about a person: %w", err)
	}
	return nil
}

// Start takes Stop back.
func (o *Outbox) Start(ctx context.Context, tx *store.Tx, phone string) error {
	if err := db.New(tx).Start(ctx, o.sealer.Index(phoneContext, phone)); err != nil {
		return fmt.Errorf("start notices: %w", err)
	}
	return nil
}

// blocked reports a notice to a phone that wants none.
func blocked(ctx context.Context, q *db.Queries, purpose Purpose, phoneIndex string) (bool, error) {
	if purpose != Notice {
		return false, nil
	}
	n, err := q.IsStopped(ctx, phoneIndex)
	if err != nil {
		return false, fmt.Errorf("look whether notices are wanted: %w", err)
	}
	return n > 0, nil
}
