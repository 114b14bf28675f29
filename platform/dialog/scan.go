package dialog

import (
	"context"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// scanned finds the service of whose code a text was read. Nobody dials one.
func (w *walk) scanned(raw string) (*Scan, bool) {
	if w.caller.Channel != caller.SMS {
		return nil, false
	}
	for _, service := range w.engine.services {
		if service.Scan != nil && service.Scan.Is(raw) {
			return service.Scan, true
		}
	}
	return nil, false
}

// scan takes such a text.
func (w *walk) scan(ctx context.Context, s *Scan, raw string) error {
	next, err := problem.Guarded(func() (Next, error) { return s.Read(ctx, w.turn(), raw) })
	if err != nil {
		w.countProblem(err)
		w.state.remember()
		return w.trouble(ctx, w.state.Node, err)
	}
	w.count(OutcomeDone)
	return w.move(ctx, next)
}
