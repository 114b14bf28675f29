package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

// Budget is what one answer may take: three joined parts.
var Budget = dialog.Budget{Septets: 3 * JoinedSeptets, Units: 3 * JoinedUnits}

const (
	providerTwilio = "twilio"
	// TalkLifetime is how long a talk by SMS waits for the next message.
	TalkLifetime = 24 * time.Hour
	// answerWithin is less than the 15 s that Twilio waits.
	answerWithin = 12 * time.Second
	// waitBeforeResume leaves a message to the request that brought it; one that
	// waits longer lost it, with the process or by an error.
	waitBeforeResume = time.Minute
	// giveUpAfter is when a citizen is told that it failed.
	giveUpAfter = 15 * time.Minute
	// replyLifetime is how long an answer is worth being sent.
	replyLifetime = time.Hour
	// rememberFor is how long a message's id is known, to find a duplicate.
	rememberFor = 30 * 24 * time.Hour
	resumeBatch = 100
	emptyTwiML  = `<?xml version="1.0" encoding="UTF-8"?><Response/>`
)

// Talks runs conversations, as *session.Talks does.
type Talks interface {
	Turn(ctx context.Context, turn session.Turn) (session.Answer, error)
}

// Outbox sends messages in a transaction, as *notify.Outbox does.
type Outbox interface {
	Send(ctx context.Context, tx *store.Tx, m notify.Message) error
}

// Sealer encrypts columns, as *seal.Sealer does.
type Sealer interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
}

// Sentences gives the words for what no talk can say, as *locales.Catalogue
// does.
type Sentences interface {
	Text(loc locales.Locale, key string, args ...any) string
}

// Inbound answers the messages that citizens send. A message is stored before
// it is worked on, and its answer leaves through the outbox in the transaction
// that marks it answered: it has one effect however often Twilio delivers it,
// and none is lost when the process is killed.
type Inbound struct {
	webhook   *Webhook
	db        *store.DB
	talks     Talks
	outbox    Outbox
	sealer    Sealer
	sentences Sentences
	now       func() time.Time
	log       *slog.Logger
}

// InboundDeps are what an Inbound stands on.
type InboundDeps struct {
	Webhook   *Webhook
	DB        *store.DB
	Talks     Talks
	Outbox    Outbox
	Sealer    Sealer
	Sentences Sentences
	Now       func() time.Time
	Log       *slog.Logger
}

// NewInbound makes the handler.
func NewInbound(d InboundDeps) *Inbound {
	return &Inbound{
		webhook: d.Webhook, db: d.DB, talks: d.Talks, outbox: d.Outbox, sealer: d.Sealer,
		sentences: d.Sentences, now: d.Now, log: d.Log,
	}
}

// Register adds POST /sms/twilio to the application.
func (in *Inbound) Register(r fiber.Router) {
	r.Post("/sms/twilio", in.webhook.Guard(in.receive))
}

// message is one text from a citizen; its JSON is what is stored, sealed.
type message struct {
	id    string
	Phone string `json:"phone"`
	Text  string `json:"text"`
}

// sidPattern is what the provider's message ids look like, with room to spare.
var sidPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{2,64}$`)

// receive takes one message. Twilio gets an empty answer: ours goes out as a
// message of its own.
func (in *Inbound) receive(c *fiber.Ctx) error {
	m := message{id: field(c, "MessageSid"), Text: field(c, "Body")}
	if !sidPattern.MatchString(m.id) {
		in.webhook.refused("malformed")
		return c.Status(fiber.StatusBadRequest).SendString("MessageSid is needed")
	}
	c.Set(fiber.HeaderContentType, "text/xml; charset=utf-8")
	var ok bool
	if m.Phone, ok = caller.ParsePhone(field(c, "From")); !ok {
		// A sender with a name instead of a number cannot be answered.
		in.webhook.refused("sender")
		return c.SendString(emptyTwiML)
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	fresh, err := in.keep(ctx, m)
	if err != nil {
		in.log.ErrorContext(ctx, "a message was not taken", "provider", providerTwilio, "error", err)
		return c.Status(fiber.StatusServiceUnavailable).SendString(emptyTwiML)
	}
	if fresh {
		if err := in.answer(ctx, m); err != nil {
			in.log.ErrorContext(ctx, "a message waits for its answer", "provider", providerTwilio, "error", err)
		}
	}
	return c.SendString(emptyTwiML)
}

// keep stores a message; fresh is false when it is known already.
func (in *Inbound) keep(ctx context.Context, m message) (fresh bool, err error) {
	plain, err := json.Marshal(m)
	if err != nil {
		return false, fmt.Errorf("write a message: %w", err)
	}
	sealed, err := in.sealer.Seal(plain, sealContext(m.id))
	if err != nil {
		return false, fmt.Errorf("seal a message: %w", err)
	}
	err = in.db.InTx(ctx, func(tx *store.Tx) error {
		rows, err := db.New(tx).KeepInbound(ctx, db.KeepInboundParams{
			Provider: providerTwilio, MessageID: m.id, ReceivedAt: dbtime.From(in.now()), Sealed: sealed,
		})
		fresh = rows == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store a message: %w", err)
	}
	return fresh, nil
}

// answer takes the message's turn in its talk and sends what the talk says.
// Done twice, it has one effect: the talk knows the message's id.
func (in *Inbound) answer(ctx context.Context, m message) error {
	answer, err := in.talks.Turn(ctx, session.Turn{
		Session: "sms", Phone: m.Phone, Channel: caller.SMS, Gateway: providerTwilio,
		Operator: caller.Operator(m.Phone), Text: m.Text, ID: m.id,
		Budget: Budget, Lifetime: TalkLifetime, Now: in.now(),
	})
	if err != nil {
		return err
	}
	return in.reply(ctx, m, answer.Text)
}

// reply marks the message answered and sends the answer, unless somebody did.
func (in *Inbound) reply(ctx context.Context, m message, text string) error {
	now := in.now()
	err := in.db.InTx(ctx, func(tx *store.Tx) error {
		rows, err := db.New(tx).AnswerInbound(ctx, db.AnswerInboundParams{
			Provider: providerTwilio, MessageID: m.id, AnsweredAt: dbtime.From(now),
		})
		if err != nil || rows == 0 || text == "" {
			return err
		}
		return in.outbox.Send(ctx, tx, notify.Message{
			To: m.Phone, Text: text, Purpose: notify.Notice, ExpiresAt: now.Add(replyLifetime), Dedup: m.id,
		})
	})
	if err != nil {
		return fmt.Errorf("answer a message: %w", err)
	}
	return nil
}

// Resume answers the messages whose request ended before its answer was
// stored, and forgets the ids of old ones. Run it at the start and every
// minute; instances may run it at once.
func (in *Inbound) Resume(ctx context.Context) error {
	now := in.now()
	waiting, err := db.New(in.db.Reader()).WaitingInbound(ctx, db.WaitingInboundParams{
		ReceivedAt: dbtime.From(now.Add(-waitBeforeResume)), Limit: resumeBatch,
	})
	if err != nil {
		return fmt.Errorf("list messages that wait: %w", err)
	}
	var faults []error
	for _, row := range waiting {
		faults = append(faults, in.resume(ctx, row, now))
	}
	err = in.db.InTx(ctx, func(tx *store.Tx) error {
		_, err := db.New(tx).ForgetInbound(ctx, dbtime.From(now.Add(-rememberFor)))
		return err
	})
	if err != nil {
		faults = append(faults, fmt.Errorf("forget old messages: %w", err))
	}
	return errors.Join(faults...)
}

func (in *Inbound) resume(ctx context.Context, row db.WaitingInboundRow, now time.Time) error {
	plain, err := in.sealer.Open(row.Sealed, sealContext(row.MessageID))
	if err != nil {
		return fmt.Errorf("open a stored message: %w", err)
	}
	m := message{id: row.MessageID}
	if err := json.Unmarshal(plain, &m); err != nil {
		return fmt.Errorf("read a stored message: %w", err)
	}
	if now.Sub(row.ReceivedAt.Time) > giveUpAfter {
		return in.reply(ctx, m, in.sentences.Text(locales.KY, "problem.internal"))
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return in.answer(ctx, m)
}

// sealContext binds a sealed message to its row.
func sealContext(id string) string { return "sms_inbound.sealed " + providerTwilio + " " + id }
