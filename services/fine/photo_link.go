package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// A link to the photo of a fine (decision 47). What it is made of is drawn, not derived, and only a
// keyed hash of it is kept: it is nowhere but in the message to the phone.
const (
	linkBytes  = 16 // 128 bits
	linkDigits = 22 // of base 62: letters and digits alone, as phones leave the rest out of links
	linkBase   = 62
)

// The purpose of the blind index of links, and the context that seals a link's plate.
const (
	photoToken = "fine.photo.token"
	photoPlate = "fine.photo.plate:"
)

// photoLinksSent is how many links a person is sent: each is a message that is paid for.
var photoLinksSent = limit.Rule{
	Name: "fine:photo_links", What: "links to photos of fines sent", Who: "a person", Rate: limit.Rate{N: 10, Per: 24 * time.Hour},
	Refusal: "problem.fine_photo_links", In: limit.InLimiter,
}

var errPhotoLinks = problem.New(problem.TooMany, "problem.fine_photo_links", "n", photoLinksSent.N)

// linkMinutes is for how long a link is good.
func linkMinutes(now time.Time) int { return policy.Value("photo.link_minutes", now) }

// SendPhotoLink sends the caller's phone a link that shows the photo of a fine once. Whose the car
// is the register says when the link is opened. The same turn once more sends nothing. Problems:
// fine_proof, fine_plate, fine_number, fine_photo_links (too many).
func (s *Service) SendPhotoLink(ctx context.Context, c caller.Caller, typed, number string) error {
	if c.Subject == "" {
		return errProof
	}
	if err := Assurance.Admit(c, "evidence"); err != nil {
		return err
	}
	plate, err := ParsePlate(typed)
	if err != nil {
		return err
	}
	if !billNumber.MatchString(number) {
		return errNumber
	}
	sent, err := db.New(s.DB.Reader()).PhotoLinksOfTurn(ctx, c.Key)
	if err != nil || sent > 0 {
		return err
	}
	used, wait, err := limit.Within(ctx, s.Limiter, limit.Bound{Key: photoLinksSent.Name + ":" + c.Subject, Rate: photoLinksSent.Rate})
	if err != nil {
		return fmt.Errorf("count the links that are sent: %w", err)
	}
	if used != nil {
		return errPhotoLinks.Until(c.Now, wait)
	}
	token, row, err := s.drawPhotoLink(c, plate.Text, number)
	if err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error { return s.keepPhotoLink(ctx, tx, c, token, row) })
}

// drawPhotoLink draws a link and makes its row.
func (s *Service) drawPhotoLink(c caller.Caller, plate, number string) (token string, row db.AddPhotoLinkParams, err error) {
	drawn := make([]byte, linkBytes)
	if _, err := io.ReadFull(s.Random, drawn); err != nil {
		return "", row, fmt.Errorf("draw a link: %w", err)
	}
	token = new(big.Int).SetBytes(drawn).Text(linkBase)
	token = strings.Repeat("0", linkDigits-len(token)) + token
	id, err := uuid.NewV7FromReader(s.Random)
	if err != nil {
		return "", row, fmt.Errorf("make a link's id: %w", err)
	}
	row = db.AddPhotoLinkParams{
		ID: id.String(), CitizenID: c.Subject, TokenIndex: s.Sealer.Index(photoToken, token), Turn: c.Key, Bill: number,
		PlateIndex: s.Sealer.Index(carPlate, plate), PhoneIndex: s.carPhone(c.Phone),
		MadeAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(c.Now.Add(time.Duration(linkMinutes(c.Now)) * time.Minute)),
	}
	if row.PlateSealed, err = s.Sealer.Seal([]byte(plate), photoPlate+row.ID); err != nil {
		return "", row, fmt.Errorf("seal a plate: %w", err)
	}
	return token, row, nil
}

// keepPhotoLink keeps a link and sends it, where the person is still proved on the phone.
func (s *Service) keepPhotoLink(ctx context.Context, tx *store.Tx, c caller.Caller, token string, row db.AddPhotoLinkParams) error {
	if held, err := s.Identity.HoldProof(ctx, tx, c); err != nil || !held {
		return errors.Join(err, unproven(held))
	}
	n, err := db.New(tx).AddPhotoLink(ctx, row)
	if err != nil {
		return fmt.Errorf("keep a link: %w", err)
	}
	if n == 0 { // the turn came twice at once
		return nil
	}
	return s.leavePhotoLink(ctx, tx, row.ID, nil, trail.Step{
		Audit: audit.Entry{At: c.Now, Actor: c.Subject, Action: "fine.photo_link", Purpose: Name},
		Event: analytics.Of(c, Name, "fine.photo_link", "done"),
		Messages: []notify.Message{{ // as a code: its text is wiped when it is over
			To: c.Phone, Locale: c.Locale, Purpose: notify.Code, About: c.Subject, ExpiresAt: row.ExpiresAt.Time, Dedup: "fine.photo:" + row.ID,
			Text: gsm.Pick(s.Texts.Message(c.Locale, "fine.photo_sms", "n", linkMinutes(c.Now), "link", s.PhotoURL+token)),
		}},
	})
}

// groupPhotoLink is what the audit log says of a link: all of its row, whenever it changes.
const groupPhotoLink = "photo_link"

func photoLinkGroup(row db.FinePhotoLink) *audit.Group {
	return audit.Decided(groupPhotoLink).Text(row.ID, row.CitizenID, row.TokenIndex, row.Turn, row.Bill, row.PlateIndex, row.PhoneIndex).
		Sealed(row.PlateSealed).Moment(row.MadeAt, row.ExpiresAt, row.SpentAt, row.VoidAt)
}

// leavePhotoLink leaves the trail of a step in whose transaction a link was before, nil for none,
// and is now as its row says.
func (s *Service) leavePhotoLink(ctx context.Context, tx *store.Tx, id string, before *db.FinePhotoLink, step trail.Step) error {
	row, err := db.New(tx).GetPhotoLink(ctx, id)
	if err != nil {
		return fmt.Errorf("read a link: %w", err)
	}
	step.Audit.Object, step.Audit.Subject = row.ID, row.CitizenID
	step.Audit.Decided, step.Audit.Was = []*audit.Group{photoLinkGroup(row)}, []*audit.Group{audit.None(groupPhotoLink)}
	if before != nil {
		step.Audit.Was = []*audit.Group{photoLinkGroup(*before)}
	}
	return s.Trail.Leave(ctx, tx, step)
}

// voided leaves the trail of links that are good no more; err is what ending them ended with.
func (s *Service) voided(ctx context.Context, tx *store.Tx, ended []db.FinePhotoLink, err error, e audit.Entry) error {
	if err != nil {
		return fmt.Errorf("end links to photos: %w", err)
	}
	e.Action = "fine.photo_end"
	for _, row := range ended {
		before := row
		before.VoidAt = dbtime.Time{}
		if err := s.leavePhotoLink(ctx, tx, row.ID, &before, trail.Step{Audit: e}); err != nil {
			return err
		}
	}
	return nil
}

// voidOfPhone ends the links that were sent to a phone (E.164), those of one citizen or, where that
// is empty, of all.
func (s *Service) voidOfPhone(ctx context.Context, tx *store.Tx, citizen, phone string, now time.Time) error {
	q, index, at := db.New(tx), s.carPhone(phone), dbtime.From(now)
	var ended []db.FinePhotoLink
	var err error
	if citizen == "" {
		ended, err = q.VoidPhotoLinksOfPhone(ctx, db.VoidPhotoLinksOfPhoneParams{PhoneIndex: index, Now: at})
	} else {
		ended, err = q.VoidPhotoLinksOfPerson(ctx, db.VoidPhotoLinksOfPersonParams{CitizenID: citizen, PhoneIndex: index, Now: at})
	}
	return s.voided(ctx, tx, ended, err, audit.Entry{At: now, Actor: "system", Purpose: "the phone is cut off from the citizen"})
}

// voidOfCar ends the links to photos of a car that its person unlinked, or that is theirs no more.
func (s *Service) voidOfCar(ctx context.Context, tx *store.Tx, car db.FineCar, e audit.Entry) error {
	ended, err := db.New(tx).VoidPhotoLinksOfCar(ctx, db.VoidPhotoLinksOfCarParams{
		CitizenID: car.CitizenID, PlateIndex: car.PlateIndex, Now: dbtime.From(e.At),
	})
	return s.voided(ctx, tx, ended, err, audit.Entry{At: e.At, Actor: e.Actor, Purpose: e.Purpose})
}

// linksKept is for how long a link is kept that is over: who looks into a complaint finds what became of it.
const linksKept = 30 * 24 * time.Hour

// ForgetPhotoLinks deletes the links that were over a month ago.
func (s *Service) ForgetPhotoLinks(ctx context.Context) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).ForgetPhotoLinks(ctx, dbtime.From(s.Now().Add(-linksKept)))
	})
	if err != nil {
		return fmt.Errorf("forget links that are over: %w", err)
	}
	return nil
}

// runPhotoLinks names each link that is not what the log says. One that is gone is not named: it
// opens nothing.
func (c *Check) runPhotoLinks(ctx context.Context, tx *sql.Tx) error {
	return store.Rows(ctx, tx, `SELECT id, citizen_id, token_index, turn, bill, plate_index, plate_sealed, phone_index, made_at, expires_at, spent_at, void_at
		FROM fine_photo_links ORDER BY id`, nil,
		func(rows *sql.Rows) error {
			var row db.FinePhotoLink
			err := rows.Scan(&row.ID, &row.CitizenID, &row.TokenIndex, &row.Turn, &row.Bill, &row.PlateIndex, &row.PlateSealed, &row.PhoneIndex,
				&row.MadeAt, &row.ExpiresAt, &row.SpentAt, &row.VoidAt)
			if err == nil {
				c.links.Fits(row.ID, photoLinkGroup(row))
			}
			return err
		})
}
