package session

import (
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/cborwire"
)

// The keys of a conversation's map; a number is never used for something else again.
const (
	keyLength = iota + 1
	keyDigest
	keyText
	keyOver
	keyState
	keyChannel
	keyGateway
	keyOperator
	keySeen
	keySession
	keyFormer
	keyBegan
	keyTurns
	keyAnswered
	keyExpires
	keyKeep
	keyGone
	keySubscriber
	keyTenure
	keyNode
	keySignatures
	keySignedUntil
	keyUnclear
)

// The keys of a phone record's map.
const (
	keyUSSD = iota + 1
	keySMS
	keyKnown
)

// The keys of a profile's map.
const (
	keyLocale = iota + 1
	keyHolder
	keyRead
)

// decodeCBOR reads a record as builds before msgwire wrote it; the
// conversations share data's memory. It goes with dialog's.
func decodeCBOR(data []byte) (*phoneRecord, error) {
	b := new(phoneRecord)
	r := cborwire.NewReader(data)
	r.Map(func(key int64) {
		switch key {
		case keyUSSD:
			b.USSD = readConversation(&r)
		case keySMS:
			b.SMS = readConversation(&r)
		case keyKnown:
			b.Known = readKnown(&r)
		default:
			r.Skip()
		}
	})
	return b, r.Err()
}

func readKnown(r *cborwire.Reader) *known {
	k := new(known)
	r.Map(func(key int64) {
		switch key {
		case keyLocale:
			k.Locale = locales.Locale(r.Text())
		case keyHolder:
			k.Tenure = r.Int()
		case keyRead:
			k.Read = r.Int()
		default:
			r.Skip()
		}
	})
	return k
}

func readConversation(r *cborwire.Reader) *conversation {
	t := new(conversation)
	r.Map(func(key int64) {
		if field := t.blob(key); field != nil {
			*field = r.Blob()
			return
		}
		if field := t.number(key); field != nil {
			*field = r.Int()
			return
		}
		switch key {
		case keyLength:
			t.Length = int(r.Int())
		case keyText:
			t.Text = r.Text()
		case keyOver:
			t.Over = r.Bool()
		case keyChannel:
			t.Channel = caller.Channel(r.Text())
		case keyGateway:
			t.Gateway = r.Text()
		case keyOperator:
			t.Operator = r.Text()
		case keyGone:
			t.Gone = r.Bool()
		case keyNode:
			t.Node = r.Text()
		case keyUnclear:
			t.Unclear = r.Bool()
		default:
			r.Skip()
		}
	})
	return t
}

// blob is the field of bytes that a key stands for; nil for another.
func (t *conversation) blob(key int64) *[]byte {
	switch key {
	case keyDigest:
		return &t.Digest
	case keyState:
		return &t.State
	case keySeen:
		return &t.Seen
	case keySession:
		return &t.Session
	case keyFormer:
		return &t.Former
	case keySubscriber:
		return &t.Subscriber
	case keySignatures:
		return &t.Signatures
	}
	return nil
}

// number is the whole number that a key stands for; nil for another.
func (t *conversation) number(key int64) *int64 {
	switch key {
	case keyBegan:
		return &t.Began
	case keyTurns:
		return &t.Turns
	case keyAnswered:
		return &t.Answered
	case keyExpires:
		return &t.Expires
	case keyKeep:
		return &t.Keep
	case keyTenure:
		return &t.Tenure
	case keySignedUntil:
		return &t.SignedUntil
	}
	return nil
}
