package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Over REST anybody can name any phone and guess at its codes. Nothing tells its owner
// from a stranger, so a bound that stops the one stops the other: it is not the guesses
// that are cut off, but the code that grows. While short codes are left, each request
// has its own. Once they are spent the phone is sent one long code for all who ask,
// which bears more guesses than anybody makes.
const (
	// CodesOpen is how many short codes are sent over REST in CodesPer.
	CodesOpen = 2
	// SpentAtMost is how many short codes in UnusedPer may be guessed at or stay
	// unused. It bounds the guesses of a day at SpentAtMost codes, CodeTries with the
	// challenge and CodeTries without: one success in 10 000.
	SpentAtMost = 10
	// SharedDigits is the length of the code for all who ask. SharedLasts leaves
	// those who are told of it late CodesPer to type it.
	SharedDigits = 12
	SharedLasts  = 2 * CodesPer
	// SharedTries is how many guesses it bears: two such codes at a time, 144 a day,
	// let one in 70 000 succeed.
	SharedTries = 100_000
	// OpenAtMost is how many messages REST sends in CodesPer, if the phone uses its long
	// codes; strangers alone have CodesOpen + 1 sent.
	OpenAtMost = 6
)

// record is what a phone was sent through one door within UnusedPer, the oldest first.
type record []db.CodesSinceRow

func (s *Service) record(ctx context.Context, q *db.Queries, c caller.Caller, index string) (record, error) {
	rows, err := q.CodesSince(ctx, db.CodesSinceParams{PhoneIndex: index, Door: door(c), SentAt: dbtime.From(c.Now.Add(-UnusedPer))})
	if err != nil {
		return nil, fmt.Errorf("count a phone's codes: %w", err)
	}
	return rows, nil
}

// plan is what becomes of a request.
type plan struct {
	shared bool              // the code is a long one, for all who ask
	attach *db.CodesSinceRow // no code is sent: this one is good for it
	wait   time.Duration     // none is sent before; zero: one is now
}

// planFor decides about a request through the caller's door.
func (r record) planFor(c caller.Caller) plan {
	if door(c) == doorOpen {
		return r.plan(c.Now)
	}
	return plan{wait: r.excess(CodesAtMost, c.Now)}
}

// plan decides about a request over REST.
func (r record) plan(now time.Time) plan {
	short, spent := 0, 0
	var shared *db.CodesSinceRow
	for i, code := range r {
		recent := code.SentAt.After(now.Add(-CodesPer))
		switch {
		case code.Shared && recent && lives(code, now):
			shared = &r[i]
		case !code.Shared && recent:
			short++
		}
		if !code.Shared && (code.UsedAt.IsZero() || code.Tries+code.UnboundTries > 1) {
			spent++
		}
	}
	switch {
	case short < CodesOpen && spent < SpentAtMost:
		return plan{}
	case shared != nil:
		return plan{attach: shared}
	}
	return plan{shared: true, wait: r.excess(OpenAtMost, now)}
}

// lives reports that a code can still be used.
func lives(code db.CodesSinceRow, now time.Time) bool {
	return code.UsedAt.IsZero() && code.VoidAt.IsZero() && code.ExpiresAt.After(now) && code.UnboundTries < SharedTries
}

// attached tells of the code that was sent before.
func (p plan) attached(now time.Time) Sent {
	return Sent{Challenge: p.attach.ID, SentAt: p.attach.SentAt.Time, ExpiresAt: p.attach.ExpiresAt.Time, AgainAt: p.againAt(now)}
}

// againAt is from when another request has a message sent, should nothing else happen.
func (p plan) againAt(now time.Time) time.Time {
	if p.attach != nil {
		return p.attach.SentAt.Add(CodesPer)
	}
	return now.Add(p.wait)
}

// excess is how long until fewer than atMost codes were sent within CodesPer.
func (r record) excess(atMost int, now time.Time) time.Duration {
	if len(r) < atMost {
		return 0
	}
	return max(0, r[len(r)-atMost].SentAt.Add(CodesPer).Sub(now))
}
