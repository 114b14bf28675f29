package smpp

import (
	"strings"

	"github.com/eshik-kg/eshik/platform/caller"
)

// Types of number (section 5.2.5) that decide how digits read.
const (
	tonInternational = 1
	tonAlphanumeric  = 5
)

// Phone reads a phone out of an address and gives it in E.164; ok is false for a name,
// a short code and what no network could have. The type of number is a hint only: of
// the centres that write a number without its country some call it unknown, some
// national, network-specific or subscriber's, and some international.
func (a Address) Phone() (e164 string, ok bool) {
	if a.TON == tonAlphanumeric {
		return "", false
	}
	digits := strings.TrimSpace(a.Digits)
	international := "+" + strings.TrimPrefix(strings.TrimPrefix(digits, "+"), "00")
	first, second := digits, international
	if a.TON == tonInternational {
		first, second = international, digits
	}
	if e164, ok = caller.ParsePhone(first); ok {
		return e164, true
	}
	return caller.ParsePhone(second)
}
