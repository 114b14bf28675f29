package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/eshik-kg/eshik/ussd"
)

// metrics are the operators' figures. Labels are routes and reasons, never what
// a citizen typed.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	unread   *prometheus.CounterVec
	left     *prometheus.CounterVec
	refused  *prometheus.CounterVec
	// What gateways tell of a session that is over.
	closed *prometheus.CounterVec
	lasted *prometheus.HistogramVec
	hops   *prometheus.HistogramVec
	cost   *prometheus.CounterVec
	// held are codes that were not sent, as they looked like pumping.
	held *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "eshik_http_request_seconds", Help: "Duration of requests by route, method and status.",
			Buckets: []float64{.001, .005, .02, .1, .5, 1, 3, 10},
		}, []string{"route", "method", "status"}),
		unread: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "eshik_http_unread_total", Help: "Requests that were no HTTP, too large or too slow, and reached no route.",
		}, []string{"status"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "eshik_gateway_refused_total", Help: "Callbacks that were not authentic or not readable.",
		}, []string{"gateway", "reason"}),
		left: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "eshik_sms_unanswered_total", Help: "Texts that were taken and not answered: what looks like a machine, and what came again.",
		}, []string{"provider", "reason"}),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "eshik_gateway_sessions_total", Help: "USSD sessions that are over, by how they ended, as the gateway tells.",
		}, []string{"gateway", "status"}),
		lasted: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "eshik_gateway_session_seconds", Help: "How long USSD sessions lasted, as the gateway tells.",
			Buckets: []float64{5, 10, 20, 40, 60, 90, 120, 180, 300},
		}, []string{"gateway"}),
		hops: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "eshik_gateway_session_hops", Help: "How many screens USSD sessions had, as the gateway tells.",
			Buckets: []float64{1, 2, 3, 5, 8, 12, 20, 40},
		}, []string{"gateway"}),
		cost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "eshik_gateway_session_cost_total", Help: "What the gateway charges for USSD sessions, in the currency of the account.",
		}, []string{"gateway"}),
		held: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "eshik_codes_held_total", Help: "One-time codes that were asked for over REST and not sent, by what had too many unused ones.",
		}, []string{"why"}),
	}
	m.registry.MustRegister(m.requests, m.unread, m.left, m.refused, m.closed, m.lasted, m.hops, m.cost, m.held, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// measure times every request under its route's pattern. It has errors answered
// by answer, which decides the status that is counted.
func (m *metrics) measure(answer fiber.ErrorHandler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		start := time.Now()
		if err := c.Next(); err != nil {
			if err := answer(c, err); err != nil {
				return err
			}
		}
		m.requests.WithLabelValues(c.Route().Path, c.Route().Method, strconv.Itoa(c.Response().StatusCode())).
			Observe(time.Since(start).Seconds())
		return nil
	}
}

// missed counts what reached no route, and so not measure, and has it answered.
func (m *metrics) missed(answer fiber.ErrorHandler) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		err = answer(c, err)
		m.unread.WithLabelValues(strconv.Itoa(c.Response().StatusCode())).Inc()
		return err
	}
}

// refuse counts a gateway's refused callbacks.
func (m *metrics) refuse(gateway string) func(reason string) {
	return func(reason string) { m.refused.WithLabelValues(gateway, reason).Inc() }
}

// hold counts a code that was not sent.
func (m *metrics) hold(why string) { m.held.WithLabelValues(why).Inc() }

// leave counts a text that was taken and not answered.
func (m *metrics) leave(provider, reason string) { m.left.WithLabelValues(provider, reason).Inc() }

// close counts what a gateway tells of its sessions.
func (m *metrics) close(gateway string) func(ussd.Closing) {
	return func(c ussd.Closing) {
		m.closed.WithLabelValues(gateway, c.Status).Inc()
		if c.Duration >= 0 {
			m.lasted.WithLabelValues(gateway).Observe(c.Duration.Seconds())
		}
		if c.Hops >= 0 {
			m.hops.WithLabelValues(gateway).Observe(float64(c.Hops))
		}
		if c.Cost >= 0 {
			m.cost.WithLabelValues(gateway).Add(c.Cost)
		}
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
