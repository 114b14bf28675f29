package preschool

import (
	"strings"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
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
		{
			Also: []string{
				"орун келди", "орун чыкты", "орун тийди", "орун сунушталды", "орун сунушташты", "орун берилди", "орун беришти", "орунду кабыл алам", "орун кабыл алам",
				"орундан баш тартам", "орундан баш тартуу", "предложили место", "предложено место", "место предложили", "предложение места", "дали место", "место дали",
				"выделили место", "пришло место", "место пришло", "принимаю место", "принять место", "отказываюсь от места", "отказ от места", "отказаться от места",
				"place offered", "offered place", "decline the place", "accept the place",
			},
			Weak: true, To: answer,
		},
		{Also: []string{"орун", "место"}, Weak: true, Alone: true, To: answer},
	}
}

// register is the way to a registration: whose the children are is proved first.
var register = dialog.Call(identity.NodeStart, "preschool.child", memChoices, "")

// answer is the way to what is offered; goOn where the conversation about an offer broke off.
var (
	answer = dialog.Call(identity.NodeStrong, "preschool.mine", memBroke, "")
	goOn   = dialog.Call(identity.NodeStrong, "preschool.mine", memBroke, "yes")
)

// What an offer is answered with in words, in Kyrgyz, Russian and English: plainly, and
// saying of what. Those of Latin letters that locales.Fold does not know are beside them.
var (
	yesWords = []string{
		"ооба", "макул", "макулбуз", "макулмун", "жарайт", "болот", "жакшы", "да", "хорошо", "ок", "окей", "согласна", "согласен", "согласны", "yes", "ok", "okay",
		"ooba", "makul", "da", "soglasna", "soglasen",
	}
	acceptWords = []string{
		"кабыл алам", "кабыл алабыз", "кабыл алуу", "кабыл алдым", "алам", "алабыз", "принимаю", "принимаем", "принять", "беру", "берем", "accept", "I accept",
		"kabyl alam", "kabyl alabyz", "prinimaiu", "prinimayu",
	}
	noWords      = []string{"жок", "жо", "нет", "неа", "no", "jok", "zhok", "net"}
	declineWords = []string{
		"баш тартам", "баш тартабыз", "баш тартуу", "баш тарттым", "орундан баш тартам", "керек эмес", "кереги жок", "орун керек эмес", "албайм", "албайбыз",
		"кабыл албайм", "кабыл албайбыз", "каалабайм", "макул эмес", "макул эмесмин", "макул эмеспиз", "болбойт", "жарабайт", "туура келбейт",
		"отказываюсь", "отказываемся", "отказаться", "отказ", "отказываюсь от места", "отказ от места", "не надо", "не нужно", "место не нужно", "не хочу",
		"не согласна", "не согласен", "не согласны", "не принимаю", "не беру", "не подходит", "decline", "I decline", "do not accept", "no thanks",
		"bash tartam", "otkazyvaius", "otkazyvayus", "ne nado",
	}
)

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
