package payment

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// CodeDigits is the length of a payment code: nine random digits, of which the
// first is not 0, and a check digit.
const CodeDigits = 10

// damm is the quasigroup of H. Michael Damm's check digit, which finds every
// single wrong digit and every swap of neighbours (Damm, 2004).
var damm = [10][10]byte{
	{0, 3, 1, 7, 5, 9, 8, 6, 4, 2},
	{7, 0, 9, 2, 1, 5, 4, 8, 6, 3},
	{4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
	{1, 7, 5, 0, 9, 8, 3, 4, 2, 6},
	{6, 1, 2, 3, 0, 4, 5, 9, 7, 8},
	{3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
	{5, 8, 6, 9, 7, 2, 0, 1, 3, 4},
	{8, 9, 4, 5, 3, 6, 2, 0, 1, 7},
	{9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
	{2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
}

func checkDigit(digits string) byte {
	var interim byte
	for i := range len(digits) {
		interim = damm[interim][digits[i]-'0']
	}
	return interim
}

// ValidCode reports that code can be a payment code: ten digits with the right
// check digit. It says nothing about whether there is such a payment.
func ValidCode(code string) bool {
	return len(code) == CodeDigits && strings.Trim(code, "0123456789") == "" && code[0] != '0' && checkDigit(code) == 0
}

func newCode(random io.Reader) (string, error) {
	n, err := rand.Int(random, big.NewInt(900_000_000))
	if err != nil {
		return "", fmt.Errorf("draw a payment code: %w", err)
	}
	digits := fmt.Sprintf("%d", n.Int64()+100_000_000)
	return digits + string('0'+rune(checkDigit(digits))), nil
}

// newReference makes our number of a partner's transaction: 18 digits, since there are
// partners that keep it as a 64-bit integer.
func newReference(random io.Reader) (string, error) {
	n, err := rand.Int(random, big.NewInt(900_000_000_000_000_000))
	if err != nil {
		return "", fmt.Errorf("draw a transaction number: %w", err)
	}
	return fmt.Sprintf("%d", n.Int64()+100_000_000_000_000_000), nil
}
