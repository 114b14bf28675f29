package sms

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/notify"
)

const (
	providerSMSPRO = "smspro"
	// longestSMSPRO is the most characters of a message that they take.
	longestSMSPRO = 800
)

// SMSPROConfig is one account at SMSPRO, the gateway that Kyrgyz services use.
type SMSPROConfig struct {
	Login, Password string
	// Sender is what they approved beforehand: up to 11 of A–Z a–z 0–9 . -, or 14
	// digits.
	Sender string
	// BaseURL is theirs, https://….
	BaseURL string
	// Secret is in the path of the reports that they post, which are not signed:
	// /sms/smspro/<secret>/report.
	Secret string
	// Timeout bounds one call; zero: 10 s.
	Timeout time.Duration
}

// SMSPRO sends messages through SMSPRO and takes its reports. It implements
// Provider. Facts of its documentation of the XML interface: /api/message is
// idempotent by the id that we give, so that a lost answer is simply asked for
// again; a report that is not answered with 200 comes three more times, ten minutes
// apart.
type SMSPRO struct {
	cfg       SMSPROConfig
	transport http.RoundTripper
	deps      CallbackDeps
}

// NewSMSPRO checks the account's settings; nothing is sent yet.
func NewSMSPRO(cfg SMSPROConfig, deps CallbackDeps) (*SMSPRO, error) {
	if cfg.Login == "" || cfg.Password == "" || cfg.Sender == "" || len(cfg.Secret) < 16 {
		return nil, errors.New("SMSPRO needs a login, a password, an approved sender and a secret of 16 characters for its reports")
	}
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, errors.New("the base address of SMSPRO must be http://… or https://…")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	return &SMSPRO{cfg: cfg, deps: deps, transport: newTransport()}, nil
}

// Name implements Provider.
func (*SMSPRO) Name() string { return providerSMSPRO }

// smsproMessage is one message to one phone.
type smsproMessage struct {
	XMLName xml.Name `xml:"message"`
	Login   string   `xml:"login"`
	Pwd     string   `xml:"pwd"`
	ID      string   `xml:"id"`
	Sender  string   `xml:"sender"`
	Text    string   `xml:"text"`
	Phones  []string `xml:"phones>phone"`
}

// smsproAnswer is what any request is answered with. Roots carry namespaces: all is
// read by local name.
type smsproAnswer struct {
	Status *int `xml:"status"`
}

// The answers to a message. Source: SMSPRO, /api/message, status.
const (
	smsproTaken    = 0
	smsproStopWord = 6  // a word that may not be sent
	smsproNoPhone  = 7  // no phone
	smsproSlow     = 9  // took too long: to be asked again with the same id
	smsproRepeated = 10 // the id was used: ours was taken
	smsproTest     = 11 // an account that only tries: taken, and not sent
)

// Send hands one message over; the id is made from the message's own, the same at
// every try.
func (s *SMSPRO) Send(ctx context.Context, m notify.Outgoing) (id string, err error) {
	if utf8.RuneCountInString(m.Text) > longestSMSPRO {
		return "", fmt.Errorf("SMSPRO: %w: over %d characters", notify.ErrRefused, longestSMSPRO)
	}
	id = smsproID(m.ID)
	var answer smsproAnswer
	err = s.ask(ctx, "/api/message", smsproMessage{
		Login: s.cfg.Login, Pwd: s.cfg.Password, ID: id, Sender: s.cfg.Sender, Text: m.Text, Phones: []string{strings.TrimPrefix(m.To, "+")},
	}, &answer)
	if err != nil {
		return "", err
	}
	if answer.Status == nil {
		return "", errors.New("the answer of SMSPRO has no status")
	}
	switch status := *answer.Status; status {
	case smsproTaken, smsproRepeated, smsproTest:
		return id, nil
	case smsproSlow:
		return "", fmt.Errorf("%w: SMSPRO: status %d", notify.ErrUnanswered, status)
	case smsproStopWord, smsproNoPhone:
		return "", fmt.Errorf("SMSPRO: %w: status %d", notify.ErrRefused, status)
	default: // the account's own faults: format, password, address, money, sender, time
		return "", fmt.Errorf("%w: SMSPRO: status %d", ErrNotTaken, status)
	}
}

// smsproID makes their id of ours: 12 of A–Z a–z 0–9, 70 random bits.
func smsproID(ours string) string {
	sum := sha256.Sum256([]byte("smspro " + ours))
	letters := strings.NewReplacer("-", "", "_", "").Replace(base64.RawURLEncoding.EncodeToString(sum[:]))
	return letters[:12] // of 43 characters fewer than 31 are - or _, but once in 10^30
}

// ask posts a request and reads its answer, which may be about one phone only.
func (s *SMSPRO) ask(ctx context.Context, path string, request, answer any) error {
	body, err := xml.Marshal(request)
	if err != nil {
		return fmt.Errorf("write a request for SMSPRO: %w", err)
	}
	address := strings.TrimRight(s.cfg.BaseURL, "/") + path
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(append([]byte(xml.Header), body...)))
	if err != nil {
		return fmt.Errorf("write a request for SMSPRO: %w", err)
	}
	post.Header.Set("Content-Type", "application/xml; charset=utf-8")
	one := &call{next: s.transport}
	response, err := one.client(s.cfg.Timeout).Do(post)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return fmt.Errorf("reach SMSPRO: %w", one.unanswered(err))
	}
	defer func() { _ = response.Body.Close() }()
	told, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer of SMSPRO: %w", one.unanswered(err))
	}
	switch {
	case response.StatusCode >= http.StatusInternalServerError:
		return fmt.Errorf("SMSPRO answered with status %d", response.StatusCode)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: SMSPRO answered with status %d", ErrNotTaken, response.StatusCode)
	}
	if err := readXML(told, answer); err != nil {
		return fmt.Errorf("the answer of SMSPRO cannot be read: %w", err)
	}
	return nil
}

// errXML says what is wrong with a document, and nothing of what is in it.
var errXML = errors.New("no XML of the expected form, or one with a document type")

// readXML reads a small document into v by local names. A document type is refused:
// nobody who speaks this protocol needs one, and it is where XML gets dangerous.
func readXML(document []byte, v any) error {
	for tokens := xml.NewDecoder(bytes.NewReader(document)); ; {
		token, err := tokens.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if _, directive := token.(xml.Directive); directive || err != nil {
			return errXML
		}
	}
	if xml.Unmarshal(document, v) != nil {
		return errXML
	}
	return nil
}

// smsproReports is what they post: <report><dr>…</dr>…</report>.
type smsproReports struct {
	XMLName xml.Name `xml:"report"`
	Reports []struct {
		ID     string `xml:"id"`
		Phones []struct {
			Number string `xml:"number"`
			Report *int   `xml:"report"`
		} `xml:"phone"`
	} `xml:"dr"`
}

// smsproFates are the reports that end a message, in the words of notify.Report.
// 0 queued, 1 with the operator, 6 unknown and 7 no report came say nothing yet.
var smsproFates = map[int]string{2: "rejected", 3: "delivered", 4: "undelivered", 5: "failed"}

// Register adds the callback to the application.
func (s *SMSPRO) Register(r fiber.Router) { r.Post("/sms/smspro/:secret/report", s.report) }

// report takes delivery reports. It answers 200 only when all are noted: what is
// told again changes nothing.
func (s *SMSPRO) report(c *fiber.Ctx) error {
	if subtle.ConstantTimeCompare([]byte(c.Params("secret")), []byte(s.cfg.Secret)) != 1 {
		s.deps.Refused("secret")
		return c.Status(fiber.StatusForbidden).SendString("forbidden")
	}
	if len(c.Body()) > maxForm {
		return s.deps.tooLarge(c)
	}
	var told smsproReports
	if readXML(c.Body(), &told) != nil || len(told.Reports) == 0 {
		s.deps.Refused("malformed")
		return c.Status(fiber.StatusBadRequest).SendString("<report><dr>…</dr></report> is needed")
	}
	for _, dr := range told.Reports {
		for _, phone := range dr.Phones {
			if err := s.note(c, dr.ID, phone.Number, phone.Report); err != nil {
				return c.Status(fiber.StatusServiceUnavailable).SendString("try again later")
			}
		}
	}
	return c.SendStatus(fiber.StatusOK)
}

// note takes the report about one phone; an error says that it should come again.
func (s *SMSPRO) note(c *fiber.Ctx, id, number string, outcome *int) error {
	if outcome == nil || !sidPattern.MatchString(id) {
		s.deps.Refused("malformed")
		return nil
	}
	fate, ends := smsproFates[*outcome]
	if !ends {
		return nil
	}
	told := notify.Report{Provider: providerSMSPRO, ID: strings.Clone(id), Status: fate}
	told.Phone, _ = caller.ParsePhone(number)
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	err := reportOrOrphan(ctx, s.deps.Deliveries, told, s.deps.Refused)
	if err != nil && !errors.Is(err, notify.ErrUnknown) {
		s.deps.Log.ErrorContext(ctx, "a delivery report was not taken", "provider", providerSMSPRO, "error", err)
		return err
	}
	return nil
}
