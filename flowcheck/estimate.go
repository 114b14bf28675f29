package flowcheck

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
)

// Estimate is one message in one language, with the longest values.
type Estimate struct {
	Key     string
	Locale  locales.Locale
	Wording string       // full or short
	Size    gsm.Estimate // of the wording that is sent
	Bound   int          // the parts it may take
}

// Estimates measures every message in every language.
func Estimates(texts *locales.Catalogue) (all []Estimate) {
	for _, key := range texts.Messages() {
		var values []any
		for _, name := range texts.Placeholders(key) {
			values = append(values, name, texts.Longest(name))
		}
		for _, loc := range locales.All {
			full, short := texts.Message(loc, key, values...)
			e := Estimate{Key: key, Locale: loc, Wording: "full", Bound: texts.Bound(key)}
			chosen := gsm.Pick(full, short)
			if chosen != full {
				e.Wording = "short"
			}
			e.Size = gsm.Measure(chosen)
			all = append(all, e)
		}
	}
	return all
}

// TooLong names the messages that take more parts than they may.
func TooLong(all []Estimate) error {
	var faults []error
	for _, e := range all {
		if e.Size.Parts > e.Bound {
			faults = append(faults, fmt.Errorf("%s in %s takes %d parts; by locales/messages.toml it may take %d", e.Key, e.Locale, e.Size.Parts, e.Bound))
		}
	}
	return errors.Join(faults...)
}

// Tariff is the lowest price of a part to an operator.
type Tariff struct {
	Operator string // "" are all others
	Provider string // "": nobody serves it
	Tyiyn    int64
}

// Tariffs finds whom each operator's messages go to while all do well.
func Tariffs(prices []app.PriceList) (all []Tariff) {
	for _, operator := range append(caller.Operators(), "") {
		t := Tariff{Operator: operator}
		for _, list := range prices {
			price, served := list.Price(operator)
			if served && (t.Provider == "" || price < t.Tyiyn) {
				t.Provider, t.Tyiyn = list.Provider, price
			}
		}
		all = append(all, t)
	}
	return all
}

// Name is the operator's as a column is called.
func (t Tariff) Name() string { return cmp.Or(t.Operator, "other") }

// Cost is that of some parts, in som; a dash where nobody serves the operator.
func (t Tariff) Cost(parts int) string {
	if t.Provider == "" {
		return "-"
	}
	tyiyn := t.Tyiyn * int64(parts)
	return fmt.Sprintf("%d.%02d", tyiyn/100, tyiyn%100)
}
