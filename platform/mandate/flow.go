package mandate

import (
	"context"
	"strconv"
	"strings"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// The nodes of the conversation.
const (
	nodeList    = "mandate.list"
	nodeOne     = "mandate.one"
	nodeGive    = "mandate.give"
	nodeEnd     = "mandate.end"
	nodeService = "mandate.service"
	nodeTerm    = "mandate.term"
	nodeNumber  = "mandate.number"
	nodeDone    = "mandate.done"
)

// What the conversation remembers.
const (
	keyID       = "mandate.id"
	keyServices = "mandate.services"
	keyDays     = "mandate.days"
	keyDone     = "mandate.done" // what became of it: the key of a text
)

// terms are for how many days one may ask by phone; an app may name any day.
var terms = []int{30, 365}

// toList is the way to one's mandates: whose they are is proved strongly first.
var toList = dialog.Call(identity.NodeStrong, nodeList)

// Entry leads to one's mandates, from the menu of what is one's own.
var Entry = dialog.Option{Label: dialog.Say("mandate.entry"), Next: toList}

// Flow is the mandates' part of the conversation. It has no line in the main menu: see Entry.
func (s *Service) Flow() dialog.Flow {
	return dialog.Flow{
		Name: ServiceName,
		Nodes: []dialog.Node{
			{ID: nodeList, Show: s.showList, Resume: toList},
			{ID: nodeOne, Show: s.showOne, Resume: toList},
			{ID: nodeGive, Do: s.doGive},
			{ID: nodeEnd, Do: s.doEnd},
			{ID: nodeService, Plain: s.showServices, Resume: toList},
			{ID: nodeTerm, Plain: showTerms, Resume: toList},
			{ID: nodeNumber, Plain: showNumber, Answer: s.answerNumber, Resume: toList},
			{ID: nodeDone, Plain: showDone},
		},
		Commands: []dialog.Command{{
			Also: []string{"ишеним кат", "ишеним каттар", "менин ишеним каттарым", "доверенность", "доверенности", "мои доверенности", "mandate", "my mandates"},
			Node: nodeList, To: toList,
		}},
	}
}

// showList lists one's mandates: what waits for one's answer first.
func (s *Service) showList(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	list, err := s.List(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	var screen dialog.Screen
	if len(list) == 0 {
		screen.Body = append(screen.Body, dialog.Say("mandate.none"))
	}
	for _, m := range list {
		screen.Options = append(screen.Options, dialog.Option{Label: label(m), Next: dialog.Go(nodeOne, keyID, m.ID)})
	}
	screen.Options = append(screen.Options, dialog.Option{Label: dialog.Say("mandate.ask"), Next: dialog.Go(nodeService)})
	return identity.Named(screen, citizen, nodeList), nil
}

// label is a mandate in a list.
func label(m Mandate) dialog.Message {
	switch {
	case m.Role == Giver && m.State == Asked:
		return dialog.Say("mandate.asks", "called", m.Called)
	case m.Role == Giver:
		return dialog.Say("mandate.gave", "called", m.Called)
	case m.State == Asked:
		return dialog.Say("mandate.waits", "tail", m.Tail)
	}
	return dialog.Say("mandate.holds", "called", m.Called)
}

// showOne shows a mandate and what may be done with it.
func (s *Service) showOne(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	m, err := s.find(ctx, c, t.Get(keyID))
	if err != nil {
		return dialog.Screen{}, err
	}
	args := []any{"called", m.Called, "tail", m.Tail, "services", s.services(c.Locale, m.Services), "date", lastDay(dbtime.From(m.Until))}
	screen := dialog.Screen{Confirms: m.Role == Giver && m.State == Asked}
	end := func(key, done string) dialog.Option {
		return dialog.Option{Label: dialog.Say(key), Next: dialog.Go(nodeEnd, keyDone, done)}
	}
	switch {
	case screen.Confirms:
		screen.Body = []dialog.Message{dialog.Say("mandate.asks_one", args...)}
		screen.Options = []dialog.Option{{Label: dialog.Say("mandate.do_give"), Next: dialog.Go(nodeGive)}, end("mandate.do_refuse", "mandate.refused")}
	case m.Role == Giver:
		screen.Body = []dialog.Message{dialog.Say("mandate.gave_one", args...)}
		screen.Options = []dialog.Option{end("mandate.do_end", "mandate.ended")}
	case m.State == Asked:
		screen.Body = []dialog.Message{dialog.Say("mandate.waits_one", args...)}
		screen.Options = []dialog.Option{end("mandate.do_withdraw", "mandate.withdrawn")}
	default:
		screen.Body = []dialog.Message{dialog.Say("mandate.holds_one", args...)}
		screen.Options = []dialog.Option{end("mandate.do_end", "mandate.ended")}
	}
	return identity.About(screen, citizen.ID), nil
}

// find is the mandate that was chosen from one's list.
func (s *Service) find(ctx context.Context, c caller.Caller, id string) (Mandate, error) {
	list, err := s.List(ctx, c)
	if err != nil {
		return Mandate{}, err
	}
	for _, m := range list {
		if m.ID == id {
			return m, nil
		}
	}
	return Mandate{}, ErrAbsent
}

// services are what services are called.
func (s *Service) services(loc locales.Locale, names []string) string {
	called := make([]string, len(names))
	for i, name := range names {
		called[i] = s.Texts.Text(loc, name+".mandate")
	}
	return strings.Join(called, ", ")
}

func (s *Service) doGive(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, proven, err := identity.Acting(ctx, s.Identity, t, nodeList)
	if err != nil || !proven {
		return toList, err
	}
	if _, err := s.Give(ctx, c, t.Get(keyID)); err != nil {
		return identity.Stronger(nodeGive, err)
	}
	return dialog.Done(nodeDone, keyDone, "mandate.given", keyID, ""), nil
}

func (s *Service) doEnd(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, proven, err := identity.Acting(ctx, s.Identity, t, nodeList)
	if err != nil || !proven {
		return toList, err
	}
	if err := s.End(ctx, c, t.Get(keyID)); err != nil {
		return identity.Stronger(nodeEnd, err)
	}
	return dialog.Done(nodeDone, keyID, ""), nil
}

// showServices asks for what one is to act.
func (s *Service) showServices(*dialog.Turn) dialog.Screen {
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("mandate.which")}}
	for _, name := range s.offered {
		screen.Options = append(screen.Options, dialog.Option{Label: dialog.Say(name + ".mandate"), Next: dialog.Go(nodeTerm, keyServices, name)})
	}
	if len(s.offered) > 1 {
		screen.Options = append(screen.Options, dialog.Option{
			Label: dialog.Say("mandate.all"), Next: dialog.Go(nodeTerm, keyServices, strings.Join(s.offered, " ")),
		})
	}
	return screen
}

func showTerms(*dialog.Turn) dialog.Screen {
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("mandate.term")}}
	for _, days := range terms {
		screen.Options = append(screen.Options, dialog.Option{
			Label: dialog.Say("mandate.days", "n", days), Next: dialog.Go(nodeNumber, keyDays, strconv.Itoa(days)),
		})
	}
	return screen
}

func showNumber(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("mandate.ask_number")}, Ask: dialog.AskPersonalNumber}
}

func (s *Service) answerNumber(ctx context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
	c, proven, err := identity.Acting(ctx, s.Identity, t, nodeList)
	if err != nil || !proven {
		return toList, err
	}
	days, err := strconv.Atoi(t.Get(keyDays))
	if err != nil {
		return toList, nil //nolint:nilerr // what was chosen is gone: it is chosen again
	}
	until := clock.Date(c.Now).AddDate(0, 0, min(days, policy.Value("longest.days", c.Now)))
	_, err = s.Ask(ctx, c, Wish{Number: input, Services: strings.Fields(t.Get(keyServices)), Until: until})
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Done(nodeDone, keyDone, "mandate.asked", keyServices, "", keyDays, ""), nil
}

func showDone(t *dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say(t.Get(keyDone))}, End: true}
}
