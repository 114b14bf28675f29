// Package sms is the SMS channel: it sends text through providers, and takes
// texted words to the conversation that USSD shares. It knows no service.
package sms

import (
	"context"
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
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
)

// Budget is what one answer may take: three joined parts.
var Budget = dialog.Budget{Septets: 3 * gsm.JoinedSeptets, Units: 3 * gsm.JoinedUnits}

const (
	// Lifetime is how long a conversation by SMS waits for the next message.
	Lifetime = 24 * time.Hour
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

// Conversations runs conversations, as *session.Conversations does.
type Conversations interface {
	Turn(ctx context.Context, turn session.Turn) (session.Answer, error)
	// Awaits reports that a question is open to which the text may be the answer.
	Awaits(ctx context.Context, turn session.Turn) (bool, error)
	// Standing tells what the text is that counts where no conversation is held; what it
	// says is in a language.
	Standing(ctx context.Context, turn session.Turn, loc locales.Locale) (dialog.Standing, error)
}

// Outbox sends messages in a transaction, as *notify.Outbox does.
type Outbox interface {
	SendAll(ctx context.Context, tx *store.Tx, list []notify.Message) error
}

// Texts gives the words for what no conversation can say, as *locales.Catalogue
// does.
type Texts interface {
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

// MO is a mobile-originated message, a text from a citizen, as any provider tells it.
type MO struct {
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
	db            *store.DB
	kept          *store.Batch[arrival, bool] // what is stored as it comes
	answered      *store.Batch[reply, struct{}]
	slots         chan struct{} // a token for each message that is worked on
	waits         sync.Mutex    // held in Wait
	mu            sync.Mutex
	queues        map[string][]message // by phone, those that wait behind the one that is worked on
	backlog       backlog
	conversations Conversations
	outbox        Outbox
	wishes        *wishes
	sealer        *seal.Sealer
	texts         Texts
	shortCode     string
	languages     Languages
	now           func() time.Time
	log           *slog.Logger
	limiter       Limiter
	counted       func(provider, reason string)
}

// InboundDeps are what an Inbound stands on.
type InboundDeps struct {
	DB            *store.DB
	Conversations Conversations
	Outbox        Outbox
	// Stops is the list of who wants no notices; nil where the provider keeps it.
	Stops     Stops
	Sealer    *seal.Sealer
	Texts     Texts
	Languages Languages
	// ShortCode is what is dialled instead of texting.
	ShortCode string
	Now       func() time.Time
	Log       *slog.Logger
	// Limiter counts the texts of a phone, so that a machine at the other end is not
	// answered for ever; nil: all are.
	Limiter Limiter
	// Unanswered hears of every text that was taken and not answered, to be counted;
	// nil: nobody does.
	Unanswered func(provider, reason string)
}

// NewInbound makes what providers hand citizens' messages to. It fails where a dependency
// is missing, but Stops, Limiter and Unanswered, and where the words that stop and start
// notices contradict each other.
func NewInbound(d InboundDeps) (*Inbound, error) {
	if err := needs.All("texts", d, "Stops", "Limiter", "Unanswered"); err != nil {
		return nil, err
	}
	wishes, err := newWishes(d.Stops)
	if err != nil {
		return nil, fmt.Errorf("the words that stop and start notices: %w", err)
	}
	in := &Inbound{
		db: d.DB, conversations: d.Conversations, outbox: d.Outbox, wishes: wishes, sealer: d.Sealer,
		texts: d.Texts, shortCode: d.ShortCode, languages: d.Languages, now: d.Now, log: d.Log, slots: make(chan struct{}, workSlots),
		queues: map[string][]message{}, limiter: d.Limiter, counted: d.Unanswered,
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
func (in *Inbound) Take(ctx context.Context, mo MO) error {
	m, err := read(mo)
	if err != nil {
		return err
	}
	free := in.slot(ctx)
	fresh, err := in.keep(ctx, m, mo.Unnumbered)
	switch {
	case err == nil && fresh && free:
		in.enqueue(ctx, m)
	case free:
		<-in.slots
		if err == nil {
			in.unanswered(m.provider, reasonAgain)
		}
	case fresh:
		in.postpone(m.Phone)
		in.log.WarnContext(ctx, "a message waits for its answer: all slots are taken", "provider", m.provider)
	}
	return err
}

// read checks what a provider told.
func read(i MO) (message, error) {
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
