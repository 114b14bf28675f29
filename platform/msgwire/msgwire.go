// Package msgwire frames what is kept of a conversation: one octet that names the
// format, then MessagePack, which generated code writes and reads.
package msgwire

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// Format is the first octet of what Marshal writes. It rises when an older build
// could not pass over what is new; fields are added without. CBOR, which builds
// before wrote, begins with an octet from 0xa0 to 0xbf (a map).
const Format = 1

// maxDepth is how deep maps and arrays may lie in each other.
const maxDepth = 16

// ErrFormat reports octets that are not what Marshal writes.
var ErrFormat = errors.New("not the MessagePack that is expected")

// Value is what the generator makes of a type.
type Value interface {
	msgp.Marshaler
	msgp.Unmarshaler
	msgp.Sizer
}

// Marshal writes v.
func Marshal(v Value) ([]byte, error) {
	return v.MarshalMsg(append(make([]byte, 0, 1+v.Msgsize()), Format))
}

// Unmarshal reads into v what Marshal wrote; ErrFormat when it did not. Errors
// hold nothing of the data.
func Unmarshal(data []byte, v Value) error {
	if len(data) == 0 || data[0] != Format {
		return ErrFormat
	}
	body := bytes.Clone(data[1:])
	if rest, err := walk(body, maxDepth); err != nil || len(rest) != 0 {
		return ErrFormat
	}
	if _, err := v.UnmarshalMsg(body); err != nil {
		return fmt.Errorf("%w (%T)", ErrFormat, msgp.Cause(err))
	}
	return nil
}

// walk passes over one value, so that the generated code, which makes room for as
// many members as a head announces and descends without end, meets no head that
// announces more than follows, and nothing deeper than depth.
func walk(b []byte, depth int) (rest []byte, err error) {
	var members uint32
	switch msgp.NextType(b) {
	case msgp.MapType:
		if members, b, err = msgp.ReadMapHeaderBytes(b); members <= uint32(len(b)) { // #nosec G115 -- a record's length
			members *= 2
		}
	case msgp.ArrayType:
		members, b, err = msgp.ReadArrayHeaderBytes(b)
	default:
		return msgp.Skip(b)
	}
	if err != nil || depth == 0 || uint64(members) > uint64(len(b)) {
		return nil, ErrFormat
	}
	for range members {
		if b, err = walk(b, depth-1); err != nil {
			return nil, err
		}
	}
	return b, nil
}
