package citizen

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/services/fine"
)

func (s *Server) fines() *fine.Service { return module.Of[*fine.Service](s.Modules) }

// ListFines looks a plate up.
func (s *Server) ListFines(ctx context.Context, r ListFinesRequestObject) (ListFinesResponseObject, error) {
	listing, err := s.fines().Lookup(ctx, who(ctx), r.Params.Plate)
	if err != nil {
		return nil, err
	}
	return ListFines200JSONResponse{
		Plate: listing.Plate.Text, Registered: listing.Known, Total: int64(listing.Total),
		Fines: each(listing.Bills, func(b fine.Bill) Bill {
			return Bill{
				Ref: b.Number, Amount: optional(int64(b.Amount)), Due: int64(b.Due), Discount: optional(int64(max(0, b.Amount-b.Due))),
				Currency: CurrencyKGS, Paying: &b.Paying,
			}
		}),
	}, nil
}

// ListViolations tells an owner what the fines are for.
func (s *Server) ListViolations(ctx context.Context, r ListViolationsRequestObject) (ListViolationsResponseObject, error) {
	c := reader(ctx)
	violations, err := s.fines().Details(ctx, c, r.Params.Plate)
	if err != nil {
		return nil, err
	}
	return ListViolations200JSONResponse(each(violations, func(v fine.Violation) Violation {
		return Violation{
			Ref: v.Number, Title: v.Title, Amount: int64(v.Amount), Paid: v.Paid,
			Place: optional(v.Place), At: optional(v.At), Resolution: optional(v.Resolution), Article: optional(v.Article),
			DeliveredAt: optional(v.Delivered),
		}
	})), nil
}

// OpenPayment quotes bills.
func (s *Server) OpenPayment(ctx context.Context, r OpenPaymentRequestObject) (OpenPaymentResponseObject, error) {
	p, err := s.fines().Open(ctx, who(ctx), r.Body.Refs)
	if err != nil {
		return nil, err
	}
	return OpenPayment201JSONResponse(paymentView(p, who(ctx).Now)), nil
}

// ConfirmPayment makes a quoted payment payable.
func (s *Server) ConfirmPayment(ctx context.Context, r ConfirmPaymentRequestObject) (ConfirmPaymentResponseObject, error) {
	p, err := s.Payments.Confirm(ctx, who(ctx), r.Id)
	if err != nil {
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
	return ListPayments200JSONResponse(each(payments, func(p payment.Payment) Payment { return paymentView(p, c.Now) })), nil
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
		case payment.RefundDue:
			receipt.Back += int64(l.Amount)
		case payment.Settled:
			receipt.Settled += int64(l.Amount)
		}
	}
	return receipt, nil
}

// paymentView shows a payment as it stands at a moment.
func paymentView(p payment.Payment, now time.Time) Payment {
	lines := each(p.Lines, func(l payment.Line) PaymentLine {
		return PaymentLine{
			Ref: l.Ref, Amount: int64(l.Amount), State: stateOf(l.Standing(p), p, now), Reason: optional(RefundReason(l.Reason)),
		}
	})
	return Payment{
		Id: p.ID, Code: optional(p.Code), State: stateOf(p.State, p, now), Amount: int64(p.Amount),
		Currency: CurrencyKGS, ExpiresAt: p.ExpiresAt, Lines: &lines,
		Service: optional(PaidService(p.Service)), OpenedAt: optional(p.OpenedAt), PaidAt: optional(p.AcceptedAt), FinishedAt: optional(p.FinishedAt),
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
