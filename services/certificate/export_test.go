package certificate

import (
	"crypto/rand"
	"testing"

	"github.com/eshik-kg/eshik/platform/sign"
)

// AnyNumber is a well-formed number that nobody has.
func AnyNumber(t testing.TB) string {
	t.Helper()
	number, err := newNumber(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// Payload is the text of a certificate's QR code.
func Payload(t testing.TB, s *Service, number string) string {
	t.Helper()
	row, _, err := s.issued(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	message, err := s.Sealer.Open(row.SignedSealed, signedContext(row.ID))
	if err != nil {
		t.Fatal(err)
	}
	return qrPrefix + sign.EncodeBase45(message)
}
