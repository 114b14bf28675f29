package partner

import (
	"context"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
)

// Document is the contract of the partners' REST interface.
//
//go:embed openapi.yaml
var Document []byte

// Authorizer says what the bearer of an access token may do (platform/partners).
type Authorizer interface {
	Authorize(ctx context.Context, token, address, certificate string) (partners.Access, error)
}

// Own is what a partner sees of its own payments (platform/payment).
type Own interface {
	Payments
	Bills
	Transaction(ctx context.Context, partner, id string) (payment.Transaction, error)
	Day(ctx context.Context, partner string, day time.Time, filter payment.Filter, after payment.Transaction, rows int) (payment.Day, error)
	AskRefund(ctx context.Context, partner payment.Partner, txnID string, reason payment.RefundReason) (payment.Transaction, error)
	GaveBack(ctx context.Context, partner payment.Partner, txnID string, sum money.Amount) (payment.Transaction, error)
	PartnerStatement(ctx context.Context, partner string, day time.Time) ([]byte, error)
	Reconcile(ctx context.Context, partner string, day time.Time, registry []payment.Listed) (payment.Reconciliation, error)
}

// REST answers the contract's operations.
type REST struct {
	Payments Own
	Events   Events
	Webhooks Webhooks
}

var _ StrictServerInterface = (*REST)(nil)

// Mount serves the contract under router, every request held to it.
func (s *REST) Mount(router fiber.Router, contract *api.Contract) error {
	if err := needs.All("the partners' interface", *s); err != nil {
		return err
	}
	contract.Publish(router, "/partner/v1")
	router.Use("/partner/v1", contract.Middleware)
	RegisterHandlers(router, NewStrictHandler(s, nil))
	return nil
}

// Audience are the partners, by their access tokens; index makes a pseudonym of what
// identifies a request.
func Audience(known Authorizer, index func(turn string) string, now func() time.Time) api.Audience {
	return api.Audience{
		Channel: caller.Partner, Gateway: "rest", Levels: map[string]api.Level{"partner": nil}, Challenge: challenge, Index: index, Now: now,
		Authenticate: func(c *fiber.Ctx) (api.Principal, error) {
			token, found := api.BearerOf(c)
			if !found {
				return api.Principal{}, problem.New(problem.Unauthenticated, "problem.partner_token_missing")
			}
			access, err := known.Authorize(c.UserContext(), token, strings.Clone(c.IP()), certificateOf(c))
			tellQuotas(c, access.Quotas)
			return api.Principal{ID: access.Partner, Scopes: access.Scopes}, err
		},
	}
}

// certificateOf is the thumbprint of the certificate of which the client proved on this connection
// that it has the key; empty of none, and where a reverse proxy ends TLS. Headers say nothing of it:
// whoever reaches us could write them (decision 54).
func certificateOf(c *fiber.Ctx) string {
	state := c.Context().TLSConnectionState()
	if state == nil || len(state.PeerCertificates) == 0 {
		return ""
	}
	return partners.Thumbprint(state.PeerCertificates[0].Raw)
}

// challenge says what a token lacks (RFC 6750, section 3).
func challenge(p *problem.Error, status int) string {
	const bearer = `Bearer realm="eshik-partner"`
	switch {
	case p.Key == api.ScopeMissing:
		scope, _ := p.Args[1].(string)
		return bearer + `, error="insufficient_scope", scope="` + scope + `"`
	case p.Key == "problem.partner_token":
		return bearer + `, error="invalid_token"`
	case status == http.StatusUnauthorized:
		return bearer
	}
	return ""
}

// problems say our decisions in REST's words. All but not_now are final for a transaction.
var problems = map[payment.Decision]*problem.Error{
	payment.NotNow:        problem.New(problem.Unavailable, "problem.partner_not_now"),
	payment.MalformedCode: problem.New(problem.NotFound, "problem.partner_code_malformed"),
	payment.UnknownCode:   problem.New(problem.NotFound, "problem.partner_code_unknown"),
	payment.NotPayable:    problem.New(problem.Conflict, "problem.partner_code_closed"),
	payment.SumTooSmall:   problem.New(problem.Conflict, "problem.partner_sum_small"),
	payment.SumTooLarge:   problem.New(problem.Conflict, "problem.partner_sum_large"),
	payment.Reused:        problem.New(problem.Mismatch, "problem.partner_txn_reused"),
	payment.Malformed:     problem.New(problem.Mismatch, "problem.partner_txn_reused"), // over OSMP
	payment.TakenBack:     problem.New(problem.Conflict, "problem.partner_txn_cancelled"),
}

// refused is the problem of a decision; nil: it is none. What failed is answered as what
// nobody can say now: nothing was kept, and the partner tries again.
func refused(decision payment.Decision, err error) error {
	if err != nil {
		return problems[payment.NotNow].Because(err)
	}
	if decision == payment.Approved {
		return nil
	}
	if p, known := problems[decision]; known {
		return p
	}
	return problems[payment.NotNow]
}

// by is who asks, with the services of which the token allows an operation.
func by(ctx context.Context, operation string) payment.Partner {
	p := api.PrincipalFrom(ctx)
	return allowed(partners.Access{Partner: p.ID, Scopes: p.Scopes}, operation)
}

// CheckCode says whether a code can be paid.
func (s *REST) CheckCode(ctx context.Context, r CheckCodeRequestObject) (CheckCodeResponseObject, error) {
	code := strings.Map(digitsApart, r.Body.Code)
	var sum money.Amount
	if r.Body.Amount != nil {
		sum = money.Amount(*r.Body.Amount)
	}
	a, err := s.Payments.Check(ctx, by(ctx, partners.Check), code, sum)
	if err := refused(a.Decision, err); err != nil {
		return nil, err
	}
	return CheckCode200JSONResponse{Code: code, Service: a.Service, Amount: int64(a.Due), Currency: CurrencyKGS}, nil
}

// PayCode takes a payment, once.
func (s *REST) PayCode(ctx context.Context, r PayCodeRequestObject) (PayCodeResponseObject, error) {
	who, code := by(ctx, partners.Pay), strings.Map(digitsApart, r.Body.Code)
	var at time.Time
	if r.Body.PaidAt != nil {
		at = *r.Body.PaidAt
	}
	a, err := s.Payments.Accept(ctx, who, r.TxnId, code, money.Amount(r.Body.Amount), at)
	if err := refused(a.Decision, err); err != nil {
		return nil, err
	}
	txn, err := s.Payments.Transaction(ctx, who.ID, r.TxnId)
	if err != nil {
		return nil, refused(payment.NotNow, err)
	}
	return PayCode200JSONResponse(view(txn)), nil
}

// CancelPayment takes a transaction back, once.
func (s *REST) CancelPayment(ctx context.Context, r CancelPaymentRequestObject) (CancelPaymentResponseObject, error) {
	txn, err := s.Payments.TakeBack(ctx, by(ctx, partners.Pay), r.TxnId)
	if err != nil {
		return nil, err
	}
	return CancelPayment200JSONResponse(view(txn)), nil
}

// GetPayment shows a transaction.
func (s *REST) GetPayment(ctx context.Context, r GetPaymentRequestObject) (GetPaymentResponseObject, error) {
	txn, err := s.Payments.Transaction(ctx, api.PrincipalFrom(ctx).ID, r.TxnId)
	if err != nil {
		return nil, err
	}
	return GetPayment200JSONResponse(view(txn)), nil
}

// defaultRows is how many payments a page has where no limit is asked for.
const defaultRows = 100

// ListPayments lists a day.
func (s *REST) ListPayments(ctx context.Context, r ListPaymentsRequestObject) (ListPaymentsResponseObject, error) {
	rows, after := defaultRows, payment.Transaction{}
	if r.Params.Limit != nil {
		rows = *r.Params.Limit
	}
	if r.Params.After != nil {
		after = readCursor(*r.Params.After)
	}
	var filter payment.Filter
	if r.Params.State != nil {
		filter.State = payment.State(*r.Params.State) // the contract's words are those of payments
	}
	if r.Params.Service != nil {
		filter.Service = *r.Params.Service
	}
	day, err := s.Payments.Day(ctx, api.PrincipalFrom(ctx).ID, clock.Noon(r.Params.Day.Time), filter, after, rows)
	if err != nil {
		return nil, err
	}
	list := ListPayments200JSONResponse{
		Day: r.Params.Day, Count: day.Count, Amount: int64(day.Amount), Currency: CurrencyKGS, Payments: make([]PartnerPayment, len(day.Page)),
	}
	for i, txn := range day.Page {
		list.Payments[i] = view(txn)
	}
	if day.More {
		next := writeCursor(day.Page[len(day.Page)-1])
		list.Next = &next
	}
	return list, nil
}

// writeCursor says after which transaction a page begins.
func writeCursor(last payment.Transaction) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(last.ReceivedAt.UnixMicro(), 10) + "." + last.ID))
}

// readCursor reads one. What is none of ours begins at the first page: a cursor gives
// nobody more than their own.
func readCursor(text string) payment.Transaction {
	raw, _ := base64.RawURLEncoding.DecodeString(text)
	at, id, _ := strings.Cut(string(raw), ".")
	micros, err := strconv.ParseInt(at, 10, 64)
	if err != nil || !txnPattern.MatchString(id) {
		return payment.Transaction{}
	}
	return payment.Transaction{ReceivedAt: time.UnixMicro(micros), ID: id}
}

// view shows a transaction.
func view(t payment.Transaction) PartnerPayment {
	out := PartnerPayment{
		TxnId: t.ID, Reference: t.Reference, Code: t.Code, Amount: int64(t.Amount), Currency: CurrencyKGS, State: stateOf(t),
		Service: api.Optional(t.Service), Refund: api.Optional(int64(t.Refund)), ReceivedAt: t.ReceivedAt, FinishedAt: api.Optional(t.FinishedAt),
		RefundRequest: viewRequest(t.Request),
	}
	if !t.PaidAt.Equal(t.ReceivedAt) { // which it is where the partner did not say
		out.PaidAt = api.Optional(t.PaidAt)
	}
	if out.State == PartnerPaymentStateDeclined {
		if p, known := problems[t.Decision]; known {
			out.Reason = &p.Key
		}
	}
	return out
}

// stateOf is the contract's name of how a transaction stands. What is in doubt at the
// register is ours to clear: the partner's money is taken.
func stateOf(t payment.Transaction) PartnerPaymentState {
	switch {
	case t.Decision == payment.TakenBack, t.State == payment.Cancelled:
		return PartnerPaymentStateCancelled
	case t.Decision != payment.Approved:
		return PartnerPaymentStateDeclined
	case t.State == payment.Settled:
		return PartnerPaymentStateSettled
	case t.State == payment.RefundDue:
		return PartnerPaymentStateRefundDue
	case t.State == payment.Refunded:
		return PartnerPaymentStateRefunded
	}
	return PartnerPaymentStateAccepted
}
