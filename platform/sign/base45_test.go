package sign_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/eshik-kg/eshik/platform/sign"
)

// The examples of RFC 9285, sections 4.3 and 4.4.
var base45Vectors = []struct{ plain, encoded string }{
	{"AB", "BB8"}, {"Hello!!", "%69 VD92EX0"}, {"base-45", "UJCLQE7W581"}, {"ietf!", "QED8WEX0"}, {"", ""},
	{"\x00", "00"}, {"\xff", "U5"}, {"\xff\xff", "FGW"},
}

func TestBase45(t *testing.T) {
	t.Parallel()
	for _, v := range base45Vectors {
		if got := sign.EncodeBase45([]byte(v.plain)); got != v.encoded {
			t.Errorf("encode %q: %q, want %q", v.plain, got, v.encoded)
		}
		if got, err := sign.DecodeBase45(v.encoded); err != nil || string(got) != v.plain {
			t.Errorf("decode %q: %q, %v, want %q", v.encoded, got, err, v.plain)
		}
	}
	// "GGW" is 65536 (RFC 9285, section 6); "::" and "V5" are over 255.
	for _, bad := range []string{"A", "BB8A", "GGW", ":::", "::", "V5", "bb8", "B,8", "ЖЖ"} {
		if got, err := sign.DecodeBase45(bad); !errors.Is(err, sign.ErrBase45) {
			t.Errorf("decode %q: %q, %v, want ErrBase45", bad, got, err)
		}
	}
}

func FuzzBase45(f *testing.F) {
	for _, v := range base45Vectors {
		f.Add([]byte(v.plain))
		f.Add([]byte(v.encoded))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		back, err := sign.DecodeBase45(sign.EncodeBase45(data))
		if err != nil || !bytes.Equal(back, data) {
			t.Fatalf("%x came back as %x, %v", data, back, err)
		}
		// Every text that decodes is the only text of its bytes.
		if plain, err := sign.DecodeBase45(string(data)); err == nil && sign.EncodeBase45(plain) != string(data) {
			t.Fatalf("%q and %q both mean %x", data, sign.EncodeBase45(plain), plain)
		}
	})
}
