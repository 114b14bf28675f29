package msgwire

import "github.com/tinylib/msgp/msgp"

// Text is a text that lies where Unmarshal read it, in the copy that nobody else has
// and nobody changes. A step of a conversation reads a dozen texts; each by itself
// would double what it allocates for reading.
type Text string

// MarshalMsg implements msgp.Marshaler.
func (t *Text) MarshalMsg(b []byte) ([]byte, error) { return msgp.AppendString(b, string(*t)), nil }

// UnmarshalMsg implements msgp.Unmarshaler.
func (t *Text) UnmarshalMsg(b []byte) ([]byte, error) {
	text, rest, err := msgp.ReadStringZC(b)
	*t = Text(msgp.UnsafeString(text))
	return rest, err
}

// Msgsize implements msgp.Sizer.
func (t *Text) Msgsize() int { return msgp.StringPrefixSize + len(*t) }
