package sms

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/store"
)

// Stops is the list of phones that want no notices, as the outbox keeps it.
type Stops interface {
	Stop(ctx context.Context, tx *store.Tx, phone string) error
	Start(ctx context.Context, tx *store.Tx, phone string) error
}

// effect is what a message changes, in the transaction of its answer.
type effect func(ctx context.Context, tx *store.Tx, phone string) error

// The words that end notices, and that bring them back. They are law and habit: each
// stands before any conversation, but only as the whole message; so do their forms and what
// clearly speaks of messages ("не присылайте", "хватит смс").
var (
	stopWords = []string{
		"stop", "stopall", "unsubscribe", "стоп", "токтот", "токтотуу", "токтоткула", "отписка", "отписаться", "отпишите",
	}
	startWords = []string{"start", "unstop", "subscribe", "баштоо", "башта", "старт", "подписка", "подписаться"}
)

// The other ways to say so. They count in every form and among polite words, but
// with nothing else in the message.
var (
	stopPhrases = []string{
		"токтотуп кой", "токтотуп коюңуз", "токтотсоңуз", "жөнөтпө", "жөнөтпөңүз", "жөнөтпөгүлө", "жөнөтүүнү токтот", "жиберба", "жибербе", "жибербеңиз",
		"отпиши", "отписать", "не присылайте", "не присылай", "не присылать", "не отправляйте", "не отправляй", "не шлите", "не хочу получать",
		"не хочу снова получать", "не хочу опять получать", "уберите мой номер", "уберите номер", "удалите мой номер", "удалите номер", "удалить мой номер",
		"удали мой номер", "исключите мой номер", "исключите меня", "номеримди өчүр", "номеримди өчүрүп салыңыз",
		"do not send", "don't send", "do not text", "don't text", "do not message", "don't message", "opt out", "remove my number", "delete my number", "delete me",
	}
	startPhrases = []string{
		"башталсын", "кайра башта", "кайра кошуу", "күйгүз", "жөнөтө бер", "жөнөтө бериңиз", "возобновить", "возобновите", "включите", "включить", "включи",
		"начать", "начните", "верните", "вернуть", "подпишите", "подписать", "присылайте", "присылайте снова", "resume", "opt in",
		"снова получать", "хочу получать", "получать снова", "опять получать", "получать опять", "снова присылайте", "кайра жөнөт", "кайра алгым келет", "receive again",
	}
	// These refuse something, and do not say what: while a screen waits for an answer
	// they are about what it shows, unless the message speaks of messages.
	softPhrases = []string{
		"жазба", "жазбаңыз", "жазбагыла", "керек эмес", "кереги жок", "кажети жок", "жүдөтпөңүз", "тынчымды алба", "келбесин", "өчүрүү", "өчүр", "баш тартам",
		"не пишите", "не пиши", "не надо", "не нужно", "не нужна", "не нужны", "не хочу", "не беспокойте", "отключите", "отключить", "отключи", "отказ",
		"отказываюсь", "прекратите", "прекратить", "хватит", "остановите", "остановить", "остановись", "убрать", "уберите", "удалите",
		"перестаньте", "перестань", "надоели", "надоело", "каалабайм", "каалабаймын", "каалабайбыз", "тажадым", "тажаттыңар", "жададым", "жадаттыңар",
		"remove", "cancel", "end", "quit", "no more", "leave me alone",
	}
	// These leave what is under way in a conversation; only with what is stopped do they stop it.
	cancelWords = []string{"отмена", "отмените", "отменить"}
	// What is stopped.
	thingWords = []string{
		"смс", "sms", "кабар", "кабарлар", "билдирүү", "эскертүү", "рассылка", "сообщение", "уведомление", "оповещение", "жарнама", "реклама", "подписка",
		"messages", "notices", "notifications", "получать", "присылать", "отправлять", "слать", "receive", "спам", "спамить",
		"писать", "text", "texting", "spam", "spamming", "messaging", "subscription",
	}
	// How it is said: it says nothing more.
	politeWords = []string{
		"больше", "мындан", "ары", "башка", "эч", "никогда", "никаких", "снова", "опять", "обратно", "кайра", "кайрадан", "пожалуйста",
		"эми", "мындай", "бул", "ушул", "базы", "базадан", "it",
		"мне", "меня", "я", "нам", "мага", "мени",
		"бизге", "сураныч", "суранам", "өтүнөм", "прошу", "хочу", "можно", "ваши", "ваша", "эти", "от", "на", "из", "me", "us", "your", "these", "the", "i",
		"want", "to", "send", "sending", "жөнөтүү", "кой", "коюңуз", "тизмеден", "списка", "any", "from", "list",
	}
)

// wishes are what such words ask for.
type wishes struct {
	exact map[string]*wish
	// loose finds the other words: each has its place in list.
	loose *locales.Lexicon
	list  []*wish
}

// wish is what a message that is one such word asks for.
type wish struct {
	do  effect
	key string // of the sentence that confirms it
	// firm says that it stands before any conversation; what does not is the answer of a screen
	// that waits for one.
	firm bool
}

// The first places in wishes.list: words that are no wish by themselves.
const (
	aboutPolite = iota
	aboutThings
	aboutCancel
	firstWish
)

// newWishes makes what a message may wish of the list; nil without one.
func newWishes(stops Stops) (*wishes, error) {
	if stops == nil {
		return nil, nil
	}
	lexicon, err := locales.NewLexicon(false)
	if err != nil {
		return nil, err
	}
	w := &wishes{exact: map[string]*wish{}, loose: lexicon, list: make([]*wish, firstWish)}
	faults := []error{w.learn(aboutPolite, politeWords), w.learn(aboutThings, thingWords), w.learn(aboutCancel, cancelWords)}
	for _, of := range []struct {
		do                   effect
		key                  string
		words, phrases, soft []string
	}{
		{stops.Stop, "sms.stopped", stopWords, stopPhrases, softPhrases}, {stops.Start, "sms.started", startWords, nil, startPhrases},
	} {
		firm, soft := &wish{do: of.do, key: of.key, firm: true}, &wish{do: of.do, key: of.key}
		for _, word := range of.words {
			w.exact[locales.Fold(word)] = firm
		}
		w.list = append(w.list, firm, soft)
		faults = append(faults, w.learn(len(w.list)-2, of.words), w.learn(len(w.list)-2, of.phrases), w.learn(len(w.list)-1, of.soft))
	}
	return w, errors.Join(faults...)
}

func (w *wishes) learn(id int, phrases []string) error {
	for _, phrase := range phrases {
		if other, taken := w.loose.Learn(id, phrase); taken && other >= firstWish && id >= firstWish {
			return fmt.Errorf("%q asks for two things", phrase)
		}
	}
	return nil
}

// of finds what text asks for; nil for everything that belongs to a conversation.
func (w *wishes) of(text string) *wish {
	if w == nil {
		return nil
	}
	text = together(text)
	word := locales.Fold(strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }))
	if firm := w.exact[word]; firm != nil {
		return firm
	}
	reading := w.loose.Read(text)
	for _, token := range reading.Tokens {
		if token.Sense != locales.Meant && token.Sense != locales.Greeting {
			return nil
		}
	}
	return w.asked(reading.Matches)
}

// asked is the one wish among the phrases of a message.
func (w *wishes) asked(matches []locales.Match) *wish {
	var found *wish
	about := map[int]bool{}
	for _, match := range matches {
		about[match.ID] = true
		wish := w.list[match.ID]
		if match.ID == aboutCancel {
			wish = w.list[firstWish]
		}
		if wish == nil {
			continue
		}
		if found != nil && found.key != wish.key {
			return nil // it asks for both
		}
		if found == nil || wish.firm {
			found = wish
		}
	}
	if found == nil || about[aboutCancel] && !about[aboutThings] {
		return nil
	}
	return &wish{do: found.do, key: found.key, firm: found.firm || about[aboutThings]}
}

// together joins a word that was typed with a space or a dot between its letters:
// "S T O P" is "STOP".
func together(text string) string {
	letters := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, letter := range letters {
		if utf8.RuneCountInString(letter) != 1 {
			return text
		}
	}
	return strings.Join(letters, "")
}

// obey does what the citizen wishes and confirms it once.
func (in *Inbound) obey(ctx context.Context, m message, x *exchange, w *wish) error {
	text, err := in.say(ctx, m.Phone, w.key)
	if err != nil {
		return err
	}
	if x != nil {
		x.unclear = 0
	}
	return in.replyTo(ctx, reply{message: m, text: text, do: w.do, exchange: x})
}
