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
	// was are the groups that it changed, as they were before in its transaction. A
	// registration that is new has none.
	was []*audit.Group
	// offer is the one that is made or ends, as its row is from then on; nil for none.
	offer *db.PreschoolOffer
	// tells says to which phones the SMS goes.
	tells tells
	// say is the SMS in a language, of a kind, sent once per dedup; nil: there is none. It
	// replaces what has not left of earlier ones about the registration, to whichever phone.
	kind  notify.Purpose
	say   func(loc locales.Locale) string
	dedup string
	// sayThere is the SMS to the registration's phone where another one did it.
	sayThere func(loc locales.Locale) string
}

// tells are the phones that an SMS about a registration goes to.
type tells int

const (
	// theCaller is the phone that does it.
	theCaller tells = iota
	// theParent is the one that the registration tells when the transaction commits.
	theParent
	// bothOfThem are both, each once: the parent's learns what another phone did.
	bothOfThem
)

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
	var phone string
	var loc locales.Locale
	if e.tells != theCaller {
		if phone, loc, err = s.phone(ctx, row); err != nil {
			return err
		}
	}
	if e.tells == theParent {
		e.caller.Phone, e.caller.Locale = phone, loc
	}
	if e.offer != nil {
		groups = append(groups, offerGroup(*e.offer))
	}
	err = s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: e.caller.Now, Actor: actor, Action: "preschool." + e.step, Object: e.object,
			Subject: e.subject, Purpose: e.purpose, Decided: groups, Was: append([]*audit.Group{}, e.was...),
		},
		Event:    analytics.Of(e.caller, name, e.step, e.outcome),
		Messages: e.messages(phone, loc),
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

// messages makes the SMS of an effect; parent is the phone that the registration tells, and
// loc its language. The caller's has none where the answer to the turn says it. The first
// message has no words: what was to be said before is out of date on every phone.
func (e effect) messages(parent string, loc locales.Locale) []notify.Message {
	if e.say == nil {
		return nil
	}
	list := []notify.Message{{Topic: topicOf(e.object)}}
	if e.caller.Phone != "" && !e.caller.ByText() {
		m := e.message(e.caller.Phone, e.caller.Locale, e.dedup)
		m.Turn = e.caller.Key
		list = append(list, m)
	}
	if e.tells == bothOfThem && parent != "" && parent != e.caller.Phone {
		there := e
		there.say = e.sayThere
		list = append(list, there.message(parent, loc, e.dedup+":parent"))
	}
	return list
}

func (e effect) message(phone string, loc locales.Locale, dedup string) notify.Message {
	return notify.Message{
		To: phone, Text: e.say(loc), Purpose: e.kind, Locale: loc, About: e.subject,
		ExpiresAt: e.caller.Now.Add(messageLife), Dedup: dedup, Topic: topicOf(e.object),
	}
}

// topicOf is what messages about a registration are about.
func topicOf(number string) string { return "preschool:" + number }
