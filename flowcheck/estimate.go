package flowcheck

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

// Estimate is three tables, as `eshik sms estimate` prints them: the prices of a part, what
// each message takes in each language with its longest values and costs, and their sums.
// Its error names the messages that take more parts than they may.
func Estimate(prices []app.PriceList) (tables string, err error) {
	texts, err := locales.Load()
	if err != nil {
		return "", fmt.Errorf("the locale files: %w", err)
	}
	all, list := estimates(texts), tariffs(prices)
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 2, 4, 2, ' ', 0)
	printPrices(table, list)
	printEstimates(table, all, list)
	printSums(table, all, list)
	err = errors.Join(table.Flush(), tooLong(all))
	return out.String(), err
}

// estimate is one message in one language, with the longest values.
type estimate struct {
	key     string
	locale  locales.Locale
	wording string       // full or short
	size    gsm.Estimate // of the wording that is sent
	bound   int          // the parts it may take
}

// estimates measures every message in every language.
func estimates(texts *locales.Catalogue) (all []estimate) {
	for _, key := range texts.Messages() {
		for _, loc := range locales.All {
			full, short := texts.Message(loc, key, texts.LongestArgs(loc, key)...)
			e := estimate{key: key, locale: loc, wording: "full", bound: texts.Bound(key)}
			chosen := gsm.Pick(full, short)
			if chosen != full {
				e.wording = "short"
			}
			e.size = gsm.Measure(chosen)
			all = append(all, e)
		}
	}
	return all
}

// tooLong names the messages that take more parts than they may.
func tooLong(all []estimate) error {
	var faults []error
	for _, e := range all {
		if e.size.Parts > e.bound {
			faults = append(faults, fmt.Errorf("%s in %s takes %d parts; by locales/messages.toml it may take %d", e.key, e.locale, e.size.Parts, e.bound))
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

// cost is that of some parts, in som; a dash where nobody serves the operator.
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
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", e.key, e.locale, e.wording, e.size.Encoding, e.size.Units, e.size.Parts, costs(list, e.size.Parts))
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
			messages, parts = messages+1, parts+e.size.Parts
			if e.size.Parts > 1 {
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
