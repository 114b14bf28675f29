package identity

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
)

// A phone is shared: what it proved for one of a family must not be taken for another's.
// So every screen that rests on a proof names whom it is of, and leads to another proof.
const (
	nodeOther     = "identity.other"
	nodeForget    = "identity.forget"
	nodeForgotten = "identity.forgotten"
)

// forgetWords have the phone forget whom it was proved for.
var forgetWords = []string{"чыгуу", "мени унут", "башка киши", "выход", "выйти", "забудь меня", "другой человек"}

// errChanged is where a phone proved somebody else, in an app or by SMS, while a screen
// named the one before.
var errChanged = problem.New(problem.Conflict, "problem.identity_changed")

// calledContext binds a sealed name to its proof.
const calledContext = "identity.called/"

// called is what a person is called.
func called(p registry.Person) string { return Called(p.Name, p.Surname) }

// Called is the given name and the surname's initial: enough for those who share a phone,
// and little for whoever finds it.
func Called(name, surname string) string {
	initial, size := utf8.DecodeRuneInString(surname)
	switch {
	case name == "":
		return surname
	case size == 0:
		return name
	}
	return name + " " + string(initial) + "."
}

// calledBy opens the name that a proof keeps; "" where it keeps none.
func (s *Service) calledBy(row db.GoodProofsRow) (string, error) {
	if len(row.CalledSealed) == 0 {
		return "", nil
	}
	name, err := s.Sealer.Open(row.CalledSealed, calledContext+row.ID)
	if err != nil {
		return "", fmt.Errorf("open the name of a proof: %w", err)
	}
	return string(name), nil
}

// Named says on a screen that rests on a citizen's proof whose it is, and lets somebody
// else prove who they are; the screen is at node.
func Named(screen dialog.Screen, citizen Citizen, node string) dialog.Screen {
	if citizen.Called != "" {
		screen.Body = append(screen.Body, dialog.Raw("called", citizen.Called))
		screen.Options = append(screen.Options, dialog.Option{Label: dialog.Say("identity.other"), Next: dialog.Call(nodeOther, node)})
	}
	return About(screen, citizen.ID)
}

// About says which citizen (an id) a screen tells of: who has another one proved meanwhile, or
// none, is not shown it. The conversation remembers it, for Same.
func About(screen dialog.Screen, citizen string) dialog.Screen {
	screen.About = citizen
	return screen
}

// Same refuses where the phone proved somebody else since the screen that was About a
// citizen, however that was left. The problem belongs above a screen that names the one it proved now.
func Same(t *dialog.Turn, citizen string) error {
	if about := t.About(); about != "" && about != citizen {
		return errChanged
	}
	return nil
}

// Forget ends what the caller's phone proved, in whichever session. Its one-time codes stay: they show in whose
// hand the SIM is. A proof under way, in an app say, comes to nothing.
func (s *Service) Forget(ctx context.Context, c caller.Caller) error {
	if err := ownPhone(c); err != nil {
		return err
	}
	index := s.phoneIndex(c.Phone)
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := s.lapseProofs(ctx, q, index, c.Now); err != nil {
			return err
		}
		if err := q.WipeAttemptsOf(ctx, db.WipeAttemptsOfParams{PinSealed: []byte{}, PhoneIndex: index}); err != nil {
			return err
		}
		for _, t := range s.ties {
			if tie, sent := t.(ForgetTie); sent {
				if err := tie.Forgets(ctx, tx, c.Phone, c.Now); err != nil {
					return err
				}
			}
		}
		return s.Trail.Leave(ctx, tx, s.checked(c, "forget", "done", index, index))
	})
	if err != nil {
		return fmt.Errorf("forget whom a phone was proved for: %w", err)
	}
	return nil
}

// doOther has somebody else of those who share the phone prove who they are. Where that
// happened elsewhere, the screen names them by now.
func (s *Service) doOther(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	citizen, proved, err := s.Proof(ctx, t.Caller)
	if err != nil || proved && Same(t, citizen.ID) != nil {
		return dialog.Return(), err
	}
	return dialog.Go(NodeStart), s.Forget(ctx, t.Caller)
}

func (s *Service) doForget(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	return dialog.Done(nodeForgotten), s.Forget(ctx, t.Caller)
}

func showForgotten(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("identity.forgotten")}}
}
