package identity

import (
	"strconv"
	"strings"

	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// What is kept of a code is a hash that is keyed, as a million codes are soon tried against
// any that is not, and that is of all that the row says the code is for: whoever writes to the
// database makes nobody's own code another person's.

// The purposes of the hashes of codes.
const (
	codePurpose      = "identity.code.bound"
	enrolmentPurpose = "identity.enrolment.bound"
)

// sentCode is what a one-time code is for.
type sentCode struct {
	id, phone, door string
	shared          bool
	expires         dbtime.Time
}

// codeMAC is what is kept of a one-time code.
func (s *Service) codeMAC(of sentCode, code string) string {
	return s.Sealer.Index(codePurpose, apart(of.id, of.phone, of.door, strconv.FormatBool(of.shared), micros(of.expires), code))
}

// enrolmentMAC is what is kept of a clerk's code: it is good for that person on that phone, with that document,
// in the phone's generation. So whatever cuts the phone off voids it, also where a row says that it is open.
func (s *Service) enrolmentMAC(row db.IdentityEnrolment, generation int64, code string) string {
	return s.Sealer.Index(enrolmentPurpose,
		apart(row.ID, row.CitizenID, row.PhoneIndex, row.DocumentMac, micros(row.ExpiresAt), strconv.FormatInt(generation, 10), code))
}

// apart is texts as one that no others give.
func apart(texts ...string) string {
	var all strings.Builder
	for _, text := range texts {
		all.WriteString(strconv.Itoa(len(text)))
		all.WriteByte(':')
		all.WriteString(text)
	}
	return all.String()
}

// micros is a moment as text; none is empty.
func micros(t dbtime.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}
