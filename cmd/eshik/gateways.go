package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/ussd"
)

// ussdFormats are the wire formats that are understood.
var ussdFormats = map[string]func(ussd.Config, ussd.Deps) (*ussd.Gateway, error){
	"africastalking": ussd.NewAfricasTalking, "infobip": ussd.NewInfobip,
	"hubtel": ussd.NewHubtel, "plain": ussd.NewPlain,
}

// ussdGateway is one [[ussd]] table of the gateways' file. Secrets are named by
// the variable of the environment that holds them, so that the file may be shown.
type ussdGateway struct {
	Format       string         `toml:"format"`
	SecretEnv    string         `toml:"secret_env"`
	HMACEnv      []string       `toml:"hmac_env"`
	Certificates []string       `toml:"certificates"`
	Networks     []netip.Prefix `toml:"networks"`
	Lifetime     time.Duration  `toml:"lifetime"`
	budget
	Operators map[string]budget `toml:"operators"`

	secret string
	keys   []string
}

// budget is what a screen holds.
type budget struct {
	Septets int `toml:"septets"`
	Units   int `toml:"units"`
}

// The bounds of a budget: less than the smallest cannot hold a choice and the
// way back; no network carries more than the largest.
const (
	minSeptets, maxSeptets = 80, 182
	minUnits, maxUnits     = 40, 80
)

func (b budget) check() error {
	if b == (budget{}) {
		return nil
	}
	if b.Septets < minSeptets || b.Septets > maxSeptets || b.Units < minUnits || b.Units > maxUnits {
		return fmt.Errorf("a screen holds %d to %d septets and %d to %d units", minSeptets, maxSeptets, minUnits, maxUnits)
	}
	return nil
}

// readGateways reads the file, or makes the one gateway that needs none.
func readGateways(c *Config) ([]ussdGateway, error) {
	if c.Gateways == "" {
		return []ussdGateway{{Format: "africastalking", secret: c.USSDSecret}}, nil
	}
	var file struct {
		USSD []ussdGateway `toml:"ussd"`
	}
	meta, err := toml.DecodeFile(c.Gateways, &file)
	if err != nil {
		return nil, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("no setting is called %v", unknown)
	}
	if len(file.USSD) == 0 {
		return nil, errors.New("the file has no [[ussd]] table")
	}
	seen := map[string]bool{}
	for i := range file.USSD {
		g := &file.USSD[i]
		if seen[g.Format] {
			return nil, fmt.Errorf("format %q is there twice", g.Format)
		}
		seen[g.Format] = true
		if err := g.resolve(); err != nil {
			return nil, fmt.Errorf("format %q: %w", g.Format, err)
		}
	}
	return file.USSD, nil
}

// resolve checks a table and reads its secrets.
func (g *ussdGateway) resolve() error {
	if ussdFormats[g.Format] == nil {
		return errors.New("format is africastalking, infobip, hubtel or plain")
	}
	if g.SecretEnv != "" {
		if g.secret = os.Getenv(g.SecretEnv); len(g.secret) < 16 {
			return fmt.Errorf("%s is missing or shorter than 16 characters", g.SecretEnv)
		}
	}
	for _, name := range g.HMACEnv {
		key := os.Getenv(name)
		if key == "" {
			return fmt.Errorf("%s is missing", name)
		}
		g.keys = append(g.keys, key)
	}
	faults := []error{g.budget.check()}
	for name, b := range g.Operators {
		if b == (budget{}) {
			faults = append(faults, fmt.Errorf("operator %q has no septets and units", name))
		}
		faults = append(faults, b.check())
	}
	return errors.Join(slices.DeleteFunc(faults, func(err error) bool { return err == nil })...)
}

// config is the table as the gateway takes it.
func (g ussdGateway) config(sandbox bool) ussd.Config {
	budgets := ussd.Budgets{Default: dialog.Budget(g.budget), Operators: map[string]dialog.Budget{}}
	for name, b := range g.Operators {
		budgets.Operators[name] = dialog.Budget(b)
	}
	return ussd.Config{
		Auth: ussd.Auth{
			Secret: g.secret, HMACKeys: g.keys, Certificates: g.Certificates, Networks: g.Networks, AllowLoopback: sandbox,
		},
		Budgets: budgets, Lifetime: g.Lifetime,
	}
}
