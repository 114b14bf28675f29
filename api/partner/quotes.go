package partner

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/payment"
)

// MakeQuote holds the price of bills. A repeated request gets the first one's answer.
func (s *REST) MakeQuote(ctx context.Context, r MakeQuoteRequestObject) (MakeQuoteResponseObject, error) {
	quote, err := s.Payments.Quote(ctx, user(ctx, r.Body.User), r.Body.Service, r.Body.Bills)
	if err != nil {
		return nil, err
	}
	answer := MakeQuote201JSONResponse{Body: viewQuote(quote, quote.OpenedAt)}
	answer.Body.State, answer.Body.TxnId = QuoteStateOpen, nil // as it was answered first
	if quote.Replayed {
		answer.Headers.IdempotentReplayed = api.Optional("true")
	}
	return answer, nil
}

// GetQuote shows a quote.
func (s *REST) GetQuote(ctx context.Context, r GetQuoteRequestObject) (GetQuoteResponseObject, error) {
	quote, err := s.Payments.QuoteByCode(ctx, api.PrincipalFrom(ctx).ID, r.Code)
	if err != nil {
		return nil, err
	}
	return GetQuote200JSONResponse(viewQuote(quote, api.CallerFrom(ctx).Now)), nil
}

// GetQuoteELQR shows a quote as the national QR code.
func (s *REST) GetQuoteELQR(ctx context.Context, r GetQuoteELQRRequestObject) (GetQuoteELQRResponseObject, error) {
	quote, err := s.Payments.QuoteByCode(ctx, api.PrincipalFrom(ctx).ID, r.Code)
	if err != nil {
		return nil, err
	}
	code, err := s.Payments.ELQR(quote.Payment, api.CallerFrom(ctx).Now)
	if err != nil {
		return nil, err
	}
	return GetQuoteELQR200JSONResponse{Payload: code.Payload, Link: code.Link, Svg: code.SVG, Png: code.PNG}, nil
}

// CancelQuote takes a quote back.
func (s *REST) CancelQuote(ctx context.Context, r CancelQuoteRequestObject) (CancelQuoteResponseObject, error) {
	now := api.CallerFrom(ctx).Now
	quote, err := s.Payments.CancelQuote(ctx, api.PrincipalFrom(ctx).ID, r.Code, now)
	if err != nil {
		return nil, err
	}
	return CancelQuote200JSONResponse(viewQuote(quote, now)), nil
}

// defaultQuotes is how many quotes a page has where no limit is asked for.
const defaultQuotes = 20

// ListQuotes lists a partner's quotes.
func (s *REST) ListQuotes(ctx context.Context, r ListQuotesRequestObject) (ListQuotesResponseObject, error) {
	rows, before := defaultQuotes, ""
	if r.Params.Limit != nil {
		rows = *r.Params.Limit
	}
	if r.Params.After != nil {
		// What is none of ours is no id, and after no quote or after all: a cursor gives nobody
		// more than their own.
		id, _ := base64.RawURLEncoding.DecodeString(*r.Params.After)
		before = string(id)
	}
	list, err := s.Payments.Quotes(ctx, api.PrincipalFrom(ctx).ID, before, rows)
	if err != nil {
		return nil, err
	}
	page := ListQuotes200JSONResponse{Quotes: make([]Quote, len(list))}
	for i, quote := range list {
		page.Quotes[i] = viewQuote(quote, api.CallerFrom(ctx).Now)
	}
	if len(list) == rows {
		page.Next = api.Optional(base64.RawURLEncoding.EncodeToString([]byte(list[rows-1].ID)))
	}
	return page, nil
}

// viewQuote shows a quote as it stands at a moment.
func viewQuote(q payment.PartnerQuote, now time.Time) Quote {
	out := Quote{
		Code: q.Code, Service: q.Service, Bills: make([]QuotedBill, len(q.Lines)), Amount: int64(q.Amount), Currency: CurrencyKGS,
		Source: q.Source, QuotedAt: q.OpenedAt, ValidUntil: q.ExpiresAt, State: quoteState(q.Payment, now), TxnId: api.Optional(q.TxnID),
	}
	for i, l := range q.Lines {
		out.Bills[i] = QuotedBill{Ref: l.Ref, Amount: int64(l.Amount)}
	}
	return out
}

// quoteState is the contract's name of how a quote stands.
func quoteState(p payment.Payment, now time.Time) QuoteState {
	switch {
	case p.State == payment.Cancelled:
		return QuoteStateCancelled
	case p.State == payment.Refused:
		return QuoteStateClosed
	case p.State != payment.Awaiting:
		return QuoteStatePaid
	case !now.Before(p.ExpiresAt):
		return QuoteStateLapsed
	}
	return QuoteStateOpen
}
