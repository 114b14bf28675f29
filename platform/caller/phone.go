package caller

import (
	"strconv"
	"strings"
	"unicode"

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
// is not ok, nor is one with letters or an extension: it would be another's.
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
	if strings.ContainsFunc(raw, unicode.IsLetter) { // phonenumbers would read a word or drop an extension
		return "", false
	}
	number, err := phonenumbers.Parse(raw, "KG")
	if err != nil || number.GetExtension() != "" || !phonenumbers.IsPossibleNumber(number) {
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

// Tail is what names a phone (E.164) to its person, and to nobody else: its last four digits.
func Tail(phone string) string { return phone[max(len(phone)-4, 0):] }

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

// networks are the mobile networks: the operator's name, the network code (MCC 437,
// ITU-T E.212), and the first three digits of its numbers, from and to.
var networks = []struct {
	operator, code string
	prefixes       [][2]int
}{
	{"Beeline", "43701", [][2]int{{220, 229}, {600, 600}, {770, 779}}},
	{"MegaCom", "43705", [][2]int{{550, 559}, {755, 755}, {880, 880}, {888, 888}, {990, 990}, {995, 999}}},
	{"O!", "43709", [][2]int{{500, 509}, {700, 709}}},
	{"Aktel", "43703", [][2]int{{200, 203}, {205, 205}, {540, 549}}},
}

// byPrefix are the operators by the first three digits of a national number.
var byPrefix = func() map[string]string {
	found := map[string]string{}
	for _, n := range networks {
		for _, span := range n.prefixes {
			for prefix := span[0]; prefix <= span[1]; prefix++ {
				found[strconv.Itoa(prefix)] = n.operator
			}
		}
	}
	return found
}()

// Operators are the mobile networks that Operator names.
func Operators() (names []string) {
	for _, n := range networks {
		names = append(names, n.operator)
	}
	return names
}

// Operator names the mobile network a Kyrgyz number belongs to by its prefix,
// "" when none is known. It is a hint for statistics and no proof.
func Operator(e164 string) string {
	national, ok := strings.CutPrefix(e164, "+"+countryCode)
	if !ok || len(national) != nationalDigits {
		return ""
	}
	return byPrefix[national[:3]]
}

// OperatorOf names the mobile network that a gateway tells by its code, as 43705 or
// 437-05, or by the operator's name; "" when it is unknown.
func OperatorOf(network string) string {
	code := strings.ReplaceAll(network, "-", "")
	for _, n := range networks {
		if n.code == code || strings.EqualFold(n.operator, network) {
			return n.operator
		}
	}
	return ""
}
