package sms

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/smpp"
)

// The ways to say on SMPP which part a message is.
const (
	narrow = iota // a user data header with an 8-bit reference
	wide          // with a 16-bit one
	sar           // optional parameters
	ways
)

// deliver writes a part as a phone and its SMS centre would, and reads it off
// the wire.
func deliver(tb testing.TB, way int, place smpp.Part, text string) smpp.Delivery {
	tb.Helper()
	octets, coding := typed(tb, text)
	p := smpp.PDU{Command: smpp.DeliverSM, Sequence: 1, Message: &smpp.Message{
		Source: smpp.Address{TON: 1, NPI: 1, Digits: "996555000001"}, Destination: smpp.Address{Digits: "1414"}, Coding: coding, Short: octets,
	}}
	high, low, total, number := byte(place.Reference>>8), byte(place.Reference), byte(place.Total), byte(place.Number)
	switch way {
	case narrow:
		p.Message.Class, p.Message.Short = smpp.JoinedClass, append(place.Header(), octets...)
	case wide:
		p.Message.Class, p.Message.Short = smpp.JoinedClass, append([]byte{6, 8, 4, high, low, total, number}, octets...)
	case sar:
		p.TLVs = smpp.TLVs{
			{Tag: smpp.TagSARReference, Value: []byte{high, low}}, {Tag: smpp.TagSARTotal, Value: []byte{total}},
			{Tag: smpp.TagSARNumber, Value: []byte{number}},
		}
	}
	raw, err := p.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	read, err := smpp.Decode(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return smpp.Delivery{Message: read.Message, TLVs: read.TLVs, ID: fmt.Sprintf("link:%d", number)}
}

// typed is a text in octets as a phone codes it.
func typed(tb testing.TB, text string) (octets []byte, coding byte) {
	tb.Helper()
	coding = smpp.CodingUCS2
	if _, ok := gsm.Septets(text); ok {
		coding = smpp.CodingDefault
	}
	octets, err := smpp.EncodeText(text, coding)
	if err != nil {
		tb.Fatal(err)
	}
	return octets, coding
}

// cutInto gives n texts of about the same length, cut between characters.
func cutInto(text string, n int) (texts []string) {
	letters := []rune(text)
	for i := range n {
		texts = append(texts, string(letters[len(letters)*i/n:len(letters)*(i+1)/n]))
	}
	return texts
}

// readsAs reports that a text is read as it was written: what is of none of the scripts in
// use may be taken for another coding (see smpp.Alphabet.Decode, and its tests).
func readsAs(tb testing.TB, text string) bool {
	tb.Helper()
	octets, coding := typed(tb, text)
	read, err := smpp.AlphabetGSM7.Decode(octets, coding)
	return err == nil && read == text
}

// FuzzJoin: whatever a text is, however its parts are marked, in whatever order
// and however often they come, it is whole again when all are there, and not
// before.
func FuzzJoin(f *testing.F) {
	f.Add("Салам дүйнө 😀", uint16(7), uint8(3), uint8(0), uint64(1), uint16(0))
	f.Add("ab{€}\ncd", uint16(300), uint8(2), uint8(1), uint64(2), uint16(0))
	f.Add("01KG123ABC айып", uint16(9), uint8(10), uint8(2), uint64(3), uint16(4))
	d := newDesk(f)
	f.Fuzz(func(t *testing.T, text string, reference uint16, parts, way uint8, seed uint64, lost uint16) {
		n := 2 + int(parts)%(maxParts-1)
		if !utf8.ValidString(text) || len(text) > 200 {
			return // no phone can write it, or not in these parts
		}
		d.clear()
		random := rand.New(rand.NewPCG(seed, 1))
		var sent []smpp.Delivery
		for i, cut := range cutInto(text, n) {
			if lost>>i&1 == 1 {
				continue
			}
			if !readsAs(t, cut) {
				return
			}
			delivery := deliver(t, int(way)%ways, smpp.Part{Reference: int(reference), Number: i + 1, Total: n}, cut)
			for range 1 + random.IntN(2) {
				sent = append(sent, delivery)
			}
		}
		random.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
		for _, delivery := range sent {
			if status, _ := d.link.Handle(t.Context(), delivery); status != smpp.StatusOK || len(d.refused) > 0 {
				t.Fatalf("answered %#x, counted %q", status, d.refused)
			}
		}
		slices.SortStableFunc(d.inbox.taken, func(a, b message) int { return cmp.Compare(a.Part, b.Part) })
		whole, complete := join(d.inbox.taken), lost&(1<<n-1) == 0
		if (whole.id != "") != complete {
			t.Fatalf("of %d parts, lost %b, came %q", n, lost, whole.Text)
		}
		if want := strings.ReplaceAll(text, "\x00", "\uFFFD"); complete && (whole.Text != want || whole.id != "link:1") {
			t.Fatalf("%q came as %q by %q", want, whole.Text, whole.id)
		}
	})
}
