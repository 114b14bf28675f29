package dialog

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
)

// words are the commands of the services, as they declare them.
var words = []Flow{{
	Name: "trial",
	Commands: []Command{
		{Words: []string{"айып", "штраф"}, Node: "fine"},
		{Words: []string{"кезек", "очередь"}, Node: "queue"},
		{Words: []string{"маалымкат", "справка"}, Node: "certificate"},
	},
}, {
	Name: "other", Commands: []Command{{Words: []string{"текшер", "проверить"}, Node: "check", Weak: true}},
}}

func wordsEngine(t testing.TB) *Engine {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, words...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// spellings are how people write each command, by the language they meant: in long
// words with a typo, in short ones only as they sound (findings B6, B10).
var spellings = map[string]map[string]string{
	"ky": {
		"fine":  "айып АЙЫП Айып аийп айыпп айып: #айып «айып» \"айып\" АЙЫП! *айып айыб аайып аып айып, aйып айыптар айыбым айыптарым айыптарымды айыпты",
		"queue": "кезек КЕЗЕК Кезек кезег кезекк кезек кeзeк кезeк #кезек кезек. (кезек) кезегим кезекти кезегимди кезекке кезектеги",
		"certificate": "маалымкат МААЛЫМКАТ малымкат маалымкад маалымкта маалымкаат маалымкать маалимкат маалымкаттар маалымкаттарым " +
			"мааалымкат маалымка аалымкат маалымгат мaaлымкат /маалымкат маалымқат",
		"check": "текшер ТЕКШЕР текшерр текше тешкер текшэр текщер тeкшер тэкшер текшар текшөр екшер #текшер текшер! текшерүү текшериңиз текшеруу " +
			"текшерип текшергиле текшерсеңиз текшердим текшериңизчи",
		nodeHelp:     "жардам ЖАРДАМ жардамм жрдам жардм жаардам зардам жордам жардан жадрам #жардам жардам? жaрдaм",
		nodeMain:     "меню МЕНЮ",
		nodeLanguage: "тил ТИЛ тил. «тил» тiл тилди",
	},
	"ru": {
		"fine":  "штраф ШТРАФ Штраф штрафф штраф: щтраф штрав штраф, #штраф штрaф «штраф» *штраф штраф! шттраф штрафы штрафов штрафам штрафу",
		"queue": "очередь ОЧЕРЕДЬ Очередь очередъ очеред очиредь очередт ачередь очердь очереедь очеердь #очередь очерeдь оччередь очереди",
		"certificate": "справка СПРАВКА Справка справк справкаа спавка справака српавка зправка справко спраака справкя " +
			"#справка справка. спрaвка справкы справки справку справкой справкам",
		"check": "проверить ПРОВЕРИТЬ Проверить проверит провирить праверить проверитъ проверть провеить " +
			"проверрить #проверить прoверить проверьте проверяйте проверь",
		nodeHelp:     "помощь ПОМОЩЬ помощ помощъ памощь помошь помощьь поомощь помщь #помощь помoщь помощи",
		nodeLanguage: "язык ЯЗЫК языкк язик языг #язык язык. яззык языки",
	},
	"Latin": {
		"fine":  "aiyp AIYP ayyp ayip aip ayp aiip shtraf SHTRAF Shtraf schtraf wtraf shtraff shtrav #aiyp aiyp: aiyptar shtrafy shtrafi ayiptarim",
		"queue": "kezek KEZEK Kezek qezek kezekk kezeq ochered OCHERED ochered' ocherd oochered ocheret #kezek kezek. kezegim kezekti",
		"certificate": "maalymkat MAALYMKAT maalimkat malymkat maalymkt maalymkad maalymqat spravka SPRAVKA spravkaa " +
			"spavka sprafka maalymkaat spravki spravku maalymkattar",
		"check": "teksher TEKSHER tekscher tekwer teksheer tekser teqsher proverit PROVERIT proverit' proverit’ praverit " +
			"proverrit provrit tekcher teksheruu teksheringiz tekshеriniz proverte",
		nodeHelp:     "jardam JARDAM zhardam djardam jardamm jrdam jadram pomoshch pomosh pomosch pomosh' pomow help HELP",
		nodeMain:     "menu MENU",
		nodeLanguage: "til TIL yazyk yazik iazyk language LANGUAGE languagee",
	},
}

// everyday are words near to the commands' that are none (finding B6).
const everyday = "керек мени мен айыл маалымат маалыматты тилек айпи айбан кезең тилке кзек штоф шарф граф айлык справа поверить вчера стопка сад патент " +
	"кат катта очередной тыл кеме кесек керез meni kerek aiyl maalymat tilek file till spray queen helmet"

func TestEverydayWordsAreNoCommands(t *testing.T) {
	t.Parallel()
	e := wordsEngine(t)
	for word := range strings.FieldsSeq(everyday) {
		for _, text := range []string{word, strings.ToUpper(word), "«" + word + "»!", word + " " + word} {
			if got, rest, ok := e.command(text, false); ok {
				t.Errorf("%q is %q with %q", text, got.Node, rest)
			}
		}
	}
}

func TestSpellings(t *testing.T) {
	t.Parallel()
	e := wordsEngine(t)
	for language, commands := range spellings {
		var n int
		for node, list := range commands {
			for _, spelling := range strings.Fields(list) {
				n++
				if got, rest, ok := e.command(spelling, false); !ok || got.Node != node || rest != "" {
					t.Errorf("%s: %q is %q with %q, want %q", language, spelling, got.Node, rest, node)
				}
				if got, rest, ok := e.command(spelling+" 01KG123ABC", false); !ok || got.Node != node || rest != "01KG123ABC" && node != nodeHelp && node != nodeMain && node != nodeLanguage {
					t.Errorf("%s: %q with an argument is %q with %q", language, spelling, got.Node, rest)
				}
			}
		}
		if n < 80 {
			t.Errorf("%s has %d spellings", language, n)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	e := wordsEngine(t)
	for text, want := range map[string]string{
		"ШТРАФ 01KG123ABC": "fine 01KG123ABC", "ШТРАФ01KG123ABC": "fine 01KG123ABC", "айып:01KG123ABC": "fine 01KG123ABC",
		"aiyp01kg123abc": "fine 01kg123abc", "#штраф \"01 KG 123 ABC\"": "fine 01 KG 123 ABC", "«айып» - 01KG": "fine 01KG",
		"ТЕКШЕРK7MN-4PQR": "check K7MN-4PQR", "teksherK7MN4PQR2XH": "check K7MN4PQR2XH", "текшер K7MN-4PQR": "check K7MN-4PQR",
		"КЕЗЕК 47123456789": "queue 47123456789", "kezek,47123456789": "queue 47123456789", "маалымкат": "certificate ",
		// None of these is a command.
		"": "", "салам": "", "01KG123ABC": "", "K7MN-4PQR-2XH": "", "штрафы и налоги": "fine ",
		"проверить штраф 01KG123ABC": "fine 01KG123ABC", "01 KG 123 ABC айыпты текшериңиз": "fine 01 KG 123 ABC", "мои штрафы": "fine ",
		"нужна справка": "certificate ", "справка 2": "certificate 2", "проверить справку K7MN-4PQR": "certificate K7MN-4PQR",
		"КЕЗЕК 11503198800011": "queue 11503198800011", // a personal number, which goes no further: TestSensitiveNumbersAreDropped
		"тилек":                "", "1": "", "тли": "", "«»": "", "штрфа01KG": "", "квитанция": "", "Айгүл": "",
	} {
		command, rest, ok := e.command(text, false)
		if got := strings.TrimPrefix(command.Node+" "+rest, " "); ok != (want != "") || got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// Where the screen asks for text, a typo, a form, or a sentence that begins with a
// command's word may be the answer.
func TestWordsDoNotHijackAnAnswer(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KY)
	k.c.Channel = caller.SMS
	k.turn(Input{Start: true})
	k.say("айыптарым", "Номер?") // on a menu a form of the word is meant
	for _, answer := range []string{
		"айыб", "айыптар", "Айып көчөсү 7", "айып пул", "Айып бала бакчасы", "жардам көчөсү, 12-үй", "Меню кафеси", "штрафт", "тил мектеби № 5",
		"01KG123ABC", "керек эмес",
	} {
		k.say(answer, "Алынды: "+answer)
		k.say("0", "Номер?")
	}
	k.say("айып", "Номер?")
	k.say("айып 7", "Алынды: 7")
	k.say("0", "Номер?")
	k.say("«АЙЫП» 7", "Алынды: 7")
	k.say("0", "Номер?")
	k.say("ЖАРДАМ", "ТИЛ")
	k.say("артка", "Номер?") // what a choice says is that choice
	k.say("Меню", "Эшик")
}

// newNumberDialler talks to two services that ask for a number of their own.
func newNumberDialler(t *testing.T) *dialler {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	service := func(name, begins string) Flow {
		return Flow{
			Name: name, Entry: Option{Label: Say("dialog.more"), Next: Go(name + ".ask")},
			Nodes: []Node{
				{
					ID: name + ".ask", Plain: func(*Turn) Screen { return Screen{Body: []Message{Raw("title", name+"?")}, Ask: AskNumber} },
					Answer: func(_ context.Context, _ *Turn, input string) (Next, error) {
						return Go(name+".got", "got", input), nil
					},
				},
				{ID: name + ".got", Plain: func(t *Turn) Screen { return Screen{Body: []Message{Raw("title", name+": "+t.Get("got"))}} }},
			},
			Shapes: []Shape{{Ask: name + ".ask", Read: func(piece string, alone bool) (string, bool) {
				piece = strings.ReplaceAll(piece, " ", "")
				return piece, len(piece) == 7 && strings.HasPrefix(piece, begins) && (alone || begins == "AA")
			}}},
		}
	}
	e, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, service("red", "AA"), service("blue", "BB"))
	if err != nil {
		t.Fatal(err)
	}
	return &dialler{t: t, engine: e, state: NewState(locales.KY), c: caller.Caller{Channel: caller.USSD}, budget: ussd}
}

// A service that asks for its own number is left for the number of another one.
func TestShapes(t *testing.T) {
	t.Parallel()
	k := newNumberDialler(t)
	k.state, k.budget = NewState(locales.EN), Budget{Septets: 459, Units: 201}
	k.c.Channel = caller.SMS
	for _, c := range [][2]string{
		{"AA12345", "red: AA12345"}, {"AA 123 45", "red: AA12345"}, {"my number is AA12345 thanks", "red: AA12345"}, {"(AA12345)", "red: AA12345"},
		{"yesterday there came AA12345 again", "red: AA12345"}, {"BB12345", "blue: BB12345"}, {"please BB12345", "blue: BB12345"},
		{"yesterday there came BB12345 again", "Not understood"}, {"CC12345", "Not understood"},
	} {
		k.say("00", "Eshik")
		k.say(c[0], c[1])
	}
	k.say("00", "Eshik")
	k.say("1", "red?")
	for _, c := range [][2]string{{"AA12345", "red: AA12345"}, {"BB12345", "blue: BB12345"}, {"to BB12345", "red: to BB12345"}, {"CC12345", "red: CC12345"}, {"language please", "Русский"}} {
		k.say(c[0], c[1])
		k.say("00", "Eshik")
		k.say("1", "red?")
	}
}

// A personal number behind a command is neither kept nor looked up.
func TestSensitiveNumbersAreDropped(t *testing.T) {
	t.Parallel()
	for _, loc := range []locales.Locale{locales.KY, ""} { // without a language the command waits
		k, _ := newDialler(t, loc)
		k.c.Channel = caller.SMS
		k.turn(Input{Start: true, Text: "айып 11503198800011"})
		if kept := string(k.state.Encode()); strings.Contains(kept, "11503198800011") {
			t.Errorf("in %q the state holds a personal number: %q", loc, kept)
		}
		if loc == "" {
			k.say("1", "Номер?")
		}
	}
}

// What leads nowhere is answered with what can be texted; a greeting by the menu.
func TestLostTexts(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.RU)
	k.c.Channel = caller.SMS
	k.budget = Budget{Septets: 459, Units: 201}
	if got := k.turn(Input{Start: true, Text: "погода"}).Text; !strings.HasPrefix(got, "Непонятно. ") || !strings.Contains(got, "1 ") {
		t.Errorf("said %q", got)
	}
	k.say("1", "Меню")
	k.say("перезвони", "Непонятно. ")
	k.say("Здравствуйте!", "Эшик")
	k.say("7", "Такого пункта нет")
	k.c.Channel = caller.USSD // nobody texts there
	k.say("перезвони", "Такого пункта нет")
}

func TestCommandsThatCannotBeToldApart(t *testing.T) {
	t.Parallel()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	for pair, ok := range map[[2]string]bool{
		{"айып", "aiyp"}: false, {"штраф", "штрав"}: false, {"кезек", "кезегим"}: false, {"жардем", "патент"}: false,
		{"справка", "спрафка"}: false, {"айып", "штраф"}: true, {"вот", "кот"}: true, {"кезек", "кзеек"}: true,
	} {
		_, err := New(catalogue, Options{}, Flow{Name: "one", Commands: []Command{{Words: pair[:1]}, {Words: pair[1:]}}})
		if (err == nil) != ok {
			t.Errorf("%q: %v", pair, err)
		}
	}
}

// FuzzCommand: a command's argument is part of the text, a word is always found
// again in other letters, and an exact word is one with typos allowed too.
func FuzzCommand(f *testing.F) {
	e := wordsEngine(f)
	for _, text := range []string{"ШТРАФ01KG123ABC", "«айып»: 7", "теkшер\x00", "ӨҢҮ\xff", "ŞĞ'’"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		command, rest, ok := e.command(text, true)
		loose, looseRest, looseOK := e.command(text, false)
		if ok && (!looseOK || fmt.Sprint(command, rest) != fmt.Sprint(loose, looseRest)) {
			t.Fatalf("%q is another command when typos are allowed", text)
		}
		if !strings.Contains(clean(text), looseRest) {
			t.Fatalf("%q gave the argument %q", text, looseRest)
		}
	})
}
