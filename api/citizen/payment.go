package citizen

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/payment"
)

// OpenPayment quotes bills of any service that has its bills paid.
func (s *Server) OpenPayment(ctx context.Context, r OpenPaymentRequestObject) (OpenPaymentResponseObject, error) {
	service := r.Body.Service
	if s.Payments.Bills(service) { // what a client made up is no service in the figures
		api.CountAs(ctx, service)
	}
	p, err := s.Payments.Open(ctx, who(ctx), service, r.Body.Refs)
	if err != nil {
		return nil, err
	}
	return OpenPayment201JSONResponse(paymentView(p, who(ctx).Now)), nil
}

// ConfirmPayment makes a quoted payment payable.
func (s *Server) ConfirmPayment(ctx context.Context, r ConfirmPaymentRequestObject) (ConfirmPaymentResponseObject, error) {
	p, err := s.Payments.Get(ctx, who(ctx), r.Id)
	if err != nil {
		return nil, err
	}
	api.CountAs(ctx, p.Service)
	if p, err = s.Payments.Confirm(ctx, who(ctx), r.Id); err != nil {
		return nil, err
	}
	return ConfirmPayment200JSONResponse(paymentView(p, who(ctx).Now)), nil
}

// GetPayment tells how a payment stands.
func (s *Server) GetPayment(ctx context.Context, r GetPaymentRequestObject) (GetPaymentResponseObject, error) {
	p, err := s.Payments.Get(ctx, who(ctx), r.Id)
	if err != nil {
		return nil, err
	}
	return GetPayment200JSONResponse(paymentView(p, who(ctx).Now)), nil
}

// ListPayments lists the phone's payments.
func (s *Server) ListPayments(ctx context.Context, r ListPaymentsRequestObject) (ListPaymentsResponseObject, error) {
	before, rows := "", defaultRows
	if r.Params.Before != nil {
		before = r.Params.Before.String()
	}
	if r.Params.Limit != nil {
		rows = *r.Params.Limit
	}
	c := who(ctx)
	payments, err := s.Payments.List(ctx, c, before, rows)
	if err != nil {
		return nil, err
	}
	return ListPayments200JSONResponse(api.Each(payments, func(p payment.Payment) Payment { return paymentView(p, c.Now) })), nil
}

// defaultRows is how many payments are listed where no limit is asked for.
const defaultRows = 50

// GetReceipt gives the receipt of a payment that is over.
func (s *Server) GetReceipt(ctx context.Context, r GetReceiptRequestObject) (GetReceiptResponseObject, error) {
	c := reader(ctx)
	p, text, err := s.Payments.Receipt(ctx, c, r.Id)
	if err != nil {
		return nil, err
	}
	receipt := GetReceipt200JSONResponse{Payment: paymentView(p, c.Now), Currency: CurrencyKGS, Text: text}
	for _, l := range p.Lines {
		switch l.State {
		case payment.RefundDue, payment.Refunded:
			receipt.Back += int64(l.Amount)
		case payment.Settled:
			receipt.Settled += int64(l.Amount)
		}
	}
	return receipt, nil
}

// GetELQR shows a payment as the national QR code.
func (s *Server) GetELQR(ctx context.Context, r GetELQRRequestObject) (GetELQRResponseObject, error) {
	p, err := s.Payments.Get(ctx, who(ctx), r.Id)
	if err != nil {
		return nil, err
	}
	code, err := s.Payments.ELQR(p, who(ctx).Now)
	if err != nil {
		return nil, err
	}
	return GetELQR200JSONResponse{Payload: code.Payload, Link: code.Link, Svg: code.SVG, Png: code.PNG}, nil
}

// paymentView shows a payment as it stands at a moment.
func paymentView(p payment.Payment, now time.Time) Payment {
	lines := api.Each(p.Lines, func(l payment.Line) PaymentLine {
		return PaymentLine{
			Ref: l.Ref, Amount: int64(l.Amount), State: stateOf(l.Standing(p), p, now), Reason: api.Optional(RefundReason(l.Reason)),
		}
	})
	return Payment{
		Id: p.ID, Code: api.Optional(p.Code), State: stateOf(p.State, p, now), Amount: int64(p.Amount),
		Currency: CurrencyKGS, ExpiresAt: p.ExpiresAt, Lines: &lines,
		Service: api.Optional(p.Service), OpenedAt: api.Optional(p.OpenedAt), PaidAt: api.Optional(p.AcceptedAt), FinishedAt: api.Optional(p.FinishedAt),
	}
}

// stateOf is the contract's name of a state of a payment, or of a line of it.
func stateOf(state payment.State, p payment.Payment, now time.Time) PaymentState {
	switch {
	case state == payment.Claimed:
		return PaymentStateAccepted
	case (state == payment.Quoted || state == payment.Awaiting) && !now.Before(p.ExpiresAt):
		return PaymentStateExpired
	}
	return PaymentState(state)
}
