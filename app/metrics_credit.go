package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/eshik-kg/eshik/sms"
)

// creditFigures are what is left in the SMS accounts that tell it.
type creditFigures struct {
	watch *sms.CreditWatch
	left  *prometheus.Desc
	low   *prometheus.Desc
	told  *prometheus.Desc
}

func newCreditFigures(watch *sms.CreditWatch) *creditFigures {
	of := []string{"provider"}
	return &creditFigures{
		watch: watch,
		left:  prometheus.NewDesc("eshik_sms_account_som", "What is left in an SMS account, in som, as its provider told last.", of, nil),
		low:   prometheus.NewDesc("eshik_sms_account_low", "1: less is left than the gateways' file wants, or than one message costs.", of, nil),
		told:  prometheus.NewDesc("eshik_sms_account_told_timestamp_seconds", "When the provider told it last, in Unix seconds.", of, nil),
	}
}

// Describe implements prometheus.Collector.
func (f *creditFigures) Describe(ch chan<- *prometheus.Desc) { ch <- f.left; ch <- f.low; ch <- f.told }

// Collect implements prometheus.Collector; an account that was never told has no figures.
func (f *creditFigures) Collect(ch chan<- prometheus.Metric) {
	for _, s := range f.watch.Standing() {
		if s.At.IsZero() {
			continue
		}
		low := 0.0
		if s.Low() {
			low = 1
		}
		ch <- prometheus.MustNewConstMetric(f.left, prometheus.GaugeValue, float64(s.Left)/100, s.Provider)
		ch <- prometheus.MustNewConstMetric(f.low, prometheus.GaugeValue, low, s.Provider)
		ch <- prometheus.MustNewConstMetric(f.told, prometheus.GaugeValue, float64(s.At.Unix()), s.Provider)
	}
}
