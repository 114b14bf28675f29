package sms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/eshik-kg/eshik/platform/notify"
)

// longestValidity is the most that Twilio takes. Source: its Message resource,
// ValidityPeriod.
const longestValidity = 10 * time.Hour

const twilioURL = "https://api.twilio.com"

// TwilioConfig is one Twilio account with one number.
type TwilioConfig struct {
	// AccountSID and AuthToken hold letters and digits only.
	AccountSID, AuthToken string
	// From is our number in E.164 or a short code.
	From string
	// BaseURL, unless empty, stands in for https://api.twilio.com: the sandbox
	// speaks Twilio's API over loopback.
	BaseURL string
	// StatusURL is where Twilio reports deliveries, our public
	// …/sms/twilio/status; empty: it reports nothing.
	StatusURL string
	// Timeout bounds one call; zero: 10 s.
	Timeout time.Duration
}

// Twilio sends messages through Twilio's API. It implements Provider.
type Twilio struct {
	cfg       TwilioConfig
	transport http.RoundTripper
}

// NewTwilio checks the account's settings; nothing is sent yet.
func NewTwilio(cfg TwilioConfig) (*Twilio, error) {
	if cfg.AccountSID == "" || cfg.AuthToken == "" || cfg.From == "" {
		return nil, errors.New("twilio needs an account, its token and a number")
	}
	base, timeout, err := reachable(cmp.Or(cfg.BaseURL, twilioURL), cfg.Timeout)
	if err != nil {
		return nil, fmt.Errorf("twilio: %w", err)
	}
	cfg.Timeout = timeout
	return &Twilio{cfg: cfg, transport: elsewhere{scheme: base.Scheme, host: base.Host, next: newTransport()}}, nil
}

// kindTwilio is the one provider whose account is in settings of its own.
func kindTwilio() Kind {
	return Kind{Name: providerTwilio, Fits: func(Account) bool { return true }, Make: makeTwilio}
}

// makeTwilio makes the provider with its callbacks, which need our public address.
func makeTwilio(a Account, deps CallbackDeps) (Provider, error) {
	public := strings.TrimRight(a.PublicURL, "/")
	sends, err := NewTwilio(TwilioConfig{
		AccountSID: a.Username, AuthToken: a.APIKey, From: a.From, BaseURL: a.URL, StatusURL: public + "/sms/" + providerTwilio + "/status",
	})
	if err != nil || public == "" {
		return sends, err
	}
	hears, err := NewTwilioCallbacks(TwilioCallbacksConfig{AuthToken: a.APIKey, PublicURL: public, AllowLoopback: a.AllowLoopback}, deps)
	return struct {
		*Twilio
		*TwilioCallbacks
	}{sends, hears}, err
}

// elsewhere sends requests to another host: twilio-go knows only its own.
type elsewhere struct {
	scheme, host string
	next         http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = e.scheme, e.host, e.host
	return e.next.RoundTrip(r)
}

// Name implements Provider.
func (*Twilio) Name() string { return providerTwilio }

// Send hands one message to Twilio and gives its MessageSid. A message that
// Twilio will never take (a number that is none, a citizen who unsubscribed)
// is notify.ErrRefused. Errors hold neither the number nor the text.
func (t *Twilio) Send(ctx context.Context, m notify.MT) (providerID string, err error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("send through twilio: %w", err)
	}
	params := new(openapi.CreateMessageParams).SetTo(m.To).SetFrom(t.cfg.From).SetBody(m.Text)
	if left := m.Left(time.Now()); left > 0 {
		params.SetValidityPeriod(int(min(left, longestValidity) / time.Second))
	}
	if t.cfg.StatusURL != "" {
		params.SetStatusCallback(t.cfg.StatusURL + "?" + url.Values{messageParam: {m.ID}}.Encode())
	}
	one := &call{next: t.transport}
	sent, err := openapi.NewApiServiceWithClient(t.client(ctx, one)).CreateMessage(params)
	if err != nil {
		return "", sendError(err, one)
	}
	if sent.Sid == nil || *sent.Sid == "" {
		return "", errors.New("send through twilio: the answer has no message id")
	}
	return *sent.Sid, nil
}

// client is made per call, since twilio-go takes no context: its timeout is
// what the context leaves.
func (t *Twilio) client(ctx context.Context, one *call) *client.Client {
	timeout := t.cfg.Timeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(min(timeout, time.Until(deadline)), time.Millisecond)
	}
	c := &client.Client{Credentials: client.NewCredentials(t.cfg.AccountSID, t.cfg.AuthToken), HTTPClient: one.client(timeout)}
	c.SetAccountSid(t.cfg.AccountSID)
	return c
}

// sendError keeps Twilio's numbers and drops its sentences, which repeat the
// citizen's number. A 400 is about this message and will not change; all else
// (credentials, rate, outage) may.
func sendError(err error, one *call) error {
	var refused *client.TwilioRestError
	if errors.As(err, &refused) {
		if refused.Status == http.StatusBadRequest {
			return fmt.Errorf("twilio: %w: error %d", notify.ErrRefused, refused.Code)
		}
		fault := fmt.Errorf("twilio did not take the message: status %d, error %d", refused.Status, refused.Code)
		if refused.Status < http.StatusInternalServerError {
			return fmt.Errorf("%w: %w", ErrNotTaken, fault)
		}
		return fault
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		return fmt.Errorf("reach twilio: %w", one.unanswered(failed.Err))
	}
	return errors.New("send through twilio: its answer cannot be read")
}
