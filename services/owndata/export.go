package owndata

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// exportsByPerson bounds exports of one person, JSON and PDF together: each reads every
// table.
var exportsByPerson = limit.Rule{
	Name: "owndata:export", What: "copies of a person's data", Who: "a person", Rate: limit.Rate{N: 10, Per: 24 * time.Hour},
	Refusal: "problem.owndata_exports_many", In: limit.InLimiter,
}

// looksExported is how many looks an export tells of; Usages has the others.
const looksExported = 200

// Export is everything that is kept about a person.
type Export struct {
	MadeAt   time.Time
	Sections []Section
}

// Section is what one part keeps.
type Section struct {
	Part    string // fine, identity
	Records []personal.Record
}

// Export gives the proven citizen c.Subject everything that is kept about them, and nothing
// of others. Problems: owndata_prove, owndata_disputed, owndata_exports_many.
func (s *Service) Export(ctx context.Context, c caller.Caller) (Export, error) {
	export := Export{MadeAt: c.Now}
	err := s.held(ctx, c, "export", func(tx *store.Tx) error {
		export.Sections = nil
		if err := s.undisputed(ctx, tx, c); err != nil {
			return err
		}
		if err := s.within(ctx, c, exportsByPerson); err != nil {
			return err
		}
		who := personal.Person{ID: c.Subject, Phone: c.Phone, Now: c.Now}
		for _, part := range s.Holders.All() {
			records, err := part.Export(ctx, tx, who)
			if err != nil {
				return fmt.Errorf("export what %s keeps: %w", part.Name, err)
			}
			if len(records) > 0 {
				export.Sections = append(export.Sections, Section{part.Name, records})
			}
		}
		looks, err := s.looks(ctx, tx, c)
		if err != nil {
			return err
		}
		export.Sections = append(export.Sections, looks)
		return s.Trail.Leave(ctx, tx, trail.Step{
			Audit: audit.Entry{
				At: c.Now, Actor: c.Subject, Action: "owndata.export", Object: c.Subject, Subject: c.Subject, Purpose: "the person asked for their data",
			},
			Event: analytics.Of(c, name, "export", "done"),
		})
	})
	return export, err
}

// looks are the last looks at the person's data, as a section of an export.
func (s *Service) looks(ctx context.Context, tx *store.Tx, c caller.Caller) (Section, error) {
	records, _, err := s.Audit.OfSubject(ctx, tx, c.Subject, 0, looksExported)
	section := Section{Part: name}
	for _, r := range records {
		u := s.usage(c.Locale, r.Entry)
		section.Records = append(section.Records, personal.Record{Kind: "look", Fields: []personal.Field{
			personal.Moment("at", u.LogTime), personal.Word("receiver", string(u.Receiver), u.Receiver.NameKey()),
			{Name: "action", Value: u.Code, Key: s.wordingKey(u.Code)},
		}})
	}
	return section, err
}

// undisputed refuses a person whose phones accuse each other: which of them is the
// person's is not known.
func (s *Service) undisputed(ctx context.Context, tx *store.Tx, c caller.Caller) error {
	until, err := s.Identity.DisputedUntil(ctx, tx, c.Subject, c.Now)
	if err != nil {
		return err
	}
	if until.After(c.Now) {
		return problemDisputed.Until(c.Now, until.Sub(c.Now))
	}
	return nil
}

// within counts a use by the person; the refusal names the limit and until when it holds.
func (s *Service) within(ctx context.Context, c caller.Caller, rule limit.Rule) error {
	bound := limit.Bound{Key: rule.Name + ":" + s.Sealer.Index("owndata.limit", c.Subject), Rate: rule.Rate}
	used, wait, err := limit.Within(ctx, s.Limiter, bound)
	if err != nil {
		return fmt.Errorf("count a use: %w", err)
	}
	if used != nil {
		return problem.New(problem.TooMany, rule.Refusal, "n", used.Rate.N).Until(c.Now, wait)
	}
	return nil
}

// Title is what a record is called to people.
func (s *Service) Title(loc locales.Locale, r personal.Record) string {
	return s.Texts.Text(loc, "kept."+r.Kind)
}

// Label is what a field is called.
func (s *Service) Label(loc locales.Locale, f personal.Field) string {
	return s.Texts.Text(loc, "kept.field."+f.Name)
}

// Say is a field's value as people read it.
func (s *Service) Say(loc locales.Locale, f personal.Field) string {
	switch {
	case !f.At.IsZero():
		return clock.Moment(f.At)
	case f.Key != "":
		return s.Texts.Text(loc, f.Key)
	}
	return f.Value
}

// Why says to people what an erasure leaves, and why.
func (s *Service) Why(loc locales.Locale, k personal.Kept) string {
	m := why(k)
	return s.Texts.Text(loc, m.Key, m.Args...)
}
