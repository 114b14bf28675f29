package session

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// maxDialled bounds the choices taken from one dialled string; a person dials a
// handful.
const maxDialled = 32

// request is one attempt at a turn: what was asked, and what was stored before it.
type request struct {
	Turn
	key       string
	digest    digest // of the request
	session   digest // of the gateway's session; zero by SMS
	signature digest // zero where nobody signs
	rec       Record
	stored    *phoneRecord
	old       *conversation // the channel's; nil for none
	// restarted says that old was there and this build does not understand it.
	restarted bool
	// remembered says that rec was not loaded: see shortcut.
	remembered bool
	tenure     int64
	lapsed     []*conversation // to be counted as abandoned once the turn is saved
}

// load reads what is stored of the phone.
func (t *Conversations) load(ctx context.Context, key string, turn Turn) (*request, error) {
	rec, err := t.Store.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	return t.request(key, turn, rec), nil
}

// request sets a turn beside what is stored of its phone.
func (t *Conversations) request(key string, turn Turn, rec Record) *request {
	r := &request{Turn: turn, key: key, rec: rec, stored: t.open(key, rec)}
	if turn.Channel != caller.SMS {
		r.session = t.vault.sum("session", key, turn.Session)
	}
	r.digest = t.vault.sum("turn", key, string(r.session[:]), turn.kind(), turn.mark())
	if turn.signed() {
		r.signature = t.vault.sum("proof", key, turn.Signature.MAC)
	}
	own, _ := r.stored.slots(turn.Channel)
	r.old = *own
	return r
}

// isLive reports that the channel's conversation waits for this session's next turn.
func (r *request) isLive() bool {
	return r.old != nil && !r.old.expired(r.Now) && r.sameSession()
}

func (r *request) sameSession() bool {
	return r.Channel == caller.SMS || among(r.old.Session, r.session[:])
}

// isLate reports a request of a session that another took the place of.
func (r *request) isLate() bool {
	return r.old != nil && !r.Start && !r.sameSession() && among(r.old.Former, r.session[:])
}

// isRetry reports that the turn was answered already: it is the very request
// the conversation stored last, or an earlier one that arrives late.
func (r *request) isRetry() bool {
	if equal(r.old.Digest, r.digest[:]) {
		return !r.blind() || r.Start || r.atOnce()
	}
	if r.Cumulative {
		return len(r.Text) < r.old.Length
	}
	return !r.blind() && r.old.saw(r.digest[:])
}

// atOnce reports a request that comes before anybody can have read the answer to
// the one before.
func (r *request) atOnce() bool { return r.Now.UnixMicro()-r.old.Answered < readingTime.Microseconds() }

// isReplay reports a signed request that was taken before and is not the
// gateway's own retry, which a blind gateway makes at once or signs anew.
func (r *request) isReplay() bool {
	if r.old == nil || !r.signed() || !r.knowsSignature() {
		return false
	}
	return !r.isLive() || !r.isRetry() || (r.blind() && !r.atOnce())
}

// knowsSignature reports a signature that came before.
func (r *request) knowsSignature() bool { return among(r.old.Signatures, r.signature[:]) }

// signatures are the signatures to remember with the turn, and until when.
func (r *request) signatures() (list []byte, until int64) {
	if r.old != nil && r.old.SignedUntil >= r.Now.UnixMicro() {
		list, until = r.old.Signatures, r.old.SignedUntil
	}
	if r.signed() {
		list, until = remember(list, r.signature[:], seenSignatures), max(until, r.Signature.Until.UnixMicro())
	}
	return list, until
}

// blind reports a gateway that gives a request no identity.
func (turn Turn) blind() bool { return !turn.Cumulative && turn.ID == "" }

// proven reports a turn that its gateway signed.
func (turn Turn) signed() bool { return turn.Signature.MAC != "" }

// What a turn's digest is made of.
const (
	kindText  = "text"  // the cumulative text
	kindID    = "id"    // the request's id
	kindStart = "start" // a blind gateway's first text
	kindBlind = "blind" // and every other
)

// kind and mark tell the turn from all others of its session, or, from a blind
// gateway, from those with another text.
func (turn Turn) kind() string {
	switch {
	case turn.Cumulative:
		return kindText
	case turn.ID != "":
		return kindID
	case turn.Start:
		return kindStart
	}
	return kindBlind
}

func (turn Turn) mark() string {
	if turn.kind() == kindID {
		return turn.ID
	}
	return turn.Text
}

// length is how much of the next turn's text is known already.
func (turn Turn) length() int {
	if turn.Cumulative {
		return len(turn.Text)
	}
	return 0
}

// startText is what a first message says: its words, unless they were dialled.
func (r *request) startText() string {
	if r.Channel == caller.SMS {
		return r.Text
	}
	return ""
}

// name is the gateway's session for callers and for what outlives the conversation.
func (r *request) name() string {
	if r.Channel == caller.SMS {
		return ""
	}
	return hexName(r.session)
}

// call names the call that the turn is of, for what is good in that alone. Where the gateway
// has one name for all calls of a phone, they differ by when their conversation began; one that
// has names of its own, and begins again with what was typed, is known by them.
func (r *request) call(began int64) string {
	name := r.name()
	if name == "" || r.Cumulative {
		return name
	}
	return name + "." + strconv.FormatInt(began, 36)
}

// lost reports a request with the inputs of a conversation that is stored no more and began
// with a choice of the language, or with an earlier conversation: walked again from the main
// menu, they would lead to another service.
func (r *request) lost(profile dialog.Profile) bool {
	return r.Cumulative && r.Text != "" && profile.Session != "" && profile.Session == r.name()
}

// dialled are the choices of a dialled string.
func (r *request) dialled() []string {
	first := r.Start || r.Cumulative && (r.old == nil || !r.old.Over || !r.sameSession())
	if r.Channel == caller.SMS || r.Text == "" || !first || r.restarted {
		return nil
	}
	path := strings.SplitN(r.Text, "*", maxDialled+1)
	return path[:min(len(path), maxDialled)]
}

// newInput is what the citizen typed in this turn: with cumulative text, what
// follows the text of the turn before; it may hold "*" itself, or be several turns'.
// follows says that the text does hold that of the turn before.
func (t *Conversations) newInput(r *request) (input string, follows bool) {
	text, n := r.Text, r.old.Length
	if !r.Cumulative || n == 0 {
		return text, true
	}
	before := t.vault.sum("turn", r.key, string(r.session[:]), kindText, text[:min(n, len(text))])
	if n < len(text) && text[n] == '*' && equal(r.old.Digest, before[:]) {
		return text[n+1:], true
	}
	// The gateway lost or rewrote what came before: the last input is all that
	// can be known.
	return text[strings.LastIndexByte(text, '*')+1:], false
}

// turnID is the turn's name for the services' idempotency keys. A blind
// gateway's is told from an equal one by its place in the conversation.
func (t *Conversations) turnID(r *request, began, turns int64) string {
	if !r.blind() {
		return hexName(r.digest)
	}
	return hexName(t.vault.sum("blind", string(r.digest[:]), strconv.FormatInt(began, 10), strconv.FormatInt(turns, 10)))
}

// Standing tells what the turn's text is that counts where no conversation is held with its
// phone, in a language. The word of a message stands also where it was taken by this very
// turn before, whose answer was not kept.
func (t *Conversations) Standing(ctx context.Context, turn Turn, loc locales.Locale) (dialog.Standing, error) {
	c := caller.Caller{Phone: turn.Phone, Channel: turn.Channel, Gateway: turn.Gateway, Operator: turn.Operator, Locale: loc, Now: turn.Now}
	s, err := t.Engine.Standing(ctx, c, turn.Text)
	if err != nil || !s.Told || s.Acts {
		return s, err
	}
	r, err := t.load(ctx, t.vault.key(turn.Phone), turn)
	if err != nil {
		return s, fmt.Errorf("look whether a word was taken: %w", err)
	}
	s.Acts = r.isLive() && r.isRetry()
	return s, nil
}

// Awaits reports that the phone's conversation on the turn's channel shows a screen that waits
// for an answer, or that it took this very turn before.
func (t *Conversations) Awaits(ctx context.Context, turn Turn) (bool, error) {
	r, err := t.load(ctx, t.vault.key(turn.Phone), turn)
	if err != nil {
		return false, fmt.Errorf("look whether an answer is awaited: %w", err)
	}
	switch {
	case !r.isLive():
		return false, nil
	case r.isRetry():
		return true, nil
	case r.old.Over:
		return false, nil
	}
	state, err := dialog.Decode(r.old.State)
	return err == nil && state.Awaits(), nil
}
