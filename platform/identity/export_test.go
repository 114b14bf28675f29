package identity

import (
	"crypto/ecdsa"
	"encoding/base64"
)

// ParseCode, ParsePIN and ParseDocument are how input is read.
var (
	ParseCode     = parseCode
	ParsePIN      = parsePIN
	ParseDocument = parseDocument
)

// SigningKey is the key of tokens.
func (s *Service) SigningKey() *ecdsa.PrivateKey { return s.keys.signing }

// SealPhone makes the claim of a phone.
func (s *Service) SealPhone(phone string) string {
	sealed, err := s.Sealer.Seal([]byte(phone), tokenContext)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sealed)
}
