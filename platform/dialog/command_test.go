package dialog

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
)

// words are the commands of the services, as they declare them.
var words = []Service{{
	Name: "trial",
	Commands: []Command{
		{Words: []string{"айып", "штраф"}, Node: "fine"},
		{Words: []string{"кезек", "очередь"}, Node: "queue"},
		{Words: []string{"маалымкат", "справка"}, Node: "certificate"},
		{Words: []string{"текшер", "проверить"}, Node: "check"},
	},
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

// spellings are how people write each command, by the language they meant.
var spellings = map[string]map[string]string{
	"ky": {
		"fine": "айып АЙЫП Айып аийп айыпп айып: #айып «айып» \"айып\" АЙЫП! *айып айыб аайып айыы аып айып, " +
			"aйып айыпт аыйп",
		"queue": "кезек КЕЗЕК Кезек кезег кезекк кзек кезк кезке екзек көзек кезең kезек кeзeк кезeк #кезек кезек. " +
			"гезек кизек (кезек)",
		"certificate": "маалымкат МААЛЫМКАТ малымкат маалымат маалымкад маалымкта маалымкаат маалымкать маалимкат " +
			"мааалымкат маалымка аалымкат маалымгат мaaлымкат /маалымкат маалымқат",
		"check":      "текшер ТЕКШЕР текшерр текше тешкер текшэр текщер тeкшер тэкшер текшар текшөр екшер #текшер текшер!",
		nodeMain:     "жардам ЖАРДАМ жардамм жрдам жардм жаардам зардам жордам жардан жадрам #жардам жардам? жaрдaм меню",
		nodeLanguage: "тил ТИЛ тил. «тил» тiл",
	},
	"ru": {
		"fine":  "штраф ШТРАФ Штраф штрафф штраф: шраф штарф щтраф штрав штраф, #штраф штрaф «штраф» *штраф штраф! шттраф штрф",
		"queue": "очередь ОЧЕРЕДЬ Очередь очередъ очеред очиредь очередт ачередь очердь очереедь очеердь #очередь очерeдь оччередь",
		"certificate": "справка СПРАВКА Справка справк справкаа спавка справака српавка зправка справко спраака справкя " +
			"#справка справка. спрaвка справкы",
		"check": "проверить ПРОВЕРИТЬ Проверить проверит провирить праверить проверитъ проверть провеить поверить " +
			"проверрить #проверить прoверить",
		nodeMain:     "помощь ПОМОЩЬ помощ помощъ памощь помошь помощьь поомощь помщь #помощь помoщь меню менюю мнею помочь",
		nodeLanguage: "язык ЯЗЫК языкк язик языг #язык язык. яззык",
	},
	"Latin": {
		"fine": "aiyp AIYP ayyp ayip aip ayp aiip shtraf SHTRAF Shtraf schtraf wtraf shtraff straf shtrav #aiyp aiyp: shtarf",
		"queue": "kezek KEZEK Kezek qezek kezekk kzek kezk kezke gezek kezeq ochered OCHERED ochered' ocherd oochered " +
			"ocheret #kezek kezek.",
		"certificate": "maalymkat MAALYMKAT maalimkat malymkat maalymkt maalymkad maalymqat spravka SPRAVKA spravkaa " +
			"spavka sprafka maalymkaat",
		"check": "teksher TEKSHER tekscher tekwer teksheer tekser teqsher proverit PROVERIT proverit' proverit’ praverit " +
			"proverrit provrit tekcher",
		nodeMain:     "jardam JARDAM zhardam djardam jardamm jrdam jadram pomoshch pomosh pomosch pomosh' pomow help HELP menu helpp",
		nodeLanguage: "til TIL yazyk yazik iazyk language LANGUAGE languagee jazyk",
	},
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
				if got, rest, ok := e.command(spelling+" 01KG123ABC", false); !ok || got.Node != node || rest != "01KG123ABC" {
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
		"": "", "салам": "", "01KG123ABC": "", "K7MN-4PQR-2XH": "", "штрафы и налоги": "fine и налоги",
		"тилек": "", "1": "", "тли": "", "«»": "", "штрфа01KG": "", "квитанция": "", "шхтраффф": "", "Айгүл": "",
	} {
		command, rest, ok := e.command(text, false)
		if got := strings.TrimPrefix(command.Node+" "+rest, " "); ok != (want != "") || got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// Where the screen asks for text, a typo may be the answer.
func TestTypoDoesNotHijackAnAnswer(t *testing.T) {
	t.Parallel()
	k, _ := newTalker(t, locales.KY)
	k.c.Channel = caller.SMS
	k.turn(Input{Start: true})
	k.say("айыб", "Номер?") // on a menu the nearest command is meant
	k.say("айыб", "Алынды: айыб")
	k.say("айып", "Номер?")
	k.say("айып 7", "Алынды: 7")
}

func TestCommandsThatCannotBeToldApart(t *testing.T) {
	t.Parallel()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	for pair, ok := range map[[2]string]bool{
		{"айып", "aiyp"}: false, {"штраф", "штрав"}: false, {"кезек", "кзеек"}: false, {"help2", "жардам"}: false,
		{"айып", "штраф"}: true, {"вот", "кот"}: true,
	} {
		_, err := New(catalogue, Options{}, Service{Name: "one", Commands: []Command{{Words: pair[:1]}, {Words: pair[1:]}}})
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
