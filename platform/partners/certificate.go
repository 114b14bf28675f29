package partners

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/partners/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Thumbprint names a certificate as RFC 8705, section 3.1, does: SHA-256 of its DER form, in
// base64url.
func Thumbprint(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// leastRSA is the shortest RSA key that is taken, in bits.
const leastRSA = 2048

// ReadCertificate reads the one certificate of a PEM file that a partner gave.
func ReadCertificate(text []byte) (*x509.Certificate, error) {
	block, rest := pem.Decode(text)
	switch other, _ := pem.Decode(rest); {
	case block == nil:
		return nil, errors.New("it holds no certificate: a file in PEM form is wanted, which begins with -----BEGIN CERTIFICATE-----")
	case block.Type != "CERTIFICATE" || other != nil:
		return nil, errors.New("one certificate is wanted, without a private key and without those who signed it")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	switch key := certificate.PublicKey.(type) {
	case ed25519.PublicKey, *ecdsa.PublicKey:
	case *rsa.PublicKey:
		if key.N.BitLen() < leastRSA {
			return nil, fmt.Errorf("its RSA key has %d bits; %d are the least", key.N.BitLen(), leastRSA)
		}
	default:
		return nil, errors.New("its key is of a kind that is not taken: RSA, ECDSA or Ed25519")
	}
	return certificate, nil
}

// Pin takes a certificate as a partner's credential, by which it gets access tokens without a
// secret, until the certificate is over. A former one is good for overlap more, as of Rotate.
// Who signed it is not looked at: it is known by itself (RFC 8705, section 2.2).
func (s *Service) Pin(ctx context.Context, officer, id string, certificate *x509.Certificate, overlap time.Duration) (credential string, err error) {
	now, thumbprint := s.Now(), Thumbprint(certificate.Raw)
	if now.Before(certificate.NotBefore) || !now.Before(certificate.NotAfter) {
		return "", fmt.Errorf("the certificate is good from %s until %s, which is not now", clock.Second(certificate.NotBefore), clock.Second(certificate.NotAfter))
	}
	err = s.next(ctx, officer, id, TLS, overlap, func(tx *store.Tx, rows []db.PartnerCredential, n int64) error {
		for _, row := range rows {
			if row.Thumbprint == thumbprint && stateOf(row, now) != Expired {
				return fmt.Errorf("this certificate is the credential %s already, which is %s", row.ID, stateOf(row, now))
			}
		}
		row := db.PartnerCredential{
			ID: credentialID(id, n), PartnerID: id, N: n, Kind: string(TLS), SecretHash: s.hash(TLS, id, thumbprint), Thumbprint: thumbprint,
			CreatedAt: dbtime.From(now), NotAfterAt: dbtime.From(certificate.NotAfter),
		}
		credential = row.ID
		return s.keep(ctx, tx, officer, row, now)
	})
	return credential, err
}

// shown reports whether the bearer of a token may be who got it: one that a secret got is good
// for whoever has it, one that a certificate got for who shows that one on this connection.
func (s *Service) shown(row db.PartnerCredential, got claims, certificate string) bool {
	switch Kind(row.Kind) {
	case OAuth:
		return got.Confirm == nil
	case TLS:
		return got.Confirm != nil && same(got.Confirm.Thumbprint, certificate) && same(s.hash(TLS, row.PartnerID, certificate), row.SecretHash)
	}
	return false
}

func same(one, other string) bool { return subtle.ConstantTimeCompare([]byte(one), []byte(other)) == 1 }
