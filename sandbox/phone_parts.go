package sandbox

import "github.com/eshik-kg/eshik/platform/gsm"

// The room in a message that goes alone and in a part of a longer one, whose
// 6-octet header names its place. Source: 3GPP TS 23.040, 9.2.3.24.1.
const (
	septetsAlone, septetsInPart = 160, 153
	unitsAlone, unitsInPart     = 70, 67
)

// smsParts is the number of messages the network sends text in and how it
// writes them. An escape pair or a surrogate pair is never split.
func smsParts(text string) (parts int, encoding string) {
	if total, ok := gsm.Septets(text); ok {
		return countParts(text, total, septetsAlone, septetsInPart, func(r rune) int {
			n, _ := gsm.RuneSeptets(r)
			return n
		}), "GSM-7"
	}
	return countParts(text, gsm.Units(text), unitsAlone, unitsInPart, func(r rune) int {
		return gsm.Units(string(r))
	}), "UCS-2"
}

func countParts(text string, total, alone, inPart int, cost func(rune) int) int {
	if total <= alone {
		return 1
	}
	parts, used := 1, 0
	for _, r := range text {
		c := cost(r)
		if used+c > inPart {
			parts, used = parts+1, 0
		}
		used += c
	}
	return parts
}
