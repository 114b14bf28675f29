package certificate

import (
	"regexp"
	"strings"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/sign"
)

// payload is the text of a signed message's QR code: the address of the page that verifies it,
// and the message in the fragment, which browsers send to no server.
func (s *Service) payload(message []byte) string {
	return s.VerifyURL + "#" + sign.EncodeDecimal(message)
}

// The prefixes of codes that were printed before they were addresses, with base45 behind them.
// The second stood before a record with a digest in place of its members.
const (
	qrPrefix = "ESHIK1:"
	qrBrief  = "ESHIK2:"
)

// How every signed message begins, in base45 and in digits: the tag and the array of a COSE_Sign1
// message, D2 84 (RFC 9052, section 2).
const (
	base45Start  = "RRQ"
	decimalStart = "5925"
)

// addressed is a code's text: the address of a page, ours or of a server of before, and the fragment.
var addressed = regexp.MustCompile(`(?i)^https?://[^\s/?#]+([^\s?#]*)(?:\?[^\s#]*)?#(.*)$`)

// unwrapped takes out what wraps a long text that was copied. The space stays: it is a
// digit of base45.
var unwrapped = strings.NewReplacer("\r", "", "\n", "", "\t", "")

// reader reads the message that stands in a code's text.
type reader func(text string) ([]byte, error)

// formOf tells how a code's text holds its message, and the part that does; nil: it is no text of
// ours. An address counts by its page or by how what it holds begins, whatever its host is called:
// only the signature shows whose it is. Base45 has no small letters: a phone that takes a prefix
// for the scheme of an address, and writes it small (RFC 3986, section 3.1), loses nothing.
func formOf(text string) (reader, string) {
	if parts := addressed.FindStringSubmatch(text); parts != nil {
		page, held := parts[1], strings.ReplaceAll(parts[2], " ", "")
		if strings.HasSuffix(strings.ToLower(page), verifyPage) || strings.HasPrefix(held, decimalStart) {
			return sign.DecodeDecimal, held
		}
		return nil, text
	}
	for _, version := range []string{qrPrefix, qrBrief} {
		if len(text) >= len(version) && strings.EqualFold(text[:len(version)], version) {
			return sign.DecodeBase45, strings.ToUpper(text[len(version):])
		}
	}
	switch {
	case strings.HasPrefix(text, base45Start):
		return sign.DecodeBase45, text
	case strings.HasPrefix(text, decimalStart) && len(text) >= leastCode:
		return sign.DecodeDecimal, strings.ReplaceAll(text, " ", "")
	}
	return nil, text
}

// unpack gives the signed message of a QR code. A code that was never one of ours
// (a ticket, an address, nothing) is told apart from one that was changed or is not whole.
func unpack(payload string) ([]byte, error) {
	read, text := formOf(strings.TrimSpace(unwrapped.Replace(payload)))
	if read == nil {
		return nil, problem.New(problem.Invalid, "problem.certificate_foreign")
	}
	message, err := read(text)
	if err != nil {
		return nil, forged().Because(err)
	}
	return message, nil
}
