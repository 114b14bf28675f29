package esi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// longestAnswer is what is read of an answer.
	longestAnswer = 1 << 20
	// failuresToOpen failures in a row keep everybody from asking for openFor.
	failuresToOpen = 5
	openFor        = 15 * time.Second
)

// transport reads answers whole and within bounds, and asks no provider that is down: half an
// answer is none, and a step of a dialogue does not wait for what others waited for in vain.
type transport struct {
	under   http.RoundTripper
	breaker *gobreaker.CircuitBreaker[*http.Response]
}

func newTransport() *transport {
	return &transport{
		under: &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 5 * time.Second},
		breaker: gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{ //nolint:bodyclose // a type alone; who asks closes what came
			Name: "esi", Timeout: openFor,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failuresToOpen },
			IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) },
		}),
	}
}

// RoundTrip implements http.RoundTripper. The errors name no address: one may hold a code.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.breaker.Execute(func() (*http.Response, error) {
		resp, err := t.under.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer+1))
		_ = resp.Body.Close() // it was read, or is given up
		switch {
		case err != nil:
			return nil, fmt.Errorf("read the answer: %w", err)
		case len(body) > longestAnswer:
			return nil, errors.New("the answer is longer than any")
		case resp.StatusCode >= http.StatusInternalServerError:
			return nil, fmt.Errorf("it answers %d", resp.StatusCode)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return resp, nil
	})
}
