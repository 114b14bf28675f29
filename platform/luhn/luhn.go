// Package luhn makes and checks the numbers that are given out in the project's services: a
// prefix of the service, eight digits drawn at random, and a check digit by Luhn (ISO/IEC 7812-1,
// annex B), which finds every single mistyped digit and most swapped neighbours. A number tells
// nothing of what it is of.
package luhn

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// Length is how many digits a number has: two of its prefix, eight drawn, one that checks.
const Length = 11

const drawn = 100_000_000

// Draw draws a number that begins with a prefix of two digits.
func Draw(random io.Reader, prefix string) (string, error) {
	n, err := rand.Int(random, big.NewInt(drawn))
	if err != nil {
		return "", fmt.Errorf("draw a number: %w", err)
	}
	body := fmt.Sprintf("%s%08d", prefix, n)
	return body + string(Digit(body)), nil
}

// Valid reports that digits are a number with this prefix.
func Valid(digits, prefix string) bool {
	return len(digits) == Length && strings.HasPrefix(digits, prefix) && Digit(digits[:Length-1]) == digits[Length-1]
}

// Digit is the check digit of digits, as a character.
func Digit(digits string) byte {
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
