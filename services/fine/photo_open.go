package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

var (
	errLinkNone  = problem.New(problem.NotFound, "problem.fine_photo_link")
	errLinkSpent = problem.New(problem.Conflict, "problem.fine_photo_link_spent")
	errLinkOver  = problem.New(problem.Conflict, "problem.fine_photo_link_over")
	errLinkVoid  = problem.New(problem.Conflict, "problem.fine_photo_link_void")
)

// linkShape is what a link's own part looks like: what else stands in an address is asked for nowhere.
var linkShape = regexp.MustCompile(`^[0-9A-Za-z]{22}$`)

// photoLink is a link that is good now, by what is drawn of it. Problems: fine_photo_link (there is
// none), fine_photo_link_spent, fine_photo_link_void, fine_photo_link_over.
func (s *Service) photoLink(ctx context.Context, q *db.Queries, token string, now time.Time) (db.FinePhotoLink, error) {
	if !linkShape.MatchString(token) {
		return db.FinePhotoLink{}, errLinkNone
	}
	row, err := q.PhotoLinkByToken(ctx, s.Sealer.Index(photoToken, token))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return row, errLinkNone
	case err != nil:
		return row, fmt.Errorf("find a link: %w", err)
	case !row.SpentAt.IsZero():
		return row, errLinkSpent
	case !row.VoidAt.IsZero():
		return row, errLinkVoid
	case !now.Before(row.ExpiresAt.Time):
		return row, errLinkOver
	}
	return row, nil
}

// PhotoLinkGood looks whether a link would show its photo, and changes nothing: programs that look
// at messages follow links too. Problems: fine_photo_link (there is none), fine_photo_link_spent,
// fine_photo_link_void, fine_photo_link_over.
func (s *Service) PhotoLinkGood(ctx context.Context, c caller.Caller, token string) error {
	_, err := s.photoLink(ctx, db.New(s.DB.Reader()), token, c.Now)
	return err
}

// OpenPhoto gives the photo (JPEG) that a link shows, once: the link is spent when the register gave
// the photo, before its first byte leaves, and stays good where it gave none. Problems: those of
// PhotoLinkGood, fine_photos (too many), fine_photo (the register has none), registry_not_owner and the registry's.
func (s *Service) OpenPhoto(ctx context.Context, c caller.Caller, token string) ([]byte, error) {
	row, err := s.photoLink(ctx, db.New(s.DB.Reader()), token, c.Now)
	if err != nil {
		return nil, err
	}
	plate, err := s.Sealer.Open(row.PlateSealed, photoPlate+row.ID)
	if err != nil {
		return nil, fmt.Errorf("open the plate of the link %s: %w", row.ID, err)
	}
	c.Subject, c.Level = row.CitizenID, caller.LevelStrong // who was proved where it was asked for
	photo, err := s.askPhoto(ctx, c, string(plate), row.Bill)
	if err != nil {
		return nil, err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error { return s.spendPhotoLink(ctx, tx, c, token) })
	if err != nil {
		return nil, err
	}
	return photo, nil
}

// spendPhotoLink spends a link that is good, whose phone has to be the person's until it is spent.
// Of two at once one does.
func (s *Service) spendPhotoLink(ctx context.Context, tx *store.Tx, c caller.Caller, token string) error {
	q, now := db.New(tx), s.Now() // the register took its time
	// Before the link's row: so does a cut, which ends the links of a phone.
	phones, err := s.Identity.PhonesToTell(ctx, tx, c.Subject, now)
	if err != nil {
		return fmt.Errorf("look whether a link's phone is the person's: %w", err)
	}
	row, err := s.photoLink(ctx, q, token, now)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(phones, func(p identity.Reachable) bool { return s.carPhone(p.Phone) == row.PhoneIndex }) {
		return errLinkVoid
	}
	n, err := q.SpendPhotoLink(ctx, db.SpendPhotoLinkParams{ID: row.ID, Now: dbtime.From(now)})
	if err != nil {
		return fmt.Errorf("spend a link: %w", err)
	}
	if n == 0 {
		return errLinkSpent
	}
	return s.leavePhotoLink(ctx, tx, row.ID, &row, trail.Step{
		// Who holds the phone's link is not known: it may be lent.
		Audit: audit.Entry{At: now, Actor: "phone:" + row.PhoneIndex, Action: "fine.photo_open", Purpose: Name},
		Event: analytics.Of(c, Name, "fine.photo_open", "done"),
	})
}
