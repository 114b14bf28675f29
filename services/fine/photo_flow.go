package fine

import (
	"context"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
)

// The nodes in which a link to a fine's photo is asked for.
const (
	nodePhoto     = "fine.do_photo"
	nodePhotoSent = "fine.photo_sent"
)

func (s *Service) photoNodes() []dialog.Node {
	return []dialog.Node{{ID: nodePhoto, Do: s.doPhoto}, {ID: nodePhotoSent, Plain: showPhotoSent}}
}

// doPhoto sends the link: it is longer than a screen bears, and what it opens is kept out of the
// conversation.
func (s *Service) doPhoto(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, ok, err := identity.Acting(ctx, s.Identity, t, nodeWhich)
	if err != nil || !ok {
		return oneOf, err
	}
	if err := s.SendPhotoLink(ctx, c, t.Get(memoryPlate), t.Get(memoryBill)); err != nil {
		return identity.Stronger(nodePhoto, err)
	}
	return dialog.Done(nodePhotoSent), nil
}

func showPhotoSent(t *dialog.Turn) dialog.Screen {
	return say("fine.photo_sent", "n", linkMinutes(t.Caller.Now))
}
