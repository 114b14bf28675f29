package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
)

// The results of the OSMP provider protocol that the wallet decides by. Source:
// OSMP/QIWI provider interface; 1 and 90 are the only ones worth a retry.
const (
	osmpOK          = 0
	osmpTemporary   = 1
	osmpNotFinished = 90
)

// How patient the wallet is: its user waits for a check, nobody for a payment.
const (
	checkTries  = 4
	longestWait = time.Minute
	payFor      = 24 * time.Hour
	paidKept    = 1000
)

// The states of a wallet payment.
const (
	walletPaid    = "paid"
	walletRefused = "refused"
	walletGoing   = "going_on"
)

// PaymentOutcome is how a payment from the demo wallet stands.
type PaymentOutcome struct {
	// State is paid, refused, or going_on while the wallet keeps trying.
	State string `json:"state"`
	// Result and Comment are the provider's last; Result -1: no answer yet.
	Result  int    `json:"result"`
	Comment string `json:"comment"`
	// Sum is what was asked, in som with two decimals.
	Sum    string `json:"sum"`
	TxnID  string `json:"txn_id"`
	PrvTxn string `json:"prv_txn"`
	// Tries counts the requests that the wallet sent.
	Tries int `json:"tries"`
}

// wallet is a payment partner's side: an OSMP client whose user typed a code.
type wallet struct {
	cfg  PhonesConfig
	kept *payFile

	mu       sync.Mutex
	order    []string // txn_ids, oldest first
	payments map[string]*walletPayment
}

type walletPayment struct {
	code    string
	done    chan struct{}
	mu      sync.Mutex
	outcome PaymentOutcome
}

// newWallet opens the wallet and gives the pays that a restart interrupted.
func newWallet(cfg PhonesConfig) (*wallet, []keptPay, error) {
	kept, begun, err := openPayFile(cfg.Dir)
	if err != nil {
		return nil, nil, err
	}
	return &wallet{cfg: cfg, kept: kept, payments: map[string]*walletPayment{}}, begun, nil
}

// paymentCode is what a wallet's user can type: digits, kept as text.
var paymentCode = regexp.MustCompile(`^[0-9]{1,30}$`)

// payCode answers POST /sandbox/wallet/payments. It waits for the outcome, and
// for a payment that takes longer answers where it stands; the wallet goes on.
func (p *Phones) payCode(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Code string `json:"code"`
		// Phone is whose wallet it is; the protocol does not carry it.
		Phone string `json:"phone"`
	}
	if !decode(w, r, &ask) {
		return
	}
	if !paymentCode.MatchString(ask.Code) {
		refuse(w, http.StatusBadRequest, "bad_request", "code must be the digits of a payment code")
		return
	}
	payment, err := p.wallet.start(ask.Code)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "wallet", err.Error())
		return
	}
	p.background.Go(func() { p.wallet.run(p.ctx, payment) })
	timer := time.NewTimer(p.cfg.WalletWait)
	defer timer.Stop()
	select {
	case <-payment.done:
	case <-timer.C:
	case <-r.Context().Done():
	}
	answer(w, http.StatusOK, payment.now())
}

// paymentOutcome answers GET /sandbox/wallet/payments?txn_id=….
func (p *Phones) paymentOutcome(w http.ResponseWriter, r *http.Request) {
	p.wallet.mu.Lock()
	payment := p.wallet.payments[r.URL.Query().Get("txn_id")]
	p.wallet.mu.Unlock()
	if payment == nil {
		refuse(w, http.StatusNotFound, "no_payment", "the wallet knows no such txn_id")
		return
	}
	answer(w, http.StatusOK, payment.now())
}

func (w *wallet) start(code string) (*walletPayment, error) {
	tail, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return nil, fmt.Errorf("make a txn_id: %w", err)
	}
	id := fmt.Sprintf("%s%06d", w.cfg.Now().UTC().Format("20060102150405"), tail)
	return w.add(id, code), nil
}

func (w *wallet) add(id, code string) *walletPayment {
	p := &walletPayment{code: code, done: make(chan struct{}), outcome: PaymentOutcome{State: walletGoing, Result: -1, TxnID: id}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.payments[id], w.order = p, append(w.order, id)
	if len(w.order) > paidKept {
		delete(w.payments, w.order[0])
		w.order = w.order[1:]
	}
	return p
}

// run takes a payment from its check to its end.
func (w *wallet) run(ctx context.Context, p *walletPayment) {
	defer close(p.done)
	sum, ok := w.check(ctx, p)
	if !ok {
		p.finish(walletRefused)
		return
	}
	// The date is the payment's, so it stays the same over retries; partners
	// write it by Bishkek's clock.
	at := w.cfg.Now().In(clock.Bishkek).Format("20060102150405")
	pay := keptPay{TxnID: p.outcome.TxnID, Code: p.code, Sum: sum, Date: at, State: walletGoing}
	// What is not written down is not sent: after a restart nobody would ask again.
	if err := w.kept.keep(pay); err != nil {
		w.cfg.Log.Error("the sandbox's wallet could not begin a pay", "error", err)
		p.finish(walletRefused)
		return
	}
	w.pay(ctx, p, pay)
}

// resume takes up a pay that a restart interrupted.
func (w *wallet) resume(ctx context.Context, pay keptPay) {
	p := w.add(pay.TxnID, pay.Code)
	defer close(p.done)
	w.pay(ctx, p, pay)
}

// pay asks for the same pay until its result is final.
func (w *wallet) pay(ctx context.Context, p *walletPayment, pay keptPay) {
	ctx, cancel := context.WithTimeout(ctx, payFor)
	defer cancel()
	for try := 0; ; try++ {
		resp, err := w.ask(ctx, p, url.Values{"command": {"pay"}, "sum": {pay.Sum}, "txn_date": {pay.Date}})
		if err == nil && !temporary(resp.Result) {
			pay.State = walletRefused
			if resp.Result == osmpOK {
				pay.State = walletPaid
			}
			p.finish(pay.State)
			break
		}
		if pause(ctx, w.wait(try)) != nil {
			return
		}
	}
	if err := w.kept.keep(pay); err != nil {
		w.cfg.Log.Error("the sandbox's wallet could not end a pay", "error", err)
	}
}

// check asks whether the code can be paid and for how much. The wallet's user
// does not know the sum: it asks with 0.00 and pays what the answer says.
func (w *wallet) check(ctx context.Context, p *walletPayment) (sum string, ok bool) {
	for try := range checkTries {
		resp, err := w.ask(ctx, p, url.Values{"command": {"check"}, "sum": {"0.00"}})
		if err == nil && !temporary(resp.Result) {
			return resp.Sum, resp.Result == osmpOK && sumPattern.MatchString(resp.Sum)
		}
		if try == checkTries-1 || pause(ctx, w.wait(try)) != nil {
			break
		}
	}
	return "", false
}

// sumPattern is a sum in som as the strictest dialect writes it.
var sumPattern = regexp.MustCompile(`^[0-9]+\.[0-9]{2}$`)

func temporary(result int) bool { return result == osmpTemporary || result == osmpNotFinished }

// wait is the interval before the next try: it doubles up to a minute.
func (w *wallet) wait(try int) time.Duration {
	d := w.cfg.WalletPause
	for range try {
		if d *= 2; d > longestWait {
			return longestWait
		}
	}
	return d
}

// osmpResponse is the provider's answer; Pay24 writes txn_id for osmp_txn_id.
type osmpResponse struct {
	XMLName xml.Name `xml:"response"`
	TxnID   string   `xml:"osmp_txn_id"`
	PrvTxn  string   `xml:"prv_txn"`
	Sum     string   `xml:"sum"`
	Result  int      `xml:"result"`
	Comment string   `xml:"comment"`
}

// ask sends one command with the payment's txn_id and account.
func (w *wallet) ask(ctx context.Context, p *walletPayment, form url.Values) (osmpResponse, error) {
	form.Set("txn_id", p.outcome.TxnID)
	form.Set("account", p.code)
	resp, err := w.send(ctx, form)
	if err == nil && resp.TxnID != "" && resp.TxnID != p.outcome.TxnID {
		err = fmt.Errorf("the provider answered another txn_id")
	}
	p.note(resp, err)
	return resp, err
}

func (w *wallet) send(ctx context.Context, form url.Values) (osmpResponse, error) {
	var out osmpResponse
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // the protocol's own limit
	defer cancel()
	to := w.cfg.BaseURL() + w.cfg.PartnerPath + "?" + form.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return out, fmt.Errorf("make the wallet's request: %w", err)
	}
	req.SetBasicAuth(w.cfg.PartnerID, w.cfg.PartnerSecret())
	resp, err := w.cfg.HTTP.Do(req)
	if err != nil {
		// The URL holds the payment code: only what went wrong is told on.
		if u := new(url.Error); errors.As(err, &u) {
			err = u.Err
		}
		return out, fmt.Errorf("ask the provider: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return out, statusError(resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return out, fmt.Errorf("read the provider's answer: %w", err)
	}
	if err := xml.Unmarshal(body, &out); err != nil {
		return out, fmt.Errorf("read the provider's XML: %w", err)
	}
	return out, nil
}

// note remembers the last thing heard, for whoever looks at the payment.
func (p *walletPayment) note(resp osmpResponse, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outcome.Tries++
	if err != nil {
		p.outcome.Result, p.outcome.Comment = -1, err.Error()
		return
	}
	p.outcome.Result, p.outcome.Comment = resp.Result, resp.Comment
	if resp.Sum != "" {
		p.outcome.Sum = resp.Sum
	}
	if resp.PrvTxn != "" {
		p.outcome.PrvTxn = resp.PrvTxn
	}
}

func (p *walletPayment) finish(state string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outcome.State = state
}

func (p *walletPayment) now() PaymentOutcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.outcome
}
