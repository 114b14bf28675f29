package identity

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Code pumping is somebody who has messages sent to numbers that are not theirs, to
// be paid for them. What tells it from a busy address is that its codes are never
// used, so those alone are counted, and only where fewer were used than not.
const (
	// UnusedPer is the span in which unused codes count.
	UnusedPer = 24 * time.Hour
	// SuspectAddress and SuspectBlock unused codes from an address and into a block of
	// numbers together keep further ones back. One of them alone does not: a village
	// shares an address, and a company has its numbers in a row.
	SuspectAddress = 60
	SuspectBlock   = 20
	// CertainAddress and CertainBlock unused codes are enough alone. Without them
	// numbers scattered over all blocks, or asked for from everywhere, had no bound.
	CertainAddress = 300
	CertainBlock   = 100
	// UnusedPerHour is how many unused codes an hour all of REST bears; from
	// AlarmPerHour on the log warns.
	UnusedPerHour = 10_000
	AlarmPerHour  = 2_000
	// KnownLasts is how long a phone that used a code is kept from nothing but its own
	// limit.
	KnownLasts = 365 * 24 * time.Hour
	// blockDigits are the digits of an E.164 number, "+996" among them, that name its
	// block: 1000 numbers in a row.
	blockDigits = len("+996555000")
)

// Why a code was not sent.
const (
	HeldTogether = "address_and_block"
	HeldAddress  = "address"
	HeldBlock    = "block"
	HeldAll      = "all"
)

// origin is where a code is asked for from and where it goes, as blind indexes; empty
// for a phone's own call, which counts against nobody.
type origin struct{ address, block string }

func (s *Service) origin(c caller.Caller) origin {
	if door(c) == doorNetwork {
		return origin{}
	}
	o := origin{block: s.Sealer.Index(blockPurpose, c.Phone[:blockDigits])}
	if network := c.Network(); network != "" {
		o.address = s.Sealer.Index(addressPurpose, network)
	}
	return o
}

// tally is what became of some codes.
type tally struct{ sent, used int64 }

// over reports n codes or more that were never used, and more of them than used ones.
func (t tally) over(n int64) bool { return t.sent-t.used >= n && t.sent-t.used > t.used }

// heldBack refuses a code that looks like pumping: its first error is the refusal. It
// never refuses the phone's own call, nor a phone that used a code before: those have
// their own limit. Requests that come at once can overshoot a bound by as many as there
// are transactions at once.
func (s *Service) heldBack(ctx context.Context, q *db.Queries, c caller.Caller, index string) (error, error) {
	if door(c) == doorNetwork {
		return nil, nil
	}
	known, err := q.UsedSince(ctx, db.UsedSinceParams{PhoneIndex: index, UsedAt: dbtime.From(c.Now.Add(-KnownLasts))})
	if err != nil {
		return nil, fmt.Errorf("look for a used code: %w", err)
	}
	if known > 0 {
		return nil, nil
	}
	h, err := s.suspect(ctx, q, c)
	if err != nil || h == nil {
		return nil, err
	}
	if s.HeldBack != nil {
		s.HeldBack(h.why)
	}
	wait := max(h.until.Sub(c.Now), time.Second)
	return problem.New(problem.TooMany, "problem.identity_codes_unused", "n", h.bound).Until(c.Now, wait), nil
}

// hold is the bound that a code would break, and until when at the latest.
type hold struct {
	why   string
	bound int
	until time.Time
}

// suspect gives what holds a code back; nil: nothing does.
func (s *Service) suspect(ctx context.Context, q *db.Queries, c caller.Caller) (*hold, error) {
	from := s.origin(c)
	seen, err := s.tallies(ctx, q, from, c.Now)
	if err != nil {
		return nil, err
	}
	h, per := hold{}, UnusedPer
	var oldest dbtime.Time // when it leaves the span, the bound bears another
	switch {
	case seen.address.over(CertainAddress):
		h = hold{why: HeldAddress, bound: CertainAddress}
		oldest, err = q.UnusedFrom(ctx, db.UnusedFromParams{AddressIndex: from.address, Offset: CertainAddress - 1})
	case seen.block.over(CertainBlock):
		h = hold{why: HeldBlock, bound: CertainBlock}
		oldest, err = q.UnusedInto(ctx, db.UnusedIntoParams{BlockIndex: from.block, Offset: CertainBlock - 1})
	case seen.address.over(SuspectAddress) && seen.block.over(SuspectBlock):
		h = hold{why: HeldTogether, bound: SuspectBlock}
		oldest, err = q.UnusedInto(ctx, db.UnusedIntoParams{BlockIndex: from.block, Offset: SuspectBlock - 1})
	case seen.all.over(UnusedPerHour):
		h, per = hold{why: HeldAll, bound: UnusedPerHour}, time.Hour
		oldest, err = q.UnusedAt(ctx, db.UnusedAtParams{Door: doorOpen, Offset: UnusedPerHour - 1})
	default:
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find when codes are free again: %w", err)
	}
	h.until = oldest.Add(per)
	return &h, nil
}

// tallies are the codes of a day from an address and into a block, and of an hour over
// all of REST.
type tallies struct{ address, block, all tally }

func (s *Service) tallies(ctx context.Context, q *db.Queries, from origin, now time.Time) (tallies, error) {
	var seen tallies
	since := dbtime.From(now.Add(-UnusedPer))
	if from.address != "" {
		n, err := q.CodesFrom(ctx, db.CodesFromParams{AddressIndex: from.address, SentAt: since})
		if err != nil {
			return tallies{}, fmt.Errorf("count an address's codes: %w", err)
		}
		seen.address = tally{n.Sent, n.Used}
	}
	block, err := q.CodesInto(ctx, db.CodesIntoParams{BlockIndex: from.block, SentAt: since})
	if err != nil {
		return tallies{}, fmt.Errorf("count a block's codes: %w", err)
	}
	all, err := q.CodesAt(ctx, db.CodesAtParams{Door: doorOpen, SentAt: dbtime.From(now.Add(-time.Hour))})
	if err != nil {
		return tallies{}, fmt.Errorf("count all codes: %w", err)
	}
	seen.block, seen.all = tally{block.Sent, block.Used}, tally{all.Sent, all.Used}
	if seen.all.over(AlarmPerHour) && s.alarm.due(now) {
		s.Log.WarnContext(ctx, "codes are asked for over REST and not used: somebody may be pumping them",
			"unused_within_the_hour", all.Sent-all.Used, "refused_from", UnusedPerHour)
	}
	return seen, nil
}

// alarm rings once in ten minutes.
type alarm struct {
	mu   sync.Mutex
	next time.Time
}

func (a *alarm) due(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Before(a.next) {
		return false
	}
	a.next = now.Add(10 * time.Minute)
	return true
}
