package app

import (
	"context"
	"fmt"
	"strconv"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
)

// remittanceOf is what an officer gives, its sum in tyiyn.
func remittanceOf(given map[string]string) (payment.Remittance, error) {
	sum, err := strconv.ParseInt(given["amount"], 10, 64)
	if err != nil {
		return payment.Remittance{}, payment.ErrRemittanceSum
	}
	if staff.NamesPerson(given["reference"]) {
		return payment.Remittance{}, staff.ErrReason
	}
	return payment.Remittance{Partner: given["partner"], Amount: money.Amount(sum), Reference: given["reference"]}, nil
}

func remitFacts(ctx context.Context, a *App, given map[string]string) (string, error) {
	r, err := remittanceOf(given)
	if err != nil {
		return "", err
	}
	return a.Payments.RemitFacts(ctx, r)
}

func remit(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	r, err := remittanceOf(given)
	if err == nil {
		err = a.Payments.Remit(ctx, act, r)
	}
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("Noted: %s paid over %s som; it owes us that no more.", r.Partner, r.Amount.Decimal())}, nil
}

func undoRemittanceFacts(ctx context.Context, a *App, given map[string]string) (string, error) {
	return a.Payments.UndoRemittanceFacts(ctx, given["partner"], given["reference"])
}

func undoRemittance(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	sum, err := a.Payments.UndoRemittance(ctx, act, given["partner"], given["reference"])
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("Turned around: %s owes us %s som again.", given["partner"], sum.Decimal())}, nil
}
