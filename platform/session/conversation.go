package session

import (
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// A field's key (`make generate` writes conversation_msgp.go) is never used for
// another field again: older and newer builds read it.

//msgp:replace string with:msgwire.Text
//msgp:replace locales.Locale with:msgwire.Text
//msgp:replace caller.Channel with:msgwire.Text

// phoneRecord is what is stored for a phone: its conversation on each channel, so that one can
// be continued on the other.
type phoneRecord struct {
	USSD *conversation `msg:"u,omitempty"`
	SMS  *conversation `msg:"s,omitempty"`
	// Known is the phone's profile as it was read last; nil when it was not.
	Known *known `msg:"k,omitempty"`
}

// known is a profile and when it was read, in Unix microseconds.
type known struct {
	Locale locales.Locale `msg:"l,omitempty"`
	Tenure int64          `msg:"t,omitempty"`
	Read   int64          `msg:"r,omitempty"`
}

// knownFor is how long a profile is good enough for a conversation with which nothing
// goes on. A language is chosen in conversations, which note it, or elsewhere (see
// Relearn); and whose number it is, is asked anew before anything is continued.
const knownFor = 15 * time.Minute

// profile is what is known, unless that is too old.
func (k *known) profile(now time.Time) (p dialog.Profile, fresh bool) {
	if k == nil || now.Sub(time.UnixMicro(k.Read)) > knownFor {
		return p, false
	}
	return dialog.Profile{Locale: k.Locale, Tenure: k.Tenure}, true
}

// slots are the conversation on channel and the one on the other.
func (b *phoneRecord) slots(channel caller.Channel) (own, other **conversation) {
	if channel == caller.SMS {
		return &b.SMS, &b.USSD
	}
	return &b.USSD, &b.SMS
}

// conversation is what is stored of a conversation. Neither the phone nor any input is
// in it: inputs stand as one keyed digest, so that a six-digit code cannot be
// found by trying all of them.
type conversation struct {
	// Length and Digest are of the text that was answered last (or of its id).
	Length int    `msg:"l,omitempty"`
	Digest []byte `msg:"d,omitempty,zerocopy"`
	// Text is the answer given; Over says that the conversation is closed.
	Text  string `msg:"t,omitempty"`
	Over  bool   `msg:"o,omitempty"`
	State []byte `msg:"s,omitempty,zerocopy"`
	// The next three are for counting a conversation that is abandoned.
	Channel  caller.Channel `msg:"c,omitempty"`
	Gateway  string         `msg:"g,omitempty"`
	Operator string         `msg:"op,omitempty"`
	// Seen are the beginnings of the digests before Digest, newest last: a text
	// message may come late, after others.
	Seen []byte `msg:"sn,omitempty,zerocopy"`
	// Session is the beginning of the digest of the gateway's session; Former are
	// those of the sessions before it, newest last.
	Session []byte `msg:"ss,omitempty,zerocopy"`
	Former  []byte `msg:"fs,omitempty,zerocopy"`
	// Began is when the conversation did, Turns how many it had, Answered when the last
	// was answered, Expires until when it waits for the next, Keep until when it
	// can be continued elsewhere. Moments are Unix microseconds.
	Began    int64 `msg:"b,omitempty"`
	Turns    int64 `msg:"n,omitempty"`
	Answered int64 `msg:"a,omitempty"`
	Expires  int64 `msg:"e,omitempty"`
	Keep     int64 `msg:"k,omitempty"`
	// Gone says that the gateway gave the session up.
	Gone bool `msg:"x,omitempty"`
	// Subscriber is the beginning of the SIM's digest, where it is known, and
	// Tenure the number's holder: both must be the same for a conversation to go on.
	Subscriber []byte `msg:"sim,omitempty,zerocopy"`
	Tenure     int64  `msg:"h,omitempty"`
	// Node is the step that Text shows.
	Node string `msg:"nd,omitempty"`
	// Signatures are the beginnings of the digests of the signatures that the phone's
	// requests came with, newest last; SignedUntil is until when one of them would be
	// accepted, so that they must be known.
	Signatures  []byte `msg:"pf,omitempty,zerocopy"`
	SignedUntil int64  `msg:"pv,omitempty"`
	// Unclear says that Text answers what was not understood.
	Unclear bool `msg:"u,omitempty"`
}

// How many turns of a conversation by SMS, signatures (more than the screens a person
// gets through before the oldest is refused for its age) and sessions before are
// remembered, and by how much of a digest.
const (
	seenTurns      = 16
	seenSignatures = 64
	formerSessions = 4
	seenLength     = 8
)

// saw reports that a turn before the last had this digest.
func (t *conversation) saw(digest []byte) bool { return among(t.Seen, digest) }

// among reports that the beginning of digest is one of those in list.
func among(list, digest []byte) bool {
	for ; len(list) >= seenLength; list = list[seenLength:] {
		if equal(list[:seenLength], digest[:seenLength]) {
			return true
		}
	}
	return false
}

// remember is list with one digest more, of the last n.
func remember(list, digest []byte, n int) []byte {
	list = append(list[:len(list):len(list)], digest[:seenLength]...)
	return list[max(0, len(list)-n*seenLength):]
}

func (t *conversation) expired(now time.Time) bool { return t.Expires < now.UnixMicro() }

// needed is until when the conversation, or what it remembers, is.
func (t *conversation) needed() int64 { return max(t.Keep, t.SignedUntil) }

// answer is what was said last.
func (t *conversation) answer() Answer {
	return Answer{Text: t.Text, End: t.Over, Node: t.Node, Unclear: t.Unclear}
}

// follow is the conversation as the turn leaves it, but for what the engine says.
func (t *Conversations) follow(r *request, start bool) *conversation {
	next := &conversation{
		Length: r.length(), Digest: r.digest[:], Channel: r.Channel, Gateway: r.Gateway, Operator: r.Operator,
		Began: r.Now.UnixMicro(), Turns: 1, Answered: max(r.Now.UnixMicro(), t.Now().UnixMicro()),
		Expires: r.Now.Add(r.Lifetime).UnixMicro(), Tenure: r.tenure,
	}
	next.Keep = next.Expires
	next.Signatures, next.SignedUntil = r.signatures()
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

// learn notes the language that the phone chose in a conversation.
func (b *phoneRecord) learn(loc locales.Locale) {
	if b.Known != nil && loc != "" && loc != b.Known.Locale {
		learnt := *b.Known
		learnt.Locale = loc
		b.Known = &learnt
	}
}

// keep is until when the record is needed.
func (b *phoneRecord) keep() time.Time {
	last := int64(0)
	for _, on := range []*conversation{b.USSD, b.SMS} {
		if on != nil {
			last = max(last, on.needed())
		}
	}
	return time.UnixMicro(last)
}

// prune forgets the other channel's conversation when nobody can continue it any more.
func (t *Conversations) prune(r *request) {
	_, other := r.stored.slots(r.Channel)
	if *other == nil || (*other).needed() >= r.Now.UnixMicro() {
		return
	}
	if !(*other).Over {
		r.lapsed = append(r.lapsed, *other)
	}
	*other = nil
}

// open reads what is stored; an empty record when there is nothing that this
// build and secret can read, and conversations start over.
func (t *Conversations) open(key string, rec Record) *phoneRecord {
	if rec.Version == 0 {
		return new(phoneRecord)
	}
	plain, err := t.vault.open(key, rec.Data)
	if err == nil {
		var b *phoneRecord
		if b, err = decodeRecord(plain); err == nil {
			return b
		}
	}
	t.Log.Warn("a stored conversation cannot be read", "error", err)
	return new(phoneRecord)
}
