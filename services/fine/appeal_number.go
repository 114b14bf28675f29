package fine

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/eshik-kg/eshik/platform/dialog"
)

// An appeal's number is 11 digits: 58, eight drawn at random, and a check digit by Luhn (ISO/IEC
// 7812-1, annex B), as a registration's in the preschool queue, which begins with 47. It tells
// nothing of the fine, and shows nothing to who is not its person.
const (
	appealPrefix = "58"
	appealRandom = 100_000_000
	appealDigits = 11
)

// newAppealNumber draws a number.
func newAppealNumber(random io.Reader) (string, error) {
	n, err := rand.Int(random, big.NewInt(appealRandom))
	if err != nil {
		return "", fmt.Errorf("draw an appeal's number: %w", err)
	}
	body := fmt.Sprintf("%s%08d", appealPrefix, n)
	return body + string(luhn(body)), nil
}

// ParseAppeal reads an appeal's number as people type it, in groups and with digits of another
// script, and reports whether it can be one.
func ParseAppeal(typed string) (number string, ok bool) {
	found := dialog.Numbers(strings.TrimLeft(typed, "№# "), appealDigits)
	if len(found) != 1 || !strings.HasPrefix(found[0], appealPrefix) {
		return "", false
	}
	number = found[0]
	return number, luhn(number[:appealDigits-1]) == number[appealDigits-1]
}

// luhn is the check digit of digits.
func luhn(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return '0' + byte((10-sum%10)%10)
}
