package identity

import (
	"context"
	"errors"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// The nodes of a clerk's code, and of the numbers of a card where something else is asked
// for first.
const (
	nodeEnrol    = "identity.enrol"
	nodeEnrolled = "identity.enrolled"
	nodeNumbers  = "identity.numbers"
)

// enrolWords lead to the question for a clerk's code.
var enrolWords = []string{
	"оператордун коду", "операторду коду", "оператор коду", "код оператора", "код от оператора", "ЦОНдун коду", "код из цона", "код цона", "operator code",
}

// byEnrolment is the way to the question for a clerk's code.
var byEnrolment = dialog.Option{Label: dialog.Say("identity.by_enrolment"), Next: dialog.Go(nodeEnrol)}

// byNumbers leads from what is asked for first to the numbers of a card.
var byNumbers = dialog.Option{Label: dialog.Say("identity.by_numbers"), Next: dialog.Go(nodeNumbers)}

func showEnrol(*dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body:    []dialog.Message{dialog.Say("identity.ask_enrol", "n", EnrolDigits)},
		Ask:     dialog.AskSecret,
		Options: []dialog.Option{byNumbers},
	}
}

// showEnrolled says to who wanted nothing else that the code was taken.
func showEnrolled(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("identity.enrolled")}}
}

// answerEnrol takes a clerk's code.
func (s *Service) answerEnrol(ctx context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
	_, err := s.ProveByCode(ctx, t.Caller, input)
	if errors.Is(err, errEnrolVoid) {
		// A turn that crashed after its code was taken is answered again.
		citizen, proved, failure := s.Proof(ctx, t.Caller)
		if failure == nil && proved && citizen.Level == caller.LevelStrong {
			err = nil
		}
	}
	if err != nil {
		return dialog.Next{}, err
	}
	next := dialog.Return(keyWhy, "")
	next.Fresh = true // there is no way back to a code that was taken
	return next, nil
}
