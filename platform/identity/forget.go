package identity

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity/db"
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

// calledContext binds a sealed name to its proof.
const calledContext = "identity.called/"

// called is the given name and the surname's initial: enough for those who share a phone,
// and little for whoever finds it.
func called(p registry.Person) string {
	initial, size := utf8.DecodeRuneInString(p.Surname)
	switch {
	case p.Name == "":
		return p.Surname
	case size == 0:
		return p.Name
	}
	return p.Name + " " + string(initial) + "."
}

// calledBy opens the name that a proof keeps; "" where it keeps none.
func (s *Service) calledBy(row db.LastProofRow) (string, error) {
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
	if citizen.Called == "" {
		return screen
	}
	screen.Body = append(screen.Body, dialog.Raw("called", citizen.Called))
	screen.Options = append(screen.Options, dialog.Option{Label: dialog.Say("identity.other"), Next: dialog.Call(nodeOther, node)})
	return screen
}

// Forget ends what the caller's phone proved. Its one-time codes stay: they show in whose
// hand the SIM is.
func (s *Service) Forget(ctx context.Context, c caller.Caller) error {
	if err := ownPhone(c); err != nil {
		return err
	}
	index := s.phoneIndex(c.Phone)
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := s.lapseProofs(ctx, db.New(tx), index, c.Now); err != nil {
			return err
		}
		return s.Trail.Leave(ctx, tx, s.checked(c, "forget", "done", index, index))
	})
	if err != nil {
		return fmt.Errorf("forget whom a phone was proved for: %w", err)
	}
	return nil
}

// doOther has somebody else of those who share the phone prove who they are.
func (s *Service) doOther(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	return dialog.Go(NodeStart), s.Forget(ctx, t.Caller)
}

func (s *Service) doForget(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	return dialog.Done(nodeForgotten), s.Forget(ctx, t.Caller)
}

func showForgotten(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("identity.forgotten")}}
}
