package smpp_test

import (
	"errors"
	"testing"

	"github.com/eshik-kg/eshik/platform/smpp"
)

// T6: a text whose coding is not the one that is named is read where it makes sense in
// one way alone, and what cannot be read is told from a text without a word.
func TestTextInAnotherCoding(t *testing.T) {
	t.Parallel()
	const (
		stop     = "53544F50"                         // STOP
		wide     = "00530054004F0050"                 // in UCS-2
		cyrillic = "04210422041E041F"                 // СТОП
		turned   = "210422041E041F04"                 // with its octets the wrong way round
		utf8     = "D0A1D0A2D09ED09F"                 // in UTF-8
		push     = "0106266170706C69636174696F6E2F76" // a WAP push
		stuffed  = "B51DA69C8ED3F3FF"                 // compressed, or anything else
	)
	for name, test := range map[string]struct {
		own     smpp.Alphabet
		codings []byte
		octets  string
		want    string // "" for what cannot be read
	}{
		"compressed in name":            {"", []byte{0x20, 0x21, 0x23, 0x24, 0x2F, 0x30, 0x31, 0x3F, 0x60, 0x70}, stop, "STOP"},
		"compressed in name, UCS-2":     {"", []byte{0x28, 0x2B, 0x38, 0x68, 0x78}, cyrillic, "СТОП"},
		"compressed in name, no UCS-2":  {"", []byte{0x28, 0x68}, stop, "STOP"},
		"compressed in name, no GSM-7":  {"", []byte{0x20, 0x31}, cyrillic, "СТОП"},
		"compressed":                    {"", []byte{0x20, 0x28, 0x31, 0x3F, 0x68}, stuffed + "01", ""},
		"marked, little end first":      {"", []byte{0x08, 0x18, 0x48, 0x28, 0xE0}, "FFFE" + turned, "СТОП"},
		"marked, big end first":         {"", []byte{0x08, 0x19, 0xE0}, "FEFF" + cyrillic, "СТОП"},
		"little end first":              {"", []byte{0x08, 0x18, 0xE0}, turned, "СТОП"},
		"a digit, little end first":     {"", []byte{0x08}, "3100", "1"},
		"two letters of two blocks":     {"", []byte{0x08}, "1E041F04", "ОП"},
		"big end first":                 {"", []byte{0x08}, cyrillic, "СТОП"},
		"with an emoji":                 {"", []byte{0x08}, cyrillic + "D83DDE00", "СТОП😀"},
		"an emoji":                      {"", []byte{0x08}, "D83DDE00", "😀"},
		"Chinese":                       {"", []byte{0x08}, "4F60597D", "你好"},
		"ASCII in UCS-2, even":          {"", []byte{0x08, 0x18, 0xE0}, stop, "STOP"},
		"ASCII in UCS-2, odd":           {"", []byte{0x08, 0x18, 0xE0}, "53544F5021", "STOP!"},
		"a digit in UCS-2":              {"", []byte{0x08}, "31", "1"},
		"half a character":              {"", []byte{0x08}, "04E804", "Ө\uFFFD"},
		"UTF-8 in UCS-2":                {"", []byte{0x08}, utf8, "СТОП"},
		"UTF-8 in the default alphabet": {"", []byte{0x00, 0x01, 0x03, 0x0F, 0xF1}, utf8, "СТОП"},
		"binary in name":                {"", []byte{0x02, 0x04, 0x14, 0xF4, 0xF5, 0xF7}, stop, "STOP"},
		"binary in name, wide":          {"", []byte{0x02, 0x04, 0xF4, 0xF5}, wide, "STOP"},
		"binary in name, Cyrillic":      {"", []byte{0x04, 0x14, 0x24, 0xF5}, cyrillic, "СТОП"},
		"binary in name, UTF-8":         {"", []byte{0x04, 0xF5}, utf8, "СТОП"},
		"binary in name, its own":       {smpp.AlphabetCyrillic, []byte{0x04, 0xF4}, "C1C2BEBF", "СТОП"},
		"binary in name, an extension":  {"", []byte{0x04}, "351B65", "5€"},
		"binary":                        {"", []byte{0x02, 0x04, 0x15, 0xF4, 0xF5}, push, ""},
		"binary, high":                  {"", []byte{0x04, 0xF5, 0x05, 0x80}, stuffed, ""},
		"nothing in its alphabet":       {"", []byte{0x00, 0x0F, 0xF1}, "FFFEFDFC", ""},
		"a currency sign":               {"", []byte{0x00}, "24", "¤"},
		"an at sign":                    {"", []byte{0x00}, "0000", "@@"},
		"braces":                        {"", []byte{0x00}, "1B28611B29", "{a}"},
		"spaces":                        {"", []byte{0x00, 0x04, 0x20}, "2020", "  "},
	} {
		for _, coding := range test.codings {
			got, err := test.own.Decode(unhex(t, test.octets), coding)
			if got != test.want || (err != nil) != (test.want == "") || err != nil && !errors.Is(err, smpp.ErrCoding) {
				t.Errorf("%s: %s in %#x is %q, %v; want %q", name, test.octets, coding, got, err, test.want)
			}
		}
	}
}

// A message without any text is empty in every coding; it is not one that cannot be read.
func TestTextWithoutOctets(t *testing.T) {
	t.Parallel()
	for coding := range 256 {
		for _, own := range []smpp.Alphabet{"", smpp.AlphabetUCS2, smpp.AlphabetCyrillic} {
			if got, err := own.Decode(nil, byte(coding)); got != "" || err != nil {
				t.Errorf("in %#x it is %q, %v", coding, got, err)
			}
		}
	}
	for _, mark := range []string{"FEFF", "FFFE"} {
		if got, err := smpp.DecodeText(unhex(t, mark), smpp.CodingUCS2); got != "" || err != nil {
			t.Errorf("the mark %s alone is %q, %v", mark, got, err)
		}
	}
	only := &smpp.Message{Class: smpp.JoinedClass, Short: []byte{5, 0, 3, 7, 1, 1}}
	if octets, part, err := smpp.Content(only, nil); len(octets) != 0 || part != (smpp.Part{}) || err != nil {
		t.Errorf("a header alone: %x, %+v, %v", octets, part, err)
	}
}
