package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the operators' figures. Labels are routes and reasons, never what
// a citizen typed.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	refused  *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "eshik_http_request_seconds", Help: "Duration of requests by route, method and status.",
			Buckets: []float64{.001, .005, .02, .1, .5, 1, 3, 10},
		}, []string{"route", "method", "status"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "eshik_gateway_refused_total", Help: "Callbacks that were not authentic or not readable.",
		}, []string{"gateway", "reason"}),
	}
	m.registry.MustRegister(m.requests, m.refused, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// measure times every request under its route's pattern.
func (m *metrics) measure(c *fiber.Ctx) error {
	start := time.Now()
	err := c.Next()
	if err != nil { // let the error handler decide the status that is counted
		if handled := c.App().ErrorHandler(c, err); handled != nil {
			return handled
		}
	}
	m.requests.WithLabelValues(c.Route().Path, c.Route().Method, strconv.Itoa(c.Response().StatusCode())).
		Observe(time.Since(start).Seconds())
	return nil
}

// refuse counts a gateway's refused callbacks.
func (m *metrics) refuse(gateway string) func(reason string) {
	return func(reason string) { m.refused.WithLabelValues(gateway, reason).Inc() }
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
