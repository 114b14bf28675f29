package owndata

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/store"
)

// Usage is that somebody looked at a person's data or changed it. Its fields are those of
// the Estonian Data Tracker's findUsage.
type Usage struct {
	LogTime  time.Time
	Code     string   // of the action: fine.details
	Action   string   // the same in words, in the reader's language
	Receiver Receiver // who got to know the data
	System   string   // the part of ours in which it was: fine
}

// Receiver is who got to know data: kinds of people, as a phone and a name are
// others' personal data.
type Receiver string

// The receivers.
const (
	Self     Receiver = "self"     // the person
	Parent   Receiver = "parent"   // a parent, who acted for the person
	Acting   Receiver = "acting"   // who holds the person's mandate
	Giver    Receiver = "giver"    // who gave the person a mandate
	Phone    Receiver = "phone"    // a phone of which it was not known whose it is
	Staff    Receiver = "staff"    // an officer
	System   Receiver = "system"   // we ourselves, as when a term is over
	Verifier Receiver = "verifier" // whoever held a certificate
)

// NameKey names the receiver's word in the locale files.
func (r Receiver) NameKey() string { return "receiver." + string(r) }

// receiverOf tells by the actor of a record, as the parts write it.
func receiverOf(e audit.Entry) Receiver {
	switch {
	case e.Actor == e.Subject:
		return Self
	case strings.HasPrefix(e.Actor, "parent:"):
		return Parent
	case strings.HasPrefix(e.Actor, "representative:"):
		return Acting
	case strings.HasPrefix(e.Actor, "giver:"):
		return Giver
	case strings.HasPrefix(e.Actor, "phone:"):
		return Phone
	case e.Actor == "system":
		return System
	case e.Actor == "verifier":
		return Verifier
	}
	return Staff
}

// Usages lists who looked at the data of the proven citizen c.Subject or changed it, the
// newest first, and how many there are in all; beyond them there are none. That it is
// looked at is listed too, once in a while. Problem: owndata_prove.
func (s *Service) Usages(ctx context.Context, c caller.Caller, offset, limit int) (list []Usage, total int, err error) {
	err = s.held(ctx, c, "usages", func(tx *store.Tx) error {
		records, n, err := s.Audit.OfSubject(ctx, tx, c.Subject, offset, limit)
		if err != nil {
			return err
		}
		total, list = n, make([]Usage, len(records))
		for i, r := range records {
			list[i] = s.usage(c.Locale, r.Entry)
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list who looked at a person's data: %w", err)
	}
	err = s.Trail.Look(ctx, audit.Entry{
		At: c.Now, Actor: c.Subject, Action: "owndata.usages", Object: c.Subject, Subject: c.Subject, Purpose: "the person asked who looked",
	})
	return list, total, err
}

func (s *Service) usage(loc locales.Locale, e audit.Entry) Usage {
	system, _, _ := strings.Cut(e.Action, ".")
	return Usage{LogTime: e.At, Code: e.Action, Action: s.wording(loc, e.Action), Receiver: receiverOf(e), System: system}
}

// wording says what an action was.
func (s *Service) wording(loc locales.Locale, action string) string {
	return s.Texts.Text(loc, s.wordingKey(action))
}

// wordingKey names the text of an action; of one that an older version recorded, that of
// some other.
func (s *Service) wordingKey(action string) string {
	if key := audit.Wording(action); s.Texts.Has(key) {
		return key
	}
	return "owndata.other"
}
