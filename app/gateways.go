package app

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/ussd"
)

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

func (b budget) check() error {
	if b == (budget{}) {
		return nil
	}
	least, most := dialog.MinBudget, ussd.DefaultBudget // no network carries more
	if !dialog.Budget(b).Enough() || b.Septets > most.Septets || b.Units > most.Units {
		return fmt.Errorf("a screen holds %d to %d septets and %d to %d units", least.Septets, most.Septets, least.Units, most.Units)
	}
	return nil
}

// gatewaysFile is the file that ESHIK_GATEWAYS names.
type gatewaysFile struct {
	USSD []ussdGateway `toml:"ussd"`
	SMPP []smppTable   `toml:"smpp"`
	SMS  []smsTable    `toml:"sms"`
}

// readGateways reads the file, or makes the gateways that need none.
func readGateways(c *Config) (file gatewaysFile, err error) {
	if c.Gateways == "" {
		return gatewaysFile{
			USSD: []ussdGateway{{Format: ussd.Formats()[0], secret: c.USSDSecret}}, SMS: []smsTable{onlyTwilio()},
		}, nil
	}
	if file, err = decodeGateways(c.Gateways); err != nil {
		return file, err
	}
	return file, file.resolve()
}

// decodeGateways reads what is written in the file, and no secret.
func decodeGateways(path string) (file gatewaysFile, err error) {
	meta, err := toml.DecodeFile(path, &file)
	if err != nil {
		return file, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return file, fmt.Errorf("no setting is called %v", unknown)
	}
	if len(file.SMS) == 0 {
		file.SMS = []smsTable{onlyTwilio()}
	}
	return file, nil
}

// Screens are the budgets that the gateways' file at path sets, by the gateway, or the
// gateway and the operator, that has them; none where path is empty. No secret is read.
func Screens(path string) (map[string]dialog.Budget, error) {
	if path == "" {
		return nil, nil
	}
	file, err := decodeGateways(path)
	if err != nil {
		return nil, err
	}
	return file.screens()
}

// screens are the budgets that the file sets, by the gateway, or the gateway and
// the operator, that has them.
func (f *gatewaysFile) screens() (map[string]dialog.Budget, error) {
	found := map[string]dialog.Budget{}
	add := func(gateway string, usual budget, operators map[string]budget) error {
		if usual != (budget{}) {
			found[gateway] = dialog.Budget(usual)
		}
		for operator, b := range operators {
			found[gateway+" "+operator] = dialog.Budget(b)
		}
		if err := checkBudgets(usual, operators); err != nil {
			return fmt.Errorf("%s: %w", gateway, err)
		}
		return nil
	}
	var faults []error
	for _, g := range f.USSD {
		faults = append(faults, add(g.Format, g.budget, g.Operators))
	}
	for _, l := range f.SMPP {
		faults = append(faults, add(l.Name, l.budget, l.Operators))
	}
	return found, errors.Join(faults...)
}

// resolve checks all tables and reads their secrets.
func (f *gatewaysFile) resolve() error {
	seen := map[string]bool{}
	for _, name := range providerNames() {
		seen[name] = true
	}
	dialogues := len(f.USSD) > 0
	formats := map[string]bool{}
	for i := range f.USSD {
		g := &f.USSD[i]
		if formats[g.Format] {
			return fmt.Errorf("format %q is there twice", g.Format)
		}
		formats[g.Format], seen[g.Format] = true, true
		if err := g.resolve(); err != nil {
			return fmt.Errorf("format %q: %w", g.Format, err)
		}
	}
	links := map[string]bool{}
	for i := range f.SMPP {
		l := &f.SMPP[i]
		if err := l.resolve(seen); err != nil {
			return fmt.Errorf("link %q: %w", l.Name, err)
		}
		seen[l.Name], links[l.Name] = true, l.SMS
		dialogues = dialogues || l.USSD
	}
	if !dialogues {
		return errors.New("the file has no [[ussd]] table, and no [[smpp]] table with ussd = true")
	}
	for _, t := range f.SMS {
		if err := t.check(links); err != nil {
			return fmt.Errorf("sms provider %q: %w", t.Provider, err)
		}
	}
	return nil
}

// has reports whether messages go through a provider.
func (f *gatewaysFile) has(provider string) bool {
	return slices.ContainsFunc(f.SMS, func(t smsTable) bool { return t.Provider == provider })
}

// resolve checks a table and reads its secrets.
func (g *ussdGateway) resolve() error {
	if known := ussd.Formats(); !slices.Contains(known, g.Format) {
		return fmt.Errorf("format is one of %s", strings.Join(known, ", "))
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
	return checkBudgets(g.budget, g.Operators)
}

func checkBudgets(usual budget, operators map[string]budget) error {
	faults := []error{usual.check()}
	for name, b := range operators {
		faults = append(faults, checkOperator(name))
		if b == (budget{}) {
			faults = append(faults, fmt.Errorf("operator %q has no septets and units", name))
		}
		faults = append(faults, b.check())
	}
	return errors.Join(faults...)
}

// checkOperator refuses a name that no phone's operator has: what is set under it
// would never hold.
func checkOperator(name string) error {
	if known := caller.Operators(); !slices.Contains(known, name) {
		return fmt.Errorf("no operator is called %q: they are %s", name, strings.Join(known, ", "))
	}
	return nil
}

// config is the table as the gateway takes it.
func (g ussdGateway) config(sandbox bool, code string) ussd.Config {
	budgets := ussd.Budgets{Default: dialog.Budget(g.budget), Operators: map[string]dialog.Budget{}}
	for name, b := range g.Operators {
		budgets.Operators[name] = dialog.Budget(b)
	}
	return ussd.Config{
		Auth: ussd.Auth{
			Secret: g.secret, HMACKeys: g.keys, Certificates: g.Certificates, Networks: g.Networks, AllowLoopback: sandbox,
		},
		Budgets: budgets, Lifetime: g.Lifetime, Code: code,
	}
}
