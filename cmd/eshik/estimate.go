package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/flowcheck"
	"github.com/eshik-kg/eshik/locales"
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
	texts, err := locales.Load()
	if err != nil {
		return fmt.Errorf("the locale files: %w", err)
	}
	all, list := flowcheck.Estimates(texts), flowcheck.Tariffs(prices)
	table := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
	printPrices(table, list)
	printEstimates(table, all, list)
	printSums(table, all, list)
	return errors.Join(table.Flush(), flowcheck.TooLong(all))
}

func printPrices(out io.Writer, list []flowcheck.Tariff) {
	_, _ = fmt.Fprintln(out, "operator\tcheapest provider\tsom a part")
	for _, t := range list {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\n", t.Name(), cmp.Or(t.Provider, "-"), t.Cost(1))
	}
	if !slices.ContainsFunc(list, func(t flowcheck.Tariff) bool { return t.Tyiyn > 0 }) {
		_, _ = fmt.Fprintln(out, "There are no prices: ESHIK_GATEWAYS names no file with [[sms]] tables.")
	}
}

func printEstimates(out io.Writer, all []flowcheck.Estimate, list []flowcheck.Tariff) {
	_, _ = fmt.Fprintf(out, "\nmessage\tlanguage\twording\tencoding\tunits\tparts\t%s\n", columns(list))
	for _, e := range all {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", e.Key, e.Locale, e.Wording, e.Size.Encoding, e.Size.Units, e.Size.Parts, costs(list, e.Size.Parts))
	}
}

// printSums adds the messages up, each once.
func printSums(out io.Writer, all []flowcheck.Estimate, list []flowcheck.Tariff) {
	_, _ = fmt.Fprintf(out, "\nall messages\tmessages\tparts\tover one part\t%s\n", columns(list))
	for _, loc := range locales.All {
		messages, parts, over := 0, 0, 0
		for _, e := range all {
			if e.Locale != loc {
				continue
			}
			messages, parts = messages+1, parts+e.Size.Parts
			if e.Size.Parts > 1 {
				over++
			}
		}
		_, _ = fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%s\n", loc, messages, parts, over, costs(list, parts))
	}
}

// columns are the operators' names, and costs what some parts cost to each.
func columns(list []flowcheck.Tariff) string {
	return joined(list, func(t flowcheck.Tariff) string { return t.Name() + ", som" })
}

func costs(list []flowcheck.Tariff, parts int) string {
	return joined(list, func(t flowcheck.Tariff) string { return t.Cost(parts) })
}

func joined(list []flowcheck.Tariff, cell func(flowcheck.Tariff) string) string {
	cells := make([]string, len(list))
	for i, t := range list {
		cells[i] = cell(t)
	}
	return strings.Join(cells, "\t")
}
