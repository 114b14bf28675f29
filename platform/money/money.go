// Package money is sums of som, in whole tyiyn: what is read, written and passed on
// of money, without anything that pays.
package money

import (
	"errors"
	"strconv"
	"strings"
)

// Amount is a sum of money in tyiyn: 1 som is 100 tyiyn. It is never rounded.
type Amount int64

// Som is 1 som.
const Som Amount = 100

// String writes the amount in som as people read it: "1 500", "1 500,50".
func (a Amount) String() string {
	whole, rest := a.split()
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + " " + whole[i:]
	}
	if a < 0 {
		whole = "-" + whole
	}
	if rest == "00" {
		return whole
	}
	return whole + "," + rest
}

// Decimal writes the amount in som as protocols carry it: "1500.00".
func (a Amount) Decimal() string {
	whole, rest := a.split()
	if a < 0 {
		whole = "-" + whole
	}
	return whole + "." + rest
}

// split gives the digits of the som and of the tyiyn, without a sign.
func (a Amount) split() (som, tyiyn string) {
	digits := strings.TrimPrefix(strconv.FormatInt(int64(a), 10), "-")
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
func ParseSom(text string) (Amount, error) {
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
	return Amount(n), nil
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
