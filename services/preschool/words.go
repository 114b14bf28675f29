package preschool

import (
	"strings"

	"github.com/eshik-kg/eshik/platform/dialog"
)

// commands are the words that lead to the queue.
func commands() []dialog.Command {
	return []dialog.Command{
		{
			Words: []string{"кезек", "очередь", "kezek", "ochered", "queue"},
			Also: []string{
				"кезк", "бакча", "бала бакча", "балабакча", "балдар бакчасы", "садик", "детсад", "детский сад", "детского сада", "сад", "садике",
				"в садик", "дошкольное", "kindergarten", "preschool",
			},
			Ask: "preschool.ask_number", Bare: "preschool.menu", Digits: numberLength,
			Elsewhere: []string{
				"банк", "врач", "доктор", "больница", "поликлиника", "аптека", "магазин", "касса", "почта", "заправка", "паспорт", "пробка", "стою", "стоим",
				"дарыгер", "доктур", "оорукана", "дарыкана", "дүкөн", "күтүп", "күттүм", "bank", "doctor", "hospital", "shop", "waiting",
			},
		},
		{
			Also: []string{
				"катталуу", "каттоо", "катта", "каттал", "кезекке туруу", "кезекке тур", "кезекке кой", "записать", "запись", "записаться", "зарегистрировать",
				"регистрация", "встать на очередь", "встать в очередь", "поставить на очередь", "register", "registration",
			},
			Weak: true, To: register,
		},
	}
}

// register is the way to a registration: whose the children are is proved first.
var register = dialog.Call("identity.start", "preschool.child", memChoices, "")

// findNumber reads a piece of a text as a registration number: its prefix and its
// check digit tell it from other numbers.
func findNumber(piece string, _ bool) (string, bool) { return ParseNumber(piece) }

// How many digits are taken for a registration number's with some missing or too
// many: as many as begin as one does, and eleven of any kind.
const (
	leastMistyped = 8
	mostMistyped  = 13
)

// hint says what is wrong with a number that is none, and looks like a registration's.
func hint(number string) (dialog.Message, bool) {
	n := len(number)
	if !strings.HasPrefix(number, numberPrefix) && n != numberLength || n < leastMistyped || n > mostMistyped {
		return dialog.Message{}, false
	}
	if n != numberLength {
		return dialog.Say("preschool.like_short", "n", n), true
	}
	return dialog.Say("preschool.like_wrong"), true
}
