package sms_test

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/sms"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		encoding   sms.Encoding
		parts      int
	}{
		{"empty", "", sms.GSM7, 1},
		{"160 letters", strings.Repeat("a", 160), sms.GSM7, 1},
		{"161 letters", strings.Repeat("a", 161), sms.GSM7, 2},
		{"306 letters", strings.Repeat("a", 306), sms.GSM7, 2},
		{"307 letters", strings.Repeat("a", 307), sms.GSM7, 3},
		{"80 braces", strings.Repeat("{", 80), sms.GSM7, 1},
		{"81 braces", strings.Repeat("{", 81), sms.GSM7, 2},
		{"229 braces: 76 fit a part, its last septet stays empty", strings.Repeat("{", 229), sms.GSM7, 4},
		{"euro", strings.Repeat("€", 81), sms.GSM7, 2},
		{"70 Cyrillic", strings.Repeat("ж", 70), sms.UCS2, 1},
		{"71 Cyrillic", strings.Repeat("ж", 71), sms.UCS2, 2},
		{"134 Cyrillic", strings.Repeat("ж", 134), sms.UCS2, 2},
		{"135 Cyrillic", strings.Repeat("ж", 135), sms.UCS2, 3},
		{"71 emoji: 33 fit a part", strings.Repeat("😀", 71), sms.UCS2, 3},
		{"a letter and 300 Cyrillic", "a" + strings.Repeat("ж", 300), sms.UCS2, 5},
		{"60 Cyrillic and 40 Latin", strings.Repeat("ж", 60) + strings.Repeat("a", 40), sms.UCS2, 2},
		{"one Cyrillic letter forces UCS-2", strings.Repeat("a", 69) + "ж", sms.UCS2, 1},
		{"Latin Kyrgyz is GSM-7", "Oshondoy ele kelishim: ayyp 1 500 som", sms.GSM7, 1},
	} {
		got := sms.Split(c.text)
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
	f.Fuzz(func(t *testing.T, text string) { check(t, text, sms.Split(text)) })
}

// check holds what must be true of every message: the parts joined are the
// text and none is empty or over its limit.
func check(t *testing.T, text string, got sms.Parts) {
	t.Helper()
	if strings.Join(got.Texts, "") != text {
		t.Fatal("the parts joined are not the text")
	}
	limit := map[bool]int{true: sms.SingleUnits, false: sms.JoinedUnits}[len(got.Texts) == 1]
	if got.Encoding == sms.GSM7 {
		limit = map[bool]int{true: sms.SingleSeptets, false: sms.JoinedSeptets}[len(got.Texts) == 1]
	}
	for i, part := range got.Texts {
		size := len(utf16.Encode([]rune(part)))
		if got.Encoding == sms.GSM7 {
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
