package registry

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// failuresToOpen is how many failures in a row stop the calls to a service.
const failuresToOpen = 5

// breakers keeps one circuit breaker per service, so that a registry that is
// down costs its callers no waiting and the other registries nothing.
type breakers struct {
	openFor time.Duration

	mu  sync.Mutex
	all map[string]*gobreaker.CircuitBreaker[struct{}]
}

func newBreakers(openFor time.Duration) *breakers {
	return &breakers{openFor: openFor, all: map[string]*gobreaker.CircuitBreaker[struct{}]{}}
}

// do runs call unless the service's breaker is open.
func (b *breakers) do(service string, call func() error) error {
	_, err := b.of(service).Execute(func() (struct{}, error) { return struct{}{}, call() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return &Error{Service: service, Side: SideBreaker, Type: TypeOpen}
	}
	return err
}

func (b *breakers) of(service string) *gobreaker.CircuitBreaker[struct{}] {
	b.mu.Lock()
	defer b.mu.Unlock()
	breaker, ok := b.all[service]
	if !ok {
		breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
			Name:         service,
			Timeout:      b.openFor,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failuresToOpen },
			IsSuccessful: healthy,
			// A citizen who hung up says nothing about the registry.
			IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		})
		b.all[service] = breaker
	}
	return breaker
}

// healthy tells an answer from a failure: a registry that refuses a request
// (4xx) is alive, and a request that we could not make says nothing about it.
func healthy(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return true
	}
	return e.Side == SideOurs && !e.MayHaveActed || e.Type == TypeStatus && e.Status >= 400 && e.Status < 500
}
