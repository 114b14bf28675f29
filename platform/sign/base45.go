package sign

import (
	"errors"
	"strings"
)

// base45Alphabet is the QR code's alphanumeric alphabet in the order of RFC
// 9285, section 4.2.
const base45Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// ErrBase45 reports text that is not base45.
var ErrBase45 = errors.New("the text is not base45")

// EncodeBase45 writes data in base45 (RFC 9285): two bytes become three
// characters that a QR code holds in its dense alphanumeric mode.
func EncodeBase45(data []byte) string {
	var out strings.Builder
	out.Grow((len(data) + 1) / 2 * 3)
	for ; len(data) >= 2; data = data[2:] {
		n := int(data[0])<<8 | int(data[1])
		out.WriteByte(base45Alphabet[n%45])
		out.WriteByte(base45Alphabet[n/45%45])
		out.WriteByte(base45Alphabet[n/(45*45)])
	}
	if len(data) == 1 {
		out.WriteByte(base45Alphabet[data[0]%45])
		out.WriteByte(base45Alphabet[data[0]/45])
	}
	return out.String()
}

// DecodeBase45 reads what EncodeBase45 wrote. Text of any other form gives
// ErrBase45, a value over 65535 (RFC 9285, section 6) among them.
func DecodeBase45(text string) ([]byte, error) {
	if len(text)%3 == 1 {
		return nil, ErrBase45
	}
	out := make([]byte, 0, len(text)/3*2+1)
	for ; len(text) >= 3; text = text[3:] {
		n, ok := base45Value(text[:3])
		if !ok || n > 0xffff {
			return nil, ErrBase45
		}
		out = append(out, byte(n>>8), byte(n&0xff))
	}
	if len(text) == 2 {
		n, ok := base45Value(text)
		if !ok || n > 0xff {
			return nil, ErrBase45
		}
		out = append(out, byte(n))
	}
	return out, nil
}

// base45Value reads digits of base 45, the lowest first.
func base45Value(digits string) (int, bool) {
	n := 0
	for i := len(digits) - 1; i >= 0; i-- {
		d := strings.IndexByte(base45Alphabet, digits[i])
		if d < 0 {
			return 0, false
		}
		n = n*45 + d
	}
	return n, true
}
