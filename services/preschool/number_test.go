package preschool

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/luhn"
)

func TestNumberFindsMistypedDigits(t *testing.T) {
	t.Parallel()
	number, err := newNumber(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if parsed, ok := ParseNumber(number); !ok || parsed != number {
		t.Fatalf("%s is read as %s, %v", number, parsed, ok)
	}
	for i := range number {
		for d := byte('0'); d <= '9'; d++ {
			wrong := []byte(number)
			if wrong[i] == d {
				continue
			}
			wrong[i] = d
			if _, ok := ParseNumber(string(wrong)); ok {
				t.Errorf("%s passes for %s", wrong, number)
			}
		}
	}
}

func TestParseNumberSpellings(t *testing.T) {
	t.Parallel()
	body := "4712345678"
	number := body + string(luhn.Digit(body))
	last := number[10:]
	for _, typed := range []string{number, " 471 234 567-8" + last, "№4712345678" + last, "#47.12345678" + last, "٤٧١٢٣٤٥٦٧٨" + last, "４７12345678" + last} {
		if parsed, ok := ParseNumber(typed); !ok || parsed != number {
			t.Errorf("%q is read as %q, %v", typed, parsed, ok)
		}
	}
	for _, typed := range []string{"", "47", number + "0", "x" + number, "5" + number[1:], "\xff" + number} {
		if _, ok := ParseNumber(typed); ok {
			t.Errorf("%q is accepted", typed)
		}
	}
}

// FuzzParseNumber: whatever is typed, what comes out is a number that reads as
// itself.
func FuzzParseNumber(f *testing.F) {
	for _, seed := range []string{"47123456783", " 471 234-567 82 ", "٤٧١٢٣٤٥٦٧٨٢", "", "№", "\xff\xfe", "4711"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		number, ok := ParseNumber(typed)
		if !ok {
			return
		}
		if again, ok := ParseNumber(number); !ok || again != number || len(number) != numberLength {
			t.Errorf("%q is read as %q, which is read as %q, %v", typed, number, again, ok)
		}
	})
}

// The letter O, of either script, is a nought.
func TestParseNumberWithLetters(t *testing.T) {
	t.Parallel()
	body := "4700100200"
	number := body + string(luhn.Digit(body))
	for _, o := range []string{"O", "o", "О", "о"} {
		typed := strings.ReplaceAll(number, "0", o)
		if parsed, ok := ParseNumber(typed); !ok || parsed != number {
			t.Errorf("%q is read as %q, %v", typed, parsed, ok)
		}
	}
}
