package fine_test

import (
	"encoding/csv"
	"os"
	"testing"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestNoTitleIsLongerThanDeclared: the screens are proved with the longest name of
// a violation that is declared, so none that we know may be longer.
func TestNoTitleIsLongerThanDeclared(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	testworld.OK(t, err)
	file, err := os.Open("titles.csv")
	testworld.OK(t, err)
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	testworld.OK(t, err)
	if len(rows) < 20 {
		t.Fatalf("%d titles", len(rows))
	}
	longest := utf8.RuneCountInString(texts.Longest(locales.KY, "violation"))
	word := utf8.RuneCountInString(texts.Longest(locales.KY, "kind"))
	for _, row := range rows {
		for _, short := range row[2:] {
			if n := utf8.RuneCountInString(short); n > word || n == 0 {
				t.Errorf("%q of %q has %d characters, at most %d are declared", short, row[0], n, word)
			}
		}
		for _, title := range row {
			if utf8.RuneCountInString(title) > longest {
				t.Errorf("%q is longer than the longest value declared (%d)", title, longest)
			}
		}
	}
}
