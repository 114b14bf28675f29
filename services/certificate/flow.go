package certificate

import (
	"context"
	"errors"

	"github.com/eshik-kg/eshik/platform/assurance"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
)

// The nodes of the conversation.
const (
	nodeMenu     = "certificate.menu"
	nodeKind     = "certificate.kind"
	nodeMore     = "certificate.more"
	nodeWhom     = "certificate.whom"
	nodeFor      = "certificate.for"
	nodeRequest  = "certificate.request"
	nodeDone     = "certificate.done"
	nodeVerify   = "certificate.verify"
	nodeVerified = "certificate.verified"
)

// What the conversation remembers.
const (
	keyKind   = "certificate.kind"
	keyNumber = "certificate.number"
	// keyChild is the Ref of the child of whom it is to be; "": one's own.
	keyChild = "certificate.child"
	// keyMandate is the id of the mandate whose giver it is to be of; "" and no child: one's own.
	keyMandate = "certificate.mandate"
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
		Nodes: append(s.shareNodes(), []dialog.Node{
			{ID: nodeMenu, Plain: s.showMenu, Menu: true},
			{ID: nodeKind, Show: s.showKinds, Resume: prove},
			{ID: nodeMore, Plain: s.showMore},
			{ID: nodeWhom, Do: s.doWhom},
			{ID: nodeFor, Show: s.showFor, Resume: prove},
			{ID: nodeRequest, Do: s.doRequest},
			{ID: nodeDone, Show: s.showDone},
			{ID: nodeVerify, Plain: s.showVerify, Answer: s.answerVerify},
			{ID: nodeVerified, Show: s.showVerified},
			{ID: nodeOthers, Plain: s.showOthers, Menu: true},
			{ID: nodeTakes, Show: s.showTakes},
		}...),
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
			{Label: dialog.Say("certificate.show"), Next: proveOwn},
			{Label: dialog.Say("certificate.others"), Next: dialog.Go(nodeOthers)},
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
	kinds, _ := s.offered()
	for _, kind := range kinds[:min(first, len(kinds))] {
		screen.Options = append(screen.Options, ordering(kind))
	}
	if len(kinds) > first {
		screen.Options = append(screen.Options, dialog.Option{Label: dialog.Say("certificate.more"), Next: dialog.Go(nodeMore)})
	}
	return identity.Named(screen, citizen, nodeKind), nil
}

// first is how many kinds the first screen has: on it is also who the certificate would be of, and that
// it is somebody else who holds the phone.
const first = 2

func ordering(kind Kind) dialog.Option {
	return dialog.Option{
		Label: dialog.Say(kind.TitleKey()), Next: dialog.Go(nodeWhom, keyKind, string(kind), keyChild, "", keyMandate, ""),
	}
}

// showMore lists the other kinds.
func (s *Service) showMore(*dialog.Turn) dialog.Screen {
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("certificate.which")}}
	kinds, _ := s.offered()
	for _, kind := range kinds[min(first, len(kinds)):] {
		screen.Options = append(screen.Options, ordering(kind))
	}
	return screen
}

// doWhom asks for whom the certificate is to be, if there is a choice.
func (s *Service) doWhom(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, proven, err := identity.Acting(ctx, s.Identity, t, nodeKind)
	if err != nil {
		return dialog.Next{}, err
	}
	if !proven {
		return prove, nil
	}
	children, err := s.Children(ctx, c)
	if errors.Is(err, assurance.ErrWeak) {
		return identity.Stronger(nodeWhom, err)
	}
	if err == nil && len(children) == 0 {
		held, err := s.Mandates.Under(ctx, c, name)
		if err != nil || len(held) == 0 {
			return dialog.Go(nodeRequest), err
		}
	}
	return dialog.Go(nodeFor), nil // also where the register does not say: it says so
}

// showFor offers the person, their children and those who gave them a mandate. Where the register of families does not
// answer, nobody is kept from what is their own.
func (s *Service) showFor(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	children, err := s.Children(ctx, c)
	asks := dialog.Say("certificate.for_whom")
	switch problem.From(err).Code {
	case problem.Unavailable, problem.Upstream, problem.TooMany:
		asks, err = dialog.Say("certificate.children_unknown"), nil
	}
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{Body: []dialog.Message{asks}, Options: []dialog.Option{
		{Label: dialog.Say("certificate.for_self"), Next: dialog.Go(nodeRequest, keyChild, "", keyMandate, "")},
	}}
	for i, label := range labels(children) {
		screen.Options = append(screen.Options, dialog.Option{
			Label: label, Next: dialog.Go(nodeRequest, keyChild, children[i].Ref, keyMandate, ""),
		})
	}
	held, err := s.Mandates.Under(ctx, c, name)
	if err != nil {
		return dialog.Screen{}, err
	}
	for _, m := range held {
		screen.Options = append(screen.Options, dialog.Option{
			Label: dialog.Raw("called", m.Called), Next: dialog.Go(nodeRequest, keyChild, "", keyMandate, m.ID),
		})
	}
	return identity.About(screen, citizen.ID), nil
}

// labels are what children are called to their parent, with the day of birth where two have
// one name.
func labels(children []Child) []dialog.Message {
	named := map[string]int{}
	for _, child := range children {
		named[child.Name]++
	}
	list := make([]dialog.Message, len(children))
	for i, child := range children {
		list[i] = dialog.Raw("child", child.Name)
		if named[child.Name] > 1 {
			list[i] = dialog.Say("certificate.child_born", "child", child.Name, "date", clock.ShowDate(child.Born))
		}
	}
	return list
}

// doRequest issues the certificate to whoever the phone proved to be.
func (s *Service) doRequest(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, proven, err := identity.Acting(ctx, s.Identity, t, nodeKind)
	if err != nil {
		return dialog.Next{}, err
	}
	if !proven { // the proof ran out while the citizen chose
		return prove, nil
	}
	certificate, err := s.request(ctx, c, order{kind: Kind(t.Get(keyKind)), child: t.Get(keyChild), mandate: t.Get(keyMandate)})
	if err != nil {
		return identity.Stronger(nodeRequest, err)
	}
	return dialog.Done(nodeDone, keyNumber, certificate.Number), nil
}

// showDone says the number, and of whom it is, if of somebody else.
func (s *Service) showDone(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	number := t.Get(keyNumber)
	if t.Get(keyChild) == "" && t.Get(keyMandate) == "" {
		return dialog.Screen{Body: []dialog.Message{dialog.Say("certificate.done", "certificate", ShowNumber(number))}, End: true}, nil
	}
	row, in, err := s.issued(ctx, number)
	if err != nil {
		return dialog.Screen{}, err
	}
	done := dialog.Say("certificate.done_child", "called", in.Child, "certificate", ShowNumber(number))
	return dialog.Screen{Body: []dialog.Message{done}, End: true, About: row.CitizenID}, nil
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
