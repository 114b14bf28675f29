package payment_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
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
	price map[string]payment.Tyiyn
	paid  map[string]payment.Settlement
	pays  int
	// lose drops this many answers after the effect; down fails this many calls
	// before it.
	lose, down int
	refuse     map[string]payment.Outcome
}

func newRegister() *register {
	return &register{
		price: map[string]payment.Tyiyn{}, paid: map[string]payment.Settlement{},
		refuse: map[string]payment.Outcome{},
	}
}

func (r *register) Service() string { return "fine" }

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

func (r *register) Settle(_ context.Context, s payment.Settlement) (payment.Outcome, error) {
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
func (w *world) Send(_ context.Context, m notify.Outgoing) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sms = append(w.sms, m)
	return m.ID, nil
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
	w := &world{db: db, queue: queue, register: newRegister(), at: start}
	w.Service = payment.New(payment.Deps{
		DB: db, Queue: queue, Sealer: sealer, Audit: audit.New(db, sealer), Events: recorder,
		Outbox: notify.New(db, queue, sealer, w, w.now, log), Texts: texts,
		Now: w.now, Random: rand.Reader, Log: log,
	}, w.register)
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
	return caller.Caller{Phone: phone, Channel: caller.USSD, Locale: locales.KY, Now: w.now(), Turn: turn}
}

// awaiting opens and confirms a payment of bills at 1 500 som each.
func (w *world) awaiting(t testing.TB, phone, turn string, refs ...string) payment.Payment {
	t.Helper()
	w.register.mu.Lock()
	for _, ref := range refs {
		if _, has := w.register.price[ref]; !has {
			w.register.price[ref] = 1500 * payment.Som
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

func TestPaidEndToEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.work(t)
		w.register.price["2"] = 1000 * payment.Som
		p := w.awaiting(t, aigul, "t1", "1", "2")
		if p.State != payment.Awaiting || p.Amount != 2500*payment.Som || !payment.ValidCode(p.Code) {
			t.Fatalf("confirmed: %+v", p)
		}
		check, err := w.Check(context.Background(), wallet, p.Code, 0)
		must(t, err)
		if check.Result != payment.OK || check.Due != p.Amount || check.Service != "fine" {
			t.Errorf("check: %+v", check)
		}
		if a := w.accept(t, "1", p); a.Result != payment.OK || a.PrvTxn == "" {
			t.Errorf("accept: %+v", a)
		}
		eventually(t, "settled", func() bool { return w.state(t, aigul, p).State == payment.Settled })
		eventually(t, "code and receipt by SMS", func() bool { return len(w.texts()) == 2 })
		all := strings.Join(w.texts(), "\n")
		if !strings.Contains(all, p.Code) || !strings.Contains(all, "Төлөндү: 2 500 сом") || !strings.Contains(all, aigul) {
			t.Errorf("SMS: %s", all)
		}
		must(t, w.VerifyLedger(context.Background()))
		if again, err := w.Check(context.Background(), wallet, p.Code, p.Amount); err != nil || again.Result != payment.Inactive {
			t.Errorf("check of a paid code: %+v, %v", again, err)
		}
	})
}

func TestOpenAndConfirmAreIdempotent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		w.register.price["1"] = 5000
		first, err := w.Open(ctx, w.caller(aigul, "t1"), "fine", []string{"1"})
		must(t, err)
		again, err := w.Open(ctx, w.caller(aigul, "t1"), "fine", []string{"1"})
		must(t, err)
		other, err := w.Open(ctx, w.caller(aigul, "t2"), "fine", []string{"1"})
		must(t, err)
		if first.ID != again.ID || first.ID == other.ID {
			t.Errorf("ids: %s, again %s, another turn %s", first.ID, again.ID, other.ID)
		}
		if first.Code != "" {
			t.Error("the code is told before the payment is confirmed")
		}
		one, err := w.Confirm(ctx, w.caller(aigul, "t3"), first.ID)
		must(t, err)
		two, err := w.Confirm(ctx, w.caller(aigul, "t4"), first.ID)
		must(t, err)
		if one.Code == "" || one.Code != two.Code || !one.ExpiresAt.Equal(two.ExpiresAt) {
			t.Errorf("confirmed twice: %+v, %+v", one, two)
		}
		if n := w.count(t, "SELECT COUNT(*) FROM notify_messages"); n != 1 {
			t.Errorf("%d messages with the code", n)
		}
		if _, err := w.Confirm(ctx, w.caller(bakyt, "t5"), other.ID); problem.From(err).Key != "problem.payment_absent" {
			t.Errorf("another's payment: %v", err)
		}
		w.pass(payment.QuoteLife)
		if _, err := w.Confirm(ctx, w.caller(aigul, "t6"), other.ID); problem.From(err).Key != "problem.payment_expired" {
			t.Errorf("a lapsed quote: %v", err)
		}
	})
}

func TestSixtyFourAcceptsOfOneTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		p := w.awaiting(t, aigul, "t1", "1")
		answers := make([]payment.Answer, 64)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				a, err := w.Accept(context.Background(), wallet, "0007", p.Code, p.Amount, start)
				if err != nil {
					t.Errorf("accept: %v", err)
				}
				answers[i] = a
			})
		}
		wg.Wait()
		for _, a := range answers {
			if a != answers[0] || a.Result != payment.OK {
				t.Fatalf("answers differ: %+v and %+v", a, answers[0])
			}
		}
		if n := w.count(t, "SELECT COUNT(*) FROM ledger_entries"); n != 1 {
			t.Errorf("%d effects", n)
		}
		for _, other := range []struct {
			account string
			sum     payment.Tyiyn
		}{{p.Code, p.Amount + 1}, {"1", p.Amount}} {
			a, err := w.Accept(context.Background(), wallet, "0007", other.account, other.sum, start)
			if err != nil || a.Result != payment.OtherFailed {
				t.Errorf("the same txn_id with other data: %+v, %v", a, err)
			}
		}
		// 7 is not 0007: a txn_id is text.
		if a := w.accept(t, "7", p); a.Result != payment.Inactive {
			t.Errorf("a second transaction: %+v", a)
		}
		must(t, w.VerifyLedger(context.Background()))
	})
}

func TestOneCodePaidByManyTransactions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for round := range 8 {
			tag := strconv.Itoa(round)
			p := w.awaiting(t, aigul, "t"+tag, "bill"+tag)
			var taken atomic.Int64
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					a, err := w.Accept(context.Background(), wallet, tag+strconv.Itoa(i+10), p.Code, p.Amount, start)
					if err != nil || a.Result != payment.OK && a.Result != payment.Inactive {
						t.Errorf("accept: %+v, %v", a, err)
					}
					if a.Result == payment.OK {
						taken.Add(1)
					}
				})
			}
			wg.Wait()
			if taken.Load() != 1 || w.count(t, "SELECT COUNT(*) FROM payment_claims") != round+1 {
				t.Fatalf("taken %d times", taken.Load())
			}
		}
		must(t, w.VerifyLedger(context.Background()))
	})
}

func TestTwoCodesForOneBill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for round := range 8 {
			tag := strconv.Itoa(round)
			shared := "shared" + tag
			one := w.awaiting(t, aigul, "a"+tag, "only1-"+tag, shared)
			two := w.awaiting(t, bakyt, "b"+tag, shared, "only2-"+tag)
			var got [2]payment.Answer
			var wg sync.WaitGroup
			wg.Go(func() { got[0] = w.accept(t, "1"+tag, one) })
			wg.Go(func() { got[1] = w.accept(t, "2"+tag, two) })
			wg.Wait()
			if got[0].Result+got[1].Result != payment.Inactive {
				t.Fatalf("one must be taken and one refused: %+v", got)
			}
			loser, phone, free := two, bakyt, "only2-"+tag
			if got[1].Result == payment.OK {
				loser, phone, free = one, aigul, "only1-"+tag
			}
			if s := w.state(t, phone, loser).State; s != payment.Refused {
				t.Errorf("the refused payment is %s", s)
			}
			if taken, err := w.Taken(context.Background(), "fine", free); err != nil || taken {
				t.Errorf("the refused payment keeps a claim: %v, %v", taken, err)
			}
		}
		must(t, w.VerifyLedger(context.Background()))
	})
}
