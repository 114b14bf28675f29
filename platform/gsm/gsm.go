// Package gsm measures text as a mobile network does: in septets of the GSM
// 7-bit default alphabet (3GPP TS 23.038) where every character is in it, and
// otherwise in UTF-16 code units (UCS-2); and it cuts text into the parts that
// travel as one SMS each.
package gsm

import "unicode/utf16"

// basic is the default alphabet; extension characters follow an escape and cost
// two septets. Source: 3GPP TS 23.038, 6.2.1 and 6.2.1.1.
const (
	basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extension = "\f^{}\\[~]|€"
)

// cost is the number of septets of each character below 0x3C0, 0 for the ones
// outside the alphabet; the euro sign, which lies above, is a case of its own.
var cost = func() (c [0x3C0]uint8) {
	for _, r := range basic {
		c[r] = 1
	}
	for _, r := range extension {
		if int(r) < len(c) {
			c[r] = 2
		}
	}
	return c
}()

// RuneSeptets is the number of septets r takes: 1, or 2 for an extension
// character. ok is false when r is outside the alphabet.
func RuneSeptets(r rune) (n int, ok bool) {
	if r == '€' {
		return 2, true
	}
	if r < 0 || int(r) >= len(cost) || cost[r] == 0 {
		return 0, false
	}
	return int(cost[r]), true
}

// Septets counts s in septets; ok is false when some character is outside the
// default alphabet, and the network would send s as UCS-2.
func Septets(s string) (n int, ok bool) {
	for _, r := range s {
		c, in := RuneSeptets(r)
		if !in {
			return 0, false
		}
		n += c
	}
	return n, true
}

// Units counts s in UTF-16 code units; a character outside the basic plane
// takes two.
func Units(s string) (n int) {
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}
