package limit

import (
	"context"
	"time"
)

// Bound is what one use is counted against: a key and its rate. One with an empty
// Key does not apply.
type Bound struct {
	Key  string
	Rate Rate
}

// Within counts a use against all bounds, the narrowest first: who is refused by
// their own bound uses up nobody else's. It gives the bound that refuses, and for how
// long; nil: none does.
func Within(ctx context.Context, l Limiter, bounds ...Bound) (*Bound, time.Duration, error) {
	return first(ctx, l.Allow, bounds)
}

// Would tells what Within would, and counts nothing.
func Would(ctx context.Context, l Limiter, bounds ...Bound) (*Bound, time.Duration, error) {
	return first(ctx, l.Would, bounds)
}

func first(
	ctx context.Context, ask func(context.Context, string, Rate) (bool, time.Duration, error), bounds []Bound,
) (*Bound, time.Duration, error) {
	for _, b := range bounds {
		if b.Key == "" {
			continue
		}
		ok, wait, err := ask(ctx, b.Key, b.Rate)
		if err != nil {
			return nil, 0, err
		}
		if !ok {
			return &b, wait, nil
		}
	}
	return nil, 0, nil
}
