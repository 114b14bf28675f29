package esi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Person is who signed in.
type Person struct {
	PIN                   string // the personal number
	GivenName, FamilyName string // perhaps empty
	// Phone is as the provider writes it; empty where it says none. PhoneVerified: it
	// made sure that the number is the person's.
	Phone         string
	PhoneVerified bool
	// Token names the ID token among all, for who must not take one twice.
	Token string
}

// Begun is what a sign-in began with, and must come back.
type Begun struct {
	At time.Time
	// Nonce and Verifier are a browser's; a device has neither.
	Nonce, Verifier string
}

// Exchange gives who signed in for the code that the browser brought back. A code is good once.
func (c *Client) Exchange(ctx context.Context, code string, begun Begun) (Person, error) {
	return c.token(ctx, begun, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.config.RedirectURL}, "code_verifier": {begun.Verifier},
	})
}

// Device is a sign-in of a phone that has no browser.
type Device struct {
	Code string // secret: who has it is given the person
	// UserCode is what the user types at Address, on whichever device.
	UserCode, Address string
	ExpiresAt         time.Time
	Interval          time.Duration // between two questions
}

// Bounds of a device's sign-in, so that what the provider says cannot make a phone wait for
// ever, or ask without pause.
const (
	usualInterval   = 5 * time.Second // RFC 8628, section 3.2
	longestInterval = time.Minute
	longestDevice   = 30 * time.Minute
	longestAddress  = 64 // what a small screen shows
)

// userCode is what people can type from a screen.
var userCode = regexp.MustCompile(`^[A-Za-z0-9-]{4,12}$`)

// Begin begins the sign-in of a device.
func (c *Client) Begin(ctx context.Context) (Device, error) {
	p, err := c.provider(ctx)
	if err != nil {
		return Device{}, err
	}
	if p.device == "" {
		return Device{}, fmt.Errorf("%w: it takes no devices", ErrDown)
	}
	form := url.Values{"scope": {strings.Join(scopes(), " ")}}
	if len(c.config.ACR) > 0 {
		form.Set("acr_values", strings.Join(c.config.ACR, " "))
	}
	var said struct {
		Device   string `json:"device_code"`
		User     string `json:"user_code"`
		Address  string `json:"verification_uri"`
		Lasts    int64  `json:"expires_in"`
		Interval int64  `json:"interval"`
	}
	if err := c.post(ctx, p, p.device, form, &said); err != nil {
		return Device{}, fmt.Errorf("begin a device's sign-in: %w", err)
	}
	lasts := time.Duration(min(said.Lasts, int64(longestDevice/time.Second))) * time.Second
	if said.Device == "" || !userCode.MatchString(said.User) || len(said.Address) > longestAddress || !c.trusted(said.Address) || lasts <= 0 {
		return Device{}, fmt.Errorf("%w: what it answers a device is no code for a screen", ErrDown)
	}
	interval := usualInterval
	if said.Interval > 0 {
		interval = min(time.Duration(min(said.Interval, 3600))*time.Second, longestInterval)
	}
	return Device{
		Code: said.Device, UserCode: said.User, Address: said.Address,
		ExpiresAt: c.config.Now().Add(lasts), Interval: interval,
	}, nil
}

// Ask asks whether the user of a device has finished, and gives who signed in.
func (c *Client) Ask(ctx context.Context, device string, begun Begun) (Person, error) {
	return c.token(ctx, begun, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {device}})
}

// token exchanges a grant and looks at all that comes for it.
func (c *Client) token(ctx context.Context, begun Begun, form url.Values) (Person, error) {
	p, err := c.provider(ctx)
	if err != nil {
		return Person{}, err
	}
	var said struct {
		Access string `json:"access_token"`
		Type   string `json:"token_type"`
		ID     string `json:"id_token"`
	}
	if err := c.post(ctx, p, p.oauth.Endpoint.TokenURL, form, &said); err != nil {
		return Person{}, fmt.Errorf("exchange a grant: %w", err)
	}
	if said.Access == "" || !strings.EqualFold(said.Type, "bearer") {
		return Person{}, fmt.Errorf("%w: no access token came", ErrRefused)
	}
	token, err := c.verified(ctx, p, said.ID, said.Access, begun)
	if err != nil {
		return Person{}, err
	}
	person, err := c.person(ctx, p, token, said.Access)
	digest := sha256.Sum256([]byte(said.ID))
	person.Token = hex.EncodeToString(digest[:])
	return person, err
}

// verified looks at an ID token: signature, issuer, audience and end by go-oidc, the rest here.
func (c *Client) verified(ctx context.Context, p *provider, raw, access string, begun Begun) (*oidc.IDToken, error) {
	token, err := p.verifier.Verify(c.context(ctx), raw)
	if errors.Is(err, ErrDown) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the ID token: %s", ErrRefused, why(err))
	}
	var said struct {
		Party string `json:"azp"`
		ACR   string `json:"acr"`
		Auth  int64  `json:"auth_time"`
	}
	if err := token.Claims(&said); err != nil {
		return nil, fmt.Errorf("%w: the ID token's claims are of another shape", ErrRefused)
	}
	now := c.config.Now()
	for _, fault := range []struct {
		bad bool
		why string
	}{
		{token.Nonce != begun.Nonce, "it is of another sign-in"},
		{token.Subject == "", "it names nobody"},
		{said.Party != "" && said.Party != c.config.ClientID || said.Party == "" && len(token.Audience) > 1, "it is another client's too"},
		{token.IssuedAt.After(now.Add(Skew)), "it is of the future"},
		{token.IssuedAt.Before(begun.At.Add(-Skew)), "it is from before the sign-in"},
		{said.Auth != 0 && time.Unix(said.Auth, 0).Before(now.Add(-freshly)), "its user signed in long ago"},
		{len(c.config.ACR) > 0 && !slices.Contains(c.config.ACR, said.ACR), "its user signed in by less than we ask for"},
		{token.AccessTokenHash != "" && token.VerifyAccessToken(access) != nil, "the access token is not the one beside it"},
	} {
		if fault.bad {
			return nil, fmt.Errorf("%w: the ID token: %s", ErrRefused, fault.why)
		}
	}
	return token, nil
}

// why is what is said in the log of a token that is not believed: nothing of what it holds.
func why(err error) string {
	expired := new(oidc.TokenExpiredError)
	if errors.As(err, &expired) {
		return "its time is over"
	}
	return "its signature, issuer or audience is wrong"
}

// person is what the provider says of the user: in the ID token or, as most do, apart from it.
func (c *Client) person(ctx context.Context, p *provider, token *oidc.IDToken, access string) (Person, error) {
	info, err := p.UserInfo(c.context(ctx), oauth2.StaticTokenSource(&oauth2.Token{AccessToken: access, TokenType: "Bearer"}))
	if err != nil {
		return Person{}, fmt.Errorf("%w: ask about its user", ErrDown)
	}
	if info.Subject != token.Subject { // OpenID Connect Core, section 5.3.2
		return Person{}, fmt.Errorf("%w: it tells of another user", ErrRefused)
	}
	var apart, inside profile
	if err := errors.Join(token.Claims(&inside), info.Claims(&apart)); err != nil {
		return Person{}, fmt.Errorf("%w: what it tells of its user is of another shape", ErrRefused)
	}
	if inside.PIN != "" && apart.PIN != "" && inside.PIN != apart.PIN {
		return Person{}, fmt.Errorf("%w: it tells two personal numbers", ErrRefused)
	}
	person := Person{
		PIN:       cmp.Or(apart.PIN, inside.PIN),
		GivenName: cmp.Or(apart.Given, inside.Given), FamilyName: cmp.Or(apart.Family, inside.Family),
	}
	if person.PIN == "" {
		return Person{}, fmt.Errorf("%w: it tells no personal number", ErrRefused)
	}
	said := apart // a number and whether it was verified are of one place
	if said.Phone == "" {
		said = inside
	}
	// A text "true" is somebody's guess.
	person.Phone, person.PhoneVerified = said.Phone, said.Phone != "" && string(said.Verified) == "true"
	return person, nil
}

// profile is what the scopes profile and phone tell.
type profile struct {
	PIN      string          `json:"pin"`
	Given    string          `json:"given_name"`
	Family   string          `json:"family_name"`
	Phone    string          `json:"phone_number"`
	Verified json.RawMessage `json:"phone_number_verified"`
}

// post sends a form as the client that we are and reads the JSON answer.
func (c *Client) post(ctx context.Context, p *provider, to string, form url.Values, into any) error {
	form.Set("client_id", c.config.ClientID)
	if p.inForm {
		form.Set("client_secret", c.config.ClientSecret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDown, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if !p.inForm {
		req.SetBasicAuth(url.QueryEscape(c.config.ClientID), url.QueryEscape(c.config.ClientSecret))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDown, err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read whole
	if resp.StatusCode != http.StatusOK {
		return refusal(resp)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("%w: its answer is of another shape", ErrDown)
	}
	return nil
}

// refusal reads why the provider gives nothing (RFC 6749, section 5.2; RFC 8628, section 3.5).
func refusal(resp *http.Response) error {
	var said struct {
		Error string `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
		return fmt.Errorf("%w: it answers %d", ErrDown, resp.StatusCode)
	}
	switch said.Error {
	case "authorization_pending":
		return ErrPending
	case "slow_down":
		return ErrSlowDown
	case "expired_token":
		return ErrExpired
	case "access_denied":
		return ErrDenied
	case "invalid_grant":
		return fmt.Errorf("%w: the code is none, or was used", ErrRefused)
	}
	// Of what it holds against us as its client the operator must hear, no citizen.
	return fmt.Errorf("%w: it answers %d %q", ErrDown, resp.StatusCode, shown(said.Error))
}

// shown is what the log has of a code of the provider's.
func shown(code string) string {
	if len(code) > 40 || strings.ContainsFunc(code, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		return "another error"
	}
	return code
}
