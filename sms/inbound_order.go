package sms

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

// senderIndex is the purpose of the blind index of a waiting text's phone.
const senderIndex = "sms_inbound.sender"

// answerEarlier has the texts answered that m's phone sent before it and that still
// wait: the process that took them was killed, or another one is at it. A talk keeps
// its last answer only; after the turn of m that of an earlier text is not to be had,
// and the texts would be heard in another order than they were written.
func (in *Inbound) answerEarlier(ctx context.Context, m message) error {
	rows, err := db.New(in.db.Reader()).EarlierInbound(ctx, db.EarlierInboundParams{
		Sender: in.sealer.Index(senderIndex, m.Phone), ReceivedAt: dbtime.From(m.at), Limit: resumeBatch,
	})
	if err != nil {
		return fmt.Errorf("list a phone's earlier messages: %w", err)
	}
	for _, row := range rows {
		earlier, err := in.open(row.Provider, row.MessageID, row.ReceivedAt, row.Sealed)
		if err == nil && earlier.name() != m.name() && (m.Parts == 0 || in.joins(earlier) != in.joins(m)) {
			err = in.safely(ctx, earlier)
		}
		if err != nil { // Resume tries it again; one that nobody can answer holds up no other
			in.log.ErrorContext(ctx, "an earlier message waits for its answer", "provider", row.Provider, "error", err)
		}
	}
	return nil
}
