package sms

import (
	"context"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

// Limiter bounds how often something may happen, as limit.Limiter does.
type Limiter interface {
	Allow(ctx context.Context, key string, rate limit.Rate) (ok bool, retryAfter time.Duration, err error)
}

const (
	// brakeFor is how long a phone is not answered. A loop ends with the first text
	// that is not: nothing is left to answer to.
	brakeFor = 10 * time.Minute
	// rememberBrakes is how long the operator sees that a phone was not answered.
	rememberBrakes = 30 * 24 * time.Hour
	// maxBraked bounds the phones that are known to be not answered.
	maxBraked = 10_000
	// typingTime is less than an answer takes to reach a phone, be read and be answered
	// by a person.
	typingTime = 2 * time.Second
	// choiceLength is the longest text, in characters, that chooses on a screen: who
	// pages through a long list writes the same one many times.
	choiceLength = 3
)

// Reasons why a phone is not answered.
const (
	reasonSame     = "same"     // the same text again and again
	reasonEcho     = "echo"     // our own answer comes back
	reasonFast     = "fast"     // texts that come faster than a person types
	reasonMany     = "many"     // more texts than a person writes
	reasonSilenced = "silenced" // one of those, a short while ago
	reasonAgain    = "again"    // a message that is known came once more
)

// bound is how many texts of a kind a phone is answered. A person who tries a word again
// is below all of them.
type bound struct {
	reason string
	name   string // of the kind, in the limiter's key
	rate   limit.Rate
}

// The bounds. Words are repeated by impatience, choices by paging.
var (
	wordBounds = []bound{
		{reasonSame, "w1", limit.Rate{N: 5, Per: time.Minute}}, {reasonSame, "w30", limit.Rate{N: 10, Per: 30 * time.Minute}},
		{reasonSame, "w1440", limit.Rate{N: 30, Per: 24 * time.Hour}},
	}
	choiceBounds = []bound{
		{reasonSame, "c1", limit.Rate{N: 20, Per: time.Minute}}, {reasonSame, "c30", limit.Rate{N: 60, Per: 30 * time.Minute}},
	}
	echoBound  = bound{reasonEcho, "e10", limit.Rate{N: 3, Per: 10 * time.Minute}}
	fastBound  = bound{reasonFast, "f1", limit.Rate{N: 15, Per: time.Minute}}
	manyBounds = []bound{
		{reasonMany, "m10", limit.Rate{N: 60, Per: 10 * time.Minute}}, {reasonMany, "m1440", limit.Rate{N: 300, Per: 24 * time.Hour}},
	}
)

// brake is who is not answered for now, and who was just answered.
type brake struct {
	mu       sync.Mutex
	until    map[string]time.Time // by blind index; nil: nobody looked yet
	answered map[string]answered  // by phone
}

// answered is the last answer to a phone, as a digest, and when it was given.
type answered struct {
	text string
	at   time.Time
}

// rememberAnswer is how long an answer that comes back is recognised.
const rememberAnswer = 10 * time.Minute

// isLoop tells why a text is not to be answered; "" when it is. A limiter that cannot
// count holds nobody up.
func (in *Inbound) isLoop(ctx context.Context, m message) (reason string, err error) {
	if in.limiter == nil {
		return "", nil
	}
	sender := in.sender(m.Phone)
	silent, err := in.isSilent(ctx, sender)
	if err != nil || silent {
		return reasonSilenced, err
	}
	word := locales.Fold(m.Text)
	same := in.sealer.Index("sms.brake", m.Phone+" "+word)
	bounds := wordBounds
	if utf8.RuneCountInString(word) <= choiceLength {
		bounds = choiceBounds
	}
	for _, b := range bounds {
		if in.isOver(ctx, b, same) {
			return b.reason, nil
		}
	}
	echo, fast := in.answersUs(m)
	if echo && in.isOver(ctx, echoBound, sender) {
		return echoBound.reason, nil
	}
	if fast && in.isOver(ctx, fastBound, sender) {
		return fastBound.reason, nil
	}
	for _, b := range manyBounds {
		if in.isOver(ctx, b, sender) {
			return b.reason, nil
		}
	}
	return "", nil
}

// isOver counts one more text of a kind.
func (in *Inbound) isOver(ctx context.Context, b bound, key string) bool {
	ok, _, err := in.limiter.Allow(ctx, "sms.brake/"+b.name+"/"+key, b.rate)
	if err != nil {
		in.log.WarnContext(ctx, "texts are not counted", "error", err)
		return false
	}
	return !ok
}

// isSilent reports a phone that is not answered for now.
func (in *Inbound) isSilent(ctx context.Context, sender string) (bool, error) {
	in.brake.mu.Lock()
	unknown := in.brake.until == nil
	in.brake.mu.Unlock()
	if unknown {
		if err := in.lookWhoIsBraked(ctx); err != nil {
			return false, err
		}
	}
	in.brake.mu.Lock()
	defer in.brake.mu.Unlock()
	return in.now().Before(in.brake.until[sender]), nil
}

// lookWhoIsBraked reads whom any process does not answer, and forgets what is over.
func (in *Inbound) lookWhoIsBraked(ctx context.Context) error {
	now := in.now()
	rows, err := db.New(in.db.Reader()).Braked(ctx, db.BrakedParams{UntilAt: dbtime.From(now), Limit: maxBraked})
	if err != nil {
		return fmt.Errorf("look who is not answered: %w", err)
	}
	until := make(map[string]time.Time, len(rows))
	for _, row := range rows {
		until[row.Sender] = row.UntilAt.Time
	}
	in.brake.mu.Lock()
	defer in.brake.mu.Unlock()
	in.brake.until = until
	for phone, last := range in.brake.answered {
		if now.Sub(last.at) > rememberAnswer {
			delete(in.brake.answered, phone)
		}
	}
	return nil
}

// answersUs tells whether a text repeats our last answer, and whether it came right
// after it.
func (in *Inbound) answersUs(m message) (echo, fast bool) {
	in.brake.mu.Lock()
	last, known := in.brake.answered[m.Phone]
	in.brake.mu.Unlock()
	if !known {
		return false, false
	}
	return last.text == in.answerDigest(m.Text), m.at.After(last.at) && m.at.Sub(last.at) < typingTime
}

func (in *Inbound) answerDigest(text string) string {
	return in.sealer.Index("sms.brake.answer", locales.Fold(text))
}

// noteAnswer remembers what a phone was answered last.
func (in *Inbound) noteAnswer(phone, text string) {
	if in.limiter == nil {
		return
	}
	last := answered{text: in.answerDigest(text), at: in.now()}
	in.brake.mu.Lock()
	defer in.brake.mu.Unlock()
	if in.brake.answered == nil {
		in.brake.answered = map[string]answered{}
	}
	in.brake.answered[phone] = last
}

// silence ends a text without an answer; what it asks for by law is done all the same.
func (in *Inbound) silence(ctx context.Context, m message, reason string, wished effect) error {
	sealed, err := in.sealer.Seal([]byte(m.Phone), "sms_brakes.phone")
	if err != nil {
		return fmt.Errorf("seal a phone: %w", err)
	}
	sender, now := in.sender(m.Phone), in.now()
	until := now.Add(brakeFor)
	err = in.reply(ctx, m, "", func(ctx context.Context, tx *store.Tx, phone string) error {
		if wished != nil {
			if err := wished(ctx, tx, phone); err != nil {
				return err
			}
		}
		if reason == reasonSilenced {
			return db.New(tx).Silenced(ctx, sender)
		}
		return db.New(tx).Brake(ctx, db.BrakeParams{
			Sender: sender, PhoneSealed: sealed, Provider: m.provider, Reason: reason, SinceAt: dbtime.From(now), UntilAt: dbtime.From(until),
		})
	})
	if err != nil {
		return err
	}
	in.unanswered(m.provider, reason)
	if reason == reasonSilenced {
		return nil
	}
	in.log.WarnContext(ctx, "a phone is not answered for a while: what it sends looks like a machine's answers",
		"provider", m.provider, "reason", reason, "until", until)
	in.brake.mu.Lock()
	defer in.brake.mu.Unlock()
	if in.brake.until != nil {
		in.brake.until[sender] = until
	}
	return nil
}

// Brake is a phone that is or was not answered.
type Brake struct {
	// Phone is in E.164, Provider brought its texts.
	Phone, Provider string
	// Reason is "same", "echo", "fast" or "many".
	Reason       string
	Since, Until time.Time
	// Silenced is how many of its texts were not answered, in all.
	Silenced int64
}

// Brakes lists the phones that were not answered within a month, the latest first, 200
// at most.
func Brakes(ctx context.Context, database *store.DB, sealer Sealer) ([]Brake, error) {
	rows, err := db.New(database.Reader()).Brakes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list who is not answered: %w", err)
	}
	list := make([]Brake, len(rows))
	for i, row := range rows {
		phone, err := sealer.Open(row.PhoneSealed, "sms_brakes.phone")
		if err != nil {
			return nil, fmt.Errorf("open a phone: %w", err)
		}
		list[i] = Brake{
			Phone: string(phone), Provider: row.Provider, Reason: row.Reason, Since: row.SinceAt.Time, Until: row.UntilAt.Time,
			Silenced: row.Silenced,
		}
	}
	return list, nil
}
