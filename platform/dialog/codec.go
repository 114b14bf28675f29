package dialog

import (
	"fmt"

	"github.com/eshik-kg/eshik/platform/cborwire"
	"github.com/eshik-kg/eshik/platform/msgwire"
)

// Encode writes the state as MessagePack behind its format (see msgwire).
func (s *State) Encode() []byte {
	data, err := msgwire.Marshal(s)
	if err != nil {
		panic(err) // the types of a State's fields can all be written
	}
	return data
}

// Decode reads what Encode wrote, in this build or an older one; ErrVersion when
// a newer build wrote it.
func Decode(data []byte) (*State, error) {
	s, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("decode the state of a conversation: %w", err)
	}
	if s.Version < firstVersion || s.Version > StateVersion || s.Page < 0 {
		return nil, ErrVersion
	}
	s.Version = StateVersion // what older versions lack is empty
	return s, nil
}

func decode(data []byte) (*State, error) {
	if cborwire.Is(data) {
		return decodeCBOR(data)
	}
	s := new(State)
	return s, msgwire.Unmarshal(data, s)
}
