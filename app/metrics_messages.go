package app

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/eshik-kg/eshik/platform/notify"
)

// messageFigures asks, each time the figures are collected, how many messages were
// dropped because a later one replaced them.
type messageFigures struct {
	outbox     *notify.Outbox
	log        *slog.Logger
	superseded *prometheus.Desc
}

func newMessageFigures(outbox *notify.Outbox, log *slog.Logger) *messageFigures {
	return &messageFigures{
		outbox: outbox, log: log,
		superseded: prometheus.NewDesc("eshik_messages_superseded", "Messages that were dropped, as a later one about the same replaced them "+
			"before they left.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *messageFigures) Describe(ch chan<- *prometheus.Desc) { ch <- m.superseded }

// Collect implements prometheus.Collector.
func (m *messageFigures) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), moneyPatience)
	defer cancel()
	n, err := m.outbox.Superseded(ctx)
	if err != nil {
		m.log.Error("the messages that were replaced could not be counted", "error", err)
		ch <- prometheus.NewInvalidMetric(m.superseded, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(m.superseded, prometheus.GaugeValue, float64(n))
}
