package dialog

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/locales"
)

// menu is the engine's own part of every conversation: the language and the main menu.
func (e *Engine) menu() Flow {
	return Flow{
		Name: menuService,
		Nodes: []Node{
			{ID: nodeMain, Plain: e.showMain},
			{ID: nodeHelp, Plain: e.showHelp},
			{ID: nodeLanguage, Plain: e.showLanguage},
			{ID: nodeSpeak, Do: e.speak},
			{ID: nodeResume, Plain: showResume},
			{ID: nodeContinue, Do: e.resume},
		},
		Commands: e.menuCommands(),
	}
}

// menuCommands are the words for help, the menu and the language. What is asked for
// besides help ("help me with a fine") comes first.
func (e *Engine) menuCommands() []Command {
	speak := func(loc locales.Locale) Next { return Go(nodeSpeak, "locale", string(loc)) }
	return []Command{
		{
			Words: []string{"жардам", "помощь", "help", "jardam"},
			Also: []string{
				"помогите", "помоги", "помогите разобраться", "инфо", "info", "инструкция", "команды", "команда", "буйруктар", "жардам бер",
				"что писать", "что можно", "как пользоваться", "эмне жазам", "эмне жазуу", "кантип колдонуу",
			},
			Node: nodeHelp, Weak: true,
		},
		{Words: []string{"меню", "menu"}, Also: []string{"башкы меню", "главное меню", "main menu", "башкы бет", "главная"}, Node: nodeMain, Weak: true},
		{Words: []string{"тил", "язык", "til", "language"}, Also: []string{"тилди тандоо", "тил тандоо", "тилди өзгөртүү", "сменить язык", "выбрать язык", "поменять язык"}, Node: nodeLanguage, Weak: true},
		{
			Also: []string{"кыргызча", "кыргыз тили", "кыргыз тилинде", "кыргыз", "кыргызский", "кыргызский язык", "кыргызском", "киргизский", "kyrgyz"},
			Node: nodeSpeak, Weak: true, To: speak(locales.KY), latin: speak(locales.KYLatn),
		},
		{
			Also: []string{"орусча", "орус тили", "орус тилинде", "русский", "русский язык", "русском", "русски", "russian", "русча"},
			Node: nodeSpeak, Weak: true, To: speak(locales.RU),
		},
	}
}

func (e *Engine) showMain(*Turn) Screen {
	screen := Screen{Body: []Message{Say("dialog.main_title")}, Options: make([]Option, 0, len(e.services)+1)}
	for _, service := range e.services {
		if service.Entry.Label.Key != "" {
			screen.Options = append(screen.Options, service.Entry)
		}
	}
	screen.Options = append(screen.Options, Option{Label: Say("dialog.language_option"), Next: Go(nodeLanguage)})
	return screen
}

// languages are offered in this order, each in its own words.
var languages = []struct {
	locale locales.Locale
	label  string
}{
	{locales.KY, "dialog.language_ky"}, {locales.RU, "dialog.language_ru"}, {locales.KYLatn, "dialog.language_latin"},
}

func (e *Engine) showLanguage(*Turn) Screen {
	screen := Screen{Body: []Message{Say("dialog.language_title")}}
	for _, l := range languages {
		screen.Options = append(screen.Options, Option{Label: Say(l.label), Next: Go(nodeSpeak, "locale", string(l.locale))})
	}
	return screen
}

// speak remembers the chosen language; doing it twice is doing it once.
func (e *Engine) speak(ctx context.Context, t *Turn) (Next, error) {
	loc := locales.Locale(t.Get("locale"))
	if e.options.Profiles != nil && t.Caller.Phone != "" {
		if err := e.options.Profiles.SetLocale(ctx, t.Caller.Phone, loc, t.Caller.Session); err != nil {
			return Next{}, fmt.Errorf("remember the language: %w", err)
		}
	}
	t.state.Locale = loc
	t.Caller.Locale = loc
	return Done(nodeMain), nil
}
