package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"time"

	"github.com/eshik-kg/eshik/platform/job"
)

// ParseCode, ParsePIN, ParseDocument and ParseBoth are how input is read.
var (
	ParseCode     = parseCode
	ParsePIN      = parsePIN
	ParseDocument = parseDocument
	ParseBoth     = parseBoth
)

// SigningKey is the key of tokens.
func (s *Service) SigningKey() *ecdsa.PrivateKey { return s.keys.keys[len(s.keys.keys)-1].private }

// SealPhone makes the claim of a phone.
func (s *Service) SealPhone(phone string) string {
	sealed, err := s.Sealer.Seal([]byte(phone), tokenContext)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// KeysReadAt is when the ring of keys was read last.
func (s *Service) KeysReadAt() time.Time { return s.keys.readAt }

// SealLegacyKey seals the key of tokens as versions before did.
func (s *Service) SealLegacyKey() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(s.SigningKey())
	if err != nil {
		return nil
	}
	sealed, err := s.Sealer.Seal(der, keyContext)
	if err != nil {
		return nil
	}
	return sealed
}

// AskNational does the job of a device's national sign-in once.
func AskNational(ctx context.Context, s *Service, id string) error {
	return s.askNational(ctx, nationalArgs{ID: id}, job.Attempt{Number: 1})
}
