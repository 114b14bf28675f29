package session

import (
	"fmt"

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
	keyProofs
	keyProven
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

// overhead is about what a conversation takes beside its state and its answer.
const overhead = 256

// encode writes the record as CBOR (RFC 8949).
func (b *phoneRecord) encode() []byte {
	size := overhead
	for _, t := range []*conversation{b.USSD, b.SMS} {
		if t != nil {
			size += overhead + len(t.State) + len(t.Text) + len(t.Proofs)
		}
	}
	w := cborwire.NewWriter(size)
	w.Open()
	if b.USSD != nil {
		w.Key(keyUSSD)
		b.USSD.write(w)
	}
	if b.SMS != nil {
		w.Key(keySMS)
		b.SMS.write(w)
	}
	if b.Known != nil {
		w.Key(keyKnown)
		w.Open()
		w.TextAt(keyLocale, string(b.Known.Locale))
		w.IntAt(keyHolder, b.Known.Tenure)
		w.IntAt(keyRead, b.Known.Read)
		w.Close()
	}
	w.Close()
	return w.Bytes()
}

func (t *conversation) write(w *cborwire.Writer) {
	w.Open()
	w.IntAt(keyLength, int64(t.Length))
	w.BlobAt(keyDigest, t.Digest)
	w.TextAt(keyText, t.Text)
	w.BoolAt(keyOver, t.Over)
	w.BlobAt(keyState, t.State)
	w.TextAt(keyChannel, string(t.Channel))
	w.TextAt(keyGateway, t.Gateway)
	w.TextAt(keyOperator, t.Operator)
	w.BlobAt(keySeen, t.Seen)
	w.BlobAt(keySession, t.Session)
	w.BlobAt(keyFormer, t.Former)
	w.IntAt(keyBegan, t.Began)
	w.IntAt(keyTurns, t.Turns)
	w.IntAt(keyAnswered, t.Answered)
	w.IntAt(keyExpires, t.Expires)
	w.IntAt(keyKeep, t.Keep)
	w.BoolAt(keyGone, t.Gone)
	w.BlobAt(keySubscriber, t.Subscriber)
	w.IntAt(keyTenure, t.Tenure)
	w.TextAt(keyNode, t.Node)
	w.BlobAt(keyProofs, t.Proofs)
	w.IntAt(keyProven, t.Proven)
	w.BoolAt(keyUnclear, t.Unclear)
	w.Close()
}

// decodeRecord reads what encode wrote; the conversations share data's memory.
func decodeRecord(data []byte) (*phoneRecord, error) {
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
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("read a phone's conversations: %w", err)
	}
	return b, nil
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
	case keyProofs:
		return &t.Proofs
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
	case keyProven:
		return &t.Proven
	}
	return nil
}
