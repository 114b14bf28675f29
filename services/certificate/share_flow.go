package certificate

import (
	"context"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
)

// The nodes of what a person holds, and lets an office see.
const (
	nodeOwn      = "certificate.own"
	nodeShare    = "certificate.do_share"
	nodeShared   = "certificate.shared"
	nodeUnshare  = "certificate.do_unshare"
	nodeUnshared = "certificate.unshared"
)

// proveOwn leads to the certificates that a person holds.
var proveOwn = dialog.Call(identity.NodeStrong, nodeOwn)

func (s *Service) shareNodes() []dialog.Node {
	return []dialog.Node{
		{ID: nodeOwn, Show: s.showOwn, Resume: proveOwn},
		{ID: nodeShare, Do: s.doShare},
		{ID: nodeShared, Show: s.showShared, Resume: proveOwn},
		{ID: nodeUnshare, Do: s.doUnshare},
		{ID: nodeUnshared, Plain: func(*dialog.Turn) dialog.Screen {
			return dialog.Screen{Body: []dialog.Message{dialog.Say("certificate.unshared")}, End: true}
		}},
	}
}

// showOwn lists the certificates that stand, the newest first.
func (s *Service) showOwn(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	all, err := s.List(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	var screen dialog.Screen
	if citizen.Called == "" { // whose they are says enough, and leaves the page to the choice
		screen.Body = []dialog.Message{dialog.Say("certificate.which")}
	}
	for _, held := range all {
		if held.State == Issued {
			screen.Options = append(screen.Options, dialog.Option{Label: s.itemOf(t.Caller.Locale, held), Next: dialog.Go(nodeShare, keyNumber, held.Number)})
		}
	}
	if len(screen.Options) == 0 {
		screen.Body = []dialog.Message{dialog.Say("certificate.own_none")}
		screen.Options = []dialog.Option{{Label: dialog.Say("certificate.get"), Next: prove}}
	}
	return identity.Named(screen, citizen, nodeOwn), nil
}

// itemOf names a certificate in a list: its kind, and of whom it is or else when it was issued.
func (s *Service) itemOf(loc locales.Locale, held Certificate) dialog.Message {
	title := s.Texts.Text(loc, held.Kind.TitleKey())
	if called := held.Child + held.Giver; called != "" { // one of the two is empty
		return dialog.Say("certificate.own_child", "title", title, "called", called)
	}
	return dialog.Say("certificate.own_item", "title", title, "date", clock.Day(held.IssuedAt))
}

// doShare makes the code.
func (s *Service) doShare(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, proven, err := identity.Acting(ctx, s.Identity, t, nodeOwn)
	if err != nil {
		return dialog.Next{}, err
	}
	if !proven {
		return proveOwn, nil
	}
	if _, err := s.Share(ctx, c, t.Get(keyNumber)); err != nil {
		return identity.Stronger(nodeShare, err)
	}
	return dialog.Done(nodeShared), nil
}

// showShared shows what to tell an office.
func (s *Service) showShared(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	made, err := s.Shared(ctx, c, t.Get(keyNumber))
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{
		Body: []dialog.Message{
			dialog.Say("certificate.shared", "certificate", ShowNumber(made.Number), "share", made.Code),
			dialog.Say("certificate.shared_until", "until", clock.Moment(made.ExpiresAt), "url", s.VerifyURL),
		},
		Options: []dialog.Option{{Label: dialog.Say("certificate.unshare"), Next: dialog.Go(nodeUnshare)}},
	}
	return identity.About(screen, citizen.ID), nil
}

// doUnshare ends the code.
func (s *Service) doUnshare(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, proven, err := identity.Acting(ctx, s.Identity, t, nodeOwn)
	if err != nil {
		return dialog.Next{}, err
	}
	if !proven {
		return proveOwn, nil
	}
	if err := s.Unshare(ctx, c, t.Get(keyNumber)); err != nil {
		return identity.Stronger(nodeUnshare, err)
	}
	return dialog.Done(nodeUnshared), nil
}
