// Package registry speaks to the state's registries over X-Road (Tunduk): the
// REST message protocol 1.0.4 and the SOAP message protocol 4.0, and offers the
// producers that services need as typed clients.
//
// Every call carries who asks (UserId) and why (Issue), so that a look at
// somebody's data can be traced in the registry's own log. Personal numbers,
// bodies and addresses of requests never appear in this package's errors.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Call says on whose behalf and for which case a registry is asked.
type Call struct {
	// UserID is "KG" and the 14-digit PIN of the citizen, or the officer's id
	// (X-Road-UserId).
	UserID string
	// Issue is our application number (X-Road-Issue).
	Issue string
	// Leaving, where it is set, is called once, when there is a connection and right
	// before the first byte of the request's body is written to it. When it fails,
	// the request ends without its body, which no registry acts upon, and the call
	// returns Leaving's error. Only SOAP calls have a body.
	Leaving func(ctx context.Context) error
}

// check refuses a call that nobody could trace, or that would smuggle a header.
func (c Call) check() error {
	if c.UserID == "" || c.Issue == "" {
		return errors.New("a registry call needs UserID and Issue")
	}
	if strings.ContainsFunc(c.UserID+c.Issue, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("a registry call's UserID and Issue must be printable ASCII")
	}
	return nil
}

// Config is the way to the security server.
type Config struct {
	// BaseURL is the address of our own security server ("http://10.0.0.5").
	BaseURL string
	// Client is our subsystem: INSTANCE/CLASS/MEMBER/SUBSYSTEM.
	Client string
	// Timeout bounds one call with its answer; zero: 8 s, so that a USSD turn
	// (10 s) can still be answered.
	Timeout time.Duration
	// OpenFor is how long a service that failed five times in a row is left
	// alone before one call tries it again; zero: 15 s.
	OpenFor time.Duration
	// HTTP carries the calls; nil: a client of our own, without a proxy. Its
	// redirect policy is replaced: X-Road redirects are never followed.
	HTTP *http.Client
	// NewID gives the message id (X-Road-Id); nil: random UUIDs.
	NewID func() string
}

const (
	defaultTimeout = 8 * time.Second
	defaultOpenFor = 15 * time.Second
)

// withDefaults fills what was left out and checks the rest.
func (c Config) withDefaults() (Config, error) {
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return c, fmt.Errorf("registry: base URL %q is no http(s) address", c.BaseURL)
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if parts := strings.Split(c.Client, "/"); len(parts) != 4 || !identifiers(parts) {
		return c, fmt.Errorf("registry: client %q is not INSTANCE/CLASS/MEMBER/SUBSYSTEM", c.Client)
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.OpenFor <= 0 {
		c.OpenFor = defaultOpenFor
	}
	if c.NewID == nil {
		c.NewID = uuid.NewString
	}
	c.HTTP = withoutRedirects(c.HTTP)
	return c, nil
}

func withoutRedirects(given *http.Client) *http.Client {
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second}}
	if given != nil {
		client = *given
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// ServiceID names a service of a producer on X-Road.
type ServiceID struct {
	Instance, Class, Member, Subsystem string
	// Service is the service code; with SOAP it is the operation.
	Service string
	// Version is optional.
	Version string
}

// ParseService reads INSTANCE/CLASS/MEMBER/SUBSYSTEM[/SERVICE[/VERSION]], the
// way services are written in the configuration.
func ParseService(text string) (ServiceID, error) {
	parts := strings.Split(text, "/")
	if len(parts) < 4 || len(parts) > 6 || !identifiers(parts) {
		return ServiceID{}, fmt.Errorf("registry: %q is not INSTANCE/CLASS/MEMBER/SUBSYSTEM[/SERVICE[/VERSION]]", text)
	}
	parts = append(parts, "", "")
	return ServiceID{
		Instance: parts[0], Class: parts[1], Member: parts[2],
		Subsystem: parts[3], Service: parts[4], Version: parts[5],
	}, nil
}

// String writes the id as ParseService reads it.
func (s ServiceID) String() string { return strings.Join(s.parts(), "/") }

// parts lists the parts that are set.
func (s ServiceID) parts() []string {
	parts := []string{s.Instance, s.Class, s.Member, s.Subsystem}
	for _, p := range []string{s.Service, s.Version} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return parts
}

// identifier is what X-Road allows in an identifier; there is no underscore.
// Source: "X-Road: Message Protocol for REST" 1.0.4.
var identifier = regexp.MustCompile(`^[A-Za-z0-9'()+,\-.=?]+$`)

func identifiers(parts []string) bool {
	for _, p := range parts {
		if !identifier.MatchString(p) || strings.Trim(p, ".") == "" {
			return false
		}
	}
	return true
}
