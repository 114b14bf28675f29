package preschool

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
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
		return nil, problemProve
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
		return problemProve
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
	_, err = s.follow(ctx, c, func(r db.PreschoolRegistration) bool { return r.PhoneIndex == "" })
	return err
}

func (s *Service) follow(ctx context.Context, c caller.Caller, wanted func(db.PreschoolRegistration) bool) ([]string, error) {
	if c.Phone == "" {
		return nil, problemProve
	}
	numbers := []string{}
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		numbers = numbers[:0]
		rows, err := db.New(tx).ActiveOfCitizen(ctx, c.Subject)
		if err != nil {
			return fmt.Errorf("list the registrations of the citizen: %w", err)
		}
		for _, r := range rows {
			if !wanted(r) {
				continue
			}
			numbers = append(numbers, r.Number)
			if r.PhoneIndex == s.phoneIndex(c.Phone) {
				continue
			}
			if err := s.setPhone(ctx, tx, r, c.Phone, c.Locale, r.PhoneIndex); err != nil {
				return err
			}
			err := s.leavePhone(ctx, tx, r, trail.Step{
				Audit: audit.Entry{At: c.Now, Actor: s.actor(c), Purpose: "the citizen gave a new number"},
				Event: analytics.Of(c, name, "phone", "done"),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return numbers, err
}

// claim makes what was taken over from another register the citizen's: the
// registrations of the children that the register of families says are theirs.
func (s *Service) claim(ctx context.Context, c caller.Caller) error {
	pin, err := s.Proofs.PIN(ctx, c.Subject)
	if err != nil {
		return fmt.Errorf("find the personal number of the citizen: %w", err)
	}
	children, err := s.Families.Children(ctx, pin, "preschool:"+c.Subject)
	if err != nil {
		return fmt.Errorf("ask for the children of the citizen: %w", err)
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		for _, child := range children {
			rows, err := q.UnclaimedOfChild(ctx, s.childIndex(child.PIN))
			if err != nil {
				return fmt.Errorf("look for a child taken over: %w", err)
			}
			for _, r := range rows {
				if _, err := q.Claim(ctx, db.ClaimParams{ID: r.ID, CitizenID: c.Subject}); err != nil {
					return fmt.Errorf("give a registration to its citizen: %w", err)
				}
				r.CitizenID = c.Subject
				err := s.leavePhone(ctx, tx, r, trail.Step{
					Audit: audit.Entry{At: c.Now, Actor: s.actor(c), Purpose: "the child's parent proved who they are"},
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

// setPhone writes whom a registration tells; phone may be empty: nobody. from is the
// index of the phone that this one took it from, if it may be given back to that.
func (s *Service) setPhone(ctx context.Context, tx *store.Tx, r db.PreschoolRegistration, phone string, loc locales.Locale, from string) error {
	sealed, err := s.Sealer.Seal([]byte(phone), "preschool.phone:"+r.ID)
	if err != nil {
		return fmt.Errorf("seal the phone: %w", err)
	}
	index := ""
	if phone != "" {
		index = s.phoneIndex(phone)
	}
	err = db.New(tx).SetPhone(ctx, db.SetPhoneParams{PhoneIndex: index, Phone: sealed, Locale: string(loc), MovedFrom: from, ID: r.ID})
	if err != nil {
		return fmt.Errorf("change the phone of a registration: %w", err)
	}
	return nil
}

// leavePhone leaves the trail of another phone or citizen of a registration; step says
// when, by whom and why.
func (s *Service) leavePhone(ctx context.Context, tx *store.Tx, r db.PreschoolRegistration, step trail.Step) (err error) {
	step.Audit.Action, step.Audit.Object, step.Audit.Subject = "preschool.phone", r.Number, r.CitizenID
	if step.Audit.Decided, err = decided(ctx, tx, r.Number); err != nil {
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
	for _, r := range rows {
		if err := s.setPhone(ctx, tx, r, "", locales.Locale(r.Locale), ""); err != nil {
			return err
		}
		err := s.leavePhone(ctx, tx, r, trail.Step{Audit: audit.Entry{At: now, Actor: "system", Purpose: "number released"}})
		if err != nil {
			return err
		}
	}
	return nil
}

// ReturnPhone gives back to a phone the citizen's registrations that another, which
// was undone, had moved from it to itself. What was made on the other stays there,
// and so does what it took from a third phone: they follow whoever is proved (Follow).
func (s *Service) ReturnPhone(ctx context.Context, tx *store.Tx, citizen, from, to string, now time.Time) error {
	rows, err := db.New(tx).OfPhone(ctx, s.phoneIndex(from))
	if err != nil {
		return fmt.Errorf("list the registrations of a phone: %w", err)
	}
	for _, r := range rows {
		if r.CitizenID != citizen || r.MovedFrom != s.phoneIndex(to) {
			continue
		}
		if err := s.setPhone(ctx, tx, r, to, locales.Locale(r.Locale), ""); err != nil {
			return err
		}
		err := s.leavePhone(ctx, tx, r, trail.Step{Audit: audit.Entry{At: now, Actor: citizen, Purpose: "another phone's proof was undone"}})
		if err != nil {
			return err
		}
	}
	return nil
}
