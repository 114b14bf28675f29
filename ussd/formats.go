package ussd

import (
	"fmt"
	"strings"
)

// formats are the wire formats that are spoken, the one that needs no gateways' file
// first: a new one is its file, its chapter in docs/guides/gateways.md, and a line here.
func formats() []format {
	return []format{
		formatAfricasTalking(),
		formatInfobip(),
		formatHubtel(),
		formatPlain(),
	}
}

// Formats names the wire formats, the one that needs no gateways' file first.
func Formats() (names []string) {
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// New makes a gateway that speaks one of Formats. Any other name is an error, and so is
// a gateway that has no proof of who calls: nobody could be let in.
func New(name string, cfg Config, deps Deps) (*Gateway, error) {
	for _, f := range formats() {
		if f.name == name {
			return newGateway(f, cfg, deps)
		}
	}
	return nil, fmt.Errorf("format is one of %s, not %q", strings.Join(Formats(), ", "), name)
}
