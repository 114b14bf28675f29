package sms

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

const (
	// workedFor is longer than most texts wait for their answer. One that waits longer
	// may have lost the process that took it.
	workedFor = time.Second
	// postponedFor is how long it is remembered that the work on a text failed here: by
	// then whoever looks sees that it waits.
	postponedFor = time.Minute
	// maxSenders bounds those who are known to wait, after a long outage.
	maxSenders = 10_000
	// queueTries is how often a text is tried in one queue, so that those behind it are
	// not kept for long by one that cannot be answered.
	queueTries = 2
)

// backlog is whose texts wait though nobody may be working on them.
type backlog struct {
	mu     sync.Mutex
	seen   map[string]bool      // by blind index, when they were looked for last; nil: never
	failed map[string]time.Time // by phone, those whose texts were left by this process
}

// sender is the blind index of a phone, for as long as its text waits.
func (in *Inbound) sender(phone string) string { return in.sealer.Index("sms_inbound.sender", phone) }

// lookForBacklog notes whose texts wait that no process may be working on.
func (in *Inbound) lookForBacklog(ctx context.Context) error {
	now := in.now()
	list, err := db.New(in.db.Reader()).WaitingSenders(ctx, db.WaitingSendersParams{
		ReceivedAt: dbtime.From(now.Add(-workedFor)), Limit: maxSenders,
	})
	if err != nil {
		return fmt.Errorf("look who waits for an answer: %w", err)
	}
	seen := make(map[string]bool, len(list))
	for _, sender := range list {
		seen[sender] = true
	}
	in.backlog.mu.Lock()
	defer in.backlog.mu.Unlock()
	in.backlog.seen = seen
	for phone, at := range in.backlog.failed {
		if now.Sub(at) > postponedFor {
			delete(in.backlog.failed, phone)
		}
	}
	return nil
}

// postpone notes that a text of phone waits for another try.
func (in *Inbound) postpone(phone string) {
	now := in.now()
	in.backlog.mu.Lock()
	defer in.backlog.mu.Unlock()
	if in.backlog.failed == nil {
		in.backlog.failed = map[string]time.Time{}
	}
	in.backlog.failed[phone] = now
}

// hasBacklog reports that texts which the phone sent before may wait: they were seen
// to, or nobody looked yet.
func (in *Inbound) hasBacklog(phone string) bool {
	in.backlog.mu.Lock()
	defer in.backlog.mu.Unlock()
	_, failed := in.backlog.failed[phone]
	return failed || in.backlog.seen == nil || len(in.backlog.seen) > 0 && in.backlog.seen[in.sender(phone)]
}

// answerEarlier has the texts answered that m's phone sent before it and that still
// wait: the process that took them was killed, or another one is at it. A conversation keeps
// its last answer only; after the turn of m that of an earlier text is not to be had,
// and the texts would be heard in another order than they were written. Of those that
// failed in m's queue, tries counts how often.
func (in *Inbound) answerEarlier(ctx context.Context, m message, tries map[string]int) error {
	ctx, cancel := context.WithTimeout(ctx, workWithin) // for all of them
	defer cancel()
	rows, err := db.New(in.db.Reader()).EarlierInbound(ctx, db.EarlierInboundParams{
		Sender: in.sender(m.Phone), ReceivedAt: dbtime.From(m.at), Limit: resumeBatch,
	})
	if err != nil {
		return fmt.Errorf("list a phone's earlier messages: %w", err)
	}
	for _, row := range rows {
		earlier, err := in.open(row.Provider, row.MessageID, row.ReceivedAt, row.Sealed)
		if err == nil && tries[earlier.name()] < queueTries {
			err = in.safely(ctx, earlier)
		}
		if err != nil { // Resume tries it again; one that nobody can answer holds up no other
			tries[earlier.name()]++
			in.log.ErrorContext(ctx, "an earlier message waits for its answer", "provider", row.Provider, "error", err)
		}
	}
	return nil
}
