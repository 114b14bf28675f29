package sms

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

const (
	// inHandFor is longer than most texts wait for their answer. One that waits longer
	// may have lost the process that took it.
	inHandFor = time.Second
	// maxSenders bounds those who are known to wait, after a long outage.
	maxSenders = 10_000
)

// senders are blind indexes of phones.
type senders map[string]bool

// sender is the blind index of a phone, for as long as its text waits.
func (in *Inbound) sender(phone string) string { return in.sealer.Index("sms_inbound.sender", phone) }

// look notes whose texts wait that no process may have in hand.
func (in *Inbound) look(ctx context.Context) error {
	list, err := db.New(in.db.Reader()).WaitingSenders(ctx, db.WaitingSendersParams{
		ReceivedAt: dbtime.From(in.now().Add(-inHandFor)), Limit: maxSenders,
	})
	if err != nil {
		return fmt.Errorf("look who waits for an answer: %w", err)
	}
	left := senders{}
	for _, sender := range list {
		left[sender] = true
	}
	in.left.Store(&left)
	return nil
}

// isBehind reports that texts which m's phone sent before it may wait: they were seen
// to, or nobody looked yet.
func (in *Inbound) isBehind(m message) bool {
	left := in.left.Load()
	return left == nil || len(*left) > 0 && (*left)[in.sender(m.Phone)]
}

// answerEarlier has the texts answered that m's phone sent before it and that still
// wait: the process that took them was killed, or another one is at it. A talk keeps
// its last answer only; after the turn of m that of an earlier text is not to be had,
// and the texts would be heard in another order than they were written.
func (in *Inbound) answerEarlier(ctx context.Context, m message) error {
	rows, err := db.New(in.db.Reader()).EarlierInbound(ctx, db.EarlierInboundParams{
		Sender: in.sender(m.Phone), ReceivedAt: dbtime.From(m.at), Limit: resumeBatch,
	})
	if err != nil {
		return fmt.Errorf("list a phone's earlier messages: %w", err)
	}
	for _, row := range rows {
		earlier, err := in.open(row.Provider, row.MessageID, row.ReceivedAt, row.Sealed)
		if err == nil && (m.Parts == 0 || in.joins(earlier) != in.joins(m)) {
			err = in.safely(ctx, earlier)
		}
		if err != nil { // Resume tries it again; one that nobody can answer holds up no other
			in.log.ErrorContext(ctx, "an earlier message waits for its answer", "provider", row.Provider, "error", err)
		}
	}
	return nil
}
