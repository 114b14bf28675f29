package smpp

import (
	"github.com/eshik-kg/eshik/platform/gsm"
)

// Alphabet is an SMS centre's own: what it means by data_coding 0, and by any coding
// that says nothing of an alphabet.
type Alphabet string

// The alphabets. The empty one is AlphabetGSM7.
const (
	AlphabetGSM7     Alphabet = "gsm7"       // 3GPP TS 23.038, a septet in an octet
	AlphabetLatin1   Alphabet = "latin1"     // ISO 8859-1
	AlphabetCyrillic Alphabet = "iso-8859-5" // Latin and Cyrillic, without ө ү ң
	AlphabetUCS2     Alphabet = "ucs2"       // big-endian
)

// Known reports whether a is one of the above, or empty.
func (a Alphabet) Known() bool {
	switch a {
	case "", AlphabetGSM7, AlphabetLatin1, AlphabetCyrillic, AlphabetUCS2:
		return true
	}
	return false
}

// compressed is the bit of the general groups of data_coding that says that the text is.
const compressed = 0x20

// of is the alphabet of a data_coding. 0 to 15 are SMPP's own values (section 5.2.19),
// the others the groups of 3GPP TS 23.038, 4: general and automatic deletion, message
// waiting, data and message class. Where the coding says nothing, or that the text is
// binary, it is the centre's own, and sure is false; so it is where the text is said to
// be compressed, which nobody does.
func (a Alphabet) of(coding byte) (of Alphabet, sure bool) {
	switch {
	case coding == CodingDefault:
		return a.own(), true
	case coding == CodingUSSD:
		return AlphabetGSM7, true
	case coding == CodingASCII, coding == CodingLatin1:
		return AlphabetLatin1, true // of which ASCII is the first half
	case coding == codingCyrillic:
		return AlphabetCyrillic, true
	case coding == CodingUCS2:
		return AlphabetUCS2, true
	case coding < 0x10:
		return a.own(), false
	case coding < 0x80:
		of, sure = a.byBits(coding >> 2)
		return of, sure && coding&compressed == 0
	case coding >= 0xF0:
		return a.byBits(coding >> 2 & 1)
	case coding >= 0xE0:
		return AlphabetUCS2, true
	case coding >= 0xC0:
		return AlphabetGSM7, true
	}
	return a.own(), false // reserved
}

// byBits are the two bits for the alphabet in a general group.
func (a Alphabet) byBits(bits byte) (of Alphabet, sure bool) {
	switch bits & 3 {
	case 0:
		return AlphabetGSM7, true
	case 2:
		return AlphabetUCS2, true
	}
	return a.own(), false
}

func (a Alphabet) own() Alphabet {
	if a == "" {
		return AlphabetGSM7
	}
	return a
}

// Encode writes a text whose characters are all in GSM-7 for data_coding 0; ok is false
// where this alphabet has not all of them, and the text is to be sent as UCS-2.
func (a Alphabet) Encode(text string) (octets []byte, ok bool) {
	own := a.own()
	if own == AlphabetGSM7 {
		return gsm.Encode(text)
	}
	if own == AlphabetUCS2 {
		return nil, false // as well said by its own coding
	}
	octets = make([]byte, 0, len(text))
	for _, r := range text {
		// Both have ASCII; beyond it no text of ours in GSM-7 has much.
		if r >= 0x80 && (own != AlphabetLatin1 || r < 0xA0 || r > 0xFF) {
			return nil, false
		}
		octets = append(octets, byte(r))
	}
	return octets, true
}

func fromOctets(octets []byte, letter func(octet byte) rune) string {
	letters := make([]rune, len(octets))
	for i, octet := range octets {
		letters[i] = letter(octet)
	}
	return string(letters)
}

// cyrillic is a character of ISO 8859-5.
func cyrillic(octet byte) rune {
	switch {
	case octet <= 0xA0, octet == 0xAD:
		return rune(octet)
	case octet == 0xF0:
		return '№'
	case octet == 0xFD:
		return '§'
	}
	return 0x0400 + rune(octet-0xA0)
}
