package main

import (
	"fmt"
	"strconv"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/money"
)

// remittance is what an officer notes of a bank's document.
type remittance struct {
	Partner   string `required:"" help:"The partner that paid."`
	Som       string `required:"" help:"The document's sum, as 1500.00."`
	Reference string `required:"" help:"The number of the bank's document; each counts once."`
}

// given are its arguments, the sum in tyiyn.
func (r remittance) given() (map[string]string, error) {
	sum, err := money.ParseSom(r.Som)
	if err != nil {
		return nil, app.UsageError{Err: fmt.Errorf("--som: %w", err)}
	}
	return map[string]string{"partner": r.Partner, "amount": strconv.FormatInt(int64(sum), 10), "reference": r.Reference}, nil
}

// remittanceUndone is one that was noted wrongly.
type remittanceUndone struct {
	Partner   string `required:"" help:"The partner for which it was noted."`
	Reference string `required:"" help:"The number of the bank's document with which it was noted."`
}

// given are its arguments.
func (r remittanceUndone) given() map[string]string {
	return map[string]string{"partner": r.Partner, "reference": r.Reference}
}
