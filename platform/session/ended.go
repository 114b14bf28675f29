package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// sweepBatch is how many expired records one round of Sweep takes.
const sweepBatch = 500

// Ended takes the gateway's word that a session over USSD is over. A conversation that
// is worth continuing waits for that; any other counts as abandoned. The notice
// may come twice, and for a session that is unknown, was closed by an answer or
// followed by another.
func (t *Conversations) Ended(ctx context.Context, session, phone string, now time.Time) error {
	key := t.vault.key(phone)
	held, err := t.busy.Lock(ctx, key)
	if err != nil {
		return fmt.Errorf("wait for the session's last turn: %w", err)
	}
	defer held.Unlock()
	turn := Turn{Session: session, Phone: phone, Channel: caller.USSD, Now: now}
	for range conflicts {
		if err = t.end(ctx, key, turn); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("end a session: %w", err)
}

func (t *Conversations) end(ctx context.Context, key string, turn Turn) error {
	r, err := t.load(ctx, key, turn)
	if err != nil {
		return err
	}
	if r.old == nil || r.old.Over || r.old.Gone || !r.sameSession() {
		return nil
	}
	// The conversation stays until it expires: a retry of the last turn may still be on
	// its way.
	gone := *r.old
	gone.Gone = true
	if gone.Keep <= gone.Expires { // nothing to continue
		gone.Over = true
		r.lapsed = append(r.lapsed, r.old)
	}
	r.stored.USSD = &gone
	return t.save(ctx, r)
}

// Relearn has the next conversation of a phone ask for its profile, which was changed
// elsewhere.
func (t *Conversations) Relearn(ctx context.Context, phone string) error {
	key := t.vault.key(phone)
	for range conflicts {
		r, err := t.load(ctx, key, Turn{Phone: phone, Channel: caller.USSD, Now: t.Now()})
		if err != nil || r.stored.Known == nil {
			return err
		}
		r.stored.Known = nil
		if err = t.save(ctx, r); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("learn of a phone anew: %w", ErrConflict)
}

// Sweep counts the conversations that expired before now as abandoned and removes
// them. Several instances may sweep at once: each conversation is counted by one.
func (t *Conversations) Sweep(ctx context.Context, now time.Time) error {
	for {
		entries, err := t.Store.Expired(ctx, now, sweepBatch)
		if err != nil {
			return err
		}
		removed := 0
		for _, e := range entries {
			deleted, err := t.Store.Delete(ctx, e.Key, e.Version)
			if err != nil {
				return err
			}
			if !deleted {
				continue // it went on, or another instance was faster
			}
			removed++
			b := t.open(e.Key, e.Record)
			for _, old := range []*conversation{b.USSD, b.SMS} {
				if old != nil && !old.Over {
					t.abandon(old)
				}
			}
		}
		if removed == 0 || len(entries) < sweepBatch {
			return nil
		}
	}
}

// abandon counts what a conversation left unfinished, at the moment it expired.
func (t *Conversations) abandon(old *conversation) {
	state, err := dialog.Decode(old.State)
	if err != nil {
		t.Log.Warn("an abandoned conversation cannot be read and is not counted", "error", err)
		return
	}
	c := caller.Caller{
		Channel: old.Channel, Gateway: old.Gateway, Operator: old.Operator, Locale: state.Locale,
		Now: time.UnixMicro(min(old.Expires, t.Now().UnixMicro())),
	}
	t.count(c, t.Engine.Abandoned(state))
}

// count hands finished steps to the statistics.
func (t *Conversations) count(c caller.Caller, steps []dialog.Step) {
	for _, step := range steps {
		event := analytics.Of(c, step.Service, step.Node, string(step.Outcome))
		event.Region = step.Region
		if took := c.Now.Sub(step.Started); took > 0 {
			event.Duration = took
		}
		t.Trail.Later(event)
	}
}
