// Package elqr writes bills as ELQR, the national QR code of Kyrgyzstan: tags with lengths as
// EMVCo has them, amounts in whole tyiyn, and a checksum of its own.
package elqr

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/money"
)

// linkPrefix is where a wallet or a browser takes a payload from.
const linkPrefix = "https://pay.payqr.kg/#"

// Codes that all of our bills have.
const (
	version  = "01"
	dynamic  = "12"   // one payment
	category = "9222" // MCC of fines; unverified for this scheme
	som      = "417"  // ISO 4217
	fixed    = "12"   // amount and recipient are not to be edited
	checksum = 4      // hexadecimal digits
)

// The longest values, in characters.
const (
	longestProvider    = 32
	longestRecipient   = 32
	longestTransaction = 32
	longestName        = 25
)

// Recipient is who is paid: our numbers at the provider that has us in the scheme.
type Recipient struct {
	Provider string // its id, a domain
	Service  string // its code of the service
	ID       string // ours
	Name     string // what the payer sees
}

// ErrRecipient is an incomplete or too long recipient.
var ErrRecipient = errors.New("an ELQR recipient is provider,service,recipient,name: up to 32, 32, 32 and 25 printable ASCII characters")

// ParseRecipient reads "provider,service,recipient,name".
func ParseRecipient(text string) (Recipient, error) {
	parts := strings.Split(text, ",")
	if len(parts) != 4 {
		return Recipient{}, ErrRecipient
	}
	r := Recipient{Provider: parts[0], Service: parts[1], ID: parts[2], Name: parts[3]}
	for value, longest := range map[string]int{r.Provider: longestProvider, r.Service: longestRecipient, r.ID: longestRecipient, r.Name: longestName} {
		if value == "" || len(value) > longest || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) {
			return Recipient{}, ErrRecipient
		}
	}
	return r, nil
}

// Payload is what the QR code of a bill holds: transaction is what it is paid by.
func (r Recipient) Payload(transaction string, amount money.Amount) (string, error) {
	if transaction == "" || len(transaction) > longestTransaction || amount <= 0 {
		return "", fmt.Errorf("an ELQR payload needs a number of up to %d characters and a sum", longestTransaction)
	}
	to := tag("00", r.Provider) + tag("01", r.Service) + tag("10", r.ID) + tag("11", transaction) + tag("12", fixed) + tag("13", fixed)
	text := tag("00", version) + tag("01", dynamic) + tag("32", to) + tag("52", category) + tag("53", som) +
		tag("54", strconv.FormatInt(int64(amount), 10)) + tag("59", r.Name)
	return text + tag("63", sum(text)), nil
}

// Link is a payload as an address that opens a wallet.
func Link(payload string) string { return linkPrefix + escaped(payload) }

// escaped percent-encodes what may not stand in a fragment (RFC 3986, section 3.5).
func escaped(payload string) string {
	var out strings.Builder
	for _, b := range []byte(payload) {
		if b > ' ' && b < 0x7f && !strings.ContainsRune("\"#%<>[\\]^`{|}", rune(b)) {
			out.WriteByte(b)
			continue
		}
		fmt.Fprintf(&out, "%%%02X", b)
	}
	return out.String()
}

// Valid reports that a payload, percent-decoded, ends with the checksum of what stands before
// it. The order of its fields varies between banks, and so does the case of the digits.
func Valid(payload string) bool {
	at := len(payload) - checksum
	const mark = "6304"
	if at < len(mark) || !utf8.ValidString(payload) || payload[at-len(mark):at] != mark {
		return false
	}
	return strings.EqualFold(payload[at:], sum(payload[:at-len(mark)]))
}

// tag is a field: its number, its length in characters, its value.
func tag(number, value string) string {
	return fmt.Sprintf("%s%02d%s", number, utf8.RuneCountInString(value), value)
}

// sum is the checksum: the last four digits of SHA-256 over the UTF-8 text.
func sum(text string) string {
	digest := sha256.Sum256([]byte(text))
	digits := hex.EncodeToString(digest[:])
	return digits[len(digits)-checksum:]
}
