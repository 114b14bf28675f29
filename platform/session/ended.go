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

// sweepBatch is how many expired talks one round of Sweep takes.
const sweepBatch = 500

// Ended takes the gateway's word that a session is over: what it left
// unfinished counts as abandoned. It may come twice, and for a session that is
// unknown or was closed by an answer.
func (t *Talks) Ended(ctx context.Context, session, phone string, now time.Time) error {
	key := t.vault.key(session, phone)
	unlock, err := t.busy.lock(ctx, key)
	if err != nil {
		return fmt.Errorf("wait for the session's last turn: %w", err)
	}
	defer unlock()
	for range conflicts {
		if err = t.end(ctx, key, now); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("end a session: %w", err)
}

func (t *Talks) end(ctx context.Context, key string, now time.Time) error {
	rec, err := t.store.Load(ctx, key)
	if err != nil {
		return err
	}
	old := t.open(key, rec)
	if old == nil || old.Over {
		return nil
	}
	// The record stays until it expires: a retry of the last turn may still be
	// on its way.
	over := *old
	over.Over = true
	if err := t.save(ctx, key, rec, &over, now, max(rec.Expires.Sub(now), 0)); err != nil {
		return err
	}
	t.abandon(old, now)
	return nil
}

// Sweep counts the talks that expired before now as abandoned and removes
// them. Several instances may sweep at once: each talk is counted by one.
func (t *Talks) Sweep(ctx context.Context, now time.Time) error {
	for {
		entries, err := t.store.Expired(ctx, now, sweepBatch)
		if err != nil {
			return err
		}
		removed := 0
		for _, e := range entries {
			deleted, err := t.store.Delete(ctx, e.Key, e.Version)
			if err != nil {
				return err
			}
			if !deleted {
				continue // it went on, or another instance was faster
			}
			removed++
			if old := t.open(e.Key, e.Record); old != nil && !old.Over {
				t.abandon(old, e.Expires)
			}
		}
		if removed == 0 || len(entries) < sweepBatch {
			return nil
		}
	}
}

// abandon counts what a talk that ended at the moment given left unfinished.
func (t *Talks) abandon(old *talk, at time.Time) {
	state, err := dialog.Decode(old.State)
	if err != nil {
		t.log.Warn("an abandoned talk cannot be read and is not counted", "error", err)
		return
	}
	c := caller.Caller{
		Channel: old.Channel, Gateway: old.Gateway, Operator: old.Operator, Locale: state.Locale, Now: at,
	}
	t.count(c, t.engine.Abandoned(state))
}

// count hands finished steps to the statistics.
func (t *Talks) count(c caller.Caller, steps []dialog.Step) {
	for _, step := range steps {
		event := analytics.Of(c, step.Service, step.Node, string(step.Outcome))
		event.Region = step.Region
		if took := c.Now.Sub(step.Started); took > 0 {
			event.Duration = took
		}
		t.recorder.Later(event)
	}
}

// open reads what is stored; nil when there is nothing that this build and
// secret can read, and the talk starts over.
func (t *Talks) open(key string, rec Record) *talk {
	if rec.Version == 0 {
		return nil
	}
	old, err := t.vault.open(key, rec.Data)
	if err != nil {
		t.log.Warn("a stored talk cannot be read", "error", err)
		return nil
	}
	return old
}

// save puts a talk over rec, also when the request's own time is over.
func (t *Talks) save(ctx context.Context, key string, rec Record, next *talk, now time.Time, lifetime time.Duration) error {
	data, err := t.vault.seal(key, next)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	// A version that follows the clock is not met again after a record was
	// deleted and made anew.
	version := max(rec.Version+1, now.UnixMicro())
	return t.store.Save(ctx, key, Record{Version: version, Expires: now.Add(lifetime), Data: data}, rec.Version)
}
