package sms

import (
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify"
)

// newTransport keeps as many connections to a provider as messages are sent at
// once: the default of two has most of them opened anew.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: job.BulkConcurrency, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: defaultTimeout,
	}
}

// call is one call to a provider. It knows whether there was a connection: without
// one nothing has left, whatever the error is.
type call struct {
	next http.RoundTripper
	made atomic.Bool
}

// client makes the client of the call, which follows no redirection.
func (c *call) client(timeout time.Duration) *http.Client {
	return &http.Client{
		Transport: c, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTrip implements http.RoundTripper.
func (c *call) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { c.made.Store(false) }, // again where a kept connection was closed before anything was written
		GotConn: func(httptrace.GotConnInfo) { c.made.Store(true) },
	}
	return c.next.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
}

// unanswered says what it means for the message that the call got no answer.
func (c *call) unanswered(err error) error {
	if !c.made.Load() {
		return fmt.Errorf("%w: %w", ErrNotTaken, err)
	}
	return fmt.Errorf("%w: %w", notify.ErrUnanswered, err)
}
