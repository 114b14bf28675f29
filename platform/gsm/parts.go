package gsm

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Encoding is how a message travels.
type Encoding string

// The encodings. A message is GSM-7 only when every character is in the
// default alphabet: one Cyrillic letter makes all of it UCS-2.
const (
	GSM7 Encoding = "GSM-7"
	UCS2 Encoding = "UCS-2"
)

// Limits of one SMS part, in septets for GSM-7 and UTF-16 units for UCS-2. A part
// of a longer message gives up 6 octets for the header that joins it to the
// others. Source: 3GPP TS 23.040, 9.2.3.24.1.
const (
	SingleSeptets = 160
	JoinedSeptets = 153
	SingleUnits   = 70
	JoinedUnits   = 67
)

// Parts is a message cut for the network.
type Parts struct {
	Encoding Encoding
	// Texts are the parts in order; joined they are the message. An empty
	// message has one empty part.
	Texts []string
}

// Estimate is how much of the network a message takes.
type Estimate struct {
	Encoding Encoding
	Parts    int
	// Units are the septets (GSM-7) or UTF-16 units (UCS-2) of all its parts,
	// without what joins them.
	Units int
}

// Measure estimates text.
func Measure(text string) Estimate {
	e := Estimate{Encoding: GSM7}
	septets, ok := Septets(text)
	if e.Units = septets; !ok {
		e.Encoding, e.Units = UCS2, Units(text)
	}
	e.Parts = len(Split(text).Texts)
	return e
}

// Split cuts text into parts. No part ends within an escaped character (GSM-7)
// or a surrogate pair (UCS-2). Bytes that are no UTF-8 count as the one
// replacement character each.
func Split(text string) Parts {
	encoding, single, joined, size := UCS2, SingleUnits, JoinedUnits, Units(text)
	if septets, ok := Septets(text); ok {
		encoding, single, joined, size = GSM7, SingleSeptets, JoinedSeptets, septets
	}
	if size <= single {
		return Parts{Encoding: encoding, Texts: []string{text}}
	}
	return Parts{Encoding: encoding, Texts: cut(text, encoding, joined)}
}

// SplitWide is Split for a text that travels as UCS-2 though GSM-7 has its characters.
func SplitWide(text string) Parts {
	if Units(text) <= SingleUnits {
		return Parts{Encoding: UCS2, Texts: []string{text}}
	}
	return Parts{Encoding: UCS2, Texts: cut(text, UCS2, JoinedUnits)}
}

// Pick chooses between the full and the short wording of a message: the full
// one, unless the short one needs fewer parts.
func Pick(full, short string) string {
	if len(Split(short).Texts) < len(Split(full).Texts) {
		return short
	}
	return full
}

// cut fills each part with as many whole characters as limit allows.
func cut(text string, encoding Encoding, limit int) []string {
	var parts []string
	begin, used := 0, 0
	for at := 0; at < len(text); {
		r, width := utf8.DecodeRuneInString(text[at:])
		cost := runeCost(r, encoding)
		if used+cost > limit {
			parts = append(parts, text[begin:at])
			begin, used = at, 0
		}
		used += cost
		at += width
	}
	return append(parts, text[begin:])
}

func runeCost(r rune, encoding Encoding) int {
	if encoding == GSM7 {
		n, _ := RuneSeptets(r) // Split found every character in the alphabet
		return n
	}
	return max(utf16.RuneLen(r), 1)
}
