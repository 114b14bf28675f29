package fine_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/services/fine"
)

func TestParsePlate(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]fine.Plate{
		"01KG123ABC":             {"01KG123ABC", true},
		"01kg123авс":             {"01KG123ABC", true}, // Cyrillic look-alikes
		"01КГ123АВС":             {"01KG123ABC", true}, // KG in Cyrillic too
		"О1КГ123АВС":             {"01KG123ABC", true}, // the letter for the nought
		"б 1234 аб":              {"B1234AB", true},    // Б for B, where only a letter can be
		"01 kg-123.abc":          {"01KG123ABC", true},
		"01\u00a0KG\u200b123ABC": {"01KG123ABC", true},
		"01123abc":               {"01KG123ABC", true},
		"09KG999ZZZ":             {"09KG999ZZZ", true},
		"01KG456BB":              {"01KG456BB", true},
		"011234H":                {"01KG1234H", true},
		"01KG1234Н":              {"01KG1234H", true},
		"b1234ab":                {"B1234AB", true},
		"В1234А":                 {"B1234A", true},
		"1234BA":                 {"1234BA", true},
		"123ва":                  {"123BA", true},
		"10KG123ABC":             {"10KG123ABC", false}, // region 10: seen in use, meaning unknown
		"1234PT":                 {"1234PT", true},
		"D001234":                {"D001234", false},
	} {
		if got, err := fine.ParsePlate(typed); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", typed, got, err, want)
		}
	}
	for _, typed := range []string{
		"", "abc", "ABCD", "с1563БИ", "01KG123АБВ", "Б123ВС", "01KG123ABCDE", "01KG*123", "🚗🚗🚗🚗", "....", "٠١KG", strings.Repeat("1", 10_000),
	} {
		if got, err := fine.ParsePlate(typed); problem.From(err).Key != "problem.fine_plate" {
			t.Errorf("%q was taken as %+v, %v", typed, got, err)
		}
	}
}

func FuzzParsePlate(f *testing.F) {
	for _, seed := range []string{"01kg123авс", "B1234AB", "011234H", "с1563БИ", "01КГ", "КГ", "\xff\xfe", "١"} {
		f.Add(seed)
	}
	shape := regexp.MustCompile(`^[A-Z0-9]{4,10}$`)
	f.Fuzz(func(t *testing.T, typed string) {
		plate, err := fine.ParsePlate(typed)
		if err != nil {
			return
		}
		if !shape.MatchString(plate.Text) {
			t.Errorf("%q became %q", typed, plate.Text)
		}
		if again, err := fine.ParsePlate(plate.Text); err != nil || again != plate {
			t.Errorf("%q became %q and then %+v, %v", typed, plate.Text, again, err)
		}
	})
}
