package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// PhonesConfig says where the phones' world meets the application. BaseURL and
// PublicURL are functions because an embedding process learns its port late.
type PhonesConfig struct {
	// BaseURL is where the application answers ("http://127.0.0.1:8080").
	BaseURL func() string
	// PublicURL is the address the application believes it has: the Twilio
	// signature covers it. nil: BaseURL.
	PublicURL func() string
	// TwilioSID and TwilioToken are the account that the messaging API accepts
	// and signs its callbacks with. twilio-go takes letters and digits only.
	TwilioSID, TwilioToken string
	// TwilioNumber is the service's SMS number ("1414"); *number# is the code
	// its USSD menu is dialled by.
	TwilioNumber string
	// PartnerID and PartnerSecret authenticate the demo wallet (HTTP Basic).
	PartnerID     string
	PartnerSecret func() string
	// PartnerPath is the application's OSMP endpoint; empty: /partner/osmp.
	PartnerPath string
	// WalletPause is the wait before the wallet's first retry; every next one
	// is twice as long, up to a minute. Zero: half a second.
	WalletPause time.Duration
	// WalletWait is how long a request to pay waits for the outcome before it
	// answers that the payment is still going on. Zero: 25 s.
	WalletWait time.Duration
	// DeliveryTime is what the network takes before each report on a message
	// (sent, then delivered). Zero: 300 ms.
	DeliveryTime time.Duration
	// Dir keeps messages (sms.jsonl) and the wallet's pays (wallet.jsonl) over a
	// restart; empty: in memory only.
	Dir  string
	Now  func() time.Time
	HTTP *http.Client
	// Log takes what the simulated gateways could not deliver; nil: discarded.
	// Numbers and texts never reach it.
	Log *slog.Logger
}

// Phones is the phones' side of the sandbox: a USSD gateway, an SMS provider
// with the messages that reached each phone, and the demo wallet.
type Phones struct {
	cfg     PhonesConfig
	gateway *Gateway
	inbox   *inbox
	wallet  *wallet
	begun   []keptPay // that a restart interrupted
	// ctx ends with Close; background holds callbacks and wallet retries.
	ctx        context.Context
	cancel     context.CancelFunc
	background sync.WaitGroup
}

// NewPhones opens the kept messages and builds the gateways. Close ends it.
func NewPhones(cfg PhonesConfig) (*Phones, error) {
	if cfg.BaseURL == nil || cfg.Now == nil {
		return nil, errors.New("sandbox phones: BaseURL and Now must be given")
	}
	cfg = withDefaults(cfg)
	in, err := openInbox(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the phones' messages: %w", err)
	}
	p := &Phones{cfg: cfg, inbox: in}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.gateway = NewGateway(cfg.BaseURL, "*"+cfg.TwilioNumber+"#", cfg.HTTP, cfg.Now)
	wallet, begun, err := newWallet(cfg)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the wallet: %w", err), in.close())
	}
	p.wallet, p.begun = wallet, begun
	return p, nil
}

func withDefaults(cfg PhonesConfig) PhonesConfig {
	if cfg.PublicURL == nil {
		cfg.PublicURL = cfg.BaseURL
	}
	if cfg.TwilioNumber == "" {
		cfg.TwilioNumber = "1414"
	}
	if cfg.PartnerPath == "" {
		cfg.PartnerPath = "/partner/osmp"
	}
	if cfg.WalletPause <= 0 {
		cfg.WalletPause = 500 * time.Millisecond
	}
	if cfg.WalletWait <= 0 {
		cfg.WalletWait = 25 * time.Second
	}
	if cfg.DeliveryTime <= 0 {
		cfg.DeliveryTime = 300 * time.Millisecond
	}
	if cfg.PartnerSecret == nil {
		cfg.PartnerSecret = func() string { return "" }
	}
	if cfg.HTTP == nil {
		// All go to one host: few connections kept would be many opened anew.
		cfg.HTTP = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// Resume takes up the wallet's pays that a restart interrupted. It is for the
// moment when BaseURL and PartnerSecret are known, once.
func (p *Phones) Resume() {
	for _, pay := range p.begun {
		p.background.Go(func() { p.wallet.resume(p.ctx, pay) })
	}
	p.begun = nil
}

// Close stops retries and callbacks under way, waits for them and closes the
// files.
func (p *Phones) Close() error {
	p.cancel()
	p.background.Wait()
	return errors.Join(p.inbox.close(), p.wallet.kept.close())
}

// Handler serves /sandbox/ussd, /sandbox/sms and /sandbox/wallet/payments to
// callers on this machine.
func (p *Phones) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /sandbox/ussd", p.gateway)
	mux.HandleFunc("GET /sandbox/sms", p.listMessages)
	mux.HandleFunc("POST /sandbox/sms", p.textService)
	mux.HandleFunc("POST /sandbox/wallet/payments", p.payCode)
	mux.HandleFunc("GET /sandbox/wallet/payments", p.paymentOutcome)
	return loopbackOnly(mux)
}

// loopbackOnly refuses callers from other machines: the sandbox's entry points
// need no secret. A request that names another host came through a proxy or by
// DNS rebinding, and one with a foreign Origin from another site's page.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.RemoteAddr) || !isLoopback(r.Host) || r.Header.Get("X-Forwarded-For") != "" {
			refuse(w, http.StatusForbidden, "loopback_only", "the sandbox answers callers on this machine only")
			return
		}
		if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
			refuse(w, http.StatusForbidden, "loopback_only", "the sandbox does not answer other sites' pages")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		next.ServeHTTP(w, r)
	})
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// refusal is how the sandbox says no: a code for programs, a sentence for
// developers. The phone page has its own sentence for each code.
type refusal struct {
	Code  string `json:"code"`
	Error string `json:"error"`
}

func refuse(w http.ResponseWriter, status int, code, sentence string) {
	answer(w, status, refusal{Code: code, Error: sentence})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The status is out: an error here means that the caller has gone.
	_ = json.NewEncoder(w).Encode(v)
}

// decode reads a JSON body; it has refused already when it returns false. An
// unknown field is refused so that a misspelt knob is noticed.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, "bad_request", "the body is not the JSON expected: "+err.Error())
		return false
	}
	return true
}

// e164 is a number as gateways write it: plus, country code, up to 15 digits.
var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
