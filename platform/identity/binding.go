package identity

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

const (
	// UndoLasts is how long a phone may undo another's proof that it was told of.
	UndoLasts = 72 * time.Hour
	// DisputeLasts is how long nobody is proved for a person whose phones accuse each
	// other, but on a phone that an operator cleared: time to see one. It is shorter
	// than any offer waits.
	DisputeLasts = 24 * time.Hour
	// rememberNotices is how long an answer that comes late, or twice, is told so.
	rememberNotices = 30 * 24 * time.Hour
)

// errBlocked refuses a person whose phones accuse each other. Only who has the right
// document is told so.
var errBlocked = problem.New(problem.Forbidden, "problem.identity_blocked")

// binding finds how the caller's phone stands to the person of a personal number (nil:
// it was never proved for them), and until when it may not be proved for them: zero,
// or the end of the dispute about the person's phones.
func binding(ctx context.Context, q *db.Queries, pinIndex, phoneIndex string, now time.Time) (*db.IdentityBinding, time.Time, error) {
	all, err := q.BindingsByPIN(ctx, pinIndex)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("look how a phone is bound: %w", err)
	}
	var own *db.IdentityBinding
	var until time.Time
	for i, b := range all {
		if b.PhoneIndex == phoneIndex {
			own = &all[i]
		}
		if isBlocked(b, now) && b.BlockedUntilAt.After(until) {
			until = b.BlockedUntilAt.Time
		}
	}
	if own != nil && !own.ClearedAt.IsZero() {
		until = time.Time{}
	}
	return own, until, nil
}

// isBlocked reports a phone that takes part in a dispute.
func isBlocked(b db.IdentityBinding, now time.Time) bool {
	return !b.BlockedUntilAt.IsZero() && now.Before(b.BlockedUntilAt.Time)
}

// bind notes in tx that the phone was proved for the citizen, and has it and the
// phones that were proved before it hear of each other. A proof that follows a live one is no news.
// called is what screens call the person; was is how the phone stood to the citizen before.
func (s *Service) bind(
	ctx context.Context, tx *store.Tx, c caller.Caller, person db.IdentityCitizen, documentMAC, called string,
) (bound db.IdentityBinding, was *audit.Group, err error) {
	q, index, citizen := db.New(tx), s.phoneIndex(c.Phone), person.ID
	own, until, err := binding(ctx, q, person.PinIndex, index, c.Now)
	if err != nil {
		return bound, nil, err
	}
	if !until.IsZero() {
		return bound, nil, errBlocked.Until(c.Now, until.Sub(c.Now))
	}
	was = audit.None(groupPhone)
	if own != nil {
		was = bindingOf(*own)
	}
	sealed, err := s.Sealer.Seal([]byte(c.Phone), bindingContext)
	if err != nil {
		return bound, nil, err
	}
	err = q.Bind(ctx, db.BindParams{
		CitizenID: citizen, PhoneIndex: index, PhoneSealed: sealed, Locale: string(c.Locale),
		DocumentMac: documentMAC, BoundAt: dbtime.From(c.Now),
	})
	if err != nil {
		return bound, nil, err
	}
	bound, err = q.Binding(ctx, db.BindingParams{CitizenID: citizen, PhoneIndex: index})
	if err != nil {
		return bound, nil, err
	}
	live, err := q.LiveProof(ctx, db.LiveProofParams{PhoneIndex: index, CitizenID: citizen, ExpiresAt: dbtime.From(c.Now)})
	if err != nil || live > 0 {
		return bound, was, err
	}
	return bound, was, s.tellOthers(ctx, tx, c, called, bound)
}

// tellOthers tells every phone that was proved for the citizen before this one of it,
// and this one of all others, each with the word that undoes: which of two phones is
// the person's is not known from which came first. Where an operator cleared a phone
// it is known: then only such phones are told.
func (s *Service) tellOthers(ctx context.Context, tx *store.Tx, c caller.Caller, called string, own db.IdentityBinding) error {
	all, err := db.New(tx).Bindings(ctx, own.CitizenID)
	if err != nil {
		return err
	}
	cleared := slices.ContainsFunc(all, func(b db.IdentityBinding) bool { return !b.ClearedAt.IsZero() })
	for _, b := range all {
		if b.PhoneIndex == own.PhoneIndex || b.PhoneSealed == nil {
			continue
		}
		if !b.BoundAt.After(own.BoundAt.Time) && (!cleared || !b.ClearedAt.IsZero()) {
			if err := s.tell(ctx, tx, c, news{told: b, of: own, called: called, key: "identity.proved_sms"}); err != nil {
				return err
			}
		}
		// One that another's word cut off has nothing left that could be undone.
		if (!cleared || !own.ClearedAt.IsZero()) && !isBlocked(b, c.Now) {
			if err := s.tellOnce(ctx, tx, c, news{told: own, of: b, called: called, key: "identity.proved_before_sms"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellOnce tells a phone, proved now, of one that was proved at another time, unless
// it may undo that already.
func (s *Service) tellOnce(ctx context.Context, tx *store.Tx, c caller.Caller, n news) error {
	open, err := db.New(tx).OpenNotices(ctx, db.OpenNoticesParams{
		ToldIndex: n.told.PhoneIndex, PhoneIndex: n.of.PhoneIndex, CitizenID: n.told.CitizenID, ExpiresAt: dbtime.From(c.Now),
	})
	if err != nil || open > 0 {
		return err
	}
	return s.tell(ctx, tx, c, n)
}

// news is what one phone of a person is told of another.
type news struct {
	told, of db.IdentityBinding
	called   string // what screens call the person
	key      string // of the text
}

// tell sends one phone of a person the word that undoes another. A phone that several persons
// share is told of whom it is.
func (s *Service) tell(ctx context.Context, tx *store.Tx, c caller.Caller, n news) error {
	phone, err := s.Sealer.Open(n.told.PhoneSealed, bindingContext)
	if err != nil {
		return fmt.Errorf("open a phone that is told: %w", err)
	}
	other, err := s.Sealer.Open(n.of.PhoneSealed, bindingContext)
	if err != nil {
		return fmt.Errorf("open a phone that is told of: %w", err)
	}
	number, id, err := s.addNotice(ctx, tx, c, n.told, n.of)
	if err != nil {
		return err
	}
	loc, args := spoken(n.told), []any{"tail", caller.Tail(string(other)), "word", number}
	shared, err := s.isShared(ctx, db.New(tx), n.told.PhoneIndex)
	if err != nil {
		return err
	}
	if shared && n.called != "" {
		n.key, args = n.key+"_of", append(args, "called", n.called)
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Messages: []notify.Message{{
		To: string(phone), Locale: loc, Purpose: notify.Receipt, ExpiresAt: c.Now.Add(UndoLasts), Dedup: "identity.notice:" + id,
		Text: gsm.Pick(s.Texts.Message(loc, n.key, args...)),
	}}})
}

// isShared reports a phone that was proved for more than one person.
func (s *Service) isShared(ctx context.Context, q *db.Queries, index string) (bool, error) {
	bound, err := q.BindingsOfPhone(ctx, index)
	if err != nil {
		return false, fmt.Errorf("look who shares a phone: %w", err)
	}
	return len(bound) > 1, nil
}

// addNotice notes that one phone of a person is told of another, and gives the digits
// that undo it and the notice's id.
func (s *Service) addNotice(ctx context.Context, tx *store.Tx, c caller.Caller, told, of db.IdentityBinding) (number, id string, err error) {
	if id, err = s.newID(); err != nil {
		return "", "", err
	}
	if number, err = s.noticeNumber(); err != nil {
		return "", "", err
	}
	q := db.New(tx)
	notice := db.AddNoticeParams{
		ID: id, Number: number, ToldIndex: told.PhoneIndex, CitizenID: told.CitizenID, PhoneIndex: of.PhoneIndex,
		MadeAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(c.Now.Add(UndoLasts)),
	}
	notice.Mac = noticeMAC(s.Sealer, notice)
	err = q.AddNotice(ctx, notice)
	if err != nil {
		return "", "", fmt.Errorf("note what a phone is told: %w", err)
	}
	// A phone that spoke no language yet must not be asked for one when it answers.
	err = q.SpeakFirst(ctx, db.SpeakFirstParams{Locale: string(spoken(told)), ChangedAt: dbtime.From(c.Now), PhoneIndex: told.PhoneIndex})
	return number, id, err
}

// spoken is the language in which a phone is told.
func spoken(b db.IdentityBinding) locales.Locale {
	return cmp.Or(locales.Locale(b.Locale), locales.KY)
}

// noticeNumber makes the four digits that name a notice.
func (s *Service) noticeNumber() (string, error) {
	var b [2]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return "", fmt.Errorf("make a notice's number: %w", err)
	}
	return fmt.Sprintf("%04d", (int(b[0])<<8|int(b[1]))%10_000), nil
}

// documentMAC is what is kept of the document that a phone was proved with.
func (s *Service) documentMAC(pinIndex, document string) string {
	return s.Sealer.Index(documentPurpose, pinIndex+":"+document)
}
