// Package sms is the SMS channel: it sends text through providers, and takes
// texted words to the talk that USSD shares. It knows no service.
package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
)

// Budget is what one answer may take: three joined parts.
var Budget = dialog.Budget{Septets: 3 * gsm.JoinedSeptets, Units: 3 * gsm.JoinedUnits}

const (
	// TalkLifetime is how long a talk by SMS waits for the next message.
	TalkLifetime = 24 * time.Hour
	// answerWithin bounds a callback: less than the 15 s that Twilio waits.
	answerWithin = 12 * time.Second
	// waitBeforeResume leaves a message to the request that brought it; one that
	// waits longer lost it, with the process or by an error.
	waitBeforeResume = time.Minute
	// giveUpAfter is when a citizen is told that it failed.
	giveUpAfter = 15 * time.Minute
	// replyLifetime is how long an answer is worth being sent.
	replyLifetime = 24 * time.Hour
	// rememberFor is how long a message's id is known, to find a duplicate.
	rememberFor = 30 * 24 * time.Hour
	resumeBatch = 100
)

// Talks runs conversations, as *session.Talks does.
type Talks interface {
	Turn(ctx context.Context, turn session.Turn) (session.Answer, error)
	// Awaits reports that a question is open to which the text may be the answer.
	Awaits(ctx context.Context, turn session.Turn) (bool, error)
	// Helps reports a text that asks for help.
	Helps(text string) bool
}

// Outbox sends messages in a transaction, as *notify.Outbox does.
type Outbox interface {
	SendAll(ctx context.Context, tx *store.Tx, list []notify.Message) error
}

// Sealer encrypts columns, as *seal.Sealer does.
type Sealer interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
	Index(purpose, value string) string
}

// Sentences gives the words for what no talk can say, as *locales.Catalogue
// does.
type Sentences interface {
	Message(loc locales.Locale, key string, args ...any) (full, short string)
}

// Languages knows the language of a phone ("" when none was chosen), as
// *identity.Service does.
type Languages interface {
	Locale(ctx context.Context, phone string) (locales.Locale, error)
}

// Why a message cannot be taken: the provider would be refused again.
var (
	ErrMalformed = errors.New("the message has no usable id, or is an impossible part")
	ErrSender    = errors.New("the message comes from a name, which cannot be answered")
)

// Incoming is a text from a citizen, as any provider tells it.
type Incoming struct {
	// Provider names the gateway, and ID is the provider's own for the message.
	Provider, ID string
	// Unnumbered says that the provider gives messages no id: ID is then the link's
	// name and the request's number on it, joined by ":". A message that comes again
	// on another link soon after, before it was Acknowledged, is the same one.
	Unnumbered  bool
	Phone, Text string
	// Ref is common to the parts of one long text, Part is this one's place from
	// 1 and Parts their number. Parts is 0 or 1 for a text that is whole.
	Ref, Part, Parts int
	// At is when it reached us, by our clock.
	At time.Time
}

// Inbound answers the messages that citizens send. A message is stored before
// it is worked on, and its answer leaves through the outbox in the transaction
// that marks it answered: it has one effect however often a provider delivers
// it, and none is lost when the process is killed.
type Inbound struct {
	db        *store.DB
	kept      *store.Batch[arrival, bool] // what is stored as it comes
	answered  *store.Batch[reply, struct{}]
	hands     chan struct{} // a token for each message that is worked on
	waits     sync.Mutex    // held in Wait
	mu        sync.Mutex
	lines     map[string][]message // by phone, those behind the one that is worked on
	left      left
	talks     Talks
	outbox    Outbox
	wishes    *wishes
	sealer    Sealer
	sentences Sentences
	languages Languages
	now       func() time.Time
	log       *slog.Logger
	limiter   Limiter
	counted   func(provider, reason string)
}

// InboundDeps are what an Inbound stands on.
type InboundDeps struct {
	DB     *store.DB
	Talks  Talks
	Outbox Outbox
	// Stops is the list of who wants no notices; nil where the provider keeps it.
	Stops     Stops
	Sealer    Sealer
	Sentences Sentences
	Languages Languages
	Now       func() time.Time
	Log       *slog.Logger
	// Limiter counts the texts of a phone, so that a machine at the other end is not
	// answered for ever; nil: all are.
	Limiter Limiter
	// Unanswered hears of every text that was taken and not answered, to be counted;
	// nil: nobody does.
	Unanswered func(provider, reason string)
}

// NewInbound makes what providers hand citizens' messages to. It fails only where the
// words that stop and start notices contradict each other.
func NewInbound(d InboundDeps) (*Inbound, error) {
	wishes, err := newWishes(d.Stops)
	if err != nil {
		return nil, fmt.Errorf("the words that stop and start notices: %w", err)
	}
	in := &Inbound{
		db: d.DB, talks: d.Talks, outbox: d.Outbox, wishes: wishes, sealer: d.Sealer,
		sentences: d.Sentences, languages: d.Languages, now: d.Now, log: d.Log, hands: make(chan struct{}, inHand),
		lines: map[string][]message{}, limiter: d.Limiter, counted: d.Unanswered,
	}
	in.kept, in.answered = store.NewBatch(d.DB, in.keepAll), store.NewBatch(d.DB, in.replyAll)
	return in, nil
}

// message is one text, or a part of one; its JSON is what is stored, sealed.
type message struct {
	provider, id string
	at           time.Time // when it reached us
	Phone        string    `json:"phone"`
	Text         string    `json:"text"`
	Ref          int       `json:"ref,omitempty"`
	Part         int       `json:"part,omitempty"`
	Parts        int       `json:"parts,omitempty"`
}

// name is the message's for good, among all providers'.
func (m message) name() string { return m.provider + "/" + m.id }

// sidPattern is what the providers' message ids look like, with room to spare.
var sidPattern = regexp.MustCompile(`^[A-Za-z0-9_.:-]{2,64}$`)

// Take stores a message, which is then answered soon. It returns ErrMalformed or
// ErrSender for one that can never be answered, and any other error when the
// message was not stored and should be delivered again. A message that is stored
// is answered, at the latest by Resume.
func (in *Inbound) Take(ctx context.Context, incoming Incoming) error {
	m, err := read(incoming)
	if err != nil {
		return err
	}
	free := in.hand(ctx)
	fresh, err := in.keep(ctx, m, incoming.Unnumbered)
	switch {
	case err == nil && fresh && free:
		in.later(ctx, m)
	case free:
		<-in.hands
		if err == nil {
			in.unanswered(m.provider, reasonAgain)
		}
	case fresh:
		in.leave(m.Phone)
		in.log.WarnContext(ctx, "a message waits for its answer: too many are in hand", "provider", m.provider)
	}
	return err
}

// read checks what a provider told.
func read(i Incoming) (message, error) {
	m := message{provider: i.Provider, id: i.ID, at: i.At, Text: legible(i.Text)}
	if i.Parts > 1 {
		m.Ref, m.Part, m.Parts = i.Ref, i.Part, i.Parts
	}
	if !sidPattern.MatchString(m.id) || i.Parts > maxParts || (m.Parts > 0 && (m.Part < 1 || m.Part > m.Parts)) {
		return message{}, ErrMalformed
	}
	var ok bool
	if m.Phone, ok = caller.ParsePhone(i.Phone); !ok {
		return message{}, ErrSender
	}
	return m, nil
}

// legible writes the replacement character for what is no UTF-8, and for NUL,
// which PostgreSQL does not take.
func legible(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// keep stores a message; fresh is false when it is known already.
func (in *Inbound) keep(ctx context.Context, m message, unnumbered bool) (fresh bool, err error) {
	plain, err := json.Marshal(m)
	if err != nil {
		return false, fmt.Errorf("write a message: %w", err)
	}
	a := arrival{message: m}
	if a.sealed, err = in.sealer.Seal(plain, sealContext(m.provider, m.id)); err != nil {
		return false, fmt.Errorf("seal a message: %w", err)
	}
	if unnumbered {
		a.echo = in.echo(m)
	}
	if fresh, err = in.kept.Do(ctx, a); err != nil {
		return false, fmt.Errorf("store a message: %w", err)
	}
	return fresh, nil
}

// work answers a whole message, or the one whose last part m is. One that waited
// too long is not worked on any more.
func (in *Inbound) work(ctx context.Context, m message) error {
	if in.now().Sub(m.at) > giveUpAfter {
		text, err := in.say(ctx, m.Phone, "problem.internal")
		if err != nil {
			return err
		}
		return in.reply(ctx, m, text)
	}
	if m.Parts > 0 {
		return in.workPart(ctx, m)
	}
	return in.answer(ctx, m)
}

// answer takes the message's turn in its talk and sends what the talk says.
// Done twice, it has one effect: the talk knows the message's id.
func (in *Inbound) answer(ctx context.Context, m message) error {
	wish := in.wishes.of(m.Text)
	x, err := in.exchange(ctx, m)
	if err != nil {
		return err
	}
	if reason := in.isLoop(ctx, m, x, wish); reason != "" {
		return in.silence(ctx, m, x, reason, wish)
	}
	turn := session.Turn{
		Session: "sms", Phone: m.Phone, Channel: caller.SMS, Gateway: m.provider,
		Operator: caller.Operator(m.Phone), Text: m.Text, ID: m.name(),
		Budget: Budget, Lifetime: TalkLifetime, Now: in.now(),
	}
	if wish != nil {
		awaited, err := in.awaits(ctx, turn, wish)
		if err != nil {
			return err
		}
		if !awaited {
			return in.obey(ctx, m, x, wish)
		}
	}
	answer, err := in.talks.Turn(ctx, turn)
	if err != nil {
		return err
	}
	if reason := in.isLost(ctx, x, answer.Unclear); reason != "" {
		return in.silence(ctx, m, x, reason, nil)
	}
	return in.replyTo(ctx, reply{message: m, text: answer.Text, exchange: x})
}

// awaits reports that a talk may have asked for what reads as a wish.
func (in *Inbound) awaits(ctx context.Context, turn session.Turn, w *wish) (bool, error) {
	if w.firm {
		return false, nil
	}
	return in.talks.Awaits(ctx, turn)
}

// reply marks the message answered and sends the answer, unless somebody did.
func (in *Inbound) reply(ctx context.Context, m message, text string) error {
	return in.replyTo(ctx, reply{message: m, text: text})
}

// replyTo is reply for one with more to it.
func (in *Inbound) replyTo(ctx context.Context, r reply) error {
	if r.exchange != nil && r.text != "" {
		r.exchange.answer = in.answerDigest(r.text)
	}
	if _, err := in.answered.Do(ctx, r); err != nil {
		return fmt.Errorf("answer a message: %w", err)
	}
	return nil
}

// say writes a sentence in the phone's language, Kyrgyz until it is chosen.
func (in *Inbound) say(ctx context.Context, phone, key string, args ...any) (string, error) {
	loc, err := in.languages.Locale(ctx, phone)
	if err != nil {
		return "", err
	}
	if loc == "" {
		loc = locales.KY
	}
	return gsm.Pick(in.sentences.Message(loc, key, args...)), nil
}

// unanswered counts a text that was taken and is not answered.
func (in *Inbound) unanswered(provider, reason string) {
	if in.counted != nil {
		in.counted(provider, reason)
	}
}

// sealContext binds a sealed message to its row.
func sealContext(provider, id string) string { return "sms_inbound.sealed " + provider + " " + id }
