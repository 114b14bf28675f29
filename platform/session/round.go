package session

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// maxDialled bounds the choices taken from one dialled string; a person dials a
// handful.
const maxDialled = 32

// round is one attempt at a turn: the request, and what was stored before it.
type round struct {
	Turn
	key     string
	digest  digest // of the request
	session digest // of the gateway's session; zero by SMS
	proof   digest // of the signature; zero without one
	rec     Record
	book    *book
	old     *talk // the channel's; nil for none
	// restarted says that old was there and this build does not understand it.
	restarted bool
	// remembered says that rec was not loaded: see shortcut.
	remembered bool
	tenure     int64
	lapsed     []*talk // to be counted as abandoned once the turn is saved
}

// load reads what is stored of the phone.
func (t *Talks) load(ctx context.Context, key string, turn Turn) (*round, error) {
	rec, err := t.Store.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	return t.round(key, turn, rec), nil
}

// round sets a turn beside what is stored of its phone.
func (t *Talks) round(key string, turn Turn, rec Record) *round {
	r := &round{Turn: turn, key: key, rec: rec, book: t.open(key, rec)}
	if turn.Channel != caller.SMS {
		r.session = t.vault.sum("session", key, turn.Session)
	}
	r.digest = t.vault.sum("turn", key, string(r.session[:]), turn.kind(), turn.mark())
	if turn.proven() {
		r.proof = t.vault.sum("proof", key, turn.Proof.MAC)
	}
	own, _ := r.book.slots(turn.Channel)
	r.old = *own
	return r
}

// isLive reports that the channel's talk waits for this session's next turn.
func (r *round) isLive() bool {
	return r.old != nil && !r.old.expired(r.Now) && r.sameSession()
}

func (r *round) sameSession() bool {
	return r.Channel == caller.SMS || among(r.old.Session, r.session[:])
}

// isLate reports a request of a session that another took the place of.
func (r *round) isLate() bool {
	return r.old != nil && !r.Start && !r.sameSession() && among(r.old.Former, r.session[:])
}

// isRetry reports that the turn was answered already: it is the very request
// the talk stored last, or an earlier one that arrives late.
func (r *round) isRetry() bool {
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
func (r *round) atOnce() bool { return r.Now.UnixMicro()-r.old.Answered < readingTime.Microseconds() }

// isReplay reports a signed request that was taken before and is not the
// gateway's own retry, which a blind gateway makes at once or signs anew.
func (r *round) isReplay() bool {
	if r.old == nil || !r.proven() || !r.knowsProof() {
		return false
	}
	return !r.isLive() || !r.isRetry() || (r.blind() && !r.atOnce())
}

// knowsProof reports a signature that came before.
func (r *round) knowsProof() bool { return among(r.old.Proofs, r.proof[:]) }

// proofs are the signatures to remember with the turn, and until when.
func (r *round) proofs() (list []byte, until int64) {
	if r.old != nil && r.old.Proven >= r.Now.UnixMicro() {
		list, until = r.old.Proofs, r.old.Proven
	}
	if r.proven() {
		list, until = remember(list, r.proof[:], seenProofs), max(until, r.Proof.Until.UnixMicro())
	}
	return list, until
}

// betterElsewhere reports a text message that is rather meant for the talk over
// USSD that broke off after this one by SMS had been left.
func (r *round) betterElsewhere(window time.Duration) bool {
	return r.Channel == caller.SMS && r.book.USSD.broken(r.Now, window) &&
		r.book.USSD.Answered > r.old.Answered && r.Now.Sub(time.UnixMicro(r.old.Answered)) > window
}

// broken reports a talk that broke off and can be continued.
func (t *talk) broken(now time.Time, window time.Duration) bool {
	return t != nil && !t.Over && (t.Gone || t.expired(now)) && now.Sub(time.UnixMicro(t.Answered)) <= window
}

// blind reports a gateway that gives a request no identity.
func (turn Turn) blind() bool { return !turn.Cumulative && turn.ID == "" }

// proven reports a turn that its gateway signed.
func (turn Turn) proven() bool { return turn.Proof.MAC != "" }

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
func (r *round) startText() string {
	if r.Channel == caller.SMS {
		return r.Text
	}
	return ""
}

// name is the gateway's session for callers and for what outlives the talk.
func (r *round) name() string {
	if r.Channel == caller.SMS {
		return ""
	}
	return hexName(r.session)
}

// lost reports a request with the inputs of a talk that is stored no more and began
// with a choice of the language, or with an earlier talk: walked again from the main
// menu, they would lead to another service.
func (r *round) lost(profile dialog.Profile) bool {
	return r.Cumulative && r.Text != "" && profile.Talk != "" && profile.Talk == r.name()
}

// dialled are the choices of a dialled string.
func (r *round) dialled() []string {
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
func (t *Talks) newInput(r *round) (input string, follows bool) {
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
// gateway's is told from an equal one by its place in the talk.
func (t *Talks) turnID(r *round, began, turns int64) string {
	if !r.blind() {
		return hexName(r.digest)
	}
	return hexName(t.vault.sum("blind", string(r.digest[:]), strconv.FormatInt(began, 10), strconv.FormatInt(turns, 10)))
}
