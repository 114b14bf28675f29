package session

import (
	"fmt"

	"github.com/eshik-kg/eshik/platform/cborwire"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/msgwire"
)

// encode writes the record as MessagePack behind its format (see msgwire).
func (b *phoneRecord) encode() []byte {
	data, err := msgwire.Marshal(b)
	if err != nil {
		panic(err) // the types of a record's fields can all be written
	}
	return data
}

// decodeRecord reads what encode wrote, in this build or the one before; the
// conversations share data's memory.
func decodeRecord(data []byte) (*phoneRecord, error) {
	b, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("read a phone's conversations: %w", err)
	}
	for _, on := range [...]*conversation{b.USSD, b.SMS} {
		if on != nil {
			on.Node = dialog.RenamedNode(on.Node)
		}
	}
	return b, nil
}

func decode(data []byte) (*phoneRecord, error) {
	if cborwire.Is(data) {
		return decodeCBOR(data)
	}
	b := new(phoneRecord)
	return b, msgwire.Unmarshal(data, b)
}
