package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

const (
	// UndoLasts is how long a phone may undo another's proof that it was told of.
	UndoLasts = 72 * time.Hour
	// BlockLasts is how long a phone whose proof was undone cannot be proved for
	// the person again: time to report a stolen card.
	BlockLasts = 7 * 24 * time.Hour
	// rememberNotices is how long an answer that comes late, or twice, is told so.
	rememberNotices = 30 * 24 * time.Hour
)

// errBlocked refuses a phone that an earlier one of the person undid.
func errBlocked(until, now time.Time) *problem.Error {
	return problem.New(problem.Forbidden, "problem.identity_blocked", "until", showMoment(until)).After(until.Sub(now))
}

// showMoment is a moment as people in Kyrgyzstan read it.
func showMoment(t time.Time) string { return clock.Moment(t) }

// Tie is what another part keeps for a phone; its methods take part in a
// transaction of identity's.
type Tie interface {
	// CutPhone cuts whatever ties the phone (E.164) to its holder so far: the
	// number has another one.
	CutPhone(ctx context.Context, tx *store.Tx, phone string, now time.Time) error
}

// Returner is a Tie that gives back what was moved to a phone whose proof is undone.
type Returner interface {
	// ReturnPhone has what belongs to the citizen follow from one phone to another.
	ReturnPhone(ctx context.Context, tx *store.Tx, citizen, from, to string, now time.Time) error
}

// Tie has Release and Undo reach what other parts keep. Call it before anything
// is served.
func (s *Service) Tie(ties ...Tie) { s.ties = append(s.ties, ties...) }

// binding finds how the caller's phone stands to the person of a personal number;
// nil: it was never proved for them.
func binding(ctx context.Context, q *db.Queries, pinIndex, phoneIndex string) (*db.IdentityBinding, error) {
	b, err := q.BindingByPIN(ctx, db.BindingByPINParams{PinIndex: pinIndex, PhoneIndex: phoneIndex})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // absent is no error
	}
	if err != nil {
		return nil, fmt.Errorf("look how a phone is bound: %w", err)
	}
	return &b, nil
}

// isBlocked reports a phone that may not be proved for the person yet.
func isBlocked(b *db.IdentityBinding, now time.Time) bool {
	return b != nil && !b.BlockedUntilAt.IsZero() && now.Before(b.BlockedUntilAt.Time)
}

// bind notes in tx that the phone was proved for the citizen, and tells the phones
// that were proved before it. A proof that follows a live one is no news.
func (s *Service) bind(ctx context.Context, tx *store.Tx, c caller.Caller, citizen, pinIndex, document string) error {
	q, index := db.New(tx), s.phoneIndex(c.Phone)
	earlier, err := binding(ctx, q, pinIndex, index)
	if err != nil {
		return err
	}
	if isBlocked(earlier, c.Now) { // undone while the register thought
		return errBlocked(earlier.BlockedUntilAt.Time, c.Now)
	}
	sealed, err := s.Sealer.Seal([]byte(c.Phone), bindingContext)
	if err != nil {
		return err
	}
	err = q.Bind(ctx, db.BindParams{
		CitizenID: citizen, PhoneIndex: index, PhoneSealed: sealed, Locale: string(c.Locale),
		DocumentMac: s.documentMAC(pinIndex, document), BoundAt: dbtime.From(c.Now),
	})
	if err != nil {
		return err
	}
	live, err := q.LiveProof(ctx, db.LiveProofParams{PhoneIndex: index, CitizenID: citizen, ExpiresAt: dbtime.From(c.Now)})
	if err != nil || live > 0 {
		return err
	}
	return s.tellOthers(ctx, tx, c, citizen, index)
}

// tellOthers sends every phone that was proved for the citizen before this one a
// message with the word that undoes the proof. Phones that came later are not
// asked: a thief's must not undo the owner's.
func (s *Service) tellOthers(ctx context.Context, tx *store.Tx, c caller.Caller, citizen, index string) error {
	all, err := db.New(tx).Bindings(ctx, citizen)
	if err != nil {
		return err
	}
	own := slices.IndexFunc(all, func(b db.IdentityBinding) bool { return b.PhoneIndex == index })
	for _, b := range all {
		if b.PhoneIndex == index || b.BoundAt.After(all[own].BoundAt.Time) || !b.BlockedUntilAt.IsZero() || b.PhoneSealed == nil {
			continue
		}
		if err := s.tellOther(ctx, tx, c, b, index); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) tellOther(ctx context.Context, tx *store.Tx, c caller.Caller, b db.IdentityBinding, index string) error {
	q := db.New(tx)
	phone, err := s.Sealer.Open(b.PhoneSealed, bindingContext)
	if err != nil {
		return fmt.Errorf("open an earlier phone: %w", err)
	}
	id, err := s.newID()
	if err != nil {
		return err
	}
	number, err := s.noticeNumber()
	if err != nil {
		return err
	}
	expires := c.Now.Add(UndoLasts)
	err = q.AddNotice(ctx, db.AddNoticeParams{
		ID: id, Number: number, ToldIndex: b.PhoneIndex, CitizenID: b.CitizenID, PhoneIndex: index,
		MadeAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(expires),
	})
	if err != nil {
		return err
	}
	loc := locales.Locale(b.Locale)
	if loc == "" {
		loc = locales.KY
	}
	// A phone that spoke no language yet must not be asked for one when it answers.
	if err := q.SpeakFirst(ctx, db.SpeakFirstParams{Locale: string(loc), ChangedAt: dbtime.From(c.Now), PhoneIndex: b.PhoneIndex}); err != nil {
		return err
	}
	return s.Outbox.Send(ctx, tx, notify.Message{
		To: string(phone), Locale: loc, Purpose: notify.Receipt, ExpiresAt: expires, Dedup: "identity.notice:" + id,
		Text: gsm.Pick(s.Catalogue.Message(loc, "identity.proved_sms", "tail", c.Phone[len(c.Phone)-4:], "word", number)),
	})
}

// noticeNumber makes the four digits that name a notice.
func (s *Service) noticeNumber() (string, error) {
	var b [2]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return "", fmt.Errorf("make a notice's number: %w", err)
	}
	return fmt.Sprintf("%04d", (int(b[0])<<8|int(b[1]))%10_000), nil
}

// documentMAC is what is kept of the document that a phone was proved with.
func (s *Service) documentMAC(pinIndex, document string) string {
	return s.Sealer.Index(documentPurpose, pinIndex+":"+document)
}
