package console

import (
	"bytes"
	"context"
	"strconv"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
)

// ListSuspense lists the payments in doubt.
func (s *Server) ListSuspense(ctx context.Context, r ListSuspenseRequestObject) (ListSuspenseResponseObject, error) {
	list, err := look(ctx, s, "suspense", r.Body.Reason, func(ctx context.Context, _ staff.Officer) ([]payment.Suspended, error) {
		return s.Payments.Suspense(ctx)
	})
	if err != nil {
		return nil, err
	}
	return ListSuspense200JSONResponse{Lines: api.Each(list, func(l payment.Suspended) SuspendedLine {
		return SuspendedLine{
			Payment: l.PaymentID, Line: l.N, Service: l.Service, Bill: l.Ref, Amount: int64(l.Amount), PaidAt: l.PaidAt, SinceAt: l.Since,
		}
	})}, nil
}

// DecideDoubt ends a doubt.
func (s *Server) DecideDoubt(ctx context.Context, r DecideDoubtRequestObject) (DecideDoubtResponseObject, error) {
	out, err := s.act(ctx, "decide", r.Body.Reason, map[string]string{
		"payment": r.Body.Payment, "line": strconv.FormatInt(r.Body.Line, 10), "outcome": string(r.Body.Outcome), "reference": r.Body.Reference,
	})
	return DecideDoubt200JSONResponse(out), err
}

// ListRefunds lists what partners have to give back.
func (s *Server) ListRefunds(ctx context.Context, r ListRefundsRequestObject) (ListRefundsResponseObject, error) {
	list, err := look(ctx, s, "refunds", r.Body.Reason, func(ctx context.Context, _ staff.Officer) ([]payment.Refund, error) {
		return s.Payments.Refunds(ctx)
	})
	if err != nil {
		return nil, err
	}
	return ListRefunds200JSONResponse{Refunds: api.Each(list, func(d payment.Refund) RefundDue {
		return RefundDue{
			Payment: d.PaymentID, Partner: d.Partner, TxnId: d.TxnID, Service: d.Service, Bill: d.Ref,
			Amount: int64(d.Amount), Why: string(d.Reason), SinceAt: d.Since, Overdue: &d.Overdue,
		}
	})}, nil
}

// ListRefundRequests lists the settled payments that partners ask to have back.
func (s *Server) ListRefundRequests(ctx context.Context, r ListRefundRequestsRequestObject) (ListRefundRequestsResponseObject, error) {
	list, err := look(ctx, s, "refund-requests", r.Body.Reason, func(ctx context.Context, _ staff.Officer) ([]payment.AskedRefund, error) {
		return s.Payments.AskedRefunds(ctx)
	})
	if err != nil {
		return nil, err
	}
	return ListRefundRequests200JSONResponse{Requests: api.Each(list, func(a payment.AskedRefund) RefundRequest {
		return RefundRequest{
			Payment: a.PaymentID, Partner: a.Partner, TxnId: a.TxnID, Service: a.Service, Amount: int64(a.Amount), Why: string(a.Reason), AskedAt: a.AskedAt,
		}
	})}, nil
}

// GetStatement gives a day's statement.
func (s *Server) GetStatement(ctx context.Context, r GetStatementRequestObject) (GetStatementResponseObject, error) {
	made, err := look(ctx, s, "statement", r.Body.Reason, func(ctx context.Context, _ staff.Officer) ([]byte, error) {
		day := clock.Noon(r.Body.Day.Time)
		if r.Body.Partner != nil {
			return s.Payments.StatementOf(ctx, *r.Body.Partner, day)
		}
		return s.Payments.TreasuryStatement(ctx, day)
	})
	if err != nil {
		return nil, err
	}
	return GetStatement200TextcsvResponse{Body: bytes.NewReader(made), ContentLength: int64(len(made))}, nil
}

// ReversePayment sends a settled payment back.
func (s *Server) ReversePayment(ctx context.Context, r ReversePaymentRequestObject) (ReversePaymentResponseObject, error) {
	out, err := s.act(ctx, "refund", r.Body.Reason, map[string]string{"payment": r.Body.Payment, "reference": r.Body.Reference})
	return ReversePayment200JSONResponse(out), err
}

// RefuseRefund refuses to send a settled payment back.
func (s *Server) RefuseRefund(ctx context.Context, r RefuseRefundRequestObject) (RefuseRefundResponseObject, error) {
	out, err := s.act(ctx, "refuse-refund", r.Body.Reason, map[string]string{"payment": r.Body.Payment, "why": string(r.Body.Why)})
	return RefuseRefund200JSONResponse(out), err
}

// NoteNotReturned notes that it did not after all.
func (s *Server) NoteNotReturned(ctx context.Context, r NoteNotReturnedRequestObject) (NoteNotReturnedResponseObject, error) {
	out, err := s.act(ctx, "not-returned", r.Body.Reason, map[string]string{"payment": r.Body.Payment, "reference": r.Body.Reference})
	return NoteNotReturned200JSONResponse(out), err
}

// NoteReturned notes that a partner gave money back.
func (s *Server) NoteReturned(ctx context.Context, r NoteReturnedRequestObject) (NoteReturnedResponseObject, error) {
	out, err := s.act(ctx, "returned", r.Body.Reason, map[string]string{"payment": r.Body.Payment, "reference": r.Body.Reference})
	return NoteReturned200JSONResponse(out), err
}

// NoteRemittance notes that a partner paid over to the treasury.
func (s *Server) NoteRemittance(ctx context.Context, r NoteRemittanceRequestObject) (NoteRemittanceResponseObject, error) {
	out, err := s.act(ctx, "remittance", r.Body.Reason, map[string]string{
		"partner": r.Body.Partner, "amount": strconv.FormatInt(r.Body.Amount, 10), "reference": r.Body.Reference,
	})
	return NoteRemittance200JSONResponse(out), err
}

// UndoRemittance turns a remittance around.
func (s *Server) UndoRemittance(ctx context.Context, r UndoRemittanceRequestObject) (UndoRemittanceResponseObject, error) {
	out, err := s.act(ctx, "remittance-undone", r.Body.Reason, map[string]string{"partner": r.Body.Partner, "reference": r.Body.Reference})
	return UndoRemittance200JSONResponse(out), err
}

// GetClosedDay shows the accounts on a closed day.
func (s *Server) GetClosedDay(ctx context.Context, r GetClosedDayRequestObject) (GetClosedDayResponseObject, error) {
	d, err := look(ctx, s, "closed-day", r.Body.Reason, func(ctx context.Context, _ staff.Officer) (payment.LedgerDay, error) {
		return s.Payments.ClosedDay(ctx, clock.Noon(r.Body.Day.Time))
	})
	if err != nil {
		return nil, err
	}
	return GetClosedDay200JSONResponse{
		Day: r.Body.Day, ClosedAt: d.ClosedAt, Entries: d.Entries, Digest: d.Digest, PreviousDigest: api.Optional(d.Previous), TreasuryDigest: d.Treasury,
		Accounts: api.Each(d.Accounts, viewAccount),
	}, nil
}

func viewAccount(a payment.DayAccount) DayAccount {
	return DayAccount{
		Account: a.Account, Opening: int64(a.Opening), Debit: int64(a.Debit), Credit: int64(a.Credit), Closing: int64(a.Closing), Entries: a.Entries,
		Balance: int64(a.Balance), StatementDigest: api.Optional(a.Statement),
		Turnover: api.Each(a.Kinds, func(k payment.Turnover) Turnover {
			return Turnover{Kind: k.Kind, Debit: int64(k.Debit), Credit: int64(k.Credit), Entries: k.Entries}
		}),
	}
}
