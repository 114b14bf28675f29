package sms

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

// brake deals with a text that is not to be answered, unless it is the word of a message
// that its phone was sent, and right: that is obeyed however many texts came before. By it
// the owner of a stolen card locks the thief out, and nobody goes on with it, as it has its
// effect once; a wrong one is a text as all others. Who asks for help in a pause reads until
// when it lasts: nothing that help offers would be answered.
func (in *Inbound) brake(ctx context.Context, m message, x *exchange, reason string, w *wish) (done bool, err error) {
	standing, err := in.standing(ctx, m)
	if err != nil || standing.Acts {
		return false, err
	}
	if reason != reasonSilenced || !standing.Help || in.isOver(ctx, pauseBound, x.sender) {
		return true, in.silence(ctx, m, x, reason, w)
	}
	text, err := in.paused(ctx, m, x.paused)
	if err != nil {
		return true, err
	}
	return true, in.reply(ctx, m, text)
}

// standing tells what a text is that counts in a pause, in the phone's language.
func (in *Inbound) standing(ctx context.Context, m message) (dialog.Standing, error) {
	loc, err := in.languages.Locale(ctx, m.Phone)
	if err != nil {
		return dialog.Standing{}, err
	}
	return in.conversations.Standing(ctx, in.turn(m), cmp.Or(loc, locales.KY))
}

// silence ends a text without an answer; what it asks for by law is done all the same.
// The first one begins a pause, of which its phone is told.
func (in *Inbound) silence(ctx context.Context, m message, x *exchange, reason string, w *wish) error {
	pause := func(ctx context.Context, tx *store.Tx, _ string) error { return db.New(tx).Silenced(ctx, x.sender) }
	kept := (*exchange)(nil) // what comes in a pause changes nothing
	if reason != reasonSilenced {
		var err error
		if pause, err = in.pause(ctx, m, x, reason); err != nil {
			return err
		}
		kept = x
	}
	err := in.replyTo(ctx, reply{message: m, exchange: kept, do: func(ctx context.Context, tx *store.Tx, phone string) error {
		if w != nil && w.firm { // law holds for a machine's phone too
			if err := w.do(ctx, tx, phone); err != nil {
				return err
			}
		}
		return pause(ctx, tx, phone)
	}})
	if err != nil {
		return err
	}
	in.unanswered(m.provider, reason)
	if reason != reasonSilenced {
		in.log.WarnContext(ctx, "a phone is not answered for a while: what it sends looks like a machine's answers",
			"provider", m.provider, "reason", reason, "until", x.paused)
	}
	return nil
}

// pause is the effect of a text that is one too many: its phone is not answered for a
// while, and told so by the process that found it first.
func (in *Inbound) pause(ctx context.Context, m message, x *exchange, reason string) (effect, error) {
	sealed, err := in.sealer.Seal([]byte(m.Phone), "sms_brakes.phone")
	if err != nil {
		return nil, fmt.Errorf("seal a phone: %w", err)
	}
	now := dbtime.From(in.now())
	until := dbtime.From(now.Add(brakeFor).Truncate(time.Minute).Add(time.Minute)) // as it is told
	text, err := in.paused(ctx, m, until.Time)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *store.Tx, phone string) error {
		row, err := db.New(tx).Brake(ctx, db.BrakeParams{
			Sender: x.sender, PhoneSealed: sealed, Provider: m.provider, Reason: reason, SinceAt: now, UntilAt: until,
		})
		if err != nil {
			return err
		}
		x.paused, x.unclear = row.UntilAt.Time, 0
		if !row.SinceAt.Equal(now.Time) {
			return nil // it is told already
		}
		x.answer = in.answerDigest(text)
		return in.outbox.SendAll(ctx, tx, []notify.Message{
			{To: phone, Text: text, Purpose: notify.Answer, ExpiresAt: until.Time, Dedup: m.name()},
		})
	}, nil
}

// paused says that a phone is not answered, until when, and what to do meanwhile: first
// what a message asked for that the phone was sent.
func (in *Inbound) paused(ctx context.Context, m message, until time.Time) (string, error) {
	standing, err := in.standing(ctx, m)
	if err != nil {
		return "", err
	}
	text, err := in.say(ctx, m.Phone, "sms.paused", "until", clock.Moment(until), "code", in.shortCode)
	if err != nil || standing.Open == "" {
		return text, err
	}
	return standing.Open + "\n" + text, nil
}

// Brake is a phone that is or was not answered.
type Brake struct {
	// Phone is in E.164, Provider brought its texts.
	Phone, Provider string
	// Reason is "same", "echo", "fast", "unclear" or "many".
	Reason       string
	Since, Until time.Time
	// Silenced is how many of its texts were not answered, in all.
	Silenced int64
}

// Brakes lists the phones that were not answered within a month, the latest first, 200
// at most.
func Brakes(ctx context.Context, database *store.DB, sealer *seal.Sealer) ([]Brake, error) {
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
