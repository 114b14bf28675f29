package sms

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
// apart; /api/dr tells a message's report, /api/def a number's operator and /api/info
// what is left in the account.
type SMSPRO struct {
	cfg       SMSPROConfig
	transport http.RoundTripper
	deps      CallbackDeps
	empty     pauses // of the account that had no money for a message
}

// NewSMSPRO checks the account's settings and deps; nothing is sent yet.
func NewSMSPRO(cfg SMSPROConfig, deps CallbackDeps) (*SMSPRO, error) {
	if err := deps.complete(providerSMSPRO); err != nil {
		return nil, err
	}
	if account := (Account{Username: cfg.Login, APIKey: cfg.Password, Secret: cfg.Secret}); !account.hasSecrets() || cfg.Sender == "" {
		return nil, errors.New("SMSPRO needs a login, a password, an approved sender and a secret of 16 characters for its reports")
	}
	base, timeout, err := reachable(cfg.BaseURL, cfg.Timeout)
	if err != nil {
		return nil, fmt.Errorf("SMSPRO: %w", err)
	}
	cfg.BaseURL, cfg.Timeout = base.String(), timeout
	return &SMSPRO{cfg: cfg, deps: deps, transport: newTransport()}, nil
}

func kindSMSPRO() Kind {
	return Kind{
		Name: providerSMSPRO, Needs: "username, api_key_env, from, url, and secret_env with 16 characters or more",
		Fits: func(a Account) bool { return a.hasSecrets() && a.From != "" && a.URL != "" },
		Make: func(a Account, deps CallbackDeps) (Provider, error) {
			return NewSMSPRO(SMSPROConfig{Login: a.Username, Password: a.APIKey, Sender: a.From, BaseURL: a.URL, Secret: a.Secret}, deps)
		},
	}
}

// Name implements Provider.
func (*SMSPRO) Name() string { return providerSMSPRO }

// smsproAccount is who asks: the head of every request.
type smsproAccount struct {
	Login string `xml:"login"`
	Pwd   string `xml:"pwd"`
}

func (s *SMSPRO) account() smsproAccount { return smsproAccount{s.cfg.Login, s.cfg.Password} }

// smsproMessage is one message to one phone.
type smsproMessage struct {
	XMLName xml.Name `xml:"message"`
	smsproAccount
	ID     string   `xml:"id"`
	Sender string   `xml:"sender"`
	Text   string   `xml:"text"`
	Phones []string `xml:"phones>phone"`
}

// smsproCode is a number of their protocol. encoding/xml reads an empty element as 0,
// which is their word for success: here it is an error.
type smsproCode int

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *smsproCode) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 15)
	if err != nil {
		return errXML
	}
	*c = smsproCode(n) // #nosec G115 -- of 15 bits
	return nil
}

// smsproAnswer is what any request is answered with. Roots carry namespaces: all is
// read by local name.
type smsproAnswer struct {
	Statuses []smsproCode `xml:"status"`
}

// status is the answer's only one.
func (a smsproAnswer) status() (smsproCode, error) {
	if len(a.Statuses) != 1 {
		return 0, fmt.Errorf("the answer of SMSPRO has %d statuses", len(a.Statuses))
	}
	return a.Statuses[0], nil
}

// accepted is for requests other than messages: any status but 0 is an error.
func (a smsproAnswer) accepted() error {
	status, err := a.status()
	if err == nil && status != smsproTaken {
		err = fmt.Errorf("SMSPRO: status %d", status)
	}
	return err
}

// The answers to a message. Source: SMSPRO, /api/message, status.
const (
	smsproTaken    = 0
	smsproNoMoney  = 4
	smsproStopWord = 6  // a word that may not be sent
	smsproNoPhone  = 7  // no phone
	smsproSlow     = 9  // took too long: to be asked again with the same id
	smsproRepeated = 10 // the id was used: ours was taken
	smsproTest     = 11 // an account that only tries: taken, and not sent
)

// emptyFor is how long no message is offered to an account that had no money for one,
// unless it says earlier that it has.
const emptyFor = time.Minute

// Send hands one message over; the id is made from the message's own, the same at
// every try.
func (s *SMSPRO) Send(ctx context.Context, m notify.MT) (id string, err error) {
	if utf8.RuneCountInString(m.Text) > longestSMSPRO {
		return "", fmt.Errorf("SMSPRO: %w: over %d characters", notify.ErrRefused, longestSMSPRO)
	}
	if !s.empty.isOver("", s.deps.Now()) {
		return "", fmt.Errorf("%w: the account at SMSPRO has no money", notify.ErrUnavailable)
	}
	id = smsproID(m.ID)
	var answer smsproAnswer
	err = s.ask(ctx, "/api/message", smsproMessage{
		smsproAccount: s.account(), ID: id, Sender: s.cfg.Sender, Text: m.Text, Phones: []string{strings.TrimPrefix(m.To, "+")},
	}, &answer)
	if err != nil {
		return "", err
	}
	status, err := answer.status()
	if err != nil {
		return "", err
	}
	return id, s.meaning(status)
}

// meaning is what the status of an answer says of the message: nil where it was taken.
func (s *SMSPRO) meaning(status smsproCode) error {
	switch status {
	case smsproTaken, smsproRepeated, smsproTest:
		return nil
	case smsproNoMoney:
		s.outOfMoney()
		return fmt.Errorf("%w: SMSPRO: status %d", notify.ErrUnavailable, status)
	case smsproSlow:
		return fmt.Errorf("%w: SMSPRO: status %d", notify.ErrUnanswered, status)
	case smsproStopWord, smsproNoPhone:
		return fmt.Errorf("SMSPRO: %w: status %d", notify.ErrRefused, status)
	default: // the account's own faults: format, password, address, sender, time
		return fmt.Errorf("%w: SMSPRO: status %d", ErrNotTaken, status)
	}
}

// outOfMoney has messages go another way for a while.
func (s *SMSPRO) outOfMoney() { s.empty.begin("", s.deps.Now().Add(emptyFor)) }

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
