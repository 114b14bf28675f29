package dialog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// clean brings input to one form: composed letters, plain spaces, nothing
// invisible.
func clean(raw string) string {
	mapped := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, norm.NFC.String(raw))
	mapped = strings.Trim(mapped, " ")
	if !strings.Contains(mapped, "  ") {
		return mapped
	}
	return strings.Join(strings.Fields(mapped), " ")
}

// digits writes decimal digits of any script as ASCII and drops what people put
// after a choice ("1.", "1)"); "" when text is not a short number.
func digits(text string) string {
	text = strings.TrimRight(text, ".)# ")
	if len(text) > 16 {
		return ""
	}
	if strings.Trim(text, "0123456789") == "" { // as most are typed
		return text
	}
	var out strings.Builder
	for _, r := range text {
		digit, ok := Digit(r)
		if !ok {
			return ""
		}
		out.WriteByte(digit)
	}
	return out.String()
}
