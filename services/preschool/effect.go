package preschool

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// effect is what a change of state leaves behind beside its rows.
type effect struct {
	// caller is who the message goes to and whom the statistics count.
	caller caller.Caller
	// actor is who did it; empty: the caller.
	actor           string
	step, outcome   string
	object, subject string
	purpose         string
	// offer is the one that is made or ends, as its row is from then on; nil for none.
	offer *db.PreschoolOffer
	// toParent has the SMS go to the phone that the registration tells when the
	// transaction commits, not to caller's.
	toParent bool
	// say is the SMS in a language, of a kind, sent once per dedup; nil: there is none. It
	// replaces what has not left of earlier ones about the registration.
	kind  notify.Purpose
	say   func(loc locales.Locale) string
	dedup string
}

// leave leaves the trail of an effect in its transaction.
func (s *Service) leave(ctx context.Context, tx *store.Tx, e effect) error {
	actor := e.actor
	if actor == "" {
		actor = s.actor(e.caller)
	}
	row, groups, err := decided(ctx, tx, e.object)
	if err != nil {
		return err
	}
	if e.toParent {
		if e.caller.Phone, e.caller.Locale, err = s.phone(ctx, row); err != nil {
			return err
		}
	}
	if e.offer != nil {
		groups = append(groups, offerGroup(*e.offer))
	}
	err = s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: e.caller.Now, Actor: actor, Action: "preschool." + e.step, Object: e.object,
			Subject: e.subject, Purpose: e.purpose, Decided: groups,
		},
		Event:    analytics.Of(e.caller, name, e.step, e.outcome),
		Messages: e.messages(),
	})
	if err != nil {
		return fmt.Errorf("leave the trail of %s: %w", e.step, err)
	}
	return nil
}

// actor names a caller in the audit log without the phone's number.
func (s *Service) actor(c caller.Caller) string {
	if c.Subject != "" {
		return c.Subject
	}
	return "phone:" + s.phoneIndex(c.Phone)
}

// phone opens the sealed phone of a registration and finds the language that
// its owner reads.
func (s *Service) phone(ctx context.Context, r db.PreschoolRegistration) (string, locales.Locale, error) {
	loc, known := locales.Parse(r.Locale)
	if !known {
		loc = locales.KY
	}
	plain, err := s.Sealer.Open(r.Phone, "preschool.phone:"+r.ID)
	if err != nil {
		return "", loc, fmt.Errorf("open the parent's phone: %w", err)
	}
	if len(plain) == 0 {
		return "", loc, nil
	}
	if chosen, err := s.Languages.Locale(ctx, string(plain)); err == nil && chosen != "" {
		loc = chosen
	}
	return string(plain), loc, nil
}

// messageLife is how long a notice is worth delivering.
const messageLife = 3 * 24 * time.Hour

// messages makes the SMS of an effect; none without a phone or a text, and one without
// words where the caller reads of it in the answer.
func (e effect) messages() []notify.Message {
	if e.caller.Phone == "" || e.say == nil {
		return nil
	}
	text := e.say(e.caller.Locale)
	if e.caller.ByText() {
		text = "" // what was to be said before is out of date all the same
	}
	return []notify.Message{{
		To: e.caller.Phone, Text: text, Purpose: e.kind, Locale: e.caller.Locale, About: e.subject,
		ExpiresAt: e.caller.Now.Add(messageLife), Dedup: e.dedup, Turn: e.caller.Key,
		Topic: "preschool:" + e.object,
	}}
}
