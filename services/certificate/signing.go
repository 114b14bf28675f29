package certificate

import (
	"context"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// sign signs a record whole, or, where that would be too much for a QR code, with a
// digest of its list in the list's place.
func (s *Service) sign(ctx context.Context, row db.Certificate, record Record, now time.Time) ([]byte, error) {
	message, err := s.signAs(ctx, row, record, now)
	if err != nil || !record.long() || fits(s.payload(message)) {
		return message, err
	}
	brief, err := record.brief()
	if err != nil {
		return nil, err
	}
	return s.signAs(ctx, row, brief, now)
}

func (s *Service) signAs(ctx context.Context, row db.Certificate, record Record, now time.Time) ([]byte, error) {
	content, err := cbor.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode the record: %w", err)
	}
	claims := sign.Claims{Issuer: s.Issuer, IssuedAt: now.Unix(), ID: []byte(row.Number), Content: content}
	if row.StatusIndex.Valid {
		claims.Status = &row.StatusIndex.Int64
	}
	message, err := s.Signer.Sign(ctx, claims)
	if err != nil {
		return nil, fmt.Errorf("sign the record: %w", err)
	}
	return message, nil
}
