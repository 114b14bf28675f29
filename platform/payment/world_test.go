package payment_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

const (
	wallet = "demo-wallet"
	aigul  = "+996555000001"
	bakyt  = "+996700000002"
)

var start = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)

// errLost is an answer that did not come.
var errLost = errors.New("the answer was lost")

// register is a register of bills that takes each once, with knobs for what can
// go wrong.
type register struct {
	mu    sync.Mutex
	price map[string]money.Amount
	paid  map[string]payment.Settlement
	pays  int
	// lose drops this many answers after the effect; down fails this many calls
	// before it.
	lose, down int
	refuse     map[string]payment.Outcome
	// pause holds a settlement before it is sent; nil: none.
	pause func()
}

func newRegister() *register {
	return &register{
		price: map[string]money.Amount{}, paid: map[string]payment.Settlement{},
		refuse: map[string]payment.Outcome{},
	}
}

func (r *register) Service() string { return "fine" }

func (r *register) Admit(context.Context, caller.Caller, []string) error { return nil }

func (r *register) Quote(_ context.Context, b payment.Bill) (payment.Quote, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down > 0 {
		r.down--
		return payment.Quote{}, problem.New(problem.Unavailable, "problem.registry_down")
	}
	if _, done := r.paid[b.Ref]; done {
		return payment.Quote{}, problem.New(problem.Conflict, "problem.fine_paid")
	}
	if price, ok := r.price[b.Ref]; ok {
		return payment.Quote{Amount: price}, nil
	}
	return payment.Quote{}, problem.New(problem.NotFound, "problem.fine_gone")
}

func (r *register) Settle(ctx context.Context, s payment.Settlement) (payment.Outcome, error) {
	if pause := r.pause; pause != nil {
		pause()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down > 0 {
		r.down--
		return "", errLost
	}
	if outcome, ok := r.refuse[s.Ref]; ok {
		return outcome, nil
	}
	if was, done := r.paid[s.Ref]; done {
		if s.Sent && was.PaymentID == s.PaymentID && was.At.Equal(s.At) {
			return payment.OutcomeSettled, nil
		}
		return payment.OutcomePaid, nil
	}
	if err := s.Sending(ctx); err != nil {
		return "", err
	}
	r.paid[s.Ref] = s
	r.pays++
	if r.lose > 0 {
		r.lose--
		return "", errLost
	}
	return payment.OutcomeSettled, nil
}

// world is a payment service with everything it stands on.
type world struct {
	*payment.Service
	db       *store.DB
	audit    *audit.Log
	trail    func(trail.Auditor) *trail.Trail // with records as an auditor writes them
	queue    *job.Queue
	register *register
	mu       sync.Mutex
	at       time.Time
	sms      []notify.Outgoing
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// Send implements notify.Sender.
func (w *world) Send(_ context.Context, m notify.Outgoing) (notify.Taken, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sms = append(w.sms, m)
	return notify.Taken{Provider: "test", ID: m.ID}, nil
}

func (w *world) texts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var texts []string
	for _, m := range w.sms {
		texts = append(texts, m.To+" "+m.Text)
	}
	return texts
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	queue, err := job.New(db, log)
	must(t, err)
	sealer, err := seal.New([]byte(strings.Repeat("k", 32)))
	must(t, err)
	texts, err := locales.Load()
	must(t, err)
	recorder := analytics.NewRecorder(db, log)
	t.Cleanup(recorder.Close)
	w := &world{db: db, audit: audit.New(db, sealer), queue: queue, register: newRegister(), at: start}
	outbox := notify.New(db, queue, sealer, w, notify.Quiet{}, w.now, log)
	w.trail = func(auditor trail.Auditor) *trail.Trail {
		left, err := trail.New(auditor, recorder, outbox)
		must(t, err)
		return left
	}
	w.Service, err = payment.New(payment.Deps{
		DB: db, Queue: queue, Sealer: sealer, Trail: w.trail(w.audit), Texts: texts,
		Now: w.now, Random: rand.Reader, Log: log,
	}, w.register)
	must(t, err)
	return w
}

// work runs the job queue until the test ends.
func (w *world) work(t testing.TB) {
	t.Helper()
	must(t, w.queue.Start(context.Background()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := w.queue.Stop(ctx); err != nil {
			t.Errorf("stop the queue: %v", err)
		}
	})
}

func (w *world) caller(phone, turn string) caller.Caller {
	return caller.Caller{Phone: phone, Channel: caller.USSD, Locale: locales.KY, Now: w.now(), Key: turn}
}

// awaiting opens and confirms a payment of bills at 1 500 som each.
func (w *world) awaiting(t testing.TB, phone, turn string, refs ...string) payment.Payment {
	t.Helper()
	w.register.mu.Lock()
	for _, ref := range refs {
		if _, has := w.register.price[ref]; !has {
			w.register.price[ref] = 1500 * money.Som
		}
	}
	w.register.mu.Unlock()
	p, err := w.Open(context.Background(), w.caller(phone, turn), "fine", refs)
	must(t, err)
	p, err = w.Confirm(context.Background(), w.caller(phone, turn), p.ID)
	must(t, err)
	return p
}

func (w *world) accept(t testing.TB, txn string, p payment.Payment) payment.Answer {
	t.Helper()
	a, err := w.Accept(context.Background(), wallet, txn, p.Code, p.Amount, w.now())
	must(t, err)
	return a
}

func (w *world) state(t testing.TB, phone string, p payment.Payment) payment.Payment {
	t.Helper()
	p, err := w.Get(context.Background(), w.caller(phone, ""), p.ID)
	must(t, err)
	return p
}

func (w *world) count(t testing.TB, query string) int {
	t.Helper()
	var n int
	must(t, w.db.Reader().QueryRow(query).Scan(&n))
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls until ok, for ten seconds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}
