package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity/db"
)

// The nodes and the memory of undoing another phone's proof.
const (
	nodeUndo     = "identity.undo"
	nodeUndoWhom = "identity.undo_whom"
	nodeUndone   = "identity.undone"
	keyNumber    = "identity.number"
	keyUndone    = "identity.undone"
	keyOfWhom    = "identity.of_whom" // the citizen whose phones were shut out, an id
)

// doUndo takes the word of a message. On a phone that several persons share it asks of whom,
// where the word does not say it.
func (s *Service) doUndo(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	typed := t.Get(keyNumber)
	citizen, err := s.accused(ctx, t.Caller, typed)
	if err != nil {
		return dialog.Next{}, err
	}
	outcome, err := s.Undo(ctx, t.Caller, typed)
	switch {
	case err != nil:
		return dialog.Next{}, err
	case outcome == UndoWhom:
		return dialog.Go(nodeUndoWhom), nil
	}
	return dialog.Done(nodeUndone, keyUndone, string(outcome), keyNumber, "", keyOfWhom, citizen), nil
}

// accused is the one citizen whom the caller's word is about, where the phone is one of several
// persons: then it is said. Empty: nobody is named.
func (s *Service) accused(ctx context.Context, c caller.Caller, typed string) (string, error) {
	q := db.New(s.DB.Reader())
	shared, err := s.isShared(ctx, q, s.phoneIndex(c.Phone))
	if err != nil || !shared {
		return "", err
	}
	told, err := s.told(ctx, q, c)
	if err != nil {
		return "", err
	}
	_, open := sift(told, asciiDigits(typed), typed == "", c.Now)
	if list := accusations(open); len(list) == 1 {
		return list[0].citizen, nil
	}
	return "", nil
}

// showUndoWhom asks which of those who share the phone the word is about.
func (s *Service) showUndoWhom(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	q := db.New(s.DB.Reader())
	told, err := s.told(ctx, q, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	_, open := sift(told, "", true, t.Caller.Now)
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("identity.undo_whom")}}
	for _, a := range accusations(open) {
		called, err := s.lastCalled(ctx, q, a.citizen)
		if err != nil {
			return dialog.Screen{}, err
		}
		screen.Options = append(screen.Options, dialog.Option{
			Label: dialog.Say("identity.undo_of", "called", called, "word", a.number), Next: dialog.Go(nodeUndo, keyNumber, a.number),
		})
	}
	return screen, nil
}

// lastCalled is what screens called a citizen last; "" where nothing says it any more.
func (s *Service) lastCalled(ctx context.Context, q *db.Queries, citizen string) (string, error) {
	row, err := q.LastCalled(ctx, citizen)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look what a person is called: %w", err)
	}
	return s.calledBy(db.GoodProofsRow{ID: row.ID, CalledSealed: row.CalledSealed})
}

// showUndone says what became of the word, and on a shared phone of whom it was.
func (s *Service) showUndone(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	outcome := Undone(t.Get(keyUndone))
	if outcome == "" {
		outcome = UndoNothing
	}
	screen := dialog.Screen{End: true}
	if citizen := t.Get(keyOfWhom); citizen != "" {
		called, err := s.lastCalled(ctx, db.New(s.DB.Reader()), citizen)
		if err != nil {
			return dialog.Screen{}, err
		}
		if called != "" {
			screen.Body = append(screen.Body, dialog.Raw("called", called))
		}
	}
	screen.Body = append(screen.Body, dialog.Say("identity.undo_"+string(outcome)))
	return screen, nil
}
