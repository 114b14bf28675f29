package certificate

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/eshik-kg/eshik/platform/dialog"
)

// leastTyped is how many letters and digits of a number are taken for one, so that
// its fault is told; with fewer ("2 справки") it is none.
const leastTyped = 8

// commands are the words that lead to certificates: to ask for one or, with a
// number or the word for checking, to check one.
func commands() []dialog.Command {
	var also []string // what people text for the kinds that are issued
	others := []dialog.Command{}
	for _, e := range catalogue() {
		switch {
		case e.Mapping != "":
			also = append(also, e.Words...)
		case len(e.Words) > 0:
			others = append(others, dialog.Command{Also: e.Words, Weak: true, To: takes(e.Code)})
		}
	}
	return append([]dialog.Command{
		{
			Words: []string{"маалымкат", "справка", "maalymkat", "spravka", "certificate"},
			Also: append([]string{
				"маалым кат", "маалымдама", "справок", "үй бүлө", "uy bulo", "үй бүлө маалымкаты", "үй бүлө курамы", "үй бүлөнүн курамы", "үй бүлө жөнүндө", "состав семьи", "составе семьи", "жашаган жери", "жашаган жер",
				"место жительства", "месте жительства", "прописка", "прописке", "family composition", "residence",
			}, also...),
			Ask: nodeVerify, Bare: nodeMenu, Least: leastTyped,
		},
		{
			Words: []string{"текшер", "проверить", "teksher", "proverit", "check", "verify"},
			Also:  []string{"проверка", "проверь", "подлинность", "жарактуубу"},
			Weak:  true, Ask: nodeVerify, Bare: nodeVerify,
		},
	}, others...)
}

// grouped is a number as certificates show it.
var grouped = regexp.MustCompile(`^\S{4}\p{Pd}\S{4}\p{Pd}\S{3}$`)

// findNumber reads a piece of a text as a number. One in thirty words of eleven
// letters has the right check character: among other words a number has digits, or
// is written as certificates show it.
func findNumber(piece string, alone bool) (string, bool) {
	number, ok := ParseNumber(piece)
	if !ok {
		return "", false
	}
	digits := 0
	for _, r := range piece {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	spaces := strings.ContainsFunc(piece, unicode.IsSpace)
	return number, alone || grouped.MatchString(piece) || digits > 1 || digits == 1 && !spaces
}
