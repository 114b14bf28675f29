package owndata

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/owndata/db"
)

// EraseAfter is how long an erasure waits, to be withdrawn: as long as a phone may undo
// another's proof, so that who was proved by mistake erases nothing. With what a
// dispute adds it is done within a week.
const EraseAfter = 72 * time.Hour

// The purposes of what is kept of the phone that asked.
const (
	phonePurpose = "owndata.phone"
	phoneContext = "owndata.phone/"
)

// erasuresByPerson bounds how often a person asks: each tells all their phones.
var erasuresByPerson = limit.Rule{
	Name: "owndata:erasure", What: "erasures asked for", Who: "a person", Rate: limit.Rate{N: 5, Per: 24 * time.Hour},
	Refusal: "problem.owndata_erasures_many", In: limit.InLimiter,
}

// Limits are the rules of people's own data, for the table of all.
func Limits() []limit.Rule { return []limit.Rule{erasuresByPerson, exportsByPerson} }

var (
	problemDisputed  = problem.New(problem.Forbidden, "problem.owndata_disputed")
	problemNoErasure = problem.New(problem.NotFound, "problem.owndata_no_erasure")
)

// Erasure is that a person's data is to be erased.
type Erasure struct {
	AskedAt time.Time // zero: it was not asked for
	DueAt   time.Time // when it is done; it may be withdrawn until then
	// Keeps is what would be kept now, and why.
	Keeps []personal.Kept
}

// Erasure tells the proven citizen c.Subject what erasure is under way, and what it would
// leave. Problem: owndata_prove.
func (s *Service) Erasure(ctx context.Context, c caller.Caller) (e Erasure, err error) {
	err = s.held(ctx, c, "erasure", func(tx *store.Tx) error {
		e, err = s.erasure(ctx, tx, c)
		return err
	})
	return e, err
}

func (s *Service) erasure(ctx context.Context, tx *store.Tx, c caller.Caller) (Erasure, error) {
	keeps, err := s.keeps(ctx, tx, personal.Person{ID: c.Subject, Phone: c.Phone, Now: c.Now})
	if err != nil {
		return Erasure{}, err
	}
	row, err := db.New(tx).OpenErasure(ctx, sql.NullString{String: c.Subject, Valid: true})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Erasure{}, fmt.Errorf("look for an erasure: %w", err)
	}
	return Erasure{AskedAt: row.AskedAt.Time, DueAt: row.DueAt.Time, Keeps: keeps}, nil
}

// keeps is what all parts would leave; the audit log always stays.
func (s *Service) keeps(ctx context.Context, tx *store.Tx, p personal.Person) ([]personal.Kept, error) {
	var all []personal.Kept
	for _, part := range s.Holders.All() {
		kept, err := part.Keeps(ctx, tx, p)
		if err != nil {
			return nil, fmt.Errorf("ask what %s keeps: %w", part.Name, err)
		}
		all = append(all, kept...)
	}
	return append(all, personal.Kept{Key: "kept.why_log"}), nil
}

// AskErasure has the data of the proven citizen c.Subject erased after EraseAfter. Asked
// again it changes nothing. Every phone of the person is told. Problems: owndata_prove,
// owndata_disputed, owndata_erasures_many.
func (s *Service) AskErasure(ctx context.Context, c caller.Caller) (e Erasure, err error) {
	err = s.held(ctx, c, "erase", func(tx *store.Tx) error {
		if err := s.undisputed(ctx, tx, c); err != nil {
			return err
		}
		if e, err = s.erasure(ctx, tx, c); err != nil || !e.AskedAt.IsZero() {
			return err
		}
		if err := s.within(ctx, c, erasuresByPerson); err != nil {
			return err
		}
		e.AskedAt, e.DueAt = c.Now, c.Now.Add(EraseAfter)
		return s.ask(ctx, tx, c, e.DueAt)
	})
	return e, err
}

func (s *Service) ask(ctx context.Context, tx *store.Tx, c caller.Caller, due time.Time) error {
	id, err := uuid.NewV7FromReader(s.Random)
	if err != nil {
		return fmt.Errorf("make an erasure's id: %w", err)
	}
	sealed, err := s.Sealer.Seal([]byte(c.Phone), phoneContext+id.String())
	if err != nil {
		return err
	}
	row := db.OwndataErasure{
		ID: id.String(), CitizenID: c.Subject, PhoneIndex: s.Sealer.Index(phonePurpose, c.Phone), PhoneSealed: sealed,
		Locale: string(c.Locale), AskedAt: dbtime.From(c.Now), DueAt: dbtime.From(due),
	}
	n, err := db.New(tx).AskErasure(ctx, db.AskErasureParams{
		ID: row.ID, CitizenID: row.CitizenID, PhoneIndex: row.PhoneIndex, PhoneSealed: row.PhoneSealed,
		Locale: row.Locale, AskedAt: row.AskedAt, DueAt: row.DueAt,
	})
	if err != nil || n == 0 {
		return err
	}
	messages, err := s.tell(ctx, tx, c, "owndata.asked:"+id.String(), due, "owndata.asked_sms", "until", clock.NotBefore(due))
	if err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: c.Now, Actor: c.Subject, Action: actionAsked, Object: row.ID, Subject: c.Subject, Purpose: "the person asked for it",
			Decided: []*audit.Group{erasureOf(row)},
		},
		Event: analytics.Of(c, name, "erasure", "done"), Messages: messages,
	})
}

// stoppedLife is how long a message is worth sending that nothing is erased.
const stoppedLife = 7 * 24 * time.Hour

// tell are the messages to the person's phones that their data is to be erased, or that it
// is not: about says which.
func (s *Service) tell(ctx context.Context, tx *store.Tx, c caller.Caller, about string, until time.Time, key string, args ...any) (list []notify.Message, err error) {
	phones, err := s.Identity.PhonesToWarn(ctx, tx, c.Subject, c.Now)
	if err != nil {
		return nil, err
	}
	for _, p := range phones {
		list = append(list, notify.Message{
			To: p.Phone, Locale: p.Locale, Purpose: notify.Receipt, About: c.Subject, ExpiresAt: until,
			Dedup: about + ":" + s.Sealer.Index(phonePurpose, p.Phone),
			Text:  gsm.Pick(s.Texts.Message(p.Locale, key, args...)),
		})
	}
	return list, nil
}

// WithdrawErasure has nothing erased. Problems: owndata_prove, owndata_no_erasure (none was
// asked for, or it is done).
func (s *Service) WithdrawErasure(ctx context.Context, c caller.Caller) error {
	return s.held(ctx, c, "withdraw", func(tx *store.Tx) error {
		row, err := db.New(tx).WithdrawErasure(ctx, db.WithdrawErasureParams{
			Nothing: []byte{}, WithdrawnAt: dbtime.From(c.Now), CitizenID: sql.NullString{String: c.Subject, Valid: true},
		})
		if errors.Is(err, sql.ErrNoRows) {
			return problemNoErasure
		} else if err != nil {
			return fmt.Errorf("withdraw an erasure: %w", err)
		}
		messages, err := s.tell(ctx, tx, c, "owndata.stopped:"+row.ID, c.Now.Add(stoppedLife), "owndata.stopped_sms")
		if err != nil {
			return err
		}
		return s.Trail.Leave(ctx, tx, trail.Step{
			Audit: withdrawn(row, c.Subject, c.Now), Event: analytics.Of(c, name, "erasure_withdrawn", "done"), Messages: messages,
		})
	})
}

func withdrawn(row db.OwndataErasure, actor string, now time.Time) audit.Entry {
	return audit.Entry{
		At: now, Actor: actor, Action: actionWithdrawn, Object: row.ID, Subject: row.CitizenID, Purpose: "nothing is erased",
	}
}

// CutPhone implements identity.Tie: what a phone asked for that is no more the person's is
// not done.
func (s *Service) CutPhone(ctx context.Context, tx *store.Tx, phone string, now time.Time) error {
	rows, err := db.New(tx).CutErasures(ctx, db.CutErasuresParams{
		Nothing: []byte{}, WithdrawnAt: dbtime.From(now), PhoneIndex: s.Sealer.Index(phonePurpose, phone),
	})
	if err != nil {
		return fmt.Errorf("withdraw what a phone asked for: %w", err)
	}
	for _, row := range rows {
		if err := s.Trail.Leave(ctx, tx, trail.Step{Audit: withdrawn(row, "system", now)}); err != nil {
			return err
		}
	}
	return nil
}

// CutPerson implements identity.PersonTie, for a phone that another one of the person undid.
func (s *Service) CutPerson(ctx context.Context, tx *store.Tx, _, phone, _ string, now time.Time) error {
	return s.CutPhone(ctx, tx, phone, now)
}

// mostAtOnce is how many erasures one round of the chore does.
const mostAtOnce = 100

// EraseDue does the erasures that are due, each in one transaction. One of which the audit log
// does not say that the person asked for it so is not done: ErrNotAsked. Their rows are what
// is to be done: whoever is killed over one leaves it as it was, and two processes do it once. One
// of a person in a dispute, or for whom something is being done, waits for a later round.
func (s *Service) EraseDue(ctx context.Context) error {
	now := s.Now()
	due, err := db.New(s.DB.Reader()).DueErasures(ctx, db.DueErasuresParams{DueAt: dbtime.From(now), Limit: mostAtOnce})
	if err != nil {
		return fmt.Errorf("list the erasures that are due: %w", err)
	}
	var faults []error
	for _, id := range due {
		err := s.DB.InTx(ctx, func(tx *store.Tx) error { return s.eraseOne(ctx, tx, id, now) })
		if err != nil && !errors.Is(err, personal.ErrNotYet) {
			faults = append(faults, fmt.Errorf("the erasure %s: %w", id, err))
		}
	}
	return errors.Join(faults...)
}

func (s *Service) eraseOne(ctx context.Context, tx *store.Tx, id string, now time.Time) error {
	row, err := db.New(tx).LockErasure(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // withdrawn or done meanwhile
	} else if err != nil {
		return fmt.Errorf("find an erasure: %w", err)
	}
	if err := s.asked(ctx, tx, row, now); err != nil {
		return err
	}
	until, err := s.Identity.DisputedUntil(ctx, tx, row.CitizenID, now)
	if err != nil {
		return err
	}
	if until.After(now) {
		return personal.ErrNotYet
	}
	return s.erase(ctx, tx, row, now)
}

func (s *Service) erase(ctx context.Context, tx *store.Tx, row db.OwndataErasure, now time.Time) error {
	phone, err := s.Sealer.Open(row.PhoneSealed, phoneContext+row.ID)
	if err != nil {
		return fmt.Errorf("open the phone of an erasure: %w", err)
	}
	who := personal.Person{ID: row.CitizenID, Phone: string(phone), Now: now}
	keeps, err := s.keeps(ctx, tx, who)
	if err != nil {
		return err
	}
	for _, k := range keeps {
		who.KeepNumber = who.KeepNumber || k.NeedsPerson
	}
	for _, part := range s.Holders.All() {
		if err := part.Erase(ctx, tx, who); err != nil {
			return fmt.Errorf("erase what %s keeps: %w", part.Name, err)
		}
	}
	err = db.New(tx).EndErasure(ctx, db.EndErasureParams{PhoneSealed: []byte{}, DoneAt: dbtime.From(now), ID: row.ID})
	if err != nil {
		return fmt.Errorf("end an erasure: %w", err)
	}
	loc := locales.Locale(row.Locale)
	return s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: now, Actor: "system", Action: actionErased, Object: row.ID, Subject: row.CitizenID, Purpose: "the person asked for it",
		},
		Messages: []notify.Message{{ // about nobody: the person is known no more
			To: string(phone), Locale: loc, Purpose: notify.Receipt, ExpiresAt: now.Add(EraseAfter), Dedup: "owndata.erased:" + row.ID,
			Text: gsm.Pick(s.Texts.Message(loc, "owndata.erased_sms")),
		}},
	})
}
