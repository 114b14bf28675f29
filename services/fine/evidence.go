package fine

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// photosSeen is how many photos a person may look at: the register sends those of all fines of
// a car for each.
var photosSeen = limit.Rule{
	Name: "fine:photos", What: "photos of fines looked at", Who: "a person", Rate: limit.Rate{N: 20, Per: time.Hour},
	Refusal: "problem.fine_photos", In: limit.InLimiter,
}

var (
	errNoPhoto = problem.New(problem.NotFound, "problem.fine_photo")
	errPhotos  = problem.New(problem.TooMany, "problem.fine_photos", "n", photosSeen.N)
	errImage   = problem.New(problem.Upstream, "problem.registry_answer")
)

// Photo gives the photo (JPEG) of a fine of the proven citizen's own car, by its payment code.
// It is kept nowhere. Problems: fine_proof, fine_plate, fine_number, fine_photos (too many),
// fine_photo (the register has none), registry_not_owner, registry_plate_unknown and the
// registry's.
func (s *Service) Photo(ctx context.Context, c caller.Caller, typed, number string) ([]byte, error) {
	if c.Subject == "" {
		return nil, errProof
	}
	if err := Assurance.Admit(c, "evidence"); err != nil {
		return nil, err
	}
	plate, err := ParsePlate(typed)
	if err != nil {
		return nil, err
	}
	if !billNumber.MatchString(number) {
		return nil, errNumber
	}
	photo, err := s.askPhoto(ctx, c, plate.Text, number)
	if err != nil {
		return nil, err
	}
	if err := s.notePhoto(ctx, c); err != nil {
		return nil, err
	}
	return photo, nil
}

// askPhoto asks the register for the photo of a fine of a car of the citizen's, and counts it.
func (s *Service) askPhoto(ctx context.Context, c caller.Caller, plate, number string) ([]byte, error) {
	used, wait, err := limit.Within(ctx, s.Limiter, limit.Bound{Key: photosSeen.Name + ":" + c.Subject, Rate: photosSeen.Rate})
	if err != nil {
		return nil, fmt.Errorf("count the photos that are looked at: %w", err)
	}
	if used != nil {
		return nil, errPhotos.Until(c.Now, wait)
	}
	pin, err := s.Identity.PIN(ctx, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("read the owner's number: %w", err)
	}
	photo, err := s.Register.Photo(ctx, registry.Call{UserID: "KG" + pin, Issue: s.issue(c)}, pin, plate, number)
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask for a photo: %w", err)
	case photo == nil:
		return nil, errNoPhoto
	case !bytes.HasPrefix(photo, []byte{0xFF, 0xD8, 0xFF}): // no JPEG: a browser is to guess nothing
		return nil, errImage
	}
	return photo, nil
}

// notePhoto records who looked at a photo, before it leaves. A phone that was cut off from the
// person while the register thought is shown nothing.
func (s *Service) notePhoto(ctx context.Context, c caller.Caller) error {
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		held, err := s.Identity.HoldProof(ctx, tx, c)
		if err != nil {
			return err
		}
		if !held {
			return errProof
		}
		return s.Trail.Leave(ctx, tx, trail.Step{
			Audit: audit.Entry{At: c.Now, Actor: c.Subject, Action: "fine.evidence", Object: "smartcityGetViolations", Subject: c.Subject, Purpose: Name},
		})
	})
}
