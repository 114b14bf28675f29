// Package partner is the API of those who take citizens' money for us: wallets,
// banks and terminals.
package partner

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
)

// OSMPPath is where the OSMP provider protocol is served.
const OSMPPath = "/partner/osmp"

// Payments is what a partner can do with a payment code (platform/payment).
type Payments interface {
	Check(ctx context.Context, partner payment.Partner, code string, sum money.Amount) (payment.Answer, error)
	Accept(ctx context.Context, partner payment.Partner, txnID, code string, sum money.Amount, at time.Time) (payment.Answer, error)
	// Malformed seals a transaction that is refused before anything of it is looked at.
	Malformed(ctx context.Context, partner payment.Partner, txnID string) error
	// TakeBack cancels a transaction of which no register was told.
	TakeBack(ctx context.Context, partner payment.Partner, txnID string) (payment.Transaction, error)
}

// Partners knows the partners' secrets, and what each partner may do (platform/partners).
type Partners interface {
	Authenticate(ctx context.Context, kind partners.Kind, id, secret, address string) (partners.Access, error)
}

// Texts are the locale files.
type Texts interface {
	Text(loc locales.Locale, key string, args ...any) string
}

// OSMP answers the OSMP (QIWI) provider protocol.
type OSMP struct {
	Payments Payments
	Partners Partners
	Texts    Texts
	Log      *slog.Logger
}

// Register puts the protocol's one path on the router.
func (o *OSMP) Register(router fiber.Router) error {
	if err := needs.All("OSMP", *o); err != nil {
		return err
	}
	router.Use(OSMPPath, onlyGetAndPost)
	// Get would answer HEAD as well, and a payment is no question.
	router.Add(fiber.MethodGet, OSMPPath, o.handle)
	router.Post(OSMPPath, o.handle)
	return nil
}

// onlyGetAndPost refuses all else before anything is looked at.
func onlyGetAndPost(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodPost:
		return c.Next()
	default:
		c.Set(fiber.HeaderAllow, "GET, POST")
		return fiber.ErrMethodNotAllowed
	}
}

// osmpAnswer is the protocol's XML document.
type osmpAnswer struct {
	XMLName xml.Name    `xml:"response"`
	TxnID   string      `xml:"osmp_txn_id"`
	PrvTxn  string      `xml:"prv_txn,omitempty"`
	Sum     string      `xml:"sum,omitempty"`
	Result  int         `xml:"result"`
	Comment string      `xml:"comment"`
	Fields  *osmpFields `xml:"fields"`
}

// osmpFields tell the partner's user what they pay for and how much exactly.
type osmpFields struct {
	Service osmpField `xml:"field1"`
	Due     osmpField `xml:"field2"`
}

type osmpField struct {
	Name  string `xml:"name,attr"`
	Value string `xml:",chardata"`
}

// osmpRequest is a request as it came, copied: the server reuses its buffers.
type osmpRequest struct {
	command, txnID, account, sum, date string
	// repeated says that a parameter is given more than once.
	repeated bool
}

var (
	// txn_id is up to 28 digits: text, since no integer holds it.
	txnPattern = regexp.MustCompile(`^[0-9]{1,28}$`)
	// Pay24 leaves the tyiyn away, Optima requires them.
	sumPattern     = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,2})?$`)
	accountPattern = regexp.MustCompile(`^[0-9]+$`)
)

const (
	dateLayout  = "20060102150405"
	longestText = 64 // of any parameter that is used at all
)

func (o *OSMP) handle(c *fiber.Ctx) error {
	id, secret, ok := basic(c.Get(fiber.HeaderAuthorization))
	err := error(problem.New(problem.Unauthenticated, "problem.partner_secret"))
	var access partners.Access
	if ok {
		access, err = o.Partners.Authenticate(c.UserContext(), partners.OSMP, id, secret, strings.Clone(c.IP()))
		tellQuotas(c, access.Quotas)
	}
	switch {
	case err != nil && problem.From(err).Code == problem.TooMany:
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(problem.From(err).RetryAfter/time.Second)+1))
		return c.SendStatus(fiber.StatusTooManyRequests)
	case err != nil && problem.From(err).Code == problem.Unauthenticated:
		c.Set(fiber.HeaderWWWAuthenticate, basicChallenge)
		return c.SendStatus(fiber.StatusUnauthorized)
	case err != nil:
		o.Log.Error("a partner could not be authenticated", "error", err)
		return c.SendStatus(fiber.StatusServiceUnavailable) // the partner retries
	}
	return o.send(c, o.answer(c.UserContext(), access, request(c)))
}

// basicChallenge asks for HTTP Basic authentication (RFC 7617).
const basicChallenge = `Basic realm="eshik", charset="UTF-8"`

// basic reads the Authorization header of RFC 7617.
func basic(header string) (id, secret string, ok bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(raw), ":")
}

// request takes the parameters from the query, and of a POST from the form.
func request(c *fiber.Ctx) osmpRequest {
	var r osmpRequest
	for name, field := range map[string]*string{
		"command": &r.command, "txn_id": &r.txnID, "account": &r.account, "sum": &r.sum, "txn_date": &r.date,
	} {
		switch values := given(c, name); len(values) {
		case 0:
		case 1:
			*field = values[0]
		default:
			r.repeated = true // whichever was meant, the other was not
		}
	}
	r.account = strings.Map(digitsApart, r.account)
	return r
}

// given are the values of a parameter, copied, wherever it stands.
func given(c *fiber.Ctx, name string) (values []string) {
	found := c.Context().QueryArgs().PeekMulti(name)
	if c.Method() == fiber.MethodPost {
		found = append(found, c.Context().PostArgs().PeekMulti(name)...)
		if form, err := c.MultipartForm(); err == nil {
			for _, value := range form.Value[name] {
				found = append(found, []byte(value))
			}
		}
	}
	for _, value := range found {
		values = append(values, string(value))
	}
	return values
}

// digitsApart drops what people write between the digits of a code, or after them.
func digitsApart(r rune) rune {
	if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
		return -1
	}
	return r
}

// answer decides a request. Every answer that is not from the ledger itself can
// be asked for again.
func (o *OSMP) answer(ctx context.Context, partner partners.Access, r osmpRequest) osmpAnswer {
	var out osmpAnswer
	decided, result, err := o.decide(ctx, partner, r)
	if err != nil {
		o.Log.Error("a partner's request failed", "partner", partner.Partner, "command", r.command, "error", err)
		decided, result = payment.Answer{}, resultOf(payment.NotNow)
	}
	out.Result, out.PrvTxn = result.number, decided.Reference
	if txnPattern.MatchString(r.txnID) {
		out.TxnID = r.txnID
	}
	if sum, err := money.ParseSom(r.sum); err == nil {
		out.Sum = sum.Decimal()
	}
	if decided.Due > 0 {
		out.Fields = &osmpFields{
			Service: osmpField{Name: "service", Value: decided.Service},
			Due:     osmpField{Name: "amount", Value: decided.Due.Decimal()},
		}
		if r.command == "check" {
			out.Sum = decided.Due.Decimal() // the exact sum to pay
		}
	}
	out.Comment = o.Texts.Text(locales.RU, result.comment)
	return out
}

// errRequest is a request that is not of the protocol.
var errRequest = errors.New("not an OSMP request")

// decide asks the payments what a request comes to; what is not of the protocol does not
// reach them.
func (o *OSMP) decide(ctx context.Context, partner partners.Access, r osmpRequest) (a payment.Answer, result osmpResult, err error) {
	if r.repeated {
		return a, repeatedParameter, o.seal(ctx, partner, r)
	}
	if r.command == "cancel" {
		return o.cancel(ctx, partner, r.txnID)
	}
	sum, at, err := r.read()
	if err != nil {
		return a, notOSMP, o.seal(ctx, partner, r)
	}
	if (r.command == "check" || r.command == "pay") && !accountPattern.MatchString(r.account) {
		return a, resultOf(payment.MalformedCode), o.seal(ctx, partner, r)
	}
	switch r.command {
	case "check":
		a, err = o.Payments.Check(ctx, allowed(partner, partners.Check), r.account, sum)
	case "pay":
		a, err = o.Payments.Accept(ctx, allowed(partner, partners.Pay), r.txnID, r.account, sum, at)
	default:
		return a, notOSMP, nil
	}
	return a, resultOf(a.Decision), err
}

// cancel takes a transaction back. It is named by its id alone: what else stands in the request
// is not looked at.
func (o *OSMP) cancel(ctx context.Context, partner partners.Access, txnID string) (a payment.Answer, result osmpResult, err error) {
	if !txnPattern.MatchString(txnID) {
		return a, notOSMP, nil
	}
	txn, err := o.Payments.TakeBack(ctx, allowed(partner, partners.Pay), txnID)
	switch code := problem.From(err).Code; {
	case err == nil:
		return payment.Answer{Reference: txn.Reference}, takenBack, nil
	case code == problem.Conflict, code == problem.NotFound:
		return a, forbidden, nil
	}
	return a, notOSMP, err
}

// seal has a payment that is not of the protocol stay refused, where it has an id: a partner
// that was told so may have given the money back.
func (o *OSMP) seal(ctx context.Context, partner partners.Access, r osmpRequest) error {
	if r.command != "pay" || !txnPattern.MatchString(r.txnID) {
		return nil
	}
	return o.Payments.Malformed(ctx, allowed(partner, partners.Pay), r.txnID)
}

// allowed is a partner with the services of which it may do something.
func allowed(a partners.Access, operation string) payment.Partner {
	services, every := a.Scopes.Services(operation)
	return payment.Partner{ID: a.Partner, Services: services, Every: every}
}

// read checks the parameters' form. A check may come without a sum; txn_date is
// Bishkek's clock.
func (r osmpRequest) read() (sum money.Amount, at time.Time, err error) {
	if !txnPattern.MatchString(r.txnID) || r.account == "" || len(r.account) > longestText {
		return 0, at, errRequest
	}
	if r.sum == "" && r.command == "check" {
		return 0, at, nil
	}
	if !sumPattern.MatchString(r.sum) {
		return 0, at, errRequest
	}
	if sum, err = money.ParseSom(r.sum); err != nil {
		return 0, at, fmt.Errorf("read the sum: %w", err)
	}
	if r.date != "" {
		if at, err = time.ParseInLocation(dateLayout, r.date, clock.Bishkek); err != nil {
			return 0, at, errRequest
		}
	}
	return sum, at, nil
}

func (o *OSMP) send(c *fiber.Ctx, a osmpAnswer) error {
	body, err := xml.Marshal(a)
	if err != nil {
		return fmt.Errorf("write an OSMP answer: %w", err)
	}
	c.Set(fiber.HeaderContentType, "text/xml; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.SendString(xml.Header + string(body))
}
