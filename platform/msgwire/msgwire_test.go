package msgwire_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/eshik-kg/eshik/platform/msgwire"
)

// TestUnmarshal: one value after the format, no deeper than 16, no head that
// announces more than follows.
func TestUnmarshal(t *testing.T) {
	t.Parallel()
	for data, good := range map[string]bool{
		"": false, "\x01": false, "\x00\x80": false, "\x02\x80": false, "\xbf\xff": false, "\x80": false,
		"\x01\x80": true, "\x01\x81\xa1a\x01": true, "\x01\xc4\x02ab": true, "\x01\x81\xa1a\x01\x00": false,
		"\x01\x81\xa1a": false, "\x01\xa5abc": false, "\x01\xc1": false, "\x01\xc6\xff\xff\xff\xffabc": false,
		"\x01\xdd\xff\xff\xff\xff\x01": false, "\x01\xdf\xff\xff\xff\xff\x01": false, "\x01\xdf\x80\x00\x00\x01\x01": false,
		"\x01" + strings.Repeat("\x91", 16) + "\x01":        true,
		"\x01" + strings.Repeat("\x91", 17) + "\x01":        false,
		"\x01" + strings.Repeat("\x81\x01", 17) + "\x01":    false,
		"\x01" + strings.Repeat("\x91", 1_000_000) + "\x01": false,
	} {
		var raw msgp.Raw
		err := msgwire.Unmarshal([]byte(data), &raw)
		if good != (err == nil) || !good && !errors.Is(err, msgwire.ErrFormat) {
			t.Errorf("%.40q: %v", data, err)
		}
		if written, err := msgwire.Marshal(&raw); good && (err != nil || string(written) != data) {
			t.Errorf("%.40q is written as %q, %v", data, written, err)
		}
	}
}

// An error names neither a key nor a value.
func TestErrorsTellNothing(t *testing.T) {
	t.Parallel()
	var text msgwire.Text
	for _, data := range []string{"\x01\x81\xa6canary\x01", "\x01\xc4\x06canary", "\x01\xa7canary"} {
		if err := msgwire.Unmarshal([]byte(data), &text); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", data, err)
		}
	}
}

// A text is not lost when what it was read from is written over.
func TestTextIsItsOwn(t *testing.T) {
	t.Parallel()
	in := msgwire.Text("Салам")
	data, err := msgwire.Marshal(&in)
	if err != nil {
		t.Fatal(err)
	}
	var out msgwire.Text
	if err := msgwire.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	copy(data, bytes.Repeat([]byte{0xff}, len(data)))
	if out != in {
		t.Errorf("%q became %q", in, out)
	}
}

// FuzzUnmarshal: what is read is written back octet for octet.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte("\x01\x82\xa1a\x93\x01\xc0\xc3\xa1b\xcb\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x01\xdf\x00\x00\x00\x01\xa1a\xc7\x01\x05x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var raw msgp.Raw
		if msgwire.Unmarshal(data, &raw) != nil {
			return
		}
		if written, err := msgwire.Marshal(&raw); err != nil || !bytes.Equal(written, data) {
			t.Errorf("%x is written as %x, %v", data, written, err)
		}
	})
}
