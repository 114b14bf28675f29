package sms

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

// An operator's messages are shared out by points, 100 in all. The cheapest
// provider begins with all of them. Whenever 15 % of what it was given in the
// last quarter of an hour failed or took over five minutes, ten points move to
// the cheapest one that does well; when all do well, ten go back to the
// cheapest. Between two moves lie five minutes, however many instances run.
const (
	allPoints  = 100
	step       = 10
	window     = 15 * time.Minute
	late       = 5 * time.Minute
	pause      = 5 * time.Minute
	badPercent = 15
)

// Balance moves points where it is time. Run it every few seconds; instances may
// run it at once.
func (r *Router) Balance(ctx context.Context, outcomes Outcomes) error {
	now := r.now()
	bad, err := r.bad(ctx, outcomes, now)
	if err != nil {
		return err
	}
	var faults []error
	for _, operator := range append(caller.Operators(), "") { // "": all others
		if serving := r.serving(operator); len(serving) > 1 {
			faults = append(faults, r.balance(ctx, operator, serving, bad, now))
		}
	}
	faults = append(faults, r.db.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).ForgetFailures(ctx, dbtime.From(now.Add(-2*window)))
	}))
	return errors.Join(faults...)
}

// balance moves an operator's points once, unless they moved lately.
func (r *Router) balance(ctx context.Context, operator string, serving []Route, bad map[lane]bool, now time.Time) error {
	points, moved, err := r.points(ctx, operator)
	if err != nil || now.Sub(moved) < pause {
		return err
	}
	isBad := func(route Route) bool { return bad[lane{route.Provider.Name(), operator}] }
	next := move(points, serving, isBad)
	if next == nil {
		return nil
	}
	text, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("write the shares of SMS providers: %w", err)
	}
	return r.db.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if moved.IsZero() {
			_, err = q.BeginWeights(ctx, db.BeginWeightsParams{Operator: operator, Points: string(text), MovedAt: dbtime.From(now)})
		} else {
			_, err = q.MoveWeights(ctx, db.MoveWeightsParams{
				Operator: operator, Points: string(text), MovedAt: dbtime.From(now), MovedAt_2: dbtime.From(moved),
			})
		}
		if err != nil {
			return fmt.Errorf("move the shares of SMS providers: %w", err)
		}
		return nil
	})
}

// move gives the points after one step, nil when there is none to take. serving
// is in the order of price.
func move(points map[string]int, serving []Route, bad func(Route) bool) map[string]int {
	var from, to string
	for _, route := range serving {
		name := route.Provider.Name()
		switch {
		case bad(route):
			// Of several that do badly the one with the most to lose.
			if points[name] > 0 && (from == "" || points[name] > points[from]) {
				from = name
			}
		case to == "":
			to = name
		}
	}
	if to == "" {
		return nil // nobody does well: any move would be as good as none
	}
	if from == "" { // all do well: back from the dearest
		for _, route := range serving {
			if name := route.Provider.Name(); points[name] > 0 && name != to {
				from = name
			}
		}
	}
	if from == "" {
		return nil
	}
	next := map[string]int{}
	for _, route := range serving {
		next[route.Provider.Name()] = points[route.Provider.Name()]
	}
	moving := min(step, next[from])
	next[from] -= moving
	next[to] += moving
	return next
}

// points are an operator's shares by provider, and when they moved last. A
// provider that was not there then has none, and what one that is gone had
// belongs to the cheapest.
func (r *Router) points(ctx context.Context, operator string) (points map[string]int, moved time.Time, err error) {
	points = map[string]int{}
	stored := map[string]int{}
	row, err := db.New(r.db.Reader()).Weights(ctx, operator)
	switch {
	case err == nil:
		if err := json.Unmarshal([]byte(row.Points), &stored); err != nil {
			return nil, moved, fmt.Errorf("read the shares of SMS providers: %w", err)
		}
		moved = row.MovedAt.Time
	case !errors.Is(err, sql.ErrNoRows):
		return nil, moved, fmt.Errorf("read the shares of SMS providers: %w", err)
	}
	serving, left := r.serving(operator), allPoints
	for _, route := range serving {
		name := route.Provider.Name()
		points[name] = min(stored[name], left)
		left -= points[name]
	}
	if len(serving) > 0 {
		points[serving[0].Provider.Name()] += left
	}
	return points, moved, nil
}

// bad finds who did badly with which operator's messages.
func (r *Router) bad(ctx context.Context, outcomes Outcomes, now time.Time) (map[lane]bool, error) {
	list, err := outcomes.Outcomes(ctx, now.Add(-window), late)
	if err != nil {
		return nil, err
	}
	rows, err := db.New(r.db.Reader()).Failures(ctx, dbtime.From(now.Add(-window)))
	if err != nil {
		return nil, fmt.Errorf("count failed tries: %w", err)
	}
	reports := map[string]bool{}
	for _, route := range r.routes {
		reports[route.Provider.Name()] = route.Reports
	}
	type tally struct{ all, bad int }
	tallies := map[lane]tally{}
	for _, o := range list {
		t := tally{all: o.Messages, bad: o.Failed + o.Slow}
		if reports[o.Provider] {
			t.bad += o.Silent
		}
		tallies[lane{o.Provider, o.Operator}] = t
	}
	for _, row := range rows {
		t := tallies[lane{row.Provider, row.Operator}]
		t.all += int(row.Failures)
		t.bad += int(row.Failures)
		tallies[lane{row.Provider, row.Operator}] = t
	}
	bad := map[lane]bool{}
	for key, t := range tallies {
		bad[key] = t.bad > 0 && t.bad*100 >= badPercent*t.all
	}
	return bad, nil
}
