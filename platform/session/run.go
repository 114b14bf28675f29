package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// step is one call of the engine.
type step struct {
	state *dialog.State
	in    dialog.Input
	// before is the stored state that the step starts from: the talk's own, or,
	// at a start, the one it offers to continue.
	before []byte
	// secret says that the citizen was asked for something that is never kept.
	secret bool
	// waits says that somebody may be asked: see dialog.Engine.Waits.
	waits bool
}

// errWaits says that a turn needs more than what this instance remembers.
var errWaits = errors.New("the step may have to wait")

// run takes the engine's next step and saves the talk.
func (t *Talks) run(ctx context.Context, r *round, s step) (Answer, error) {
	s.waits = t.Engine.Waits(r.Channel, s.state, s.in)
	if s.waits && r.remembered {
		return Answer{}, errWaits
	}
	next := t.follow(r, s.in.Start)
	c := caller.Caller{
		Phone: r.Phone, Channel: r.Channel, Gateway: r.Gateway, Operator: r.Operator,
		Locale: s.state.Locale, Now: r.Now, Talk: r.name(), Turn: t.turnID(r, next.Began, next.Turns),
	}
	reply, err := t.next(ctx, c, s)
	if err != nil {
		var late lateError
		if errors.As(err, &late) {
			return t.later(ctx, r, s, next, c, late)
		}
		return Answer{}, fmt.Errorf("take a dialog step: %w", err)
	}
	next.Text, next.Over, next.Node, next.Unclear = reply.Text, reply.End, s.state.Node, reply.Unclear
	next.State = s.state.Encode()
	if !reply.End && t.Engine.Dropped(s.state) != nil {
		next.Keep = max(next.Expires, r.Now.Add(t.Window).UnixMicro())
	}
	own, _ := r.book.slots(r.Channel)
	*own = next
	r.book.learn(s.state.Locale)
	if err := t.save(ctx, r); err != nil {
		return Answer{}, err
	}
	c.Locale = s.state.Locale // the citizen may just have chosen it
	t.count(c, reply.Steps)
	return next.answer(), nil
}

// next runs the engine. A step that asks nobody is spared the goroutine and the
// timer that guard the citizen at the screen from one that waits.
func (t *Talks) next(ctx context.Context, c caller.Caller, s step) (dialog.Reply, error) {
	if t.Deferred == nil || c.Channel != caller.USSD || !s.waits {
		return t.Engine.Next(ctx, c, s.state, s.in)
	}
	return t.inTime(ctx, c, s)
}

// repeat gives the stored answer. Where the gateway signed its retry anew, that
// signature is noted: it must not come once more as a turn of its own.
func (t *Talks) repeat(ctx context.Context, r *round) (Answer, error) {
	if r.proven() && !r.knowsProof() {
		noted := *r.old
		noted.Proofs, noted.Proven = r.proofs()
		own, _ := r.book.slots(r.Channel)
		*own = &noted
		if err := t.save(ctx, r); err != nil {
			return Answer{}, err
		}
	}
	return r.old.answer(), nil
}

// follow is the talk as the turn leaves it, but for what the engine says.
func (t *Talks) follow(r *round, start bool) *talk {
	next := &talk{
		Length: r.length(), Digest: r.digest[:], Channel: r.Channel, Gateway: r.Gateway, Operator: r.Operator,
		Began: r.Now.UnixMicro(), Turns: 1, Answered: max(r.Now.UnixMicro(), t.Now().UnixMicro()),
		Expires: r.Now.Add(r.Lifetime).UnixMicro(), Tenure: r.tenure,
	}
	next.Keep = next.Expires
	next.Proofs, next.Proven = r.proofs()
	if r.Channel != caller.SMS {
		next.Session = r.session[:seenLength]
	}
	if r.Subscriber != "" {
		sim := t.vault.sum("subscriber", r.Subscriber)
		next.Subscriber = sim[:seenLength]
	}
	if r.old == nil {
		return next
	}
	if !r.Cumulative {
		next.Seen = remember(r.old.Seen, r.old.Digest, seenTurns)
	}
	if !start {
		next.Began, next.Turns, next.Tenure = r.old.Began, r.old.Turns+1, r.old.Tenure
	}
	next.Former = r.old.Former
	if !r.sameSession() {
		next.Former = remember(r.old.Former, r.old.Session, formerSessions)
	}
	return next
}

// dropped is the talk that the citizen may want to continue instead of starting
// anew, and its stored state: the last one that broke off, of the same SIM and
// the same holder of the number. All others that the start ends are noted as
// abandoned.
func (t *Talks) dropped(r *round) (*dialog.State, []byte) {
	own, other := r.book.slots(r.Channel)
	var from *talk
	var found *dialog.State
	for _, candidate := range []*talk{*own, *other} {
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

// breaksOff reports that the start may end a talk which could be continued, if it
// is the same person's.
func (t *Talks) breaksOff(r *round) bool {
	return t.unfinished(r, r.book.USSD) != nil || t.unfinished(r, r.book.SMS) != nil
}

// continuable is the state of a talk that the same person left unfinished.
func (t *Talks) continuable(r *round, old *talk) *dialog.State {
	if old == nil || old.Tenure != r.tenure {
		return nil
	}
	if sim := t.vault.sum("subscriber", r.Subscriber); r.Subscriber != "" && len(old.Subscriber) > 0 && !among(old.Subscriber, sim[:]) {
		return nil
	}
	return t.unfinished(r, old)
}

// unfinished is the state of a talk that is worth continuing, and not too old.
func (t *Talks) unfinished(r *round, old *talk) *dialog.State {
	if old == nil || old.Over || r.Now.Sub(time.UnixMicro(old.Answered)) > t.Window {
		return nil
	}
	state, err := dialog.Decode(old.State)
	if err != nil {
		return nil
	}
	return t.Engine.Dropped(state)
}

// learn notes the language that the phone chose in a talk.
func (b *book) learn(loc locales.Locale) {
	if b.Known != nil && loc != "" && loc != b.Known.Locale {
		learnt := *b.Known
		learnt.Locale = loc
		b.Known = &learnt
	}
}

// keep is until when the record is needed.
func (b *book) keep() time.Time {
	last := int64(0)
	for _, talk := range []*talk{b.USSD, b.SMS} {
		if talk != nil {
			last = max(last, talk.needed())
		}
	}
	return time.UnixMicro(last)
}

// prune forgets the other channel's talk when nobody can continue it any more.
func (t *Talks) prune(r *round) {
	_, other := r.book.slots(r.Channel)
	if *other == nil || (*other).needed() >= r.Now.UnixMicro() {
		return
	}
	if !(*other).Over {
		r.lapsed = append(r.lapsed, *other)
	}
	*other = nil
}
