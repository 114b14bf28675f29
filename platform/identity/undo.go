package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// The nodes and the memory of undoing another phone's proof.
const (
	nodeUndo   = "identity.undo"
	nodeUndone = "identity.undone"
	keyNumber  = "identity.number"
	keyUndone  = "identity.undone"
)

// undoWords are what a phone answers when it was told of another: "block", in both
// languages. They stand in identity.proved_sms.
var undoWords = []string{"бөгөт", "бөгөттөө", "блок", "заблокировать"}

// Undone is what became of a wish to undo another phone's proof.
type Undone string

// The outcomes.
const (
	UndoDone    Undone = "done"
	UndoAlready Undone = "already" // it was undone before
	UndoLate    Undone = "late"    // UndoLasts is over
	UndoNothing Undone = "nothing" // no such notice was sent to the phone
)

// Undo ends what another phone proved, of which the caller's phone was told: its
// proof and its tokens, and it cannot be proved for the person for BlockLasts.
// typed names the notice; empty: all open ones.
func (s *Service) Undo(ctx context.Context, c caller.Caller, typed string) (Undone, error) {
	if door(c) != doorNetwork { // a token may be in other hands than the phone
		return UndoNothing, nil
	}
	var outcome Undone
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q, index := db.New(tx), s.phoneIndex(c.Phone)
		if err := s.lockPhone(ctx, q, index, c.Now); err != nil {
			return err
		}
		told, err := q.NoticesTo(ctx, db.NoticesToParams{ToldIndex: index, MadeAt: dbtime.From(c.Now.Add(-rememberNotices))})
		if err != nil {
			return err
		}
		var open []db.IdentityNotice
		outcome, open = sift(told, asciiDigits(typed), typed == "", c.Now)
		for _, n := range open {
			if err := s.undo(ctx, tx, c, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("undo a phone's proof: %w", err)
	}
	return outcome, nil
}

// sift finds the notices that are meant and still open.
func sift(told []db.IdentityNotice, number string, all bool, now time.Time) (Undone, []db.IdentityNotice) {
	outcome := UndoNothing
	var open []db.IdentityNotice
	for _, n := range told {
		switch {
		case !all && n.Number != number:
		case !n.UndoneAt.IsZero():
			outcome = later(outcome, UndoAlready)
		case !now.Before(n.ExpiresAt.Time):
			outcome = later(outcome, UndoLate)
		default:
			outcome, open = UndoDone, append(open, n)
		}
	}
	return outcome, open
}

// later is the outcome that says more: of several notices one decides.
func later(a, b Undone) Undone {
	order := []Undone{UndoNothing, UndoLate, UndoAlready, UndoDone}
	if slices.Index(order, a) > slices.Index(order, b) {
		return a
	}
	return b
}

// undo cuts off the phone that a notice tells of.
func (s *Service) undo(ctx context.Context, tx *store.Tx, c caller.Caller, n db.IdentityNotice) error {
	q, now := db.New(tx), dbtime.From(c.Now)
	if err := s.lockPhone(ctx, q, n.PhoneIndex, c.Now); err != nil {
		return err
	}
	steps := []error{
		q.LapseProofsOf(ctx, db.LapseProofsOfParams{ExpiresAt: now, PhoneIndex: n.PhoneIndex, CitizenID: n.CitizenID}),
		q.LapseCodes(ctx, db.LapseCodesParams{VoidAt: now, PhoneIndex: n.PhoneIndex}),
		q.NextGeneration(ctx, db.NextGenerationParams{ChangedAt: now, PhoneIndex: n.PhoneIndex}),
		q.EndNotices(ctx, db.EndNoticesParams{UndoneAt: now, CitizenID: n.CitizenID, PhoneIndex: n.PhoneIndex}),
	}
	for _, err := range steps {
		if err != nil {
			return err
		}
	}
	if err := s.giveBack(ctx, tx, c, n); err != nil {
		return err
	}
	err := q.Block(ctx, db.BlockParams{
		BlockedUntilAt: dbtime.From(c.Now.Add(BlockLasts)), CitizenID: n.CitizenID, PhoneIndex: n.PhoneIndex,
	})
	if err != nil {
		return err
	}
	return s.note(ctx, tx, c, "undo", "done", audit.Entry{Object: n.PhoneIndex, Subject: n.CitizenID})
}

// giveBack has what the undone phone took over follow the phone that undid it.
func (s *Service) giveBack(ctx context.Context, tx *store.Tx, c caller.Caller, n db.IdentityNotice) error {
	all, err := db.New(tx).Bindings(ctx, n.CitizenID)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(b db.IdentityBinding) bool { return b.PhoneIndex == n.PhoneIndex })
	if at < 0 || all[at].PhoneSealed == nil {
		return nil
	}
	from, err := s.Sealer.Open(all[at].PhoneSealed, bindingContext)
	if err != nil {
		return fmt.Errorf("open the undone phone: %w", err)
	}
	for _, tie := range s.ties {
		if r, gives := tie.(Returner); gives {
			if err := r.ReturnPhone(ctx, tx, n.CitizenID, string(from), c.Phone, c.Now); err != nil {
				return err
			}
		}
	}
	return nil
}

// doUndo takes the word of a message.
func (s *Service) doUndo(ctx context.Context, t *dialog.Talk) (dialog.Next, error) {
	outcome, err := s.Undo(ctx, t.Caller, t.Get(keyNumber))
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Done(nodeUndone, keyUndone, string(outcome), keyNumber, ""), nil
}

func showUndone(t *dialog.Talk) dialog.Screen {
	outcome := Undone(t.Get(keyUndone))
	if outcome == "" {
		outcome = UndoNothing
	}
	return dialog.Screen{Body: []dialog.Message{dialog.Say("identity.undo_" + string(outcome))}, End: true}
}
