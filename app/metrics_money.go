package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/eshik-kg/eshik/platform/payment"
)

// moneyFigures asks, each time the figures are collected, what is taken and not
// done with.
type moneyFigures struct {
	payments *payment.Service
	now      func() time.Time
	log      *slog.Logger
	count    *prometheus.Desc
	oldest   *prometheus.Desc
	open     *prometheus.Desc
}

// moneyPatience bounds the question, so that a database that is slow costs no other
// figure.
const moneyPatience = 3 * time.Second

func newMoneyFigures(payments *payment.Service, now func() time.Time, log *slog.Logger) *moneyFigures {
	return &moneyFigures{
		payments: payments, now: now, log: log,
		count: prometheus.NewDesc("eshik_payments_open", "Payments whose money is taken: accepted wait for their register, "+
			"in_doubt for an operator, refund_due for the partner to give the money back, refund_asked for staff to decide.", []string{"state"}, nil),
		oldest: prometheus.NewDesc("eshik_payments_oldest_seconds", "How long the oldest of them waits; 0: none does.", []string{"state"}, nil),
		open:   prometheus.NewDesc("eshik_ledger_open_seconds", "How long ago the ledger's last closed day ended, or its first began; 0: nothing was ever posted.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *moneyFigures) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.count
	ch <- m.oldest
	ch <- m.open
}

// Collect implements prometheus.Collector.
func (m *moneyFigures) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), moneyPatience)
	defer cancel()
	m.collectOpen(ctx, ch)
	w, err := m.payments.Waiting(ctx)
	if err != nil {
		m.log.Error("the open payments could not be counted", "error", err)
		ch <- prometheus.NewInvalidMetric(m.count, err)
		return
	}
	for _, f := range []struct {
		state string
		n     int64
		since time.Time
	}{
		{string(payment.Accepted), w.Accepted, w.AcceptedSince}, {string(payment.InDoubt), w.Suspended, w.SuspendedSince},
		{string(payment.RefundDue), w.Refunds, w.RefundsSince}, {"refund_asked", w.Asked, w.AskedSince},
	} {
		var age float64
		if f.n > 0 {
			age = max(0, m.now().Sub(f.since).Seconds())
		}
		ch <- prometheus.MustNewConstMetric(m.count, prometheus.GaugeValue, float64(f.n), f.state)
		ch <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, age, f.state)
	}
}

// collectOpen tells whether days are closed.
func (m *moneyFigures) collectOpen(ctx context.Context, ch chan<- prometheus.Metric) {
	since, err := m.payments.OpenSince(ctx)
	if err != nil {
		m.log.Error("the last closed day could not be read", "error", err)
		ch <- prometheus.NewInvalidMetric(m.open, err)
		return
	}
	var age float64
	if !since.IsZero() {
		age = max(0, m.now().Sub(since).Seconds())
	}
	ch <- prometheus.MustNewConstMetric(m.open, prometheus.GaugeValue, age)
}
