package registry

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/money"
)

// PayResult is the register's answer to a check, a payment or a cancellation.
type PayResult struct {
	// Code is one of CodeOK, CodeNotFound (payment number unknown), CodeClosed,
	// CodeAlreadyPaid, CodeAlreadyCancelled, CodeSumTooLarge, CodeSumTooSmall.
	Code int
	// Cost is what the register wants now; set with CodeOK, and with the codes
	// about the sum where the register says it.
	Cost money.Amount
}

// The status values of setPaymentLegal. Source: public
// integrations of smartcity-service at Tunduk.
const (
	statusCheck  = 0
	statusPay    = 1
	statusCancel = 2
)

// Check asks what is due for a fine (setPaymentLegal, status 0): the only true
// source of an amount due. A sum of 0 asks for the cost alone; any other is
// compared with it.
func (s *SafeCity) Check(ctx context.Context, call Call, paymentNumber string, sum money.Amount, at time.Time) (PayResult, error) {
	return s.setPayment(ctx, call, statusCheck, paymentNumber, sum, at)
}

// Pay tells the register that a fine was paid (status 1), exactly the cost of a
// check. When the call fails and MayHaveActed reports true, the outcome must be
// asked for with Check (CodeAlreadyPaid) or Info before anything else is done.
func (s *SafeCity) Pay(ctx context.Context, call Call, paymentNumber string, sum money.Amount, at time.Time) (PayResult, error) {
	return s.setPayment(ctx, call, statusPay, paymentNumber, sum, at)
}

// Cancel takes a payment back (status 2).
func (s *SafeCity) Cancel(ctx context.Context, call Call, paymentNumber string, sum money.Amount, at time.Time) (PayResult, error) {
	return s.setPayment(ctx, call, statusCancel, paymentNumber, sum, at)
}

func (s *SafeCity) setPayment(
	ctx context.Context, call Call, status int, paymentNumber string, sum money.Amount, at time.Time,
) (PayResult, error) {
	const operation = "setPaymentLegal"
	in := struct {
		Status        int    `xml:"status"`
		Sum           string `xml:"sum"`
		PaymentNumber string `xml:"paymentNumber"`
		PaymentDate   string `xml:"paymentDate"`
	}{status, sum.Decimal(), paymentNumber, at.In(clock.Bishkek).Format("2006-01-02T15:04:05-07:00")}
	var out struct {
		verdict
		Cost string `xml:"cost"`
	}
	if err := s.do(ctx, call, operation, in, &out); err != nil {
		return PayResult{}, err
	}
	if out.Code != CodeOK && (out.Code < CodeNotFound || out.Code > CodeSumTooSmall) {
		return PayResult{}, s.unexpected(operation, out.Code)
	}
	result := PayResult{Code: out.Code}
	if out.Cost == "" {
		// Without a cost a check would quote nothing: not an answer.
		if out.Code == CodeOK && status == statusCheck {
			return PayResult{}, s.misfit(operation, "check without a cost")
		}
		return result, nil
	}
	var err error
	if result.Cost, err = money.ParseSom(out.Cost); err != nil {
		return PayResult{}, s.misfit(operation, "cost")
	}
	return result, nil
}

// PaymentInfo is what the register knows of a fine's payment.
type PaymentInfo struct {
	Paid bool
	// Sum and At are set when Paid.
	Sum money.Amount
	At  time.Time
}

// Info asks how a fine's payment stands (protocolInfo), by the resolution's
// number. found is false when the register has no such resolution.
func (s *SafeCity) Info(ctx context.Context, call Call, protocolNumber string) (info PaymentInfo, found bool, err error) {
	const operation = "protocolInfo"
	in := struct {
		ProtocolNumber string `xml:"protocolNumber"`
	}{protocolNumber}
	var out struct {
		verdict
		PaymentStatus string `xml:"paymentStatus"`
		PaidSum       string `xml:"paidSum"`
		PaymentDate   string `xml:"paymentDate"`
	}
	if err := s.do(ctx, call, operation, in, &out); err != nil {
		return PaymentInfo{}, false, err
	}
	switch {
	case out.Code == CodeNotFound:
		return PaymentInfo{}, false, nil
	case out.Code != CodeOK:
		return PaymentInfo{}, false, s.unexpected(operation, out.Code)
	case out.PaymentStatus == "0":
		return PaymentInfo{}, true, nil
	}
	sum, errSum := money.ParseSom(out.PaidSum)
	at, errAt := parseMoment(out.PaymentDate)
	if out.PaymentStatus != "1" || errSum != nil || errAt != nil {
		return PaymentInfo{}, false, s.misfit(operation, "payment status, sum or date")
	}
	return PaymentInfo{Paid: true, Sum: sum, At: at}, true, nil
}
