// Package cborwire reads small CBOR maps with whole-number keys (RFC 8949), in which
// builds before msgwire kept conversations. It goes in the release after the first
// with msgwire.
package cborwire

import (
	"errors"
	"math"
)

// Major types of RFC 8949, section 3.1, and the simple values used.
const (
	majorUint, majorNegative, majorBytes, majorText = 0, 1, 2, 3
	majorArray, majorMap, majorSimple               = 4, 5, 7

	simpleFalse, simpleTrue, simpleNull, stop = 0xf4, 0xf5, 0xf6, 0xff
	indefinite                                = 31
	maxDepth                                  = 16
)

// ErrFormat reports bytes that are not what was written, or of another type.
var ErrFormat = errors.New("not the CBOR that is expected")

// Is reports that data begins as a CBOR map, and so not as what msgwire writes.
func Is(data []byte) bool { return len(data) > 0 && data[0]>>5 == majorMap }

// Reader reads one value. Texts and blobs it gives are parts of the data, which
// must not change afterwards. After the first fault all it gives is empty, and
// Err tells.
type Reader struct {
	data  []byte
	text  string // the same bytes
	at    int
	depth int
	err   error
}

// NewReader reads data.
func NewReader(data []byte) Reader { return Reader{data: data, text: string(data)} }

// Err is the first fault; data that follows the value is one.
func (r *Reader) Err() error {
	if r.err == nil && r.at != len(r.data) {
		r.err = ErrFormat
	}
	return r.err
}

func (r *Reader) fail() { r.err = ErrFormat }

// head reads a type and its number; endless says that a stop will end it.
func (r *Reader) head() (major byte, n uint64, endless bool) {
	if r.err != nil || r.at >= len(r.data) {
		r.fail()
		return majorSimple, 0, false
	}
	first := r.data[r.at]
	r.at++
	major, n = first>>5, uint64(first&31)
	if n < 24 {
		return major, n, false
	}
	if n == indefinite {
		return major, 0, true
	}
	size := 1 << (n - 24)
	if n > 27 || len(r.data)-r.at < size {
		r.fail()
		return majorSimple, 0, false
	}
	n = 0
	for _, b := range r.data[r.at : r.at+size] {
		n = n<<8 | uint64(b)
	}
	r.at += size
	return major, n, false
}

// Map reads a map with whole-number keys: pair is called for each key and reads
// its value, with Skip if it does not know the key.
func (r *Reader) Map(pair func(key int64)) {
	r.each(majorMap, func() { pair(r.Int()) })
}

// Texts reads a map of texts.
func (r *Reader) Texts(pair func(key, value string)) {
	r.each(majorMap, func() {
		key := r.Text()
		pair(key, r.Text())
	})
}

// Array reads an array: item is called for each and reads it.
func (r *Reader) Array(item func()) { r.each(majorArray, item) }

func (r *Reader) each(want byte, item func()) {
	if r.null() {
		return
	}
	major, n, endless := r.head()
	if r.depth++; r.err != nil || major != want || r.depth > maxDepth {
		r.fail()
		return
	}
	for i := uint64(0); r.err == nil && (endless || i < n); i++ {
		if endless && r.at < len(r.data) && r.data[r.at] == stop {
			r.at++
			break
		}
		item()
	}
	r.depth--
}

// null takes a null, which is an empty value of any type.
func (r *Reader) null() bool {
	if r.err == nil && r.at < len(r.data) && r.data[r.at] == simpleNull {
		r.at++
		return true
	}
	return false
}

// Int reads a number.
func (r *Reader) Int() int64 {
	major, n, endless := r.head()
	if r.err != nil || endless || major > majorNegative || n > math.MaxInt64 {
		r.fail()
		return 0
	}
	if major == majorNegative {
		return ^int64(n)
	}
	return int64(n)
}

// span reads a text's or a blob's length and gives where it lies.
func (r *Reader) span(want byte) (from, to int) {
	major, n, endless := r.head()
	if r.err != nil || endless || major != want || n > uint64(len(r.data)-r.at) { // #nosec G115 -- not negative
		r.fail()
		return 0, 0
	}
	from = r.at
	r.at += int(n) // #nosec G115 -- no more than the data
	return from, r.at
}

// Text reads a text.
func (r *Reader) Text() string {
	from, to := r.span(majorText)
	return r.text[from:to]
}

// Blob reads bytes.
func (r *Reader) Blob() []byte {
	if r.null() {
		return nil
	}
	from, to := r.span(majorBytes)
	return r.data[from:to:to]
}

// Bool reads a truth value.
func (r *Reader) Bool() bool {
	if r.err != nil || r.at >= len(r.data) || (r.data[r.at] != simpleTrue && r.data[r.at] != simpleFalse) {
		r.fail()
		return false
	}
	r.at++
	return r.data[r.at-1] == simpleTrue
}

// Skip passes over a value of any type.
func (r *Reader) Skip() {
	if r.err != nil || r.at >= len(r.data) {
		r.fail()
		return
	}
	switch r.data[r.at] >> 5 {
	case majorUint, majorNegative:
		r.Int()
	case majorBytes:
		r.span(majorBytes)
	case majorText:
		r.span(majorText)
	case majorArray:
		r.each(majorArray, r.Skip)
	case majorMap:
		r.each(majorMap, func() { r.Skip(); r.Skip() })
	case majorSimple:
		if !r.null() {
			r.Bool()
		}
	default:
		r.fail()
	}
}
