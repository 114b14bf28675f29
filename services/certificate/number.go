package certificate

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// A certificate's number is ten random characters and a check character. The
// alphabet has no 0, O, 1, I or L. It has 31 characters, a prime: with a
// different weight for every place, the check finds any one wrong character and
// any two that changed places.
const (
	alphabet     = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
	randomLength = 10
	numberLength = randomLength + 1
)

// lookAlikes are the Cyrillic capitals that people type for the Latin letters
// and digits they see.
var lookAlikes = map[rune]rune{
	'А': 'A', 'В': 'B', 'С': 'C', 'Е': 'E', 'Н': 'H', 'К': 'K', 'М': 'M', 'Р': 'P', 'Т': 'T', 'Х': 'X',
	'У': 'Y', 'Ү': 'Y', 'З': '3', 'Ѕ': 'S', 'Ј': 'J',
}

// newNumber draws a number.
func newNumber(random io.Reader) (string, error) {
	number := make([]byte, 0, numberLength)
	one := make([]byte, 1)
	for len(number) < randomLength {
		if _, err := io.ReadFull(random, one); err != nil {
			return "", fmt.Errorf("draw a number: %w", err)
		}
		// Bytes from 248 on would make the first characters likelier.
		if limit := 256 / len(alphabet) * len(alphabet); int(one[0]) < limit {
			number = append(number, alphabet[int(one[0])%len(alphabet)])
		}
	}
	return string(number) + string(checkCharacter(string(number))), nil
}

// checkCharacter makes the weighted sum of all eleven characters a multiple of 31.
func checkCharacter(random string) byte {
	sum := 0
	for i := range len(random) {
		sum += (numberLength - i) * strings.IndexByte(alphabet, random[i])
	}
	p := len(alphabet)
	return alphabet[(p-sum%p)%p]
}

// ParseNumber reads a number as people type it: in groups, in lower case, with
// Cyrillic letters that look alike. A number with a wrong character is not ok.
func ParseNumber(typed string) (number string, ok bool) {
	var out strings.Builder
	for _, r := range typed {
		r = unicode.ToUpper(r)
		if latin, known := lookAlikes[r]; known {
			r = latin
		}
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '.' || r == '_':
			continue
		case r > unicode.MaxASCII || !strings.ContainsRune(alphabet, r) || out.Len() == numberLength:
			return "", false
		}
		out.WriteRune(r)
	}
	number = out.String()
	if len(number) != numberLength || checkCharacter(number[:randomLength]) != number[randomLength] {
		return "", false
	}
	return number, true
}

// ShowNumber writes a number in groups, as people read it: K7MN-4PQR-2XH.
func ShowNumber(number string) string {
	if len(number) != numberLength {
		return number
	}
	return number[:4] + "-" + number[4:8] + "-" + number[8:]
}
