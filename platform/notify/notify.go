// Package notify is the outbox: messages to phones that leave if and only if
// the transaction that asked for them committed, at least once, and not after
// they stopped making sense. Numbers and text are sealed in the database.
package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify/db"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Purpose is what a message is for: it decides whether the message waits for the
// morning, and whether STOP ends it.
type Purpose string

// The purposes.
const (
	Code    Purpose = "code"    // a one-time code: its text is wiped when it is over
	Answer  Purpose = "answer"  // what the citizen just asked for
	Receipt Purpose = "receipt" // something was paid or done
	// Statutory is what the law has us say: nobody can stop it.
	Statutory Purpose = "statutory"
	Notice    Purpose = "notice" // all else: STOP ends it
)

// State is where a message stands.
type State string

// The states. Sent ends at delivered or failed if the provider ever tells.
const (
	Queued    State = "queued"
	Sent      State = "sent"
	Delivered State = "delivered"
	Failed    State = "failed"
	Expired   State = "expired"
	Blocked   State = "blocked" // the phone wants no notices
	Dropped   State = "dropped" // the number got another holder, or is no more of whom it tells
	// Superseded is a message that a later one about the same replaced before it was
	// known to have left.
	Superseded State = "superseded"
)

// Contexts of the sealed columns and the purposes of the blind indexes.
const (
	phoneContext = "notify.phone"
	textContext  = "notify.text"
	topicPurpose = "notify.topic"
)

// ErrRefused says, when a Sender's error wraps it, that another try would be
// refused too: a number that does not exist, text that is not allowed.
var ErrRefused = errors.New("the provider refuses the message for good")

// ErrFull says, when a Sender's error wraps it, that there is no room for the
// message yet: it has not left, and no try is counted.
var ErrFull = errors.New("the way is full for now")

// ErrUnavailable says, when a Sender's error wraps it, that no way is open for the time
// being, as where an account is out of money: the message has not left, it is not its
// fault, and no try is counted.
var ErrUnavailable = errors.New("no way is open for now")

// fullFor is when room is looked for again, and unavailableFor when a way.
const (
	fullFor        = 5 * time.Second
	unavailableFor = 30 * time.Second
)

// ErrUnknown says that no sent message has the provider's id (yet).
var ErrUnknown = errors.New("no message has this provider id")

// Message is a text to a phone.
type Message struct {
	To string // E.164
	// Text is what to say. Empty: nothing is sent, but what is queued about the Topic is
	// dropped, as the phone learns in another way how it stands now; without To for every
	// phone, also those that learn nothing.
	Text    string
	Purpose Purpose
	Locale  locales.Locale
	// ExpiresAt is the moment after which it is not sent any more; zero: never.
	ExpiresAt time.Time
	// Dedup names the message: of several with one name the first is sent.
	// Empty: it is a message of its own.
	Dedup string
	// Topic names the thing that the message is about, as "payment:" and its id: see
	// topic.go. Empty: nothing that another message is about.
	Topic string
	// Turn names the turn whose outcome the message tells, as caller.Caller does: see
	// Told. Empty: it tells of none.
	Turn string
	// About is the citizen, by pseudonym, whose affairs it tells of; empty: the phone's
	// own. What waits about somebody is dropped when the phone is theirs no more.
	About string
}

// MT is a mobile-terminated message, one on its way to a provider. The ID is the same at every
// try: a provider that takes idempotency keys should be given it.
type MT struct {
	ID     string
	To     string
	Text   string
	Locale locales.Locale
	// Purpose says how much a second copy would matter beside none.
	Purpose Purpose
	// ExpiresAt is the moment after which it is worth nothing; zero: never.
	ExpiresAt time.Time
	// Try counts the tries to send it, from 1.
	Try int
	// Operator is the mobile network of an earlier try that may have been taken; empty:
	// there is none.
	Operator string
}

// Left is how long from now the message is worth being delivered, a second at
// least; zero: for ever.
func (m MT) Left(now time.Time) time.Duration {
	if m.ExpiresAt.IsZero() {
		return 0
	}
	return max(m.ExpiresAt.Sub(now), time.Second)
}

// Submission is how a provider took a message.
type Submission struct {
	// Provider names who took it, and ID is the provider's own for it.
	Provider, ID string
	// Operator is the mobile network it went to, as far as that is known.
	Operator string
	// Parts is the number of SMS, and Cost what they cost by our price list, in
	// tyiyn.
	Parts int
	Cost  int64
}

// Sender hands messages to a provider.
type Sender interface {
	Send(ctx context.Context, m MT) (Submission, error)
}

// Outbox keeps and sends messages.
type Outbox struct {
	db     *store.DB
	ends   *store.Batch[ending, struct{}]
	queue  *job.Queue
	sealer *seal.Sealer
	sender Sender
	quiet  Quiet
	now    func() time.Time
	log    *slog.Logger
}

// New makes an outbox and registers its work with the queue, which must not run
// yet.
func New(
	database *store.DB, queue *job.Queue, sealer *seal.Sealer, sender Sender, quiet Quiet, now func() time.Time, log *slog.Logger,
) *Outbox {
	o := &Outbox{db: database, queue: queue, sealer: sealer, sender: sender, quiet: quiet, now: now, log: log}
	o.ends = store.NewBatch(database, endAll)
	job.Handle(queue, o.work)
	return o
}

// sendJob asks for one message to be sent. It is a plain row in the database.
type sendJob struct {
	ID string `json:"id"`
}

// Kind implements job.Args.
func (sendJob) Kind() string { return "notify.send" }

// work sends one message. A crash between the provider's answer and the database
// learning of it sends the message again, unless a report on it comes: at least once.
func (o *Outbox) work(ctx context.Context, args sendJob, attempt job.Attempt) error {
	m, err := db.New(o.db.Reader()).Waiting(ctx, args.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // over already
	}
	if err != nil {
		return fmt.Errorf("begin to send message %s: %w", args.ID, err)
	}
	if attempt.Number > 1 {
		if claimed, err := o.claim(ctx, m); claimed || err != nil {
			return err
		}
	}
	if !m.ExpiresAt.IsZero() && !o.now().Before(m.ExpiresAt.Time) {
		return o.giveUp(ctx, m, Expired)
	}
	if m.Uncertain >= mostCopies {
		return o.awaitReport(ctx, m)
	}
	if held, err := o.hold(ctx, m); held {
		return err
	}
	m.Tries = int64(attempt.Number)
	out, err := o.mt(m)
	if err != nil {
		return errors.Join(o.giveUp(ctx, m, Failed), job.Cancel(err))
	}
	if goes, err := o.leave(ctx, m); !goes {
		return err
	}
	taken, err := o.sender.Send(ctx, out)
	if err == nil {
		return o.sent(ctx, m, taken)
	}
	return o.unsent(ctx, m, out, attempt, taken, err)
}

// unsent decides what follows a try that failed.
func (o *Outbox) unsent(ctx context.Context, m db.NotifyMessage, out MT, attempt job.Attempt, taken Submission, err error) error {
	if err := o.stay(ctx, m); err != nil {
		o.log.WarnContext(ctx, "a try is not noted as over", "message", m.ID, "error", err)
	}
	switch {
	case errors.Is(err, ErrFull):
		return job.Again(fullFor)
	case errors.Is(err, ErrUnavailable):
		return job.Again(unavailableFor)
	}
	// What is returned is kept with the job and logged.
	err = fmt.Errorf("send message %s: %w", m.ID, withhold(err, out))
	if errors.Is(err, ErrUnanswered) {
		err = errors.Join(err, o.markUncertain(ctx, m, taken))
	}
	if attempt.Last || errors.Is(err, ErrRefused) {
		return errors.Join(o.giveUp(ctx, m, Failed), job.Cancel(err))
	}
	return err
}

func (o *Outbox) mt(m db.NotifyMessage) (MT, error) {
	phone, err := o.sealer.Open(m.PhoneSealed, phoneContext)
	if err != nil {
		return MT{}, err
	}
	text, err := o.sealer.Open(m.TextSealed, textContext)
	if err != nil {
		return MT{}, err
	}
	return MT{
		ID: m.ID, To: string(phone), Text: string(text), Locale: locales.Locale(m.Locale), Try: int(m.Tries),
		Purpose: Purpose(m.Purpose), ExpiresAt: m.ExpiresAt.Time, Operator: m.Operator,
	}, nil
}

func (o *Outbox) sent(ctx context.Context, m db.NotifyMessage, taken Submission) error {
	return o.end(ctx, func(ctx context.Context, q *db.Queries) error {
		decimal, hex := forms(taken.ID)
		_, err := q.Sent(ctx, db.SentParams{
			IDDecimal: decimal, IDHex: hex,
			SentAt: dbtime.From(o.now()), ID: m.ID, TextSealed: keep(m), Provider: taken.Provider, ProviderID: name(taken.Provider, taken.ID),
			Operator: taken.Operator, Parts: int64(taken.Parts), Cost: taken.Cost, Tries: m.Tries,
		})
		if err != nil {
			return fmt.Errorf("note that message %s was sent: %w", m.ID, err)
		}
		return nil
	})
}

// ending notes how a message ends: sent, delivered, failed.
type ending func(ctx context.Context, q *db.Queries) error

// end notes an ending, with others of its time.
func (o *Outbox) end(ctx context.Context, e ending) error {
	_, err := o.ends.Do(ctx, e)
	return err
}

func endAll(ctx context.Context, tx *store.Tx, endings []ending) ([]struct{}, error) {
	q := db.New(tx)
	for _, end := range endings {
		if err := end(ctx, q); err != nil {
			return nil, err
		}
	}
	return make([]struct{}, len(endings)), nil
}

// name is a message's among those of all providers; null for one that its
// provider gave none.
func name(provider, id string) sql.NullString {
	return sql.NullString{String: provider + "/" + id, Valid: id != ""}
}

// ownID is the provider's own id in the name of one of its messages.
func ownID(provider, name string) string { return strings.TrimPrefix(name, provider+"/") }

func (o *Outbox) giveUp(ctx context.Context, m db.NotifyMessage, state State) error {
	o.log.WarnContext(ctx, "a message was given up", "message", m.ID, "purpose", m.Purpose, "state", string(state))
	return o.db.InTx(ctx, func(tx *store.Tx) error {
		_, err := db.New(tx).GiveUp(ctx, db.GiveUpParams{
			State: string(state), FinishedAt: dbtime.From(o.now()), TextSealed: keep(m), ID: m.ID, Tries: m.Tries,
		})
		if err != nil {
			return fmt.Errorf("give message %s up: %w", m.ID, err)
		}
		return nil
	})
}

// keep is what stays of a message's text once it is over: nothing of a code's.
func keep(m db.NotifyMessage) []byte {
	if Purpose(m.Purpose) == Code {
		return []byte{}
	}
	return m.TextSealed
}

// withheld is a sender's error without the number and the text, which a
// provider may repeat in it.
type withheld struct {
	text  string
	cause error
}

func withhold(err error, m MT) error {
	text := err.Error()
	for _, secret := range []string{m.Text, m.To, strings.TrimPrefix(m.To, "+")} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return &withheld{text: text, cause: err}
}

// Error is the text that may be kept.
func (e *withheld) Error() string { return e.text }

// Is lets ErrRefused and ErrUnanswered be recognised without giving the cause away.
func (e *withheld) Is(target error) bool { return errors.Is(e.cause, target) }
