package ussd

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
)

// Facts of the Africa's Talking USSD protocol, from its documentation: a form
// post with sessionId, phoneNumber, networkCode, serviceCode and text, which
// holds every input so far joined by "*"; an answer in text/plain that starts
// with "CON " or "END ", within 10 s.
const (
	africasTalking = "africastalking"
	answerWithin   = 9 * time.Second
	// maxForm bounds a request: an input of 10 000 Cyrillic characters takes
	// 60 000 bytes percent-encoded, and earlier inputs come along each time.
	maxForm = 512 << 10
	// SecretHeader carries the gateway's secret where its path does not.
	SecretHeader = "X-Eshik-Secret"
)

// AfricasTalkingConfig is how one gateway account reaches us.
type AfricasTalkingConfig struct {
	// Secret is in the callback's path (/ussd/africastalking/<secret>) or in
	// SecretHeader: the gateway signs nothing.
	Secret string
	// Networks, unless empty, are the only addresses accepted. Behind a reverse
	// proxy the Fiber app must be told which proxies to trust.
	Networks []netip.Prefix
	// AllowLoopback accepts programs on this machine without a secret: for the
	// sandbox only.
	AllowLoopback bool
	// Budget is what a screen holds; zero: DefaultBudget.
	Budget dialog.Budget
	// Lifetime is how long the gateway waits for the citizen; zero:
	// DefaultLifetime.
	Lifetime time.Duration
}

// AfricasTalking answers the gateway's callbacks.
type AfricasTalking struct {
	cfg       AfricasTalkingConfig
	talks     Talks
	sentences Sentences
	now       func() time.Time
	refused   func(reason string)
	log       *slog.Logger
}

// NewAfricasTalking makes the handler. refused hears of every callback that was
// not authentic or not readable, to be counted. Without a secret and without
// AllowLoopback nobody could be let in: that is an error.
func NewAfricasTalking(cfg AfricasTalkingConfig, talks Talks, sentences Sentences, now func() time.Time, refused func(reason string), log *slog.Logger) (*AfricasTalking, error) {
	if cfg.Secret == "" && !cfg.AllowLoopback {
		return nil, errors.New("the USSD gateway africastalking needs a secret")
	}
	if cfg.Budget == (dialog.Budget{}) {
		cfg.Budget = DefaultBudget
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = DefaultLifetime
	}
	return &AfricasTalking{cfg: cfg, talks: talks, sentences: sentences, now: now, refused: refused, log: log}, nil
}

// Register adds the callbacks to the application: …/africastalking for turns
// and …/africastalking/end for the notice that a session is over, each also
// with the secret as the path's third part.
func (h *AfricasTalking) Register(r fiber.Router) {
	r.Post("/ussd/africastalking", h.guard(h.turn))
	r.Post("/ussd/africastalking/end", h.guard(h.end))
	r.Post("/ussd/africastalking/:secret", h.guard(h.turn))
	r.Post("/ussd/africastalking/:secret/end", h.guard(h.end))
}

// guard lets only the gateway through.
func (h *AfricasTalking) guard(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if reason := h.refusal(c); reason != "" {
			h.refused(reason)
			return c.Status(fiber.StatusForbidden).SendString("forbidden")
		}
		if len(c.Body()) > maxForm {
			h.refused("too_large")
			return c.Status(fiber.StatusRequestEntityTooLarge).SendString("the form is too large")
		}
		return next(c)
	}
}

// refusal names what is wrong with the request's origin; "" when nothing is.
func (h *AfricasTalking) refusal(c *fiber.Ctx) string {
	origin := caller.Origin{
		Remote: c.Context().RemoteIP(), Host: c.Hostname(),
		ForwardedFor: c.Get(fiber.HeaderXForwardedFor), FetchSite: c.Get("Sec-Fetch-Site"),
	}
	if h.cfg.AllowLoopback && origin.Local() {
		return ""
	}
	given := c.Get(SecretHeader)
	if given == "" {
		given = c.Params("secret")
	}
	if h.cfg.Secret == "" || subtle.ConstantTimeCompare([]byte(given), []byte(h.cfg.Secret)) != 1 {
		return "secret"
	}
	if !h.fromNetwork(c.IP()) {
		return "network"
	}
	return ""
}

func (h *AfricasTalking) fromNetwork(address string) bool {
	if len(h.cfg.Networks) == 0 {
		return true
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, network := range h.cfg.Networks {
		if network.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}

// turn answers one input.
func (h *AfricasTalking) turn(c *fiber.Ctx) error {
	id, phone, ok := h.who(c)
	if !ok {
		return c.Status(fiber.StatusBadRequest).SendString("sessionId and phoneNumber are needed")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	answer, err := h.talks.Turn(ctx, session.Turn{
		Session: id, Phone: phone, Channel: caller.USSD, Gateway: africasTalking, Operator: caller.Operator(phone),
		Text: field(c, "text"), Cumulative: true,
		Budget: h.cfg.Budget, Lifetime: h.cfg.Lifetime, Now: h.now(),
	})
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	if err != nil {
		// A 5xx would show the citizen the network's own error, which says less.
		h.log.ErrorContext(ctx, "a USSD turn failed", "gateway", africasTalking, "error", err)
		return c.SendString("END " + h.sentences.Text(locales.KY, "problem.internal"))
	}
	if answer.End {
		return c.SendString("END " + answer.Text)
	}
	return c.SendString("CON " + answer.Text)
}

// end takes the notice that a session is over. Its fields input and
// lastAppResponse hold what the citizen typed and saw: they are not read.
func (h *AfricasTalking) end(c *fiber.Ctx) error {
	id, phone, ok := h.who(c)
	if !ok {
		return c.Status(fiber.StatusBadRequest).SendString("sessionId and phoneNumber are needed")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	if err := h.talks.Ended(ctx, id, phone, h.now()); err != nil {
		// Not worth a retry: the sweep finds the talk when it expires.
		h.log.WarnContext(ctx, "a USSD session's end was not taken", "gateway", africasTalking, "error", err)
	}
	return c.SendStatus(fiber.StatusOK)
}

// who reads the session and the phone; without both there is no citizen to
// answer.
func (h *AfricasTalking) who(c *fiber.Ctx) (id, phone string, ok bool) {
	id = field(c, "sessionId")
	phone, ok = caller.ParsePhone(field(c, "phoneNumber"))
	if id == "" || len(id) > 256 || !ok {
		h.refused("malformed")
		return "", "", false
	}
	return africasTalking + "/" + id, phone, true
}

// field copies a form field out of the request, whose memory Fiber uses again
// when the handler returns. What is no UTF-8 becomes the replacement character.
func field(c *fiber.Ctx, name string) string {
	return strings.ToValidUTF8(string(c.Context().PostArgs().Peek(name)), "\uFFFD")
}
