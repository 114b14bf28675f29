package gsm

import "strings"

// escape precedes an extension character.
const escape = 0x1B

// letters are the characters of the default alphabet by their septet; the
// replacement character stands where the alphabet has the escape.
var letters = func() (l [128]rune) {
	at := 0
	for _, r := range basic {
		if at == escape {
			l[at] = '\uFFFD'
			at++
		}
		l[at] = r
		at++
	}
	return l
}()

// extended are the extension characters by the septet after the escape. Source:
// 3GPP TS 23.038, 6.2.1.1.
var extended = map[byte]rune{
	0x0A: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2F: '\\', 0x3C: '[', 0x3D: '~', 0x3E: ']', 0x40: '|', 0x65: '€',
}

// codes are the septets of each character, one or two.
var codes = func() map[rune][]byte {
	all := make(map[rune][]byte, len(letters)+len(extended))
	for septet, r := range letters {
		if septet != escape {
			all[r] = []byte{byte(septet)}
		}
	}
	for septet, r := range extended {
		all[r] = []byte{escape, septet}
	}
	return all
}()

// Encode writes text as septets of the default alphabet, each in an octet of its
// own, as SMPP carries them. ok is false when some character is outside the
// alphabet.
func Encode(text string) (octets []byte, ok bool) {
	octets = make([]byte, 0, len(text))
	for _, r := range text {
		code, in := codes[r]
		if !in {
			return nil, false
		}
		octets = append(octets, code...)
	}
	return octets, true
}

// Decode reads septets that lie in an octet each. As the standard asks, an
// unknown extension is shown as the character that has its septet in the default
// alphabet. An octet above 127, and an escape without a septet after it, become
// the replacement character.
func Decode(octets []byte) string {
	var text strings.Builder
	for at := 0; at < len(octets); at++ {
		septet := octets[at]
		if septet == escape && at+1 < len(octets) {
			at++
			septet = octets[at]
			if r, in := extended[septet]; in {
				text.WriteRune(r)
				continue
			}
		}
		if int(septet) >= len(letters) {
			text.WriteRune('\uFFFD')
			continue
		}
		text.WriteRune(letters[septet])
	}
	return text.String()
}
