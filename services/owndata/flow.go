package owndata

import (
	"context"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/mandate"
)

// The nodes of the conversation.
const (
	nodeMenu   = "owndata.menu"
	nodeUsages = "owndata.usages"
)

// shown is how many looks a screen tells of.
const shown = 3

// Flow is the service's part of the conversation on USSD and SMS.
func (s *Service) Flow() dialog.Flow {
	return dialog.Flow{
		Name:  name,
		Entry: dialog.Option{Label: dialog.Say("owndata.entry"), Next: dialog.Go(nodeMenu)},
		Nodes: append([]dialog.Node{
			{ID: nodeMenu, Plain: showMenu, Menu: true},
			{ID: nodeUsages, Show: s.showUsages, Resume: looked},
		}, s.eraseNodes()...),
		Commands: commands(),
	}
}

// looked is the way to who looked: whose data it is is proved first.
var looked = dialog.Call(identity.NodeStart, nodeUsages)

// commands are the words that lead here.
func commands() []dialog.Command {
	return []dialog.Command{
		{
			Words: []string{"ким көрдү", "кто смотрел", "kim kordu"},
			Also: []string{
				"ким карады", "маалыматымды ким көрдү", "маалыматымды ким карады", "кто видел", "кто видел мои данные", "кто смотрел мои данные", "кто запрашивал",
				"who looked", "who looked at my data",
			},
			Node: nodeUsages, To: looked,
		},
		{
			Also: []string{"жеке кабинет", "личный кабинет", "мои данные", "мои персональные данные", "персональные данные", "жеке маалыматтарым", "my data", "personal data"},
			Node: nodeMenu, Weak: true,
		},
		{
			Also: []string{
				"маалыматымды өчүр", "маалыматымды өчүрүү", "мен жөнүндө маалыматты өчүр", "удалить мои данные", "удалите мои данные", "удаление данных", "delete my data",
				"erase my data",
			},
			Node: nodeErase, To: erased,
		},
	}
}

func showMenu(*dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("owndata.menu")},
		Options: []dialog.Option{
			{Label: dialog.Say("owndata.who"), Next: looked},
			identity.SecretOption,
			mandate.Entry,
			{Label: dialog.Say("owndata.do_menu_erase"), Next: erased},
		},
	}
}

// showUsages tells of the last looks, the newest first.
func (s *Service) showUsages(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	list, _, err := s.Usages(ctx, c, 0, shown)
	if err != nil {
		return dialog.Screen{}, err
	}
	var screen dialog.Screen
	for _, u := range list {
		screen.Body = append(screen.Body, dialog.Say("owndata.usage",
			"at", clock.Moment(u.LogTime), "receiver", s.Texts.Text(c.Locale, u.Receiver.NameKey()), "look", u.Action))
	}
	return identity.Named(screen, citizen, nodeUsages), nil
}
