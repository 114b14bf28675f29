package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/flowcheck"
)

type smsCommand struct {
	Estimate smsEstimate `cmd:"" help:"Print how many SMS parts each message takes in each language, and what it costs; exit code 1 when one takes more than it may."`
	Silenced smsSilenced `cmd:"" help:"List the phones that are or were not answered within a month, as what they sent looked like a machine's answers."`
}

type smsEstimate struct{}

// Help is shown by `eshik sms estimate --help`.
func (smsEstimate) Help() string {
	return `Each message is measured with the longest values that its placeholders can take (locales/placeholders.toml), in the wording that would be ` +
		`sent: the short one where it needs fewer parts. Units are septets in GSM-7, of which one part holds 160, and UTF-16 units in UCS-2, of which ` +
		`it holds 70; one Cyrillic letter makes all of a message UCS-2.

A cost is that of all parts at the cheapest provider that serves the operator, by the prices of the [[sms]] tables in the file that ` +
		`ESHIK_GATEWAYS names; "other" is every other operator, and a dash says that nobody serves it. How many parts a message may take stands in ` +
		`locales/messages.toml.

Answers to what a citizen dials or texts are not among these: they are as long as the screen.`
}

// Run prints the tables.
func (smsEstimate) Run(config *app.Config, out io.Writer) error {
	prices, err := app.PriceLists(config.Gateways)
	if err != nil {
		return app.UsageError{Err: fmt.Errorf("ESHIK_GATEWAYS: %w", err)}
	}
	tables, err := flowcheck.Estimate(prices)
	_, failed := io.WriteString(out, tables)
	return errors.Join(failed, err)
}
