package gsm

import (
	"strings"
	"testing"
)

func TestPick(t *testing.T) {
	t.Parallel()
	cyrillic := func(n int) string { return strings.Repeat("ж", n) }
	for name, c := range map[string]struct {
		variants []string
		want     int
	}{
		"the full one fits":         {[]string{cyrillic(70), "short"}, 0},
		"the short one fits":        {[]string{cyrillic(71), cyrillic(70)}, 1},
		"none fits":                 {[]string{cyrillic(72), cyrillic(71)}, 0},
		"no shorter one":            {[]string{cyrillic(72)}, 0},
		"Latin takes 160":           {[]string{strings.Repeat("a", 160), "short"}, 0},
		"an extension character":    {[]string{strings.Repeat("a", 159) + "€", "short"}, 1},
		"a character of two units":  {[]string{cyrillic(69) + "😀", "short"}, 1},
		"the first that fits is it": {[]string{cyrillic(71), cyrillic(70), "short"}, 1},
	} {
		if got := Pick(c.variants[0], c.variants[1:]...); got != c.variants[c.want] {
			t.Errorf("%s: %q", name, got)
		}
	}
}
