package smpp_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/smpp"
)

// FuzzFrame: a stream is cut into PDUs without a gap, and what it claims of its
// length costs no memory beyond the largest PDU.
func FuzzFrame(f *testing.F) {
	whole, err := deliver([]byte("12"), nil).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(bytes.Clone(whole), whole...))
	f.Add([]byte{0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0x15, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, stream []byte) {
		rest, read := bytes.NewReader(stream), 0
		for {
			frame, err := smpp.ReadFrame(rest)
			if len(frame) > smpp.MaxPDU {
				t.Fatalf("a PDU of %d octets", len(frame))
			}
			var bad *smpp.MalformedError
			switch {
			case err == nil:
				if !bytes.Equal(frame, stream[read:read+len(frame)]) {
					t.Fatalf("%x was read from %x at %d", frame, stream, read)
				}
				read += len(frame)
				continue
			case errors.As(err, &bad), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
				return
			}
			t.Fatalf("after %d octets: %v", read, err)
		}
	})
}

// FuzzText: what is written reads back, in both alphabets, if it is in a script that is
// read here, and any octets read as text.
func FuzzText(f *testing.F) {
	f.Add("Салам {€} 😀", []byte{0xD8, 0x3D, 0x1B}, smpp.CodingUCS2)
	f.Add("Salam", []byte{0x1B, 0x65, 0x80}, smpp.CodingLatin1)
	f.Fuzz(func(t *testing.T, text string, octets []byte, coding byte) {
		if decoded, err := smpp.DecodeText(octets, coding); err == nil && !utf8.ValidString(decoded) {
			t.Fatalf("%x in coding %d reads as %q", octets, coding, decoded)
		}
		written, err := smpp.EncodeText(text, coding)
		if err != nil || strings.ContainsFunc(text, isForeign) {
			return
		}
		want := text
		if _, septets := gsm.Septets(text); !septets { // UCS-2, in which broken UTF-8 cannot be written
			want = string(utf16.Decode(utf16.Encode([]rune(text))))
		}
		if again, err := smpp.DecodeText(written, coding); err != nil || again != want {
			t.Fatalf("%q is written as %x and read as %q, %v", text, written, again, err)
		}
	})
}

// isForeign reports what is neither a Latin, Greek or Cyrillic letter nor in ASCII, nor an
// emoji.
func isForeign(r rune) bool {
	switch {
	case r < 0x80:
		return !unicode.IsPrint(r)
	case r < 0x0530:
		return !unicode.IsLetter(r)
	}
	return r < 0x1F300 || r > 0x1FAFF
}

// FuzzContent: a part has a place that is possible, and its octets are the end of
// the message's.
func FuzzContent(f *testing.F) {
	f.Add(byte(0x40), []byte{5, 0, 3, 7, 2, 1, 'a'}, []byte{0, 7}, []byte{2}, []byte{1})
	f.Add(byte(0x40), []byte{8, 1, 1, 0, 0, 3, 7, 2, 1, 'a'}, []byte(nil), []byte(nil), []byte(nil))
	f.Add(byte(0), []byte("a"), []byte{0, 7}, []byte{2}, []byte{1})
	f.Fuzz(func(t *testing.T, class byte, short, reference, total, number []byte) {
		octets, part, err := smpp.Content(&smpp.Message{Class: class, Short: short}, smpp.TLVs{
			{Tag: smpp.TagSARReference, Value: reference}, {Tag: smpp.TagSARTotal, Value: total}, {Tag: smpp.TagSARNumber, Value: number},
		})
		if err != nil {
			return
		}
		if part != (smpp.Part{}) && (part.Total < 2 || part.Number < 1 || part.Number > part.Total || part.Reference>>16 != 0) {
			t.Fatalf("an impossible part %+v", part)
		}
		if !bytes.HasSuffix(short, octets) {
			t.Fatalf("%x came out of %x", octets, short)
		}
	})
}
