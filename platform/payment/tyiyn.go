package payment

import (
	"errors"
	"strconv"
	"strings"
)

// Tyiyn is an amount of money: 1 som is 100 tyiyn.
type Tyiyn int64

// Som is 1 som.
const Som Tyiyn = 100

// String writes the amount in som as people read it: "1 500", "1 500,50".
func (t Tyiyn) String() string {
	whole, rest := t.split()
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + " " + whole[i:]
	}
	if t < 0 {
		whole = "-" + whole
	}
	if rest == "00" {
		return whole
	}
	return whole + "," + rest
}

// Decimal writes the amount in som as protocols carry it: "1500.00".
func (t Tyiyn) Decimal() string {
	whole, rest := t.split()
	if t < 0 {
		whole = "-" + whole
	}
	return whole + "." + rest
}

// split gives the digits of the som and of the tyiyn, without a sign.
func (t Tyiyn) split() (som, tyiyn string) {
	digits := strings.TrimPrefix(strconv.FormatInt(int64(t), 10), "-")
	if len(digits) < 3 {
		digits = strings.Repeat("0", 3-len(digits)) + digits
	}
	return digits[:len(digits)-2], digits[len(digits)-2:]
}

// ErrAmount is returned for text that is no amount of som.
var ErrAmount = errors.New("an amount is digits, optionally with one or two after a point")

// maxSomDigits keeps every amount far from the limits of int64.
const maxSomDigits = 12

// ParseSom reads an amount in som as protocols carry it: "1500", "1500.5",
// "1500.00". It never rounds.
func ParseSom(text string) (Tyiyn, error) {
	whole, rest, point := strings.Cut(text, ".")
	if len(whole) == 0 || len(whole) > maxSomDigits || !digitsOnly(whole) ||
		point && (len(rest) == 0 || len(rest) > 2 || !digitsOnly(rest)) {
		return 0, ErrAmount
	}
	for len(rest) < 2 {
		rest += "0"
	}
	n, err := strconv.ParseInt(whole+rest, 10, 64)
	if err != nil {
		return 0, ErrAmount
	}
	return Tyiyn(n), nil
}

// digitsOnly reports ASCII digits and nothing else.
func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
