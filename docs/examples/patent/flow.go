package patent

import (
	"context"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// Flow is the service's part of the conversation.
func (s *Service) Flow() dialog.Flow {
	return dialog.Flow{
		Name:  "patent",
		Entry: dialog.Option{Label: dialog.Say("patent.entry"), Next: dialog.Go("patent.kind")},
		Nodes: []dialog.Node{
			{ID: "patent.kind", Show: s.showKinds},
			{ID: "patent.person", Plain: s.showPerson, Answer: s.takePerson},
			{ID: "patent.confirm", Show: s.showConfirm, Resume: dialog.Go("patent.person")},
			{ID: "patent.issue", Do: s.issue},
			{ID: "patent.done", Plain: s.showDone},
		},
		Commands: []dialog.Command{{Words: []string{"патент"}, Node: "patent.kind"}},
	}
}

// showKinds is a menu: each option leads on and notes what was chosen.
func (s *Service) showKinds(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	activities, err := s.Register.Activities(ctx)
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("patent.which")}}
	for _, a := range activities {
		screen.Options = append(screen.Options, dialog.Option{
			Label: dialog.Raw("activity", a.Name[t.Caller.Locale.Language()]),
			Next:  dialog.Go("patent.person", "activity", a.Code),
		})
	}
	return screen, nil
}

// showPerson asks, and says that the answer is a personal number.
func (s *Service) showPerson(*dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("patent.ask_person")},
		Ask:  dialog.AskPersonalNumber,
	}
}

// takePerson keeps whom the number belongs to, and forgets the number.
func (s *Service) takePerson(ctx context.Context, _ *dialog.Turn, input string) (dialog.Next, error) {
	ref, err := s.Register.Person(ctx, input)
	if err != nil {
		return dialog.Next{}, err // a problem is shown above the same question
	}
	return dialog.Go("patent.confirm", "person", ref), nil
}

// showConfirm says what will happen before it does.
func (s *Service) showConfirm(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	activities, err := s.Register.Activities(ctx)
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{
		Options: []dialog.Option{{Label: dialog.Say("patent.get"), Next: dialog.Go("patent.issue")}},
	}
	for _, a := range activities {
		if a.Code == t.Get("activity") {
			screen.Body = []dialog.Message{
				dialog.Raw("activity", a.Name[t.Caller.Locale.Language()]),
				dialog.Say("patent.price", "amount", a.Som),
			}
		}
	}
	return screen, nil
}

// issue is the effect. The turn is its key: a gateway that sends the turn again
// gets the same patent, not a second one.
func (s *Service) issue(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	made, err := s.Register.Issue(ctx, t.Key(), t.Get("person"), t.Get("activity"))
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Done("patent.done", "number", made.Number, "until", clock.Day(made.Until)), nil
}

// showDone ends the conversation.
func (s *Service) showDone(t *dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("patent.issued", "number", t.Get("number"), "date", t.Get("until"))},
		End:  true,
	}
}
