package gsm

import (
	"strings"
	"testing"
	"unicode/utf16"
)

// The vectors of 3GPP TS 23.038 that other counters get wrong.
func TestSeptets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "a": 1, "Ö": 1, "€": 2, "^{}\\[~]|": 16, "\n": 1, "ç": -1, "Ç": 1, "ж": -1, "ң": -1, "`": -1, "@": 1, "Δ": 1,
		"Jangy Ösh Chüy": 14, strings.Repeat("{", 229): 458, "😀": -1, "\x1b": -1,
	} {
		n, ok := Septets(text)
		if ok != (want >= 0) || ok && n != want {
			t.Errorf("%q: %d, %v", text, n, ok)
		}
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "ж": 1, "😀": 2, strings.Repeat("ж", 60) + strings.Repeat("a", 40): 100, "\xff": 1, "e\u0301": 2,
	} {
		if got := Units(text); got != want {
			t.Errorf("%q: %d", text, got)
		}
	}
}

// FuzzCounts: septets only for the alphabet, units as the standard library
// encodes.
func FuzzCounts(f *testing.F) {
	f.Add("Эшик {1} €")
	f.Fuzz(func(t *testing.T, text string) {
		if want := len(utf16.Encode([]rune(text))); Units(text) != want {
			t.Errorf("%q: %d units, not %d", text, Units(text), want)
		}
		n, ok := Septets(text)
		if runes := len([]rune(text)); ok && (n < runes || n > 2*runes) {
			t.Errorf("%q: %d septets of %d characters", text, n, runes)
		}
	})
}
