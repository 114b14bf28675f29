package partner

import (
	"context"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/payment"
)

// AskRefund keeps that a partner asks for a settled payment to go back.
func (s *REST) AskRefund(ctx context.Context, r AskRefundRequestObject) (AskRefundResponseObject, error) {
	txn, err := s.Payments.AskRefund(ctx, by(ctx, partners.Pay), r.TxnId, payment.RefundReason(r.Body.Reason)) // the contract's words are those of payments
	if err != nil {
		return nil, err
	}
	return AskRefund200JSONResponse(view(txn)), nil
}

// ConfirmRefund keeps that a partner gave back what was due.
func (s *REST) ConfirmRefund(ctx context.Context, r ConfirmRefundRequestObject) (ConfirmRefundResponseObject, error) {
	txn, err := s.Payments.GaveBack(ctx, by(ctx, partners.Pay), r.TxnId, money.Amount(r.Body.Amount))
	if err != nil {
		return nil, err
	}
	return ConfirmRefund200JSONResponse(view(txn)), nil
}

// viewRequest shows what a partner asked for; nil: nothing.
func viewRequest(r payment.RefundRequest) *RefundRequest {
	if r.State == "" {
		return nil
	}
	return &RefundRequest{
		State: RefundRequestState(r.State), Reason: RefundReason(r.Reason), Refusal: api.Optional(string(r.Refusal)),
		AskedAt: r.AskedAt, DecidedAt: api.Optional(r.DecidedAt),
	}
}
