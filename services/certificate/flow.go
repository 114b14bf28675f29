package certificate

import (
	"context"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
)

// The nodes of the conversation.
const (
	nodeMenu     = "certificate.menu"
	nodeKind     = "certificate.kind"
	nodeRequest  = "certificate.request"
	nodeDone     = "certificate.done"
	nodeVerify   = "certificate.verify"
	nodeVerified = "certificate.verified"
)

// What the conversation remembers.
const (
	keyKind   = "certificate.kind"
	keyNumber = "certificate.number"
	// keyScanned says that the code was verified, not the number alone.
	keyScanned = "certificate.scanned"
)

// prove leads to the kinds: whose the certificate is is proved first.
var prove = dialog.Call(identity.NodeStrong, nodeKind)

// Flow is the service's part of the conversation on USSD and SMS.
func (s *Service) Flow() dialog.Flow {
	return dialog.Flow{
		Name:  name,
		Entry: dialog.Option{Label: dialog.Say("certificate.entry"), Next: dialog.Go(nodeMenu)},
		Nodes: []dialog.Node{
			{ID: nodeMenu, Plain: s.showMenu, Menu: true},
			{ID: nodeKind, Show: s.showKinds, Resume: prove},
			{ID: nodeRequest, Do: s.doRequest},
			{ID: nodeDone, Plain: s.showDone},
			{ID: nodeVerify, Plain: s.showVerify, Answer: s.answerVerify},
			{ID: nodeVerified, Show: s.showVerified},
		},
		Commands: commands(),
		Shapes:   []dialog.Shape{{Read: findNumber, Ask: nodeVerify, Checked: true}},
		Scan:     s.scan(),
		Texted:   dialog.Say("certificate.texted"),
	}
}

func (s *Service) showMenu(*dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("certificate.menu")},
		Options: []dialog.Option{
			{Label: dialog.Say("certificate.get"), Next: prove},
			{Label: dialog.Say("certificate.check"), Next: dialog.Go(nodeVerify)},
		},
	}
}

func (s *Service) showKinds(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	citizen, _, err := s.Identity.Proof(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	var screen dialog.Screen
	if citizen.Called == "" { // whose it is says enough, and leaves the page to the choice
		screen.Body = []dialog.Message{dialog.Say("certificate.which")}
	}
	for _, kind := range Kinds() {
		screen.Options = append(screen.Options, dialog.Option{
			Label: dialog.Say(kind.TitleKey()), Next: dialog.Go(nodeRequest, keyKind, string(kind)),
		})
	}
	return identity.Named(screen, citizen, nodeKind), nil
}

// doRequest issues the certificate to whoever the phone proved to be.
func (s *Service) doRequest(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c := t.Caller
	citizen, proven, err := s.Identity.Proof(ctx, c)
	if err != nil {
		return dialog.Next{}, err
	}
	if !proven { // the proof ran out while the citizen chose
		return prove, nil
	}
	if err := identity.Same(t, citizen.ID); err != nil {
		return dialog.Next{}, dialog.BackTo(nodeKind, err)
	}
	c.Subject, c.Level = citizen.ID, citizen.Level
	certificate, err := s.Request(ctx, c, Kind(t.Get(keyKind)))
	if err != nil {
		return identity.Stronger(nodeRequest, err)
	}
	return dialog.Done(nodeDone, keyNumber, certificate.Number), nil
}

func (s *Service) showDone(t *dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("certificate.done", "certificate", ShowNumber(t.Get(keyNumber)))},
		End:  true,
	}
}

func (s *Service) showVerify(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("certificate.ask_number")}, Ask: dialog.AskNumber}
}

func (s *Service) answerVerify(_ context.Context, _ *dialog.Turn, input string) (dialog.Next, error) {
	return verified(input)
}

// showVerified answers for a number that was typed or texted.
func (s *Service) showVerified(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	view, err := s.Verify(ctx, t.Caller, t.Get(keyNumber))
	if err != nil {
		return dialog.Screen{}, err
	}
	kind := dialog.Say(view.Kind.TitleKey())
	if !view.Valid() {
		revoked := dialog.Say("certificate.revoked", "date", showDay(view.RevokedAt))
		return dialog.Screen{Body: []dialog.Message{revoked, kind}, End: true}, nil
	}
	proves := dialog.Say("certificate.number_only") // the number stands on a changed paper too
	if t.Get(keyScanned) != "" {
		proves = dialog.Say("certificate.code_genuine", "url", s.VerifyURL) // so may another one's code
	}
	return dialog.Screen{
		Body: []dialog.Message{
			dialog.Say("certificate.valid", "date", showDay(view.IssuedAt)),
			proves,
			kind,
			dialog.Say("certificate.holder", "initials", view.Initials, "year", view.BirthYear),
		},
		End: true,
	}, nil
}
