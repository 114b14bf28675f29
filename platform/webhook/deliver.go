package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/webhook/db"
)

const (
	// timeout bounds one try, from the look-up of the name to the answer's head.
	timeout = 15 * time.Second
	// lease is how long a try has its event: a killed server's is taken up after it.
	lease = time.Minute
	// inFlight is how many events of one partner are on their way from one process.
	inFlight = 8
	// patience is how long nothing may get through before a webhook is disabled.
	patience = 72 * time.Hour
	// longest is beyond the longest wait between two tries.
	longest = 25 * time.Hour
	// keeping is how long the outcome of a try may take to be kept.
	keeping = 5 * time.Second
	// batch is how many events of a partner are looked at together.
	batch = 200
	// DeliveriesLast is how long it is remembered what was delivered.
	DeliveriesLast = 30 * 24 * time.Hour
)

// schedule are the waits after each try, of Standard Webhooks; after the last it is given up.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// busy are the partners whose events this process sends at the moment.
type busy struct {
	mu       sync.Mutex
	partners map[string]bool
}

func (b *busy) take(partner string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.partners[partner] {
		return false
	}
	if b.partners == nil {
		b.partners = map[string]bool{}
	}
	b.partners[partner] = true
	return true
}

func (b *busy) leave(partner string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.partners, partner)
}

// Run sends what is due until ctx is over, each partner's apart: one that is slow holds up
// nobody else.
func (s *Service) Run(ctx context.Context) error {
	var sending sync.WaitGroup
	defer sending.Wait()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := s.begin(ctx, &sending); err != nil && ctx.Err() == nil {
			s.Log.Error("webhooks cannot be sent", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Send sends what is due now, once.
func (s *Service) Send(ctx context.Context) error {
	var sending sync.WaitGroup
	defer sending.Wait()
	return s.begin(ctx, &sending)
}

func (s *Service) begin(ctx context.Context, sending *sync.WaitGroup) error {
	now := s.Now()
	partners, err := db.New(s.DB.Reader()).DuePartners(ctx, db.DuePartnersParams{NowAt: dbtime.From(now), BeyondAt: dbtime.From(now.Add(longest))})
	if err != nil {
		return fmt.Errorf("look whose events are due: %w", err)
	}
	for _, partner := range partners {
		if !s.busy.take(partner) {
			continue
		}
		sending.Go(func() {
			defer s.busy.leave(partner)
			if err := s.sendTo(ctx, partner); err != nil && ctx.Err() == nil {
				s.Log.Error("a partner's events cannot be sent", "partner", partner, "error", err)
			}
		})
	}
	return nil
}

// sendTo sends what of a partner is due.
func (s *Service) sendTo(ctx context.Context, partner string) error {
	q, now := db.New(s.DB.Reader()), s.Now()
	row, err := hook(ctx, q, partner)
	if errors.Is(err, errAbsent) || err == nil && !sends(row) {
		return s.DB.InTx(ctx, func(tx *store.Tx) error { return db.New(tx).GiveUp(ctx, partner) })
	}
	if err != nil {
		return err
	}
	due, err := q.DueDeliveries(ctx, db.DueDeliveriesParams{
		PartnerID: partner, NowAt: dbtime.From(now), BeyondAt: dbtime.From(now.Add(longest)), Rows: batch,
	})
	if err != nil {
		return fmt.Errorf("look what is due: %w", err)
	}
	sign, err := s.signers(ctx, partner)
	if err != nil {
		return err
	}
	to := target{partner: partner, url: row.ProvedUrl, sign: sign}
	var flying sync.WaitGroup
	slots := make(chan struct{}, inFlight)
	for _, d := range due {
		slots <- struct{}{}
		flying.Go(func() {
			defer func() { <-slots }()
			if err := s.try(ctx, to, d.EventID, d.Attempts); err != nil && ctx.Err() == nil {
				s.Log.Error("an event cannot be sent", "partner", partner, "event", d.EventID, "error", err)
			}
		})
	}
	flying.Wait()
	return nil
}

// try sends one event, unless another process does, and keeps what became of it. Who was disabled
// meanwhile is sent nothing more.
func (s *Service) try(ctx context.Context, to target, id string, attempts int64) error {
	served, err := s.Partners.Served(ctx, to.partner)
	if err != nil {
		return fmt.Errorf("look whether a partner is dealt with: %w", err)
	}
	var mine int64
	err = s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		if !served {
			return db.New(tx).GiveUp(ctx, to.partner)
		}
		mine, err = db.New(tx).ClaimDelivery(ctx, db.ClaimDeliveryParams{EventID: id, Attempts: attempts, DueAt: dbtime.From(s.Now().Add(lease))})
		return err
	})
	if err != nil || mine == 0 {
		return err
	}
	event, err := db.New(s.DB.Reader()).EventOf(ctx, db.EventOfParams{ID: id, PartnerID: to.partner})
	if err != nil {
		return err
	}
	body, err := json.Marshal(bodyOf(eventOf(event)))
	if err != nil {
		return err
	}
	answer := s.post(ctx, to, id, body)
	if ctx.Err() != nil && answer.status == 0 { // we stop: the next server tries again
		return ctx.Err()
	}
	// What was answered is kept also while we stop, or it would be sent twice.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keeping)
	defer cancel()
	return s.DB.InTx(ctx, func(tx *store.Tx) error { return s.keep(ctx, tx, to, id, attempts+1, answer) })
}

// keep keeps what became of a try, the attempts-th.
func (s *Service) keep(ctx context.Context, tx *store.Tx, to target, id string, attempts int64, a answer) error {
	q, now := db.New(tx), s.Now()
	end := db.EndDeliveryParams{EventID: id, Attempts: attempts, State: "delivered", DueAt: dbtime.From(now), Status: int64(a.status)}
	if a.taken() {
		return errors.Join(q.EndDelivery(ctx, end), q.Well(ctx, to.partner))
	}
	end.State = "given_up"
	if int(attempts) <= len(schedule) {
		end.State, end.DueAt = "waiting", dbtime.From(now.Add(max(schedule[attempts-1], a.retryAfter)))
	}
	if err := errors.Join(q.EndDelivery(ctx, end), q.Failing(ctx, db.FailingParams{PartnerID: to.partner, FailingSinceAt: dbtime.From(now)})); err != nil {
		return err
	}
	var why string
	switch current, err := hook(ctx, q, to.partner); {
	case errors.Is(err, errAbsent):
		return nil
	case err != nil:
		return err
	case a.status == http.StatusGone:
		why = "gone"
	case now.Sub(current.FailingSinceAt.Time) >= patience:
		why = "failing"
	default:
		return nil
	}
	n, err := q.Disable(ctx, db.DisableParams{PartnerID: to.partner, ProvedUrl: to.url, DisabledAt: dbtime.From(now), DisabledWhy: why})
	if err != nil || n == 0 {
		return err
	}
	s.Log.Warn("a webhook is disabled", "partner", to.partner, "why", why)
	return q.GiveUp(ctx, to.partner)
}

// answer is what an address said; the zero one: nothing, in time.
type answer struct {
	status     int
	retryAfter time.Duration
}

// taken reports an answer of success; a redirect is none.
func (a answer) taken() bool { return a.status >= 200 && a.status < 300 }

// post sends a signed body. Of the answer only the head is read: what comes after it costs us
// nothing.
func (s *Service) post(ctx context.Context, to target, id string, body []byte) answer {
	response, err := s.ask(ctx, to, id, body)
	if err != nil {
		return answer{}
	}
	_ = response.Body.Close() // it is not looked at
	return answer{response.StatusCode, retryAfter(response.Header.Get("Retry-After"))}
}

// retryAfter reads the seconds that an address asks for, a day at most.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 24*60*60)) * time.Second
}

// Forget deletes what it is remembered no longer of deliveries that are over.
func (s *Service) Forget(ctx context.Context) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).ForgetDeliveries(ctx, dbtime.From(s.Now().Add(-DeliveriesLast)))
	})
	if err != nil {
		return fmt.Errorf("forget old deliveries: %w", err)
	}
	return nil
}
