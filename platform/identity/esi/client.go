// Package esi is the client of the national sign-in (ЕСИ), the state's OpenID Connect
// provider: who signed in there says with which personal number, and perhaps with which phone.
// A browser goes through the authorization code flow with PKCE (RFC 7636), a phone without one
// through the device flow (RFC 8628). Everything that the provider publishes is taken from its
// discovery document; nothing that it sends is believed before its signature, issuer, audience,
// times and nonce are looked at. The client secret and all tokens stay here.
package esi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// What became of a sign-in that gives nobody. Each error of this package is one of these.
var (
	// ErrDown is a provider that does not answer, or answers nonsense: ask again.
	ErrDown = errors.New("the national sign-in does not answer")
	// ErrRefused is an answer that is not believed, or a code that the provider does not take.
	ErrRefused = errors.New("the national sign-in gives nobody who could be believed")
	// ErrPending and ErrSlowDown are of a device whose user has not finished (RFC 8628,
	// section 3.5): ask again, after the second one more slowly (SlowDown).
	ErrPending  = errors.New("the user has not finished yet")
	ErrSlowDown = errors.New("the user has not finished yet, and is asked for too often")
	// ErrExpired is a device code whose time is over, ErrDenied a user who said no.
	ErrExpired = errors.New("the code's time is over")
	ErrDenied  = errors.New("the user said no")
)

// Bounds of what the provider may say.
const (
	// Skew is how far the provider's clock may be from ours.
	Skew = time.Minute
	// SlowDown is what ErrSlowDown adds to the time between two questions (RFC 8628, section 3.5).
	SlowDown = 5 * time.Second
	// freshly is how long ago the user may have typed what they sign in with, where it is said.
	freshly = 15 * time.Minute
	// described is how long the provider's description and its keys are good for.
	described = time.Hour
	// describeAgain is how long after a question for either the next one is asked.
	describeAgain = 10 * time.Second
)

// Config is who we are to the provider.
type Config struct {
	// Issuer is the provider's identifier; its description is found from it.
	Issuer string
	// ClientID and ClientSecret are given by the provider when a client is registered.
	ClientID, ClientSecret string
	// RedirectURL is where the browser comes back to, as it was registered.
	RedirectURL string
	// ACR are the authentication contexts that are asked for and taken; none: whichever the
	// provider has.
	ACR []string
	// Timeout bounds each question; zero: 8 s.
	Timeout time.Duration
	Now     func() time.Time
}

// Client asks the provider. It is safe for concurrent use.
type Client struct {
	config Config
	http   *http.Client
	keys   *keys

	mu    sync.Mutex
	last  *provider
	asked time.Time // for the description, the last time
}

// provider is what the provider says of itself.
type provider struct {
	*oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config
	device   string // the endpoint of devices; empty: it has none
	inForm   bool   // the client's secret goes in the form
	at       time.Time
}

// New makes a client; the provider is first asked when it is needed.
func New(config Config) (*Client, error) {
	issuer, err := url.Parse(config.Issuer)
	if err != nil || issuer.Host == "" || config.ClientID == "" || config.ClientSecret == "" || config.Now == nil {
		return nil, errors.New("the national sign-in needs an issuer, a client's id and secret, and a clock")
	}
	if config.Timeout == 0 {
		config.Timeout = 8 * time.Second
	}
	client := &http.Client{
		Timeout: config.Timeout, Transport: newTransport(),
		// A redirect would carry a code or a token to an address that nobody chose.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Client{config: config, http: client, keys: &keys{http: client, now: config.Now}}, nil
}

// Issuer is the provider's identifier.
func (c *Client) Issuer() string { return c.config.Issuer }

// Address is where the user's browser signs in. state, nonce and verifier are random texts of
// this sign-in alone: the first comes back with the browser, the second in the ID token, and
// who exchanges the code must know the third.
func (c *Client) Address(ctx context.Context, state, nonce, verifier string) (string, error) {
	p, err := c.provider(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{
		oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier),
		// Somebody else's session in a shared browser must not do.
		oauth2.SetAuthURLParam("prompt", "login"),
	}
	if len(c.config.ACR) > 0 {
		options = append(options, oauth2.SetAuthURLParam("acr_values", strings.Join(c.config.ACR, " ")))
	}
	return p.oauth.AuthCodeURL(state, options...), nil
}

// provider gives the provider's description, which is asked for once an hour.
func (c *Client) provider(ctx context.Context) (*provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.config.Now()
	if c.last != nil && now.Sub(c.last.at) < described {
		return c.last, nil
	}
	if !c.asked.IsZero() && now.Sub(c.asked) < describeAgain && now.After(c.asked) {
		return nil, fmt.Errorf("%w: its description was asked for just now", ErrDown)
	}
	p, err := c.discover(ctx)
	if err != nil {
		c.asked = now
		return nil, fmt.Errorf("%w: discover it: %w", ErrDown, err)
	}
	p.at, c.last = now, p
	return p, nil
}

// discover asks for the description. go-oidc compares the issuer in it with ours.
func (c *Client) discover(ctx context.Context) (*provider, error) {
	found, err := oidc.NewProvider(c.context(ctx), c.config.Issuer)
	if err != nil {
		return nil, err
	}
	var said struct {
		JWKS    string   `json:"jwks_uri"`
		Device  string   `json:"device_authorization_endpoint"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
		PKCE    []string `json:"code_challenge_methods_supported"`
	}
	if err := found.Claims(&said); err != nil {
		return nil, err
	}
	endpoint := found.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL, found.UserInfoEndpoint(), said.JWKS} {
		if !c.trusted(address) {
			return nil, errors.New("an address in its description is missing, or less safe than the issuer's")
		}
	}
	if said.Device != "" && !c.trusted(said.Device) {
		return nil, errors.New("the address of devices is less safe than the issuer's")
	}
	if len(said.PKCE) > 0 && !slices.Contains(said.PKCE, "S256") {
		return nil, errors.New("it does not take S256 challenges")
	}
	c.keys.of(said.JWKS)
	return &provider{
		Provider: found, device: said.Device,
		inForm: len(said.Methods) > 0 && !slices.Contains(said.Methods, "client_secret_basic"),
		oauth: oauth2.Config{
			ClientID: c.config.ClientID, Endpoint: endpoint, RedirectURL: c.config.RedirectURL, Scopes: scopes(),
		},
		verifier: oidc.NewVerifier(c.config.Issuer, c.keys, &oidc.Config{
			ClientID: c.config.ClientID, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256},
			Now: func() time.Time { return c.config.Now().Add(-Skew) },
		}),
	}, nil
}

// scopes are what we ask for: who it is, and by which phone they are reached.
func scopes() []string { return []string{oidc.ScopeOpenID, "profile", "phone"} }

// trusted reports an address as safe as the issuer's own.
func (c *Client) trusted(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(c.config.Issuer, "http://")
}

// context has go-oidc use our HTTP client.
func (c *Client) context(ctx context.Context) context.Context { return oidc.ClientContext(ctx, c.http) }
