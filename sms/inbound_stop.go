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
// stands before any talk, but only as the whole message and letter by letter.
var (
	stopWords = []string{
		"stop", "stopall", "unsubscribe", "стоп", "токтот", "токтотуу", "токтоткула", "отписка", "отписаться", "отпишите",
	}
	startWords = []string{"start", "unstop", "subscribe", "баштоо", "башта", "старт", "подписка", "подписаться"}
)

// The other ways to say so. They count in every form and among polite words, but
// with nothing else in the message, and only where no question is open: "керек эмес"
// may be the answer to one.
var (
	stopPhrases = []string{
		"токтотуп кой", "токтотуп коюңуз", "токтотсоңуз", "жөнөтпө", "жөнөтпөңүз", "жөнөтпөгүлө", "жөнөтүүнү токтот", "жиберба", "жибербе", "жибербеңиз",
		"жазба", "жазбаңыз", "жазбагыла", "керек эмес", "кереги жок", "кажети жок", "жүдөтпөңүз", "тынчымды алба", "келбесин", "өчүрүү", "өчүр",
		"отпиши", "отписать", "не присылайте", "не присылай", "не присылать", "не отправляйте", "не отправляй", "не шлите", "не пишите", "не пиши", "не надо",
		"не нужно", "не нужна", "не нужны", "не хочу получать", "не хочу", "не беспокойте", "отключите", "отключить", "отключи", "отказ", "отказываюсь",
		"прекратите", "прекратить", "хватит", "остановите", "остановить", "остановись", "отмените", "отменить", "убрать", "уберите", "удалите",
		"перестаньте", "перестань", "надоели", "надоело", "уберите мой номер", "уберите номер", "удалите мой номер", "удалите номер", "удалить мой номер",
		"удали мой номер", "исключите мой номер", "исключите меня", "не хочу снова получать", "не хочу опять получать",
		"каалабайм", "каалабаймын", "каалабайбыз", "тажадым", "тажаттыңар", "жададым", "жадаттыңар", "номеримди өчүр", "номеримди өчүрүп салыңыз",
		"remove", "remove my number", "delete my number", "delete me", "cancel", "end", "quit", "do not send", "don't send", "do not text", "don't text",
		"do not message", "don't message", "no more", "opt out", "leave me alone",
	}
	startPhrases = []string{
		"башталсын", "кайра башта", "кайра кошуу", "күйгүз", "жөнөтө бер", "жөнөтө бериңиз", "возобновить", "возобновите", "включите", "включить", "включи",
		"начать", "начните", "верните", "вернуть", "подпишите", "подписать", "присылайте", "присылайте снова", "resume", "opt in",
		"снова получать", "хочу получать", "получать снова", "опять получать", "получать опять", "снова присылайте", "кайра жөнөт", "кайра алгым келет", "receive again",
	}
	// What is stopped, and how: it says nothing more.
	noticeWords = []string{
		"смс", "sms", "кабар", "кабарлар", "билдирүү", "эскертүү", "рассылка", "сообщение", "уведомление", "оповещение", "жарнама", "реклама", "подписка", "messages",
		"notices", "notifications", "больше", "мындан", "ары", "башка", "эч", "никогда", "никаких", "снова", "опять", "обратно", "кайра", "кайрадан", "пожалуйста",
		"спам", "спамить", "писать", "эми", "мындай", "бул", "ушул", "базы", "базадан", "it", "text", "texting", "spam", "spamming", "messaging", "list", "subscription",
		"мне", "меня", "я", "нам", "мага", "мени",
		"бизге", "сураныч", "суранам", "өтүнөм", "прошу", "хочу", "можно", "ваши", "ваша", "эти", "от", "на", "из", "me", "us", "your", "these", "the", "i", "want", "to", "send", "sending", "receive", "получать", "присылать", "жөнөтүү", "кой", "коюңуз", "тизмеден", "списка", "отправлять", "слать", "any", "from",
	}
)

// wishes are what such words ask for.
type wishes struct {
	exact map[string]*wish
	// loose finds the other words: 0 is about notices, the others are places in list.
	loose *locales.Lexicon
	list  []*wish
}

// wish is what a message that is one such word asks for.
type wish struct {
	do  effect
	key string // of the sentence that confirms it
	// firm says that it is letter by letter a word that stands before any talk.
	firm bool
}

// newWishes makes what a message may wish of the list; nil without one.
func newWishes(stops Stops) (*wishes, error) {
	if stops == nil {
		return nil, nil
	}
	lexicon, err := locales.NewLexicon(false)
	if err != nil {
		return nil, err
	}
	w := &wishes{exact: map[string]*wish{}, loose: lexicon, list: []*wish{nil}}
	faults := []error{w.learn(0, noticeWords)}
	for _, of := range []struct {
		do             effect
		key            string
		words, phrases []string
	}{
		{stops.Stop, "sms.stopped", stopWords, stopPhrases}, {stops.Start, "sms.started", startWords, startPhrases},
	} {
		w.list = append(w.list, &wish{do: of.do, key: of.key})
		for _, word := range of.words {
			w.exact[locales.Fold(word)] = &wish{do: of.do, key: of.key, firm: true}
		}
		faults = append(faults, w.learn(len(w.list)-1, of.words), w.learn(len(w.list)-1, of.phrases))
	}
	return w, errors.Join(faults...)
}

func (w *wishes) learn(id int, phrases []string) error {
	for _, phrase := range phrases {
		if other, taken := w.loose.Learn(id, phrase); taken && other != 0 && id != 0 {
			return fmt.Errorf("%q both stops and starts", phrase)
		}
	}
	return nil
}

// of finds what text asks for; nil for everything that belongs to a talk.
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
	var found *wish
	for _, match := range reading.Matches {
		if wish := w.list[match.ID]; wish != nil {
			if found != nil && found != wish {
				return nil // it asks for both
			}
			found = wish
		}
	}
	return found
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
func (in *Inbound) obey(ctx context.Context, m message, w *wish) error {
	text, err := in.say(ctx, m.Phone, w.key)
	if err != nil {
		return err
	}
	return in.reply(ctx, m, text, w.do)
}
