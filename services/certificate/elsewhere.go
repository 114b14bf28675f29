package certificate

import (
	"context"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/problem"
)

// Certificates that are not issued here: who asks for one is told where it is to be had, what it
// costs and how long it takes, as far as anybody says so.

const (
	nodeOthers = "certificate.others"
	nodeTakes  = "certificate.takes"
)

// keyOther is the kind that nodeTakes tells of.
const keyOther = "certificate.other"

// AtKey names the text that says where a certificate is to be had that is not issued here.
func (e Entry) AtKey() string { return "certificate.at_" + e.Register }

// refusal is why a kind is not issued here and now; nil: it is.
func (s *Service) refusal(k Kind) error {
	switch _, listed := k.entry(); {
	case !listed:
		return problem.New(problem.Invalid, "problem.certificate_kind")
	case !s.Offered(k):
		return problem.New(problem.Conflict, "problem.certificate_elsewhere")
	}
	return nil
}

func (s *Service) showOthers(*dialog.Turn) dialog.Screen {
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("certificate.others_which")}}
	_, others := s.offered()
	for _, kind := range others {
		screen.Options = append(screen.Options, dialog.Option{Label: dialog.Say(kind.TitleKey()), Next: takes(kind)})
	}
	return screen
}

func takes(kind Kind) dialog.Next { return dialog.Go(nodeTakes, keyOther, string(kind)) }

// showTakes says what a certificate takes that is not issued here.
func (s *Service) showTakes(_ context.Context, t *dialog.Turn) (dialog.Screen, error) {
	kind, ok := Kind(t.Get(keyOther)).entry()
	if !ok {
		return dialog.Screen{}, problem.New(problem.Invalid, "problem.certificate_kind")
	}
	body := []dialog.Message{dialog.Say(kind.Code.TitleKey()), dialog.Say(kind.AtKey())}
	switch {
	case kind.Price == nil || kind.Mapping != "": // its register is not connected: what we would take says nothing
		body = append(body, dialog.Say("certificate.takes_unknown"))
	case kind.Price.Tyiyn == 0:
		body = append(body, dialog.Say("certificate.takes_free", "n", kind.Price.Days))
	}
	if kind.Urgent != nil {
		body = append(body, dialog.Say("certificate.takes_urgent", "n", kind.Urgent.Hours))
	}
	return dialog.Screen{Body: body, End: true}, nil
}
