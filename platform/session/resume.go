package session

import (
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// dropped is the conversation that the citizen may want to continue instead of starting
// anew, and its stored state: the last one that broke off, of the same SIM and
// the same holder of the number. All others that the start ends are noted as
// abandoned.
func (t *Conversations) dropped(r *request) (*dialog.State, []byte) {
	own, other := r.stored.slots(r.Channel)
	var from *conversation
	var found *dialog.State
	for _, candidate := range []*conversation{*own, *other} {
		if candidate == *other && r.Channel == caller.SMS && !candidate.broken(r.Now, t.Window) {
			continue // that session may still be under way
		}
		state := t.continuable(r, candidate)
		if state != nil && (from == nil || candidate.Answered > from.Answered) {
			from, found = candidate, state
		}
	}
	if *own != nil && !(*own).Over && from != *own {
		r.lapsed = append(r.lapsed, *own)
	}
	if found == nil {
		return nil, nil
	}
	if from == *other {
		over := *from // its screen is still there for a late retry
		over.Over = true
		*other = &over
	}
	found.Pages, found.Page = nil, 0 // they are laid out anew
	return found, from.State
}

// breaksOff reports that the start may end a conversation which could be continued, if it
// is the same person's.
func (t *Conversations) breaksOff(r *request) bool {
	return t.unfinished(r, r.stored.USSD) != nil || t.unfinished(r, r.stored.SMS) != nil
}

// continuable is the state of a conversation that the same person left unfinished.
func (t *Conversations) continuable(r *request, old *conversation) *dialog.State {
	if old == nil || old.Tenure != r.tenure {
		return nil
	}
	if sim := t.vault.sum("subscriber", r.Subscriber); r.Subscriber != "" && len(old.Subscriber) > 0 && !among(old.Subscriber, sim[:]) {
		return nil
	}
	return t.unfinished(r, old)
}

// unfinished is the state of a conversation that is worth continuing, and not too old.
func (t *Conversations) unfinished(r *request, old *conversation) *dialog.State {
	if old == nil || old.Over || r.Now.Sub(time.UnixMicro(old.Answered)) > t.Window {
		return nil
	}
	state, err := dialog.Decode(old.State)
	if err != nil {
		return nil
	}
	return t.Engine.Dropped(state)
}

// betterElsewhere reports a text message that is rather meant for the conversation over
// USSD that broke off after this one by SMS had been left.
func (r *request) betterElsewhere(window time.Duration) bool {
	return r.Channel == caller.SMS && r.stored.USSD.broken(r.Now, window) &&
		r.stored.USSD.Answered > r.old.Answered && r.Now.Sub(time.UnixMicro(r.old.Answered)) > window
}

// broken reports a conversation that broke off and can be continued.
func (t *conversation) broken(now time.Time, window time.Duration) bool {
	return t != nil && !t.Over && (t.Gone || t.expired(now)) && now.Sub(time.UnixMicro(t.Answered)) <= window
}
