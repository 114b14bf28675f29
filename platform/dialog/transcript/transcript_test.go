package transcript_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/dialog/transcript"
)

func TestReading(t *testing.T) {
	t.Parallel()
	turns, err := transcript.Parse("# a remark\n\n> *1414#\nЭшик\n1 Айып\n\n>\nЭшик\n\nкүтө туруңуз\n! меню\nбир\n--\nэки\n@ offer KK\n\n> 9\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []transcript.Turn{
		{Mark: '>', Input: "*1414#", Shown: []string{"Эшик\n1 Айып"}},
		{Mark: '>', Shown: []string{"Эшик\n\nкүтө туруңуз"}},
		{Mark: '!', Input: "меню", Shown: []string{"бир", "эки"}},
		{Mark: '@', Input: "offer KK"},
		{Mark: '>', Input: "9"},
	}
	if !reflect.DeepEqual(turns, want) {
		t.Errorf("read\n%q\nwant\n%q", turns, want)
	}
	path := filepath.Join(t.TempDir(), "conversation.txt")
	if err := transcript.WriteFile(path, turns); err != nil {
		t.Fatal(err)
	}
	if again, err := transcript.ReadFile(path); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("written and read again: %q, %v", again, err)
	}
	if _, err := transcript.Parse("\nЭшик"); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("text before the first turn: %v", err)
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	before := "1 ай: 1200 сом\n1 Нурай\n12 Код 123456\n9 Дагы\n0 Артка"
	for input, want := range map[string]string{
		"1": "[Нурай]", "12": "[Код {secret}]", "9": "9", "0": "0", "7": "7", "01KG123ABC": "01KG123ABC",
		"47000000001": "{number}", "739154": "{secret}", "20101198877665": "{personal_number}", "ID7391548": "{document_number}",
		"C4MP-HNUA-5TG": "{certificate}",
	} {
		if got := transcript.Recorded(input, before).Input; got != want {
			t.Errorf("%q is recorded as %q, want %q", input, got, want)
		}
	}
	shown := "Маалымкат C4MP-HNUA-5TG, 29.11.2026\n№47000000001; төлөм 9214030513; код 004211\n2 №0003: 1 000 с."
	want := "Маалымкат {certificate}, {date}\n№{number}; төлөм {number}; код {secret}\n2 №0003: 1 000 с."
	turn := transcript.Recorded("1", before, shown)
	if turn.Screen() != want {
		t.Errorf("recorded %q, want %q", turn.Screen(), want)
	}
	if !transcript.Same(turn.Screen(), shown) {
		t.Error("a screen is not what was recorded of it")
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		recorded, shown string
		want            bool
	}{
		{"Эшик\n1 Айып", "Эшик\n1 Айып\n", true},
		{"Эшик\n1 Айып", "Эшик\n1 Айып\n2 Бакча", false},
		{"Эшик\n1 Айып", "Эшик\n2 Айып", false},
		{"Эшик\n…", "Эшик\n1 Айып\n2 Бакча", true},
		{"Эшик\n…", "Эшик", true},
		{"Эшик\n…", "Eshik\n1 Aiyp", false},
		{"Эшик\n…\n0 Артка", "Эшик\n1 Айып\n2 Бакча\n0 Артка", true},
		{"Эшик\n…\n0 Артка", "Эшик\n1 Айып", false},
		{"Код: {number}", "Код: 9214030513", true},
		{"Код: {number}", "Код: 921403", false},
		{"Код: {number}", "Код: 9214030513 c", false},
		{"29.11.2026", "30.11.2026", false}, // what is written out must be so
		{"{date}", "30.11.2026", true},
		{"No{number}", "No47000000001", true},
		{"{unknown}", "{unknown}", true},
		{"(01KG123ABC) {date}", "(01KG123ABC) 01.02.2026", true},
		{"(01KG123ABC) {date}", "01KG123ABC 01.02.2026", false},
	} {
		if got := transcript.Same(row.recorded, row.shown); got != row.want {
			t.Errorf("recorded %q, shown %q: %v", row.recorded, row.shown, got)
		}
	}
}

func TestChoice(t *testing.T) {
	t.Parallel()
	screen := "Тандаңыз\n1 Бакча\n2 Айып\n3 №9214030513\n0 Артка"
	for input, want := range map[string]string{"[Айып]": "2", "[№{number}]": "3", "0": "0", "[": "[", "салам": "салам"} {
		if got, err := transcript.Choice(input, screen); err != nil || got != want {
			t.Errorf("%q types %q, %v; want %q", input, got, err, want)
		}
	}
	if _, err := transcript.Choice("[Күбөлүк]", screen); err == nil || !strings.Contains(err.Error(), "Күбөлүк") {
		t.Errorf("an option that is not there: %v", err)
	}
	if got := transcript.Last("C4MP-HNUA-5TG, AAAA-BBBB-CCC", "{certificate}"); got != "AAAA-BBBB-CCC" {
		t.Errorf("the last is %q", got)
	}
	if got := transcript.Last("№9214030513, №47000000001", "{number}"); got != "47000000001" {
		t.Errorf("the last number is %q", got)
	}
	if got := transcript.Last("C4MP-HNUA-5TG", "{personal_number}"); got != "" {
		t.Errorf("the last of an unknown name is %q", got)
	}
}
