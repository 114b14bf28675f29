package certificate

import (
	"context"
	"regexp"
	"strings"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/problem"
)

// verifyLink is the address where certificates are verified, with the number behind it if
// there is one.
var verifyLink = regexp.MustCompile(`(?i)https?://[^\s/]+/verify(?:/|\?number=)?([^\s/?#&]*)`)

// codeLink is such an address with a code's digits behind it, and what a phone wraps them with.
var codeLink = regexp.MustCompile(`(?i)https?://[^\s/?#]+/verify(?:\?[^\s#]*)?#[0-9\s]*[0-9]`)

// leastCode is how many characters a code's text without its prefix has at least: what was
// signed takes more.
const leastCode = 100

// scan takes what a phone read from the paper and texted.
func (s *Service) scan() *dialog.Scan {
	return &dialog.Scan{
		Is:   func(text string) bool { return codeIn(text) != "" || verifyLink.MatchString(text) },
		Read: s.readScan,
	}
}

// codeIn is the text of a code among the words of a message, to its end; "" for none.
func codeIn(text string) string {
	upper := strings.ToUpper(text)
	for _, version := range []string{qrPrefix, qrBrief} {
		if at := strings.Index(upper, version); at >= 0 && len(upper) == len(text) {
			return text[at:]
		}
	}
	if link := codeLink.FindString(text); link != "" {
		return link
	}
	if read, code := formOf(strings.TrimSpace(text)); read != nil && len(code) >= leastCode {
		return code
	}
	return ""
}

// readScan verifies the certificate of a code, or of an address. A code comes by SMS only
// where no network on the way changed its characters: where it does not verify, nobody is
// told that the paper is forged, but where to check it.
func (s *Service) readScan(ctx context.Context, t *dialog.Turn, text string) (dialog.Next, error) {
	code := codeIn(text)
	if code == "" {
		return linked(verifyLink.FindStringSubmatch(text)[1])
	}
	signed, err := s.VerifyQR(ctx, t.Caller, code)
	if err != nil && problem.From(err).Code == problem.Invalid {
		return dialog.Next{}, problem.New(problem.Invalid, "problem.certificate_by_sms", "url", s.VerifyURL).Because(err)
	}
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Go(nodeVerified, keyNumber, signed.Number, keyScanned, "yes"), nil
}

// linked leads from an address of verification: with a number to what it verifies.
func linked(typed string) (dialog.Next, error) {
	if typed = strings.Trim(typed, `.,;:!)]»"'`); typed == "" {
		return dialog.Go(nodeVerify), nil
	}
	return verified(typed)
}

// verified leads to a number that was typed.
func verified(typed string) (dialog.Next, error) {
	number, ok := ParseNumber(typed)
	if !ok {
		return dialog.Next{}, errNumber
	}
	return dialog.Go(nodeVerified, keyNumber, number, keyScanned, ""), nil
}
