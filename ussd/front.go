package ussd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/session"
)

const (
	// answerWithin is less than the 10 s that gateways wait.
	answerWithin = 9 * time.Second
	// maxBody bounds a request: an input of 10 000 Cyrillic characters takes
	// 60 000 bytes percent-encoded, and earlier inputs may come along each time.
	maxBody = 512 << 10
	// maxSession bounds a gateway's session id, in bytes.
	maxSession = 256
)

// Budgets is what a screen holds at a gateway, which may differ by the mobile
// operator behind it.
type Budgets struct {
	// Default holds where Operators has no other; zero: DefaultBudget.
	Default   dialog.Budget
	Operators map[string]dialog.Budget // by name, as caller.Operator gives it
}

// Of is the budget of an operator's phones.
func (b Budgets) Of(operator string) dialog.Budget {
	if budget, has := b.Operators[operator]; has {
		return budget
	}
	return b.Default
}

// Config is how one gateway reaches us.
type Config struct {
	Auth
	Budgets Budgets
	// Lifetime is how long the gateway waits for the citizen; zero:
	// DefaultLifetime.
	Lifetime time.Duration
	// Code is our service code as it is dialled, *1414#, for a gateway that does not
	// name it, or not all of it: see dialled.
	Code string
}

// Deps are what a gateway stands on.
type Deps struct {
	Conversations Conversations
	Texts         Texts
	Now           func() time.Time
	// Refused hears of every callback that was not authentic or not readable, to
	// be counted.
	Refused func(reason string)
	// Closed, unless nil, hears what a gateway tells of a session that is over, to
	// be counted. A notice that comes twice is heard twice.
	Closed func(Closing)
	Log    *slog.Logger
}

// complete names what the gateway name would lack: all but Closed must be there.
func (d Deps) complete(name string) error { return needs.All("the USSD gateway "+name, d, "Closed") }

// Gateway answers the callbacks of one wire format.
type Gateway struct {
	format
	cfg Config
	Deps
}

// format is what differs from gateway to gateway.
type format struct {
	name string
	// paths are the callbacks below /ussd/<name>; each is also served below
	// /ussd/<name>/<secret>.
	paths []path
	// json says that bodies are JSON objects, and nothing else is read.
	json bool
	// refuse answers with a status of 400 and above, in the format's own body.
	refuse func(c *fiber.Ctx, status int, why string) error
}

// path is one callback of a format.
type path struct {
	suffix string
	// also is a method by which it may come beside POST.
	also string
	// decode reads a request; an error's text is told to the gateway and holds
	// nothing of what a citizen typed.
	decode func(c *fiber.Ctx) (request, error)
	// encode writes the answer to a turn.
	encode func(c *fiber.Ctx, answer session.Answer) error
	// over says that the callback tells of a session's end.
	over bool
}

// request is what a callback says, copied out of the connection's memory.
type request struct {
	session, phone, operator, text, id, subscriber string
	cumulative, start, over                        bool
	// whole says that text is all that was dialled, the service code with it, which
	// is code where the gateway names it.
	whole bool
	code  string
	// idle says that nothing is to be done, and only an answer is owed.
	idle bool
	// signature is what let the request in.
	signature session.Signature
	// closing is what a notice of the end tells; nil where nothing is told.
	closing *Closing
}

// newGateway makes a gateway. Without any proof of who calls nobody could be let in:
// that is an error, and so is a dependency that is missing.
func newGateway(f format, cfg Config, deps Deps) (*Gateway, error) {
	if err := deps.complete(f.name); err != nil {
		return nil, err
	}
	if err := cfg.Auth.check(); err != nil {
		return nil, fmt.Errorf("the USSD gateway %s: %w", f.name, err)
	}
	if cfg.Budgets.Default == (dialog.Budget{}) {
		cfg.Budgets.Default = DefaultBudget
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = DefaultLifetime
	}
	return &Gateway{format: f, cfg: cfg, Deps: deps}, nil
}

// Register adds the gateway's callbacks to the application.
func (g *Gateway) Register(r fiber.Router) {
	for _, base := range []string{"/ussd/" + g.name, "/ussd/" + g.name + "/:secret"} {
		for _, p := range g.paths {
			r.Post(base+p.suffix, g.guard(p))
			if p.also != "" {
				r.Add(p.also, base+p.suffix, g.guard(p))
			}
		}
	}
}

// refusal is why a request is not taken.
type refusal struct {
	status int
	reason string // as it is counted
	why    string // as the gateway is told: nothing of what a citizen typed
}

// guard lets only the gateway through, with requests that can be read.
func (g *Gateway) guard(p path) fiber.Handler {
	return func(c *fiber.Ctx) error {
		in, refused := g.admit(c, p)
		answer := session.Answer{End: true}
		switch {
		case refused != nil || in.idle:
		case p.over || in.over:
			g.end(c.UserContext(), in)
		default:
			answer, refused = g.turn(c.UserContext(), in)
		}
		if refused != nil {
			g.Refused(refused.reason)
			return g.refuse(c, refused.status, refused.why)
		}
		return p.encode(c, answer)
	}
}

// admit reads a request, unless it is refused.
func (g *Gateway) admit(c *fiber.Ctx, p path) (request, *refusal) {
	signature, reason := g.cfg.Auth.prove(c, g.Now())
	if reason != "" {
		return request{}, &refusal{fiber.StatusForbidden, reason, "forbidden"}
	}
	if len(c.Request().Body()) > maxBody {
		return request{}, &refusal{fiber.StatusRequestEntityTooLarge, "too_large", "the request is too large"}
	}
	if g.json && !isJSON(c) {
		return request{}, &refusal{fiber.StatusUnsupportedMediaType, "media_type", "the Content-Type is application/json"}
	}
	in, err := p.decode(c)
	if err == nil && !in.idle {
		err = g.complete(&in)
	}
	if err != nil {
		return request{}, &refusal{fiber.StatusBadRequest, "malformed", err.Error()}
	}
	in.signature = signature
	return in, nil
}

// complete takes the service code off what was dialled and checks the request.
func (g *Gateway) complete(in *request) error {
	if in.whole {
		in.text = dialled(in.text, in.code, g.cfg.Code)
	}
	return in.check()
}

// check brings the phone to one form; without it and the session there is no
// citizen to answer.
func (in *request) check() error {
	if in.session == "" || len(in.session) > maxSession {
		return errors.New("a session id of 1 to 256 bytes is needed")
	}
	phone, ok := caller.ParsePhone(in.phone)
	if !ok {
		return errors.New("a phone number is needed")
	}
	in.phone = phone
	if in.operator == "" {
		in.operator = caller.Operator(phone)
	}
	return nil
}

// turn takes one input to the conversation. Only what was signed can be refused here.
func (g *Gateway) turn(ctx context.Context, in request) (session.Answer, *refusal) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answer, err := g.Conversations.Turn(ctx, session.Turn{
		Session: g.name + "/" + in.session, Phone: in.phone, Channel: caller.USSD, Gateway: g.name, Operator: in.operator,
		Text: in.text, Cumulative: in.cumulative, ID: in.id, Start: in.start, Subscriber: in.subscriber,
		Signature: in.signature, Budget: g.cfg.Budgets.Of(in.operator), Lifetime: g.cfg.Lifetime, Now: g.Now(),
	})
	if errors.Is(err, session.ErrReplayed) {
		return answer, &refusal{fiber.StatusForbidden, "replayed", "the request was answered before"}
	}
	if err != nil {
		// A 5xx would show the citizen the network's own error, which says less.
		g.Log.ErrorContext(ctx, "a USSD turn failed", "gateway", g.name, "error", err)
		return session.Answer{Text: g.apology(g.cfg.Budgets.Of(in.operator)), End: true}, nil
	}
	return answer, nil
}

// apology takes a failed turn's blame. The language is not known here: both are
// said, and Kyrgyz alone where a screen is too small for that.
func (g *Gateway) apology(screen dialog.Budget) string {
	kyrgyz := g.Texts.Text(locales.KY, "ussd.apology")
	if both := kyrgyz + "\n" + g.Texts.Text(locales.RU, "ussd.apology"); screen.Fits(both) {
		return both
	}
	return kyrgyz
}

// end takes the notice that a session is over.
func (g *Gateway) end(ctx context.Context, in request) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := g.Conversations.Ended(ctx, g.name+"/"+in.session, in.phone, g.Now()); err != nil {
		// Not worth a retry: the sweep finds the conversation when it expires.
		g.Log.WarnContext(ctx, "a USSD session's end was not taken", "gateway", g.name, "error", err)
	}
	if g.Closed != nil && in.closing != nil {
		g.Closed(*in.closing)
	}
}

// legible is text without bytes that are no UTF-8.
func legible(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// dialled is what was dialled after the service code: of "*1414*2*1#" that is
// "2*1". Gateways write the code with and without its * and #, and the code may
// have parts of its own, as in "*711*2#", of which some gateways name the first
// alone: of the codes that fit the longest counts. Where none does, everything up
// to the second * is the code.
func dialled(text string, codes ...string) string {
	whole := strings.TrimSuffix(text, "#")
	rest := strings.TrimPrefix(whole, "*")
	longest, after := "", ""
	for _, code := range codes {
		code = strings.TrimSuffix(strings.TrimPrefix(code, "*"), "#")
		deeper, fits := strings.CutPrefix(rest, code)
		if fits && len(code) > len(longest) && (deeper == "" || deeper[0] == '*') {
			longest, after = code, strings.TrimPrefix(deeper, "*")
		}
	}
	switch {
	case longest != "":
		return after
	case whole == rest: // typed, not dialled
		return ""
	}
	_, rest, _ = strings.Cut(rest, "*")
	return rest
}
