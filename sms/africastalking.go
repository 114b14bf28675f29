package sms

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/notify"
)

const (
	providerAfricasTalking = "africastalking"
	africasTalkingURL      = "https://api.africastalking.com"
	// maxAnswer bounds what is read of their answer: it is about one message.
	maxAnswer = 64 << 10
)

// AfricasTalkingConfig is one account at Africa's Talking.
type AfricasTalkingConfig struct {
	Username, APIKey string
	// From is our short code or sender id; empty: the account's own.
	From string
	// BaseURL, unless empty, stands in for https://api.africastalking.com.
	BaseURL string
	// Secret is in the path of their callbacks, which they do not sign:
	// /sms/africastalking/<secret> and …/report.
	Secret string
	// Timeout bounds one call; zero: 10 s.
	Timeout time.Duration
}

// AfricasTalking sends messages through Africa's Talking and takes its
// callbacks. It implements Provider. Facts of its documentation: "Send Bulk SMS",
// "Delivery Reports" and "Incoming Messages".
type AfricasTalking struct {
	cfg       AfricasTalkingConfig
	transport http.RoundTripper
	deps      CallbackDeps
}

// NewAfricasTalking checks the account's settings and deps; nothing is sent yet.
func NewAfricasTalking(cfg AfricasTalkingConfig, deps CallbackDeps) (*AfricasTalking, error) {
	if err := deps.complete(providerAfricasTalking); err != nil {
		return nil, err
	}
	if account := (Account{Username: cfg.Username, APIKey: cfg.APIKey, Secret: cfg.Secret}); !account.hasSecrets() {
		return nil, errors.New("africa's talking needs a user name, an API key and a secret of 16 characters for its callbacks")
	}
	base, timeout, err := reachable(cmp.Or(cfg.BaseURL, africasTalkingURL), cfg.Timeout)
	if err != nil {
		return nil, fmt.Errorf("africa's talking: %w", err)
	}
	cfg.BaseURL, cfg.Timeout = base.String(), timeout
	return &AfricasTalking{cfg: cfg, deps: deps, transport: newTransport()}, nil
}

func kindAfricasTalking() Kind {
	return Kind{
		Name: providerAfricasTalking, Needs: "username, api_key_env, and secret_env with 16 characters or more", Fits: Account.hasSecrets,
		Make: func(a Account, deps CallbackDeps) (Provider, error) {
			return NewAfricasTalking(AfricasTalkingConfig{Username: a.Username, APIKey: a.APIKey, From: a.From, BaseURL: a.URL, Secret: a.Secret}, deps)
		},
	}
}

// Name implements Provider.
func (*AfricasTalking) Name() string { return providerAfricasTalking }

// africasTalkingAnswer is their answer to a message.
type africasTalkingAnswer struct {
	SMSMessageData struct {
		Recipients []struct {
			StatusCode int    `json:"statusCode"`
			MessageID  string `json:"messageId"`
		}
	}
}

// Send hands one message over and gives its messageId.
func (a *AfricasTalking) Send(ctx context.Context, m notify.MT) (id string, err error) {
	form := url.Values{"username": {a.cfg.Username}, "to": {m.To}, "message": {m.Text}}
	if a.cfg.From != "" {
		form.Set("from", a.cfg.From)
	}
	address := strings.TrimRight(a.cfg.BaseURL, "/") + "/version1/messaging"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("write a message for africa's talking: %w", err)
	}
	request.Header.Set("apiKey", a.cfg.APIKey)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	one := &call{next: a.transport}
	response, err := one.client(a.cfg.Timeout).Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return "", fmt.Errorf("reach africa's talking: %w", one.unanswered(err))
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("read the answer of africa's talking: %w", one.unanswered(err))
	}
	return readAfricasTalking(response.StatusCode, body)
}

// readAfricasTalking reads the answer about one recipient. Its sentences, which
// may repeat the number, are dropped.
func readAfricasTalking(status int, body []byte) (id string, err error) {
	if status >= http.StatusInternalServerError {
		return "", fmt.Errorf("africa's talking answered with status %d", status)
	}
	if status != http.StatusOK && status != http.StatusCreated {
		return "", fmt.Errorf("%w: africa's talking answered with status %d", ErrNotTaken, status)
	}
	var answer africasTalkingAnswer
	if json.Unmarshal(body, &answer) != nil {
		return "", errors.New("the answer of africa's talking cannot be read")
	}
	if len(answer.SMSMessageData.Recipients) != 1 {
		return "", fmt.Errorf("%w: africa's talking names %d recipients", ErrNotTaken, len(answer.SMSMessageData.Recipients))
	}
	switch told := answer.SMSMessageData.Recipients[0]; told.StatusCode {
	case 100, 101, 102: // processed, sent, queued
		return told.MessageID, nil
	case 405: // no money in the account
		return "", fmt.Errorf("%w: africa's talking: code %d", notify.ErrUnavailable, told.StatusCode)
	case 403, 404, 406, 409: // no number, a kind of number, on their blacklist, "do not disturb"
		return "", fmt.Errorf("africa's talking: %w: code %d", notify.ErrRefused, told.StatusCode)
	default:
		return "", fmt.Errorf("%w: africa's talking: code %d", ErrNotTaken, told.StatusCode)
	}
}

// Register adds the callbacks to the application.
func (a *AfricasTalking) Register(r fiber.Router) {
	r.Post("/sms/africastalking/:secret", a.guard(a.receive))
	r.Post("/sms/africastalking/:secret/report", a.guard(a.report))
}

// guard runs next for the provider only.
func (a *AfricasTalking) guard(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if subtle.ConstantTimeCompare([]byte(c.Params("secret")), []byte(a.cfg.Secret)) != 1 {
			a.deps.Refused("secret")
			return c.Status(fiber.StatusForbidden).SendString("forbidden")
		}
		if len(c.Request().Body()) > maxForm {
			return a.deps.tooLarge(c)
		}
		return next(c)
	}
}

// receive takes one message: they join the parts of a long one themselves.
func (a *AfricasTalking) receive(c *fiber.Ctx) error {
	status := a.deps.take(c, MO{
		Provider: providerAfricasTalking, ID: field(c, "id"), Phone: field(c, "from"), Text: field(c, "text"),
	})
	switch status {
	case fiber.StatusBadRequest:
		return c.Status(status).SendString("id is needed")
	case fiber.StatusServiceUnavailable:
		return c.Status(status).SendString("try again later")
	}
	return c.SendStatus(status)
}

// report takes one delivery report.
func (a *AfricasTalking) report(c *fiber.Ctx) error {
	told := notify.DeliveryReceipt{Provider: providerAfricasTalking, ID: field(c, "id"), Status: field(c, "status")}
	told.Phone, _ = caller.ParsePhone(field(c, "phoneNumber"))
	_, err := a.deps.hear(c, told, "id and status")
	return err
}
