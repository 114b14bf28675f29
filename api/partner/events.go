package partner

import (
	"context"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/webhook"
)

// Events is what became of partners' payments (platform/webhook).
type Events interface {
	After(ctx context.Context, partner, after string, rows int) (list []webhook.Event, more bool, err error)
}

// defaultEvents is how many events a page has where no limit is asked for.
const defaultEvents = 100

// ListEvents lists what became of a partner's payments.
func (s *REST) ListEvents(ctx context.Context, r ListEventsRequestObject) (ListEventsResponseObject, error) {
	rows, after := defaultEvents, ""
	if r.Params.Limit != nil {
		rows = *r.Params.Limit
	}
	if r.Params.After != nil {
		after = *r.Params.After
	}
	list, more, err := s.Events.After(ctx, api.PrincipalFrom(ctx).ID, after, rows)
	if err != nil {
		return nil, err
	}
	page := ListEvents200JSONResponse{Events: make([]Event, len(list)), More: more}
	for i, e := range list {
		page.Events[i] = viewEvent(e)
	}
	return page, nil
}

// viewEvent shows an event as partners read it.
func viewEvent(e webhook.Event) Event {
	return Event{
		Id: e.ID, Type: EventType(e.Kind), Timestamp: e.At,
		Data: EventData{
			Code: e.Code, Version: e.Version, TxnId: api.Optional(e.TxnID), Reference: api.Optional(e.Reference), Service: e.Service,
			Amount: int64(e.Amount), Currency: CurrencyKGS, Refund: api.Optional(int64(e.Refund)),
		},
	}
}
