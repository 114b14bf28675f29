package gsm_test

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/gsm"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		encoding   gsm.Encoding
		parts      int
	}{
		{"empty", "", gsm.GSM7, 1},
		{"160 letters", strings.Repeat("a", 160), gsm.GSM7, 1},
		{"161 letters", strings.Repeat("a", 161), gsm.GSM7, 2},
		{"306 letters", strings.Repeat("a", 306), gsm.GSM7, 2},
		{"307 letters", strings.Repeat("a", 307), gsm.GSM7, 3},
		{"80 braces", strings.Repeat("{", 80), gsm.GSM7, 1},
		{"81 braces", strings.Repeat("{", 81), gsm.GSM7, 2},
		{"229 braces: 76 fit a part, its last septet stays empty", strings.Repeat("{", 229), gsm.GSM7, 4},
		{"euro", strings.Repeat("€", 81), gsm.GSM7, 2},
		{"70 Cyrillic", strings.Repeat("ж", 70), gsm.UCS2, 1},
		{"71 Cyrillic", strings.Repeat("ж", 71), gsm.UCS2, 2},
		{"134 Cyrillic", strings.Repeat("ж", 134), gsm.UCS2, 2},
		{"135 Cyrillic", strings.Repeat("ж", 135), gsm.UCS2, 3},
		{"71 emoji: 33 fit a part", strings.Repeat("😀", 71), gsm.UCS2, 3},
		{"a letter and 300 Cyrillic", "a" + strings.Repeat("ж", 300), gsm.UCS2, 5},
		{"60 Cyrillic and 40 Latin", strings.Repeat("ж", 60) + strings.Repeat("a", 40), gsm.UCS2, 2},
		{"one Cyrillic letter forces UCS-2", strings.Repeat("a", 69) + "ж", gsm.UCS2, 1},
		{"Latin Kyrgyz is GSM-7", "Oshondoy ele kelishim: ayyp 1 500 som", gsm.GSM7, 1},
	} {
		got := gsm.Split(c.text)
		if got.Encoding != c.encoding || len(got.Texts) != c.parts {
			t.Errorf("%s: %s in %d parts, want %s in %d", c.name, got.Encoding, len(got.Texts), c.encoding, c.parts)
		}
		check(t, c.text, got)
	}
	if units := gsm.Units(strings.Repeat("ж", 60) + strings.Repeat("a", 40)); units != 100 {
		t.Errorf("60 Cyrillic and 40 Latin are %d units, want 100", units)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(strings.Repeat("{", 229))
	f.Add(strings.Repeat("😀", 71))
	f.Add("a" + strings.Repeat("ж", 300))
	f.Add(strings.Repeat("x", 152) + "{" + strings.Repeat("€", 80))
	f.Add(strings.Repeat("\xd0", 100))
	f.Fuzz(func(t *testing.T, text string) { check(t, text, gsm.Split(text)) })
}

// check holds what must be true of every message: the parts joined are the
// text and none is empty or over its limit.
func check(t *testing.T, text string, got gsm.Parts) {
	t.Helper()
	if strings.Join(got.Texts, "") != text {
		t.Fatal("the parts joined are not the text")
	}
	limit := map[bool]int{true: gsm.SingleUnits, false: gsm.JoinedUnits}[len(got.Texts) == 1]
	if got.Encoding == gsm.GSM7 {
		limit = map[bool]int{true: gsm.SingleSeptets, false: gsm.JoinedSeptets}[len(got.Texts) == 1]
	}
	for i, part := range got.Texts {
		size := len(utf16.Encode([]rune(part)))
		if got.Encoding == gsm.GSM7 {
			size, _ = gsm.Septets(part)
		}
		if size > limit {
			t.Fatalf("part %d takes %d, the limit is %d", i, size, limit)
		}
		if utf8.ValidString(text) && !utf8.ValidString(part) {
			t.Fatalf("part %d begins or ends within a character", i)
		}
		if i > 0 && part == "" {
			t.Fatalf("part %d is empty", i)
		}
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	cyrillic := func(n int) string { return strings.Repeat("ж", n) }
	for name, c := range map[string]struct {
		full, short string
		isShort     bool
	}{
		"the full one fits":        {cyrillic(70), "short", false},
		"the short one fits":       {cyrillic(71), cyrillic(70), true},
		"both take two":            {cyrillic(134), cyrillic(71), false},
		"two instead of three":     {cyrillic(135), cyrillic(134), true},
		"the short one is longer":  {cyrillic(71), cyrillic(135), false},
		"Latin takes 160":          {strings.Repeat("a", 160), "short", false},
		"an extension character":   {strings.Repeat("a", 159) + "€", "short", true},
		"a character of two units": {cyrillic(69) + "😀", "short", true},
		"no other wording":         {cyrillic(71), cyrillic(71), false},
	} {
		want := c.full
		if c.isShort {
			want = c.short
		}
		if got := gsm.Pick(c.full, c.short); got != want {
			t.Errorf("%s: picked %q", name, got)
		}
	}
}
