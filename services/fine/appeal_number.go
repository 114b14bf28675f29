package fine

import (
	"io"
	"strings"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/luhn"
)

// appealPrefix begins an appeal's number, as 47 a registration's in the preschool queue. The number
// tells nothing of the fine, and shows nothing to who is not its person.
const appealPrefix = "58"

// newAppealNumber draws a number.
func newAppealNumber(random io.Reader) (string, error) { return luhn.Draw(random, appealPrefix) }

// ParseAppeal reads an appeal's number as people type it, in groups and with digits of another
// script, and reports whether it can be one.
func ParseAppeal(typed string) (number string, ok bool) {
	found := dialog.Numbers(strings.TrimLeft(typed, "№# "), luhn.Length)
	if len(found) != 1 {
		return "", false
	}
	return found[0], luhn.Valid(found[0], appealPrefix)
}
