package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// Turn answers one request. A gateway's retry (the same session, position and
// text) gets the stored answer and has no effect. An error means that nothing
// was saved: the request may be sent again.
func (t *Conversations) Turn(ctx context.Context, turn Turn) (Answer, error) {
	if turn.Channel == caller.SMS && turn.ID == "" {
		return Answer{}, errors.New("a turn by SMS needs the message's id")
	}
	key := t.vault.key(turn.Phone)
	held, err := t.busy.Lock(ctx, key)
	if err != nil {
		return Answer{}, fmt.Errorf("wait for the phone's turn before: %w", err)
	}
	defer held.Unlock()
	if answer, taken := t.shortcut(ctx, key, turn); taken {
		return answer, nil
	}
	for range conflicts {
		answer, err := t.attempt(ctx, key, turn)
		if !errors.Is(err, ErrConflict) {
			return answer, err
		}
	}
	return Answer{}, fmt.Errorf("take a turn: %w", ErrConflict)
}

// attempt loads, runs and saves one turn.
func (t *Conversations) attempt(ctx context.Context, key string, turn Turn) (Answer, error) {
	r, err := t.load(ctx, key, turn)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case r.isReplay():
		return Answer{}, ErrReplayed
	case r.isLate():
		text := t.Texts.Text(spoken(r.old), textOver)
		return Answer{Text: text, End: true}, nil
	case r.isLive() && r.isRetry():
		return t.repeat(ctx, r)
	case r.isLive() && !r.old.Over && !r.Start && !r.betterElsewhere(t.Window):
		same, err := t.sameHolder(ctx, r)
		if err != nil {
			return Answer{}, err
		}
		if same {
			input, _ := t.newInput(r)
			return t.goOn(ctx, r, input)
		}
	}
	return t.start(ctx, r)
}

// sameHolder reports that the number is still that of the person whose conversation it is.
// A conversation by SMS waits for a day, a USSD session for less than a minute.
func (t *Conversations) sameHolder(ctx context.Context, r *request) (bool, error) {
	if r.Channel != caller.SMS {
		return true, nil
	}
	profile, err := t.read(ctx, r)
	if err != nil {
		return false, fmt.Errorf("look whose number it is: %w", err)
	}
	return profile.Tenure == r.old.Tenure, nil
}

// spoken is the language of a stored conversation.
func spoken(old *conversation) locales.Locale {
	state, err := dialog.Decode(old.State)
	if err != nil {
		return spokenIn("")
	}
	return spokenIn(state.Locale)
}

// goOn runs the next turn of a conversation.
func (t *Conversations) goOn(ctx context.Context, r *request, input string) (Answer, error) {
	state, err := dialog.Decode(r.old.State)
	if err != nil && r.remembered {
		return Answer{}, err
	}
	if err != nil {
		t.Log.Warn("a stored conversation cannot be read and starts over", "error", err)
		r.old, r.restarted = nil, true
		return t.start(ctx, r)
	}
	return t.run(ctx, r, step{
		state: state, before: r.old.State, secret: state.Sensitive(),
		in: dialog.Input{Text: input, Locale: t.chosen(ctx, r, state), Budget: r.Budget},
	})
}

// chosen is the language that the phone chose elsewhere since its conversation asked for one;
// empty while it did not, or where the conversation has one.
func (t *Conversations) chosen(ctx context.Context, r *request, state *dialog.State) locales.Locale {
	if state.Locale != "" {
		return ""
	}
	profile, err := t.profile(ctx, r)
	if err != nil { // the question stands
		t.Log.Warn("the phone's profile cannot be read", "error", err)
	}
	return profile.Locale
}

// start begins a conversation anew, in the language the phone chose earlier. A first
// request with text in it is a dialled string (*1414*2*1#), or a conversation whose
// session was lost: its choices are walked again, without effects, unless the first
// of them were none of the main menu.
func (t *Conversations) start(ctx context.Context, r *request) (Answer, error) {
	profile, err := t.profile(ctx, r)
	if err != nil {
		// Without the profile the conversation asks for the language, and goes on.
		t.Log.Warn("the phone's profile cannot be read", "error", err)
	}
	r.tenure = profile.Tenure
	dialled := r.dialled()
	if r.lost(profile) {
		dialled = nil
	}
	s := step{state: dialog.NewState(profile.Locale), in: dialog.Input{
		Start: true, Text: r.startText(), Dialled: dialled, Restarted: r.restarted, Budget: r.Budget,
	}}
	if err == nil {
		s.in.Earlier, s.before = t.dropped(r)
		s.secret = s.in.Sensitive()
	}
	return t.run(ctx, r, s)
}

// profile is what is known of the phone, asked anew where that may be too old.
func (t *Conversations) profile(ctx context.Context, r *request) (dialog.Profile, error) {
	if profile, fresh := r.stored.Known.profile(r.Now); fresh && !t.breaksOff(r) {
		return profile, nil
	}
	return t.read(ctx, r)
}

// read asks for the phone's profile and notes it.
func (t *Conversations) read(ctx context.Context, r *request) (dialog.Profile, error) {
	profile, err := t.Profiles.Profile(ctx, r.Phone)
	if err == nil {
		r.stored.Known = &known{Locale: profile.Locale, Tenure: profile.Tenure, Read: r.Now.UnixMicro()}
	}
	return profile, err
}

// step is one call of the engine.
type step struct {
	state *dialog.State
	in    dialog.Input
	// before is the stored state that the step starts from: the conversation's own, or,
	// at a start, the one it offers to continue.
	before []byte
	// secret says that the citizen was asked for something that is never kept.
	secret bool
	// waits says that somebody may be asked: see dialog.Engine.Waits.
	waits bool
}

// errWaits says that a turn needs more than what this instance remembers.
var errWaits = errors.New("the step may have to wait")

// run takes the engine's next step and saves the conversation.
func (t *Conversations) run(ctx context.Context, r *request, s step) (Answer, error) {
	s.waits = t.Engine.Waits(r.Channel, s.state, s.in)
	if s.waits && r.remembered {
		return Answer{}, errWaits
	}
	next := t.follow(r, s.in.Start)
	c := caller.Caller{
		Phone: r.Phone, Channel: r.Channel, Gateway: r.Gateway, Operator: r.Operator,
		Locale: s.state.Locale, Now: r.Now, Session: r.call(next.Began), Key: t.turnID(r, next.Began, next.Turns),
	}
	reply, err := t.next(ctx, c, s)
	if err != nil {
		var late lateError
		if errors.As(err, &late) {
			return t.deferReply(ctx, r, s, next, c, late)
		}
		return Answer{}, fmt.Errorf("take a dialog step: %w", err)
	}
	if s.waits {
		if over, err := t.changedHands(ctx, c, next.Tenure, reply.About); err != nil {
			return Answer{}, err
		} else if over != "" {
			return t.over(ctx, r, s.state.Locale, over)
		}
	}
	next.Text, next.Over, next.Node, next.Unclear = reply.Text, reply.End, s.state.Node, reply.Unclear
	next.State = s.state.Encode()
	if !reply.End && t.Engine.Dropped(s.state) != nil {
		next.Keep = max(next.Expires, r.Now.Add(t.Window).UnixMicro())
	}
	own, _ := r.stored.slots(r.Channel)
	*own = next
	r.stored.learn(s.state.Locale)
	if err := t.save(ctx, r); err != nil {
		return Answer{}, err
	}
	c.Locale = s.state.Locale // the citizen may just have chosen it
	t.count(c, reply.Steps)
	return next.answer(), nil
}

// over is the answer in the place of a reply that is not for who reads it; what was asked is
// not gone on with. By SMS the next holder of a number hears nothing of it. The profile of the
// holder before is forgotten: with it each conversation of the next one would end here again.
func (t *Conversations) over(ctx context.Context, r *request, loc locales.Locale, key string) (Answer, error) {
	if key == textOver && r.stored.Known != nil {
		r.stored.Known = nil
		if err := t.save(ctx, r); err != nil {
			return Answer{}, err
		}
	}
	if key == textOver && r.Channel == caller.SMS {
		return Answer{End: true}, nil
	}
	return Answer{Text: t.Texts.Text(spokenIn(loc), key), End: true}, nil
}

// changedHands says what is told in the place of a reply that is not for who reads it: the
// number was given to somebody else, or forgot or replaced the person of whom it tells, while
// somebody was asked. Empty: it is for them.
func (t *Conversations) changedHands(ctx context.Context, c caller.Caller, tenure int64, about string) (key string, err error) {
	same, err := t.sameTenure(ctx, c.Phone, tenure)
	if err != nil {
		return "", err
	}
	if !same {
		return textOver, nil
	}
	holds, err := t.holds(ctx, c, about)
	if err != nil || holds {
		return "", err
	}
	return textOther, nil
}

// sameTenure reports that the number is still that of who held it then.
func (t *Conversations) sameTenure(ctx context.Context, phone string, tenure int64) (bool, error) {
	profile, err := t.Profiles.Profile(ctx, phone)
	if err != nil {
		return false, fmt.Errorf("look whose number it is: %w", err)
	}
	return profile.Tenure == tenure, nil
}

// holds reports that the caller's phone is proved for whom a reply tells of; empty: it tells of nobody.
func (t *Conversations) holds(ctx context.Context, c caller.Caller, about string) (bool, error) {
	if about == "" {
		return true, nil
	}
	holds, err := t.Profiles.Holds(ctx, c, about)
	if err != nil {
		return false, fmt.Errorf("look whom a phone is proved for: %w", err)
	}
	return holds, nil
}

const (
	textOver  = "dialog.session_over"
	textOther = "dialog.other_person"
)

// next runs the engine. A step that asks nobody is spared the goroutine and the
// timer that guard the citizen at the screen from one that waits.
func (t *Conversations) next(ctx context.Context, c caller.Caller, s step) (dialog.Reply, error) {
	if t.Deferred == nil || c.Channel != caller.USSD || !s.waits {
		return t.Engine.Next(ctx, c, s.state, s.in)
	}
	return t.inTime(ctx, c, s)
}

// repeat gives the stored answer. Where the gateway signed its retry anew, that
// signature is noted: it must not come once more as a turn of its own.
func (t *Conversations) repeat(ctx context.Context, r *request) (Answer, error) {
	if r.signed() && !r.knowsSignature() {
		noted := *r.old
		noted.Signatures, noted.SignedUntil = r.signatures()
		own, _ := r.stored.slots(r.Channel)
		*own = &noted
		if err := t.save(ctx, r); err != nil {
			return Answer{}, err
		}
	}
	return r.old.answer(), nil
}

// save puts the phone's conversations over what was loaded, also when the request's own
// time is over: the turn's effects are done by then. Stores bound their own time.
func (t *Conversations) save(ctx context.Context, r *request) error {
	t.prune(r)
	data := t.vault.seal(r.key, r.stored.encode())
	// A version that follows the clock is not met again after a record was
	// deleted and made anew; nor, for the number drawn, after a fail-over that lost
	// records, where clocks differ.
	version := max(r.rec.Version, r.Now.UnixMicro()) + 1 + rand.Int64N(versionSpread) // #nosec G404 -- to differ, not to be secret
	rec := Record{Version: version, Expires: r.stored.keep(), Data: data}
	put := t.Store.Save
	if r.remembered {
		put = t.Store.Replace
	}
	if err := put(context.WithoutCancel(ctx), r.key, rec, r.rec.Version); err != nil {
		return err
	}
	if own, _ := r.stored.slots(r.Channel); r.Cumulative && !(*own).Over {
		t.recent.keep(r.key, rec)
	}
	for _, lapsed := range r.lapsed {
		t.abandon(lapsed)
	}
	return nil
}
