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
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
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
	all, list := estimates(texts), tariffs(prices)
	table := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
	printPrices(table, list)
	printEstimates(table, all, list)
	printSums(table, all, list)
	return errors.Join(table.Flush(), tooLong(all))
}

// estimate is one message in one language, with the longest values.
type estimate struct {
	key     string
	locale  locales.Locale
	wording string // full or short
	gsm.Estimate
	bound int // the parts it may take
}

func estimates(texts *locales.Catalogue) (all []estimate) {
	for _, key := range texts.Messages() {
		var values []any
		for _, name := range texts.Placeholders(key) {
			values = append(values, name, texts.Longest(name))
		}
		for _, loc := range locales.All {
			full, short := texts.Message(loc, key, values...)
			e := estimate{key: key, locale: loc, wording: "full", bound: texts.Bound(key)}
			chosen := gsm.Pick(full, short)
			if chosen != full {
				e.wording = "short"
			}
			e.Estimate = gsm.Measure(chosen)
			all = append(all, e)
		}
	}
	return all
}

// tooLong names the messages that take more parts than they may.
func tooLong(all []estimate) error {
	var faults []error
	for _, e := range all {
		if e.Parts > e.bound {
			faults = append(faults, fmt.Errorf("%s in %s takes %d parts; by locales/messages.toml it may take %d", e.key, e.locale, e.Parts, e.bound))
		}
	}
	return errors.Join(faults...)
}

// tariff is the lowest price of a part to an operator.
type tariff struct {
	operator string // "" are all others
	provider string // "": nobody serves it
	tyiyn    int64
}

// tariffs finds whom each operator's messages go to while all do well.
func tariffs(prices []app.PriceList) (all []tariff) {
	for _, operator := range append(caller.Operators(), "") {
		t := tariff{operator: operator}
		for _, list := range prices {
			price, served := list.Price(operator)
			if served && (t.provider == "" || price < t.tyiyn) {
				t.provider, t.tyiyn = list.Provider, price
			}
		}
		all = append(all, t)
	}
	return all
}

// name is the operator's as a column is called.
func (t tariff) name() string { return cmp.Or(t.operator, "other") }

// cost is that of some parts, in som.
func (t tariff) cost(parts int) string {
	if t.provider == "" {
		return "-"
	}
	tyiyn := t.tyiyn * int64(parts)
	return fmt.Sprintf("%d.%02d", tyiyn/100, tyiyn%100)
}

func printPrices(out io.Writer, list []tariff) {
	_, _ = fmt.Fprintln(out, "operator\tcheapest provider\tsom a part")
	for _, t := range list {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\n", t.name(), cmp.Or(t.provider, "-"), t.cost(1))
	}
	if !slices.ContainsFunc(list, func(t tariff) bool { return t.tyiyn > 0 }) {
		_, _ = fmt.Fprintln(out, "There are no prices: ESHIK_GATEWAYS names no file with [[sms]] tables.")
	}
}

func printEstimates(out io.Writer, all []estimate, list []tariff) {
	_, _ = fmt.Fprintf(out, "\nmessage\tlanguage\twording\tencoding\tunits\tparts\t%s\n", columns(list))
	for _, e := range all {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", e.key, e.locale, e.wording, e.Encoding, e.Units, e.Parts, costs(list, e.Parts))
	}
}

// printSums adds the messages up, each once.
func printSums(out io.Writer, all []estimate, list []tariff) {
	_, _ = fmt.Fprintf(out, "\nall messages\tmessages\tparts\tover one part\t%s\n", columns(list))
	for _, loc := range locales.All {
		messages, parts, over := 0, 0, 0
		for _, e := range all {
			if e.locale != loc {
				continue
			}
			messages, parts = messages+1, parts+e.Parts
			if e.Parts > 1 {
				over++
			}
		}
		_, _ = fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%s\n", loc, messages, parts, over, costs(list, parts))
	}
}

// columns are the operators' names, and costs what some parts cost to each.
func columns(list []tariff) string {
	return joined(list, func(t tariff) string { return t.name() + ", som" })
}

func costs(list []tariff, parts int) string {
	return joined(list, func(t tariff) string { return t.cost(parts) })
}

func joined(list []tariff, cell func(tariff) string) string {
	cells := make([]string, len(list))
	for i, t := range list {
		cells[i] = cell(t)
	}
	return strings.Join(cells, "\t")
}
