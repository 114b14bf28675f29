package sms

import (
	"errors"
	"net/url"
	"time"
)

// Account is who we are at a provider: one [[sms]] table of the gateways' file, with
// the secrets that it names.
type Account struct {
	// Username, APIKey, From and URL are as the provider calls its login, password,
	// approved sender and base address. Secret, of 16 characters or more, is in the path
	// of callbacks that nobody signs.
	Username, APIKey, Secret, From, URL string
	// PublicURL is our address as the provider knows it, without a path.
	PublicURL string
	// AllowLoopback accepts programs on this machine as the provider: for the sandbox.
	AllowLoopback bool
}

// Kind is a provider that is no link of ours.
type Kind struct {
	// Name is the provider's for good.
	Name string
	// Needs says in the words of the [[sms]] table what an account must have, and Fits
	// whether it has.
	Needs string
	Fits  func(a Account) bool
	// Make makes the provider; one that has a Register method has callbacks.
	Make func(a Account, deps CallbackDeps) (Provider, error)
}

// Kinds are all of them, the one that needs no gateways' file first: a new provider is
// its file, its lines in docs/guides/providers.md, and a line here.
func Kinds() []Kind {
	return []Kind{
		kindTwilio(),
		kindAfricasTalking(),
		kindSMSPRO(),
	}
}

// hasSecrets reports an account that can sign in and be called back.
func (a Account) hasSecrets() bool {
	return a.Username != "" && a.APIKey != "" && len(a.Secret) >= shortestSecret
}

const (
	// shortestSecret is the least of a secret in a callback's path.
	shortestSecret = 16
	// defaultTimeout bounds one call to a provider.
	defaultTimeout = 10 * time.Second
)

// errAddress says what a provider's base address must be.
var errAddress = errors.New("the base address must be http://… or https://…")

// reachable reads a provider's base address and what one call may take; zero is
// defaultTimeout.
func reachable(address string, timeout time.Duration) (*url.URL, time.Duration, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, 0, errAddress
	}
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return base, timeout, nil
}
