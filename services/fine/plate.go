package fine

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/eshik-kg/eshik/platform/problem"
)

// Plate is a licence plate in the register's spelling: Latin capitals and
// digits, without spaces.
type Plate struct {
	Text string
	// Sure is false for a shape that no published format has: government,
	// diplomatic, or a typing mistake. The register decides.
	Sure bool
}

// The published formats, after normalising (domain knowledge: plates since 2016
// are region, KG, digits, letters; older ones begin or end with letters).
var (
	current      = regexp.MustCompile(`^(0[1-9])(?:KG)?(\d{3})([A-Z]{3})$`) // private
	currentShort = regexp.MustCompile(`^(0[1-9])KG(\d{3})([A-Z]{2})$`)      // motorcycles, trucks
	yellow       = regexp.MustCompile(`^(0[1-9])(?:KG)?(\d{4})([A-Z])$`)    // foreigners
	oldPrivate   = regexp.MustCompile(`^[A-Z]\d{4}[A-Z]{1,2}$`)
	oldCompany   = regexp.MustCompile(`^\d{3,4}[A-Z]{2}$`)
	anyPlate     = regexp.MustCompile(`^[A-Z0-9]{4,10}$`)
	// noughtAsLetter is a current plate but for its first character.
	noughtAsLetter = regexp.MustCompile(`^O[1-9]KG\d{3,4}[A-Z]{1,3}$`)
	hasDigit       = regexp.MustCompile(`\d`)
)

// lookAlikes are the Cyrillic letters that a keyboard in Kyrgyz or Russian
// gives for the Latin ones on a plate.
var lookAlikes = map[rune]rune{
	'А': 'A', 'В': 'B', 'Е': 'E', 'К': 'K', 'М': 'M', 'Н': 'H', 'О': 'O',
	'Р': 'P', 'С': 'C', 'Т': 'T', 'У': 'Y', 'Х': 'X',
}

// maxPlateInput bounds what is looked at: the longest plate with a separator
// after every character, and some.
const maxPlateInput = 40

var errPlate = problem.New(problem.Invalid, "problem.fine_plate")

// ParsePlate reads a plate in any spelling: lower case, Cyrillic look-alikes,
// spaces, hyphens and dots, without KG. Problem: fine_plate.
func ParsePlate(typed string) (Plate, error) {
	if len(typed) > maxPlateInput*4 {
		return Plate{}, errPlate
	}
	text := strings.Map(plateRune, typed)
	// КГ is how KG is written in Cyrillic; Г looks like nothing on a plate.
	if rest, ok := strings.CutPrefix(text[min(2, len(text)):], "KГ"); ok {
		text = text[:2] + "KG" + rest
	}
	// The letter О for the region's nought, and Б for B where only a letter can be.
	if noughtAsLetter.MatchString(text) {
		text = "0" + text[1:]
	}
	if bySound := strings.ReplaceAll(text, "Б", "B"); oldPrivate.MatchString(bySound) {
		text = bySound
	}
	for _, format := range []*regexp.Regexp{current, currentShort, yellow} {
		if m := format.FindStringSubmatch(text); m != nil {
			return Plate{Text: m[1] + "KG" + m[2] + m[3], Sure: true}, nil
		}
	}
	switch {
	case oldPrivate.MatchString(text), oldCompany.MatchString(text):
		return Plate{Text: text, Sure: true}, nil
	case anyPlate.MatchString(text) && hasDigit.MatchString(text):
		return Plate{Text: text}, nil
	}
	return Plate{}, errPlate
}

// plateRune is one character as the register writes it; -1 drops separators.
func plateRune(r rune) rune {
	switch {
	case r == '-', r == '.', r == '‐', r == '–', r == '—', unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
		return -1
	}
	r = unicode.ToUpper(r)
	if latin, ok := lookAlikes[r]; ok {
		return latin
	}
	return r
}
