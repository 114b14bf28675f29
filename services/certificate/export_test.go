package certificate

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/bits"
	"strings"
	"testing"

	"rsc.io/qr"

	"github.com/eshik-kg/eshik/platform/personal"
)

// Holder is what certificates keep of people.
func Holder(s *Service) personal.Holder { return holder{s} }

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
	message, err := s.openSigned(row)
	if err != nil {
		t.Fatal(err)
	}
	return s.payload(message)
}

// SealedIntent is what would be kept of a certificate with another record.
func SealedIntent(t testing.TB, s *Service, number string, record Record) []byte {
	t.Helper()
	row, in, err := s.issued(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	in.Record = record
	sealed, err := s.sealIntent(row.ID, in)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// SealedMessage is what would be kept of a certificate with another signed message.
func SealedMessage(t testing.TB, s *Service, number string, message []byte) []byte {
	t.Helper()
	row, _, err := s.issued(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.Sealer.Seal(message, signedContext(row.ID))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// Unpack gives the signed message of a QR code's text.
func Unpack(text string) ([]byte, error) { return unpack(text) }

// SetBits counts the bits that are set in a signed status list.
func SetBits(t testing.TB, list string) (n int) {
	t.Helper()
	var credential statusCredential
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(list, ".")[1])
	if err == nil {
		err = json.Unmarshal(payload, &credential)
	}
	if err != nil {
		t.Fatal(err)
	}
	read, err := decodeBits(credential.Subject.List)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range read {
		n += bits.OnesCount8(b)
	}
	return n
}

// Draws is randomness that always draws one place of the status lists.
func Draws(place uint32) io.Reader { return draws(place) }

type draws uint32

func (d draws) Read(into []byte) (int, error) {
	if len(into) == 4 {
		binary.BigEndian.PutUint32(into, uint32(d))
		return 4, nil
	}
	return rand.Read(into)
}

// CodeOfFile gives the text of the QR code in a file.
func CodeOfFile(file []byte) (string, error) { return codeOfFile(file) }

// Modules is how many modules a side of the code of a text has at a level.
func Modules(t testing.TB, text string, level qr.Level) int {
	t.Helper()
	code, err := encodeQR(text, level)
	if err != nil {
		t.Fatal(err)
	}
	return code.Size
}
