package staff

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/eshik-kg/eshik/platform/staff/db"
)

const (
	// totpPeriod is how long a code of an app is shown. Source: RFC 6238, 5.2.
	totpPeriod = 30 * time.Second
	// totpSkew is how many periods a clock may be before or behind ours.
	totpSkew = 1
	// totpBytes is the length of a secret. Source: RFC 4226, 4, R6.
	totpBytes = 20
)

var totpText = base32.StdEncoding.WithPadding(base32.NoPadding)

// newTOTP draws the secret of an account's codes, as apps take it.
func newTOTP(random io.Reader) (string, error) {
	raw := make([]byte, totpBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("draw a secret of codes: %w", err)
	}
	return totpText.EncodeToString(raw), nil
}

// totpURI is a secret as an app scans it. Source:
// https://github.com/google/google-authenticator/wiki/Key-Uri-Format
func totpURI(login, secret string) string {
	return "otpauth://totp/" + url.PathEscape("Eshik:"+login) + "?issuer=Eshik&secret=" + secret
}

// step is the period whose code this is, by a clock that is totpSkew off at most; 0: it is
// none. Every period is compared, whichever fits.
func step(secret, code string, now time.Time) (int64, error) {
	current, found := now.Unix()/int64(totpPeriod.Seconds()), int64(0)
	for at := current - totpSkew; at <= current+totpSkew; at++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(at), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, fmt.Errorf("compute a code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = at
		}
	}
	return found, nil
}

// secretOf opens the secret of an account's codes.
func (s *Service) secretOf(a db.StaffAccount) (string, error) {
	secret, err := s.Sealer.Open(a.TotpSealed, totpContext+a.ID)
	if err != nil {
		return "", fmt.Errorf("open an account's secret: %w", err)
	}
	return string(secret), nil
}
