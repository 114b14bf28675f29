package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/webhook"
)

// Events is where partners read what became of their payments, as *webhook.Events is.
type Events interface {
	Record(ctx context.Context, tx *store.Tx, e webhook.Event) error
}

// partnerEvents are the events of the states that tell a partner something.
var partnerEvents = map[State]webhook.Kind{
	Awaiting: webhook.Created, Refused: webhook.Refused, Cancelled: webhook.Cancelled,
	Settled: webhook.Settled, InDoubt: webhook.InDoubt, RefundDue: webhook.RefundDue, Refunded: webhook.Refunded,
}

// noteQuote writes down for its partner what became of a quote that is not paid. Of a
// citizen's own code nobody is told.
func (s *Service) noteQuote(ctx context.Context, tx *store.Tx, row db.Payment, state State) error {
	if row.PartnerID == "" {
		return nil
	}
	return s.Events.Record(ctx, tx, webhook.Event{
		Partner: row.PartnerID, Kind: partnerEvents[state], PaymentID: row.ID, Code: row.Code, Service: row.Service, Amount: money.Amount(row.Amount),
	})
}

// notePaid writes down, for the partner that took its money, what became of a payment whose
// money stands as sum says.
func (s *Service) notePaid(ctx context.Context, tx *store.Tx, row db.Payment, state State, sum standing) error {
	txn, err := db.New(tx).PaidBy(ctx, row.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find who paid: %w", err)
	}
	refund := sum.back + sum.gone
	if state == RefundDue && sum.back == 0 || state == Refunded {
		state, refund = Refunded, sum.gone
	}
	return s.Events.Record(ctx, tx, webhook.Event{
		Partner: txn.PartnerID, Kind: partnerEvents[state], PaymentID: row.ID, Code: row.Code, TxnID: txn.TxnID, Reference: txn.PrvTxn,
		Service: row.Service, Amount: money.Amount(row.Amount), Refund: refund,
	})
}
