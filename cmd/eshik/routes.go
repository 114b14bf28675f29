package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/sms"
)

// twilio is the one provider whose account is in settings of its own.
const twilio = "twilio"

// providerKind is a provider that is no link of ours.
type providerKind struct {
	// needs says what a table of it must have; fits whether it has.
	needs string
	fits  func(t smsTable) bool
	build func(a *app, t smsTable) (sms.Provider, error)
}

// providerKinds are all of them: a new one is its file in sms/ and a line here. One
// that has a Register method gets its callbacks mounted.
func providerKinds() map[string]providerKind {
	return map[string]providerKind{
		twilio:           {"", func(smsTable) bool { return true }, buildTwilio},
		"africastalking": {"username, api_key_env, and secret_env with 16 characters or more", smsTable.hasAfricasTalking, buildAfricasTalking},
		"smspro":         {"username, api_key_env, from, url, and secret_env with 16 characters or more", smsTable.hasSMSPRO, buildSMSPRO},
	}
}

func (t smsTable) hasAfricasTalking() bool {
	return t.Username != "" && os.Getenv(t.APIKeyEnv) != "" && len(os.Getenv(t.SecretEnv)) >= 16
}

func (t smsTable) hasSMSPRO() bool { return t.hasAfricasTalking() && t.From != "" && t.URL != "" }

// smsTable is one [[sms]] table of the gateways' file: a provider of messages,
// with its price list.
type smsTable struct {
	// Provider is one of providerKinds or the name of an [[smpp]] table.
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
	kinds := providerKinds()
	kind, has := kinds[t.Provider]
	if !has && !links[t.Provider] {
		return fmt.Errorf("provider is %s or the name of an [[smpp]] table with sms = true, not %q",
			strings.Join(slices.Sorted(maps.Keys(kinds)), ", "), t.Provider)
	}
	if err := t.checkPrices(); err != nil {
		return err
	}
	if has && !kind.fits(t) {
		return fmt.Errorf("%s needs %s", t.Provider, kind.needs)
	}
	return nil
}

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
	route := sms.Route{Provider: provider, Prices: map[string]int64{}, Rates: map[string]float64{}, Reports: t.Reports == nil || *t.Reports}
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

// buildRouter makes the links and providers of the gateways' file.
func (a *app) buildRouter() (*sms.Router, error) {
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
			return nil, usageError{err}
		}
		routes = append(routes, table.route(provider))
	}
	router, err := sms.NewRouter(a.db, a.now, routes...)
	if err != nil {
		return nil, usageError{err}
	}
	return router, nil
}

func (a *app) provider(table smsTable, links map[string]sms.Provider) (sms.Provider, error) {
	kind, has := providerKinds()[table.Provider]
	if !has {
		return links[table.Provider], nil
	}
	made, err := kind.build(a, table)
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

// callbackDeps are what a provider's callbacks stand on; refusals are counted
// under gateway.
func (a *app) callbackDeps(gateway string) sms.CallbackDeps {
	return sms.CallbackDeps{Deliveries: callbacks{a}, Taker: callbacks{a}, Now: a.now, Refused: a.metrics.refuse(gateway), Log: a.log}
}

func buildTwilio(a *app, _ smsTable) (sms.Provider, error) {
	return sms.NewTwilio(sms.TwilioConfig{
		AccountSID: a.config.TwilioSID, AuthToken: a.config.TwilioToken, From: a.config.SMSNumber,
		BaseURL: a.config.TwilioURL, StatusURL: strings.TrimRight(a.config.PublicURL, "/") + "/sms/twilio/status",
	})
}

func buildAfricasTalking(a *app, t smsTable) (sms.Provider, error) {
	return sms.NewAfricasTalking(sms.AfricasTalkingConfig{
		Username: t.Username, APIKey: os.Getenv(t.APIKeyEnv), From: t.From, BaseURL: t.URL, Secret: os.Getenv(t.SecretEnv),
	}, a.callbackDeps("africastalking-sms"))
}

func buildSMSPRO(a *app, t smsTable) (sms.Provider, error) {
	return sms.NewSMSPRO(sms.SMSPROConfig{
		Login: t.Username, Password: os.Getenv(t.APIKeyEnv), Sender: t.From, BaseURL: t.URL, Secret: os.Getenv(t.SecretEnv),
	}, a.callbackDeps("smspro"))
}
