package smpp

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/gsm"
)

// Decode reads what a phone typed, at a centre with this alphabet. Half a character, and
// an octet that is none, become the replacement character. Some centres name another
// coding than the text has: one that makes no text of ours as it is named, and does in
// one other way, is read in that way. ErrCoding: nothing in it can be read; it may be
// binary, or compressed.
func (a Alphabet) Decode(octets []byte, coding byte) (string, error) {
	if len(octets) == 0 {
		return "", nil
	}
	of, sure := a.of(coding)
	text := of.read(octets)
	if isOurs(text) && (sure || of != AlphabetGSM7 || !isBinary(octets)) {
		return text, nil
	}
	if other, found := guess(octets); found {
		return other, nil
	}
	if !sure || !strings.ContainsFunc(text, isSeen) {
		return "", ErrCoding
	}
	return text, nil
}

// read reads octets in this alphabet.
func (a Alphabet) read(octets []byte) string {
	switch a {
	case AlphabetLatin1:
		return fromOctets(octets, func(octet byte) rune { return rune(octet) })
	case AlphabetCyrillic:
		return fromOctets(octets, cyrillic)
	case AlphabetUCS2:
		return fromUnits(octets)
	}
	return gsm.Decode(octets)
}

// guess reads octets whose coding does not fit them: as UTF-8, of which ASCII is a part,
// or as UTF-16 in either order of its octets.
func guess(octets []byte) (text string, found bool) {
	if utf8.Valid(octets) && isOurs(string(octets)) {
		return string(octets), true
	}
	if len(octets)%2 != 0 {
		return "", false
	}
	for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
		if text := fromUnitsIn(order, octets); isOurs(text) {
			return text, true
		}
	}
	return "", false
}

// punctuation is what people type between letters and digits. Without the rest of ASCII,
// hardly a word of Chinese passes for Latin letters.
const punctuation = " \r\n.,:;!?'\"()+-*/#%&=@№«»—–…’“”€$£¥¤§¡¿"

// isOurs reports a text in the letters that are written here: Latin, Cyrillic and Greek
// ones (GSM-7 has those), digits and what stands between them.
func isOurs(text string) bool {
	for _, r := range text {
		if !isOurLetter(r) && (r < '0' || r > '9') && !strings.ContainsRune(punctuation, r) {
			return false
		}
	}
	return true
}

// isOurLetter reports a letter of the blocks in use. Rare letters of the same scripts are
// what common ones become with their octets the wrong way round.
func isOurLetter(r rune) bool {
	return unicode.IsLetter(r) && (r < 0x0250 || r >= 0x0370 && r < 0x0530)
}

// isBinary reports octets that a text in GSM-7 hardly has: those of its accented and
// Greek letters are the control characters of everything else.
func isBinary(octets []byte) bool {
	for _, octet := range octets {
		if octet >= 0x80 || octet < ' ' && octet != '\n' && octet != '\r' && octet != gsmEscape {
			return true
		}
	}
	return false
}

// gsmEscape leads to the extension table of GSM-7 (3GPP TS 23.038, 6.2.1.1).
const gsmEscape = 0x1B

// isSeen reports a character that shows.
func isSeen(r rune) bool { return r != utf8.RuneError && unicode.IsGraphic(r) }

// byteOrderMark may begin a text in UTF-16; the other way round it is no character.
const byteOrderMark = 0xFEFF

// fromUnits reads UTF-16, the more significant octet first unless the text begins with
// the mark that says otherwise. The mark is no part of the text.
func fromUnits(octets []byte) string {
	var order binary.ByteOrder = binary.BigEndian
	if len(octets) > 1 && binary.LittleEndian.Uint16(octets) == byteOrderMark {
		order = binary.LittleEndian
	}
	return strings.TrimPrefix(fromUnitsIn(order, octets), string(rune(byteOrderMark)))
}

func fromUnitsIn(order binary.ByteOrder, octets []byte) string {
	units := make([]uint16, 0, len(octets)/2+1)
	for ; len(octets) > 1; octets = octets[2:] {
		units = append(units, order.Uint16(octets))
	}
	if len(octets) == 1 {
		units = append(units, unicode.ReplacementChar)
	}
	return string(utf16.Decode(units))
}
