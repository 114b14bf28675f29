package sign

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Seven bytes are the group that decimal digits waste least on: 17 digits hold 56 bits in 56.5.
const (
	decimalBytes  = 7
	decimalDigits = 17
)

// decimalOf is how many digits hold so many bytes, for each remainder another number: the
// length of a text tells the length of what it holds.
var decimalOf = [decimalBytes + 1]int{0, 3, 5, 8, 10, 13, 15, decimalDigits}

// ErrDecimal reports text that EncodeDecimal did not write.
var ErrDecimal = errors.New("the text is not bytes as decimal digits")

// EncodeDecimal writes data as decimal digits, which a QR code holds in its densest mode and an
// address as they are: each seven bytes as a number of 17 digits, the rest as one of fewer.
func EncodeDecimal(data []byte) string {
	var out strings.Builder
	for len(data) > 0 {
		size := min(decimalBytes, len(data))
		var group [8]byte
		copy(group[8-size:], data)
		_, _ = fmt.Fprintf(&out, "%0*d", decimalOf[size], binary.BigEndian.Uint64(group[:])) // a builder takes all
		data = data[size:]
	}
	return out.String()
}

// DecodeDecimal reads what EncodeDecimal wrote, and no other text of the same bytes.
// ErrDecimal: it is none.
func DecodeDecimal(text string) ([]byte, error) {
	var out []byte
	for len(text) > 0 {
		digits := min(decimalDigits, len(text))
		size := 0
		for size < decimalBytes && decimalOf[size] < digits {
			size++
		}
		n, err := strconv.ParseUint(text[:digits], 10, 64)
		if decimalOf[size] != digits || err != nil || n>>(8*size) != 0 {
			return nil, ErrDecimal
		}
		var group [8]byte
		binary.BigEndian.PutUint64(group[:], n)
		out = append(out, group[8-size:]...)
		text = text[digits:]
	}
	return out, nil
}
