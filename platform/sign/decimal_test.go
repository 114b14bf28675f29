package sign

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestDecimal reads back what it wrote, leading zeros too; one text holds one message.
func TestDecimal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.Just(byte(0)), rapid.Just(byte(255))), 0, 60).Draw(t, "data")
		text := EncodeDecimal(data)
		if strings.Trim(text, "0123456789") != "" {
			t.Fatalf("%x: %q is not of digits", data, text)
		}
		if back, err := DecodeDecimal(text); err != nil || !bytes.Equal(back, data) {
			t.Fatalf("%x: %x, %v", data, back, err)
		}
		any := rapid.StringMatching(`[0-9]{0,40}`).Draw(t, "any")
		if read, err := DecodeDecimal(any); err == nil && EncodeDecimal(read) != any {
			t.Fatalf("%q is read, and written %q", any, EncodeDecimal(read))
		}
	})
	for text, want := range map[string]string{"": "", "000": "\x00", "255": "\xff", "65535": "\xff\xff", "72057594037927935": "\xff\xff\xff\xff\xff\xff\xff", "00000000000000001005": "\x00\x00\x00\x00\x00\x00\x01\x05"} {
		if got, err := DecodeDecimal(text); err != nil || string(got) != want {
			t.Errorf("%q: %x, %v", text, got, err)
		}
	}
	for _, text := range []string{"1", "12", "256", "65536", "1234", "72057594037927936", "99999999999999999", "+12", "1 2", "12a", "１２３", "-01", "1_2"} {
		if got, err := DecodeDecimal(text); !errors.Is(err, ErrDecimal) {
			t.Errorf("%q is read as %x, %v", text, got, err)
		}
	}
}
