package preschool

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Follow has the registrations of the proven citizen c.Subject that still wait tell
// of themselves on c.Phone from now on, and gives their numbers. The phone that is
// proved now is the person's: what it was before does not matter. Registrations
// taken over from another register become the citizen's where the register of
// families says that the child is theirs.
func (s *Service) Follow(ctx context.Context, c caller.Caller) ([]string, error) {
	if c.Subject == "" {
		return nil, problemProveOffer
	}
	if err := Assurance.Admit(c, "follow"); err != nil {
		return nil, err
	}
	if err := s.claim(ctx, c); err != nil {
		return nil, err
	}
	return s.follow(ctx, c, func(db.PreschoolRegistration) bool { return true })
}

// Settle is Follow for those registrations that have no phone any more, as their
// number was released: they follow the person without being asked. The register of
// families is asked only where the phone is one of a queue that was taken over.
func (s *Service) Settle(ctx context.Context, c caller.Caller) error {
	if c.Subject == "" {
		return problemProveOffer
	}
	if err := Assurance.Admit(c, "follow"); err != nil {
		return err
	}
	n, err := db.New(s.DB.Reader()).UnclaimedOfPhone(ctx, s.phoneIndex(c.Phone))
	if err != nil {
		return fmt.Errorf("look for a queue taken over: %w", err)
	}
	if n > 0 {
		if err := s.claim(ctx, c); err != nil {
			return err
		}
	}
	_, err = s.follow(ctx, c, unheard)
	return err
}

// unheard reports a registration that no phone hears of.
func unheard(r db.PreschoolRegistration) bool { return r.PhoneIndex == "" }

// ProvedStrongly is Settle, in tx, for who is proved strongly just now, whatever they came
// for: an offer waits for days, and they need not know of it to be told. The register of families is not asked.
func (s *Service) ProvedStrongly(ctx context.Context, tx *store.Tx, c caller.Caller) error {
	if may := Assurance.Admit(c, "follow") == nil; c.Phone == "" || !may {
		return nil
	}
	_, err := s.takeAll(ctx, tx, c, unheard)
	return err
}

func (s *Service) follow(ctx context.Context, c caller.Caller, wanted func(db.PreschoolRegistration) bool) (numbers []string, err error) {
	if c.Phone == "" {
		return nil, problemProveOffer
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if held, err := s.Identity.HoldProof(ctx, tx, c); err != nil {
			return err
		} else if !held {
			return problemProveOffer
		}
		numbers, err = s.takeAll(ctx, tx, c, wanted)
		return err
	})
	return numbers, err
}

// takeAll has those of the citizen's registrations that are wanted tell of themselves on the
// caller's phone, and gives their numbers.
func (s *Service) takeAll(ctx context.Context, tx *store.Tx, c caller.Caller, wanted func(db.PreschoolRegistration) bool) ([]string, error) {
	rows, err := db.New(tx).ActiveOfCitizen(ctx, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("list the registrations of the citizen: %w", err)
	}
	numbers := []string{}
	told := map[string]bool{} // phones that the notices were moved from
	for _, r := range rows {
		if !wanted(r) {
			continue
		}
		numbers = append(numbers, r.Number)
		if r.PhoneIndex == s.phoneIndex(c.Phone) {
			continue
		}
		if err := s.take(ctx, tx, c, r, told); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// take has a registration tell of itself on the caller's phone; the phone that it told
// until now hears of that, once.
func (s *Service) take(ctx context.Context, tx *store.Tx, c caller.Caller, r db.PreschoolRegistration, told map[string]bool) error {
	if r.PhoneIndex != "" && !told[r.PhoneIndex] {
		told[r.PhoneIndex] = true
		if err := s.tellMoved(ctx, tx, c, r); err != nil {
			return err
		}
	}
	return s.move(ctx, tx, r, move{phone: c.Phone, loc: c.Locale, from: r.PhoneIndex, step: trail.Step{
		Audit: audit.Entry{At: c.Now, Actor: s.actor(c), Purpose: "the citizen gave a new number"},
		Event: analytics.Of(c, name, "phone", "done"),
	}})
}

// tellMoved tells the phone of a registration that another takes its notices over, and
// what to do if that is not the person's.
func (s *Service) tellMoved(ctx context.Context, tx *store.Tx, c caller.Caller, r db.PreschoolRegistration) error {
	phone, loc, err := s.phone(ctx, r)
	if err != nil || phone == "" {
		return err
	}
	number, tell, err := s.Identity.UndoNumber(ctx, tx, c, phone)
	if err != nil || !tell {
		return err
	}
	key := "preschool.sms_moved"
	if number == "" {
		key = "preschool.sms_moved_office"
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Messages: []notify.Message{{
		To: phone, Locale: loc, Purpose: notify.Receipt, About: r.CitizenID, ExpiresAt: c.Now.Add(messageLife),
		Dedup: "preschool.moved:" + r.ID + ":" + strconv.FormatInt(c.Now.UnixMicro(), 10),
		Text:  gsm.Pick(s.Texts.Message(loc, key, "tail", caller.Tail(c.Phone), "word", number)),
	}}})
}

// claim makes what was taken over from another register the citizen's: the
// registrations of the children that the register of families says are theirs.
func (s *Service) claim(ctx context.Context, c caller.Caller) error {
	children, err := s.family(ctx, c)
	if err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		for _, child := range children {
			rows, err := q.UnclaimedOfChild(ctx, s.childIndex(child.PIN))
			if err != nil {
				return fmt.Errorf("look for a child taken over: %w", err)
			}
			for _, r := range rows {
				was, err := locked(ctx, q, r.ID)
				if err != nil {
					return err
				}
				if _, err := q.Claim(ctx, db.ClaimParams{ID: r.ID, CitizenID: c.Subject}); err != nil {
					return fmt.Errorf("give a registration to its citizen: %w", err)
				}
				r.CitizenID = c.Subject
				err = s.leavePhone(ctx, tx, r, trail.Step{
					Audit: audit.Entry{At: c.Now, Was: was, Actor: s.actor(c), Purpose: "the child's parent proved who they are"},
				})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// claimed is a registration that was taken over, after its parent claimed it, if
// the caller is one.
func (s *Service) claimed(ctx context.Context, c caller.Caller, r db.PreschoolRegistration) (db.PreschoolRegistration, error) {
	if err := s.claim(ctx, c); err != nil {
		return r, err
	}
	return s.find(ctx, r.Number)
}

// move is a change of the phone that a registration tells of itself.
type move struct {
	phone string // E.164; empty: nobody is told
	loc   locales.Locale
	// from is the index of the phone that the citizen took it from; empty where it was cut off.
	from string
	// step says when, by whom and why.
	step trail.Step
}

// move writes whom a registration tells from now on; every change of that goes through
// here, so that a phone that did not hear of an open offer hears of it now.
func (s *Service) move(ctx context.Context, tx *store.Tx, r db.PreschoolRegistration, m move) error {
	sealed, err := s.Sealer.Seal([]byte(m.phone), "preschool.phone:"+r.ID)
	if err != nil {
		return fmt.Errorf("seal the phone: %w", err)
	}
	index := ""
	if m.phone != "" {
		index = s.phoneIndex(m.phone)
	}
	q := db.New(tx)
	if m.step.Audit.Was, err = locked(ctx, q, r.ID); err != nil {
		return err
	}
	err = q.SetPhone(ctx, db.SetPhoneParams{PhoneIndex: index, Phone: sealed, Locale: string(m.loc), MovedFrom: m.from, ID: r.ID})
	if err != nil {
		return fmt.Errorf("change the phone of a registration: %w", err)
	}
	if err := s.leavePhone(ctx, tx, r, m.step); err != nil {
		return err
	}
	r.PhoneIndex, r.Phone, r.Locale = index, sealed, string(m.loc)
	return s.tellOffer(ctx, tx, r, m)
}

// tellOffer tells the phone that a registration was moved to of its open offer: a phone
// that takes it over itself, once; one that it was cut off for, at each cut.
func (s *Service) tellOffer(ctx context.Context, tx *store.Tx, r db.PreschoolRegistration, m move) error {
	now := m.step.Audit.At
	open, err := openOffer(ctx, db.New(tx), r.ID, now)
	if err != nil || open == nil || m.phone == "" {
		return err
	}
	phone, loc, err := s.phone(ctx, r)
	if err != nil {
		return err
	}
	dedup := "preschool.offer:" + r.ID + ":" + strconv.FormatInt(open.Until.Unix(), 10) + ":" + r.PhoneIndex
	if m.from == "" {
		dedup += ":" + strconv.FormatInt(now.UnixMicro(), 10)
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Messages: []notify.Message{{
		To: phone, Locale: loc, Purpose: notify.Statutory, About: r.CitizenID, ExpiresAt: now.Add(messageLife),
		Dedup: dedup, Topic: topicOf(r.Number), Text: s.sayOffer(*open, loc),
	}}})
}

// leavePhone leaves the trail of another phone or citizen of a registration; step says
// when, by whom and why, and what the registration was.
func (s *Service) leavePhone(ctx context.Context, tx *store.Tx, r db.PreschoolRegistration, step trail.Step) (err error) {
	step.Audit.Action, step.Audit.Object, step.Audit.Subject = "preschool.phone", r.Number, r.CitizenID
	if _, step.Audit.Decided, err = decided(ctx, tx, r.Number); err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, step)
}

// CutPhone takes a phone off its registrations: its number got another holder, who
// must hear nothing of them. They wait on, and follow their citizen: see Settle.
func (s *Service) CutPhone(ctx context.Context, tx *store.Tx, phone string, now time.Time) error {
	rows, err := db.New(tx).OfPhone(ctx, s.phoneIndex(phone))
	if err != nil {
		return fmt.Errorf("list the registrations of a phone: %w", err)
	}
	return s.hand(ctx, tx, rows, "", "number released", now)
}

// CutPerson has the citizen's registrations tell of themselves on heir, and on the phone
// no more, whoever made them or moved them there; with them those that nobody hears of.
// Without an heir nobody is told: see Unheard. What the phone answered to offers is told
// to the heir, and listed for officers: see ShutOutAnswers.
func (s *Service) CutPerson(ctx context.Context, tx *store.Tx, citizen, phone, heir string, now time.Time) error {
	q := db.New(tx)
	if err := s.shutOut(ctx, tx, citizen, phone, heir, now); err != nil {
		return err
	}
	rows, err := q.OfPhone(ctx, s.phoneIndex(phone))
	if err != nil {
		return fmt.Errorf("list the registrations of a phone: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(r db.PreschoolRegistration) bool { return r.CitizenID != citizen })
	if heir != "" {
		active, err := q.ActiveOfCitizen(ctx, citizen)
		if err != nil {
			return fmt.Errorf("list the registrations of the citizen: %w", err)
		}
		for _, r := range active {
			if r.PhoneIndex == "" {
				rows = append(rows, r)
			}
		}
	}
	return s.hand(ctx, tx, rows, heir, "the phone is cut off from the citizen", now)
}

// hand has registrations tell of themselves on a phone; empty: on none.
func (s *Service) hand(ctx context.Context, tx *store.Tx, rows []db.PreschoolRegistration, phone, why string, now time.Time) error {
	for _, r := range rows {
		err := s.move(ctx, tx, r, move{phone: phone, loc: locales.Locale(r.Locale), step: trail.Step{
			Audit: audit.Entry{At: now, Actor: "system", Purpose: why},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// Unheard is a registration of which nobody hears: no phone is its person's.
type Unheard struct {
	Number string
	State  State
	// Offer is the place that waits for an answer; nil: none.
	Offer *Offer
}

// Unheard lists, for operators, at most 1000 registrations that no phone hears of: those
// with an offer first. Rows that were taken over without a phone are in it once a place is offered.
func (s *Service) Unheard(ctx context.Context) ([]Unheard, error) {
	q := db.New(s.DB.Reader())
	rows, err := q.Unheard(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the registrations that nobody hears of: %w", err)
	}
	list := make([]Unheard, 0, len(rows))
	for _, r := range rows {
		u := Unheard{Number: r.Number, State: State(r.State)}
		if u.Offer, err = openOffer(ctx, q, r.ID, s.Now()); err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	return list, nil
}
