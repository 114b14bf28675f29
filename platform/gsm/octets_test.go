package gsm_test

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/gsm"
)

func TestOctets(t *testing.T) {
	t.Parallel()
	// The octets are those of the tables of 3GPP TS 23.038, 6.2.1.
	for _, test := range []struct {
		text   string
		octets []byte
	}{
		{"", []byte{}},
		{"@£$", []byte{0, 1, 2}},
		{"Az09", []byte{0x41, 0x7A, 0x30, 0x39}},
		{"\r\n", []byte{0x0D, 0x0A}},
		{"ÆæßÉ", []byte{0x1C, 0x1D, 0x1E, 0x1F}},
		{"Ä§¿äà", []byte{0x5B, 0x5F, 0x60, 0x7B, 0x7F}},
		{"{€}", []byte{0x1B, 0x28, 0x1B, 0x65, 0x1B, 0x29}},
		{"^\\[~]|\f", []byte{0x1B, 0x14, 0x1B, 0x2F, 0x1B, 0x3C, 0x1B, 0x3D, 0x1B, 0x3E, 0x1B, 0x40, 0x1B, 0x0A}},
	} {
		octets, ok := gsm.Encode(test.text)
		if !ok || !bytes.Equal(octets, test.octets) {
			t.Errorf("Encode(%q) = % x, %v", test.text, octets, ok)
		}
		if text := gsm.Decode(test.octets); text != test.text {
			t.Errorf("Decode(% x) = %q, want %q", test.octets, text, test.text)
		}
	}
}

func TestOctetsOutside(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"ж", "ç", "\x1B", "😀", "\uFFFD", "`"} {
		if octets, ok := gsm.Encode(text); ok {
			t.Errorf("Encode(%q) = % x", text, octets)
		}
	}
	for _, test := range []struct {
		octets []byte
		text   string
	}{
		{[]byte{0x80, 0x41}, "\uFFFDA"},
		{[]byte{0x41, 0x1B}, "A\uFFFD"},
		{[]byte{0x1B, 0x41}, "A"},
		{[]byte{0x1B, 0x1B, 0x41}, "\uFFFDA"},
	} {
		if text := gsm.Decode(test.octets); text != test.text {
			t.Errorf("Decode(% x) = %q, want %q", test.octets, text, test.text)
		}
	}
}

// FuzzOctets: what is encoded reads back, and takes as many octets as Septets
// says.
func FuzzOctets(f *testing.F) {
	f.Add("Salam {€}", []byte{0x1B, 0x65, 0x80})
	f.Fuzz(func(t *testing.T, text string, octets []byte) {
		n, ok := gsm.Septets(text)
		encoded, in := gsm.Encode(text)
		if in != ok || len(encoded) != n {
			t.Fatalf("%q: %d octets, %v; %d septets, %v", text, len(encoded), in, n, ok)
		}
		if in && gsm.Decode(encoded) != text {
			t.Fatalf("%q reads back as %q", text, gsm.Decode(encoded))
		}
		if decoded := gsm.Decode(octets); !utf8.ValidString(decoded) {
			t.Fatalf("% x reads as %q", octets, decoded)
		}
	})
}
