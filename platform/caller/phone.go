package caller

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// countryCode is Kyrgyzstan's, and nationalDigits the length of a number after
// it (ITU-T E.164, national numbering plan).
const (
	countryCode    = "996"
	nationalDigits = 9
)

// ParsePhone reads a phone number as gateways and people write it
// (+996555000001, 996555000001, 0555 000 001, 00996…) and gives it in E.164.
// Foreign numbers need their country code. A number that no network could have
// is not ok.
func ParsePhone(raw string) (e164 string, ok bool) {
	raw = strings.TrimSpace(raw)
	if len(raw) > 40 {
		return "", false
	}
	// Nearly all numbers that gateways send are of this form, and reading them
	// any other way would cost more than the rest of a turn.
	digits := strings.TrimPrefix(strings.TrimPrefix(raw, "+"), "00")
	if isKyrgyz(digits) {
		return "+" + digits, true
	}
	number, err := phonenumbers.Parse(raw, "KG")
	if err != nil || !phonenumbers.IsPossibleNumber(number) {
		return "", false
	}
	e164 = phonenumbers.Format(number, phonenumbers.E164)
	if strings.HasPrefix(e164, "+"+countryCode) && !isKyrgyz(e164[1:]) {
		return "", false
	}
	if !readsAsItself(e164) {
		return "", false
	}
	return e164, true
}

// readsAsItself reports that a number in E.164 is a fixed form. One that starts
// with its country's trunk prefix would lose a digit each time it is read, and
// the same phone would be two.
func readsAsItself(e164 string) bool {
	number, err := phonenumbers.Parse(e164, "KG")
	return err == nil && phonenumbers.IsPossibleNumber(number) && phonenumbers.Format(number, phonenumbers.E164) == e164
}

// isKyrgyz reports that s is 996 and nine digits, the first one not zero.
func isKyrgyz(s string) bool {
	if len(s) != len(countryCode)+nationalDigits || !strings.HasPrefix(s, countryCode) || s[len(countryCode)] == '0' {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Operators are the mobile networks that Operator names.
func Operators() []string { return []string{"Beeline", "MegaCom", "O!", "Aktel"} }

// Operator names the mobile network a Kyrgyz number belongs to by its prefix,
// "" when none is known. It is a hint for statistics and no proof.
func Operator(e164 string) string {
	national, ok := strings.CutPrefix(e164, "+"+countryCode)
	if !ok || len(national) != nationalDigits {
		return ""
	}
	p := national[:3]
	switch {
	case p >= "220" && p <= "229", p == "600", p >= "770" && p <= "779":
		return "Beeline"
	case p >= "550" && p <= "559", p == "755", p == "880", p == "888", p == "990", p >= "995" && p <= "999":
		return "MegaCom"
	case p >= "500" && p <= "509", p >= "700" && p <= "709":
		return "O!"
	case p >= "200" && p <= "203", p == "205", p >= "540" && p <= "549":
		return "Aktel"
	}
	return ""
}
