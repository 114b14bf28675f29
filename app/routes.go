package app

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/ussd"
)

// twilio is the one provider whose account is in settings of its own.
const twilio = "twilio"

// providerKind finds a provider that is no link of ours.
func providerKind(name string) (kind sms.Kind, has bool) {
	kinds := sms.Kinds()
	at := slices.IndexFunc(kinds, func(k sms.Kind) bool { return k.Name == name })
	if at < 0 {
		return kind, false
	}
	return kinds[at], true
}

// providerNames are those of providerKind.
func providerNames() (names []string) {
	for _, k := range sms.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// smsTable is one [[sms]] table of the gateways' file: a provider of messages,
// with its price list.
type smsTable struct {
	// Provider is one of sms.Kinds or the name of an [[smpp]] table.
	Provider string `toml:"provider"`
	// Price is that of a part in som; Prices are those of single operators. Without
	// Price only these are served.
	Price  *float64           `toml:"price"`
	Prices map[string]float64 `toml:"prices"`
	// Rate and Rates are the parts a second.
	Rate  float64            `toml:"rate"`
	Rates map[string]float64 `toml:"rates"`
	// Reports is false where the provider does not tell what became of messages.
	Reports *bool `toml:"reports"`
	// AskAfter is when a report that did not come is asked for, Lookup false where the
	// provider is not to be told numbers for their operators, and LowBalance the som that
	// should be left in the account: each where the provider can tell.
	AskAfter   time.Duration `toml:"ask_after"`
	Lookup     *bool         `toml:"lookup"`
	LowBalance float64       `toml:"low_balance"`
	// Username, APIKeyEnv, SecretEnv, From and URL are the account at a provider that
	// has no settings of its own.
	Username  string `toml:"username"`
	APIKeyEnv string `toml:"api_key_env"`
	SecretEnv string `toml:"secret_env"`
	From      string `toml:"from"`
	URL       string `toml:"url"`
}

// onlyTwilio is the table where the file has none.
func onlyTwilio() smsTable { return smsTable{Provider: twilio, Price: new(float64)} }

// check refuses a table that no route can be made of.
func (t smsTable) check(links map[string]bool) error {
	kind, has := providerKind(t.Provider)
	if !has && !links[t.Provider] {
		return fmt.Errorf("provider is %s or the name of an [[smpp]] table with sms = true, not %q",
			strings.Join(slices.Sorted(slices.Values(providerNames())), ", "), t.Provider)
	}
	if err := t.checkPrices(); err != nil {
		return err
	}
	if t.AskAfter < 0 || t.AskAfter > longestAskAfter {
		return fmt.Errorf("ask_after is up to %s, as \"1m\"", longestAskAfter)
	}
	if t.LowBalance < 0 || t.LowBalance > mostBalance {
		return fmt.Errorf("low_balance is an amount of som from 0 to %d", mostBalance)
	}
	if has && !kind.Fits(t.account()) {
		return fmt.Errorf("%s needs %s", t.Provider, kind.Needs)
	}
	return nil
}

// The most of an account's settings: later a report is worth little, and nobody pays so
// much beforehand.
const (
	longestAskAfter = time.Hour
	mostBalance     = 100_000_000
)

// checkPrices refuses prices and rates that cannot be meant.
func (t smsTable) checkPrices() error {
	if t.Price == nil && len(t.Prices) == 0 {
		return errors.New("price or prices is needed, in som a part")
	}
	for name := range t.Rates {
		if err := checkOperator(name); err != nil {
			return err
		}
	}
	for name, price := range t.Prices {
		if err := checkOperator(name); err != nil {
			return err
		}
		if !validPrice(price) {
			return fmt.Errorf("the price for %s is an amount of som from 0 to 1000", name)
		}
	}
	if t.Price != nil && !validPrice(*t.Price) {
		return errors.New("price is an amount of som from 0 to 1000")
	}
	return nil
}

func validPrice(som float64) bool { return som >= 0 && som <= 1000 }

// route is the table as the router takes it.
func (t smsTable) route(provider sms.Provider) sms.Route {
	route := sms.Route{
		Provider: provider, Prices: map[string]int64{}, Rates: map[string]float64{}, Reports: t.Reports == nil || *t.Reports,
		AskAfter: t.AskAfter, Lookup: t.Lookup == nil || *t.Lookup, LowBalance: money.Amount(tyiyn(t.LowBalance)),
	}
	for operator, som := range t.Prices {
		route.Prices[operator] = tyiyn(som)
	}
	if t.Price != nil {
		route.Prices[""] = tyiyn(*t.Price)
	}
	for operator, limit := range t.Rates {
		route.Rates[operator] = limit
	}
	if t.Rate != 0 {
		route.Rates[""] = t.Rate
	}
	return route
}

func tyiyn(som float64) int64 { return int64(math.Round(som * 100)) }

// PriceList is what messages cost at one provider of the gateways' file.
type PriceList struct {
	Provider string
	route    sms.Route
}

// Price is that of one part to an operator, in tyiyn, and whether the provider serves it;
// "" is every operator without a price of its own.
func (l PriceList) Price(operator string) (tyiyn int64, served bool) { return l.route.Price(operator) }

// PriceLists are those of the gateways' file at path; where path is empty, of Twilio,
// which then costs nothing. No secret is read.
func PriceLists(path string) (lists []PriceList, err error) {
	tables := []smsTable{onlyTwilio()}
	if path != "" {
		file, err := decodeGateways(path)
		if err != nil {
			return nil, err
		}
		tables = file.SMS
	}
	for _, t := range tables {
		if err := t.checkPrices(); err != nil {
			return nil, fmt.Errorf("sms provider %q: %w", t.Provider, err)
		}
		lists = append(lists, PriceList{t.Provider, t.route(nil)})
	}
	return lists, nil
}

// buildRouter makes the links and providers of the gateways' file.
func (a *App) buildRouter() (*sms.Router, error) {
	providers := map[string]sms.Provider{}
	for _, table := range a.config.gateways.SMPP {
		l, err := a.newLink(table)
		if err != nil {
			return nil, err
		}
		a.links = append(a.links, l)
		if l.sms != nil {
			providers[table.Name] = l.sms
		}
	}
	var routes []sms.Route
	for _, table := range a.config.gateways.SMS {
		provider, err := a.provider(table, providers)
		if err != nil {
			return nil, UsageError{err}
		}
		routes = append(routes, table.route(provider))
	}
	router, err := sms.NewRouter(a.DB, a.Clock, routes...)
	if err != nil {
		return nil, UsageError{err}
	}
	return router, nil
}

func (a *App) provider(table smsTable, links map[string]sms.Provider) (sms.Provider, error) {
	kind, has := providerKind(table.Provider)
	if !has {
		return links[table.Provider], nil
	}
	made, err := kind.Make(a.account(table), sms.CallbackDeps{
		Deliveries: callbacks{a}, Receiver: callbacks{a}, Now: a.Clock, Refused: a.metrics.refuse(refusedBy(kind.Name)), Log: a.Log,
	})
	if err != nil {
		return nil, err
	}
	if hears, ok := made.(smsCallbacks); ok {
		a.callbacks = append(a.callbacks, hears)
	}
	return made, nil
}

// smsCallbacks is a provider that calls us.
type smsCallbacks interface{ Register(r fiber.Router) }

// refusedBy is under what a provider's refused callbacks are counted: its name, set
// apart where a USSD gateway has the same.
func refusedBy(provider string) string {
	if slices.Contains(ussd.Formats(), provider) {
		return provider + "-sms"
	}
	return provider
}

// account is who we are at a table's provider, with its secrets.
func (t smsTable) account() sms.Account {
	return sms.Account{Username: t.Username, APIKey: os.Getenv(t.APIKeyEnv), Secret: os.Getenv(t.SecretEnv), From: t.From, URL: t.URL}
}

func (a *App) account(t smsTable) sms.Account {
	made := t.account()
	if t.Provider == twilio {
		made = sms.Account{Username: a.config.TwilioSID, APIKey: a.config.TwilioToken, From: a.config.SMSNumber, URL: a.config.TwilioURL}
	}
	made.PublicURL, made.AllowLoopback = a.config.PublicURL, !a.config.production()
	return made
}
