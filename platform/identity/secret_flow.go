package identity

import (
	"context"
	"errors"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/problem"
)

// The nodes and the memory of secrets.
const (
	nodeSecret     = "identity.secret"
	nodeSecretAsk  = "identity.secret_ask"
	nodeSecretOld  = "identity.secret_old"
	nodeSecretNew  = "identity.secret_new"
	nodeSecretDone = "identity.secret_done"

	keyGoal  = "identity.goal"  // what the current secret is asked for: goalChange or goalRemove
	keyKnown = "identity.known" // which secret was typed: when it was set
	keyDone  = "identity.done"  // what became of it: the key of a text
)

const (
	goalChange = "change"
	goalRemove = "remove"
)

// toSecret is the way to one's secret: who has one is proved strongly first.
var toSecret = dialog.Call(NodeStrong, nodeSecret, keyGoal, "", keyKnown, "")

// SecretOption leads to one's secret, from the menu of what is one's own.
var SecretOption = dialog.Option{Label: dialog.Say("identity.secret_entry"), Next: toSecret}

// secretWords lead to it too.
var secretWords = []string{"сырсөз", "менин сырсөзүм", "секретный код", "мой секретный код", "сменить секретный код", "my secret"}

// secretNodes are the screens of secrets.
func (s *Service) secretNodes(again dialog.Next) []dialog.Node {
	return []dialog.Node{
		{ID: nodeSecret, Show: s.showSecret, Resume: toSecret},
		{ID: nodeSecretAsk, Plain: showSecretAsk, Answer: s.answerSecret, Resume: again},
		{ID: nodeSecretOld, Plain: showSecretOld, Answer: s.answerSecretOld, Resume: toSecret},
		{ID: nodeSecretNew, Plain: showSecretNew, Answer: s.answerSecretNew, Resume: toSecret},
		{ID: nodeSecretDone, Plain: showSecretDone},
	}
}

// showSecret says whose secret it is about, and whether there is one.
func (s *Service) showSecret(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	citizen, err := s.strongly(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	has, err := s.hasSecret(ctx, t.Caller, citizen.ID)
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{}
	if citizen.Called != "" {
		screen.Body = append(screen.Body, dialog.Raw("called", citizen.Called))
	}
	if !has {
		screen.Body = append(screen.Body, dialog.Say("identity.secret_none"))
		screen.Options = []dialog.Option{{Label: dialog.Say("identity.secret_set"), Next: dialog.Go(nodeSecretNew)}}
		return About(screen, citizen.ID), nil
	}
	screen.Body = append(screen.Body, dialog.Say("identity.secret_has"))
	screen.Options = []dialog.Option{
		{Label: dialog.Say("identity.secret_change"), Next: dialog.Go(nodeSecretOld, keyGoal, goalChange)},
		{Label: dialog.Say("identity.secret_remove"), Next: dialog.Go(nodeSecretOld, keyGoal, goalRemove)},
	}
	return About(screen, citizen.ID), nil
}

// secretOfWhom is who is proved strongly, for what is typed behind the screen of a secret: it is
// theirs whom that named. Of somebody else's, proved meanwhile, the screen is shown anew.
func (s *Service) secretOfWhom(ctx context.Context, t *dialog.Turn) (Citizen, error) {
	citizen, err := s.strongly(ctx, t.Caller)
	if err != nil {
		return Citizen{}, err
	}
	if err := Same(t, citizen.ID); err != nil {
		return Citizen{}, dialog.BackTo(nodeSecret, err)
	}
	return citizen, nil
}

// showSecretAsk asks who holds the phone, of all who have a secret there.
func showSecretAsk(*dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("identity.ask_secret")}, Ask: dialog.AskSecret, Options: []dialog.Option{byNumbers, byEnrolment},
	}
}

func (s *Service) answerSecret(ctx context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
	_, err := s.ProveBySecret(ctx, t.Caller, input)
	if errors.Is(err, errSecretNone) { // it was cut or removed meanwhile
		return dialog.Go(NodeStart), nil
	}
	next := dialog.Return(keyWhy, "")
	next.Fresh = true
	return next, err
}

func showSecretOld(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("identity.ask_secret")}, Ask: dialog.AskSecret}
}

// answerSecretOld takes the secret that stands, for what it is asked for.
func (s *Service) answerSecretOld(ctx context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
	known := ""
	citizen, err := s.secretOfWhom(ctx, t)
	switch {
	case err != nil:
	case t.Get(keyGoal) == goalRemove:
		err = s.removeSecret(ctx, t.Caller, citizen, input)
	default:
		known, err = s.knowsSecret(ctx, t.Caller, citizen, input)
	}
	switch why := problem.From(err); {
	case err == nil && known == "":
		return dialog.Done(nodeSecretDone, keyDone, "identity.secret_gone", keyGoal, ""), nil
	case err == nil:
		return dialog.Go(nodeSecretNew, keyKnown, known), nil
	case why.Code == problem.Unproven || why.Code == problem.Weak || errors.Is(err, errSecretNone): // it was undone or removed meanwhile
		return toSecret, nil
	}
	return dialog.Next{}, err
}

func showSecretNew(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("identity.ask_secret_new", "n", SecretLeast)}, Ask: dialog.AskSecret}
}

// answerSecretNew sets a secret. One that stands has to be typed before.
func (s *Service) answerSecretNew(ctx context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
	citizen, err := s.secretOfWhom(ctx, t)
	if err == nil {
		err = s.setFrom(ctx, t.Caller, citizen, t.Get(keyKnown), input)
	}
	switch why := problem.From(err); {
	case err == nil:
		return dialog.Done(nodeSecretDone, keyDone, "identity.secret_kept", keyKnown, "", keyGoal, ""), nil
	case errors.Is(err, errSecretOld):
		return dialog.Go(nodeSecretOld, keyGoal, goalChange), nil
	case why.Code == problem.Unproven || why.Code == problem.Weak:
		return toSecret, nil
	}
	return dialog.Next{}, err
}

func showSecretDone(t *dialog.Turn) dialog.Screen {
	key := t.Get(keyDone)
	if key == "" {
		key = "identity.secret_kept"
	}
	return dialog.Screen{Body: []dialog.Message{dialog.Say(key)}}
}
