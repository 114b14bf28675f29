package dialog

import (
	"fmt"
	"strings"

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
	s.renameNodes()
	return s, nil
}

// RenamedNode is what a node is called now that may be stored under the name of a build
// before: the engine's own nodes began with "door." (decision 24).
func RenamedNode(id string) string {
	if own, before := strings.CutPrefix(id, "door."); before {
		return "menu." + own
	}
	return id
}

// renameNodes gives every node that the state names the name it has now.
func (s *State) renameNodes() {
	s.Node = RenamedNode(s.Node)
	for i := range s.History {
		s.History[i].Node = RenamedNode(s.History[i].Node)
	}
	for i := range s.Returns {
		s.Returns[i] = RenamedNode(s.Returns[i])
	}
	for _, page := range s.Pages {
		for i := range page.Options {
			next := &page.Options[i]
			next.Node, next.Then = RenamedNode(next.Node), RenamedNode(next.Then)
		}
	}
	if s.Earlier != nil {
		s.Earlier.renameNodes()
	}
}

func decode(data []byte) (*State, error) {
	if cborwire.Is(data) {
		return decodeCBOR(data)
	}
	s := new(State)
	return s, msgwire.Unmarshal(data, s)
}
