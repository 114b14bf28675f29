package certificate

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// A status list is a bit for each certificate, set when it was revoked (W3C Bitstring Status List
// 1.0). A certificate's bit is drawn among the free ones of the newest list, so that its place
// tells nothing of when it was issued but which million it is of.
const (
	listBits = 20
	listSize = 1 << listBits // certificates; the recommendation wants 131 072 at least
	// statusTries is how often a free bit is drawn for before the next list is begun. So many draws
	// in a row are taken, for the first time, where the list is some 85 % full.
	statusTries = 64
	// mostLists bounds what is read of a trust bundle: 50 million certificates.
	mostLists = 64
)

// How long what is published holds: whoever carries it should look for a newer one after the
// first, and believes it no longer than the second.
const (
	statusCached = time.Minute
	trustRenewed = 24 * time.Hour
	trustLasts   = 7 * 24 * time.Hour
)

// drawStatus draws a certificate's bit of the status lists.
func (s *Service) drawStatus(ctx context.Context, tx *store.Tx) (sql.NullInt64, error) {
	list, err := newestList(ctx, db.New(tx))
	if err != nil {
		return sql.NullInt64{}, err
	}
	for range statusTries {
		index, err := s.drawIn(list)
		if err != nil {
			return sql.NullInt64{}, err
		}
		taken, err := db.New(tx).StatusTaken(ctx, sql.NullInt64{Int64: index, Valid: true})
		if err != nil {
			return sql.NullInt64{}, fmt.Errorf("look for a free bit of the status list: %w", err)
		}
		if taken == 0 {
			return sql.NullInt64{Int64: index, Valid: true}, nil
		}
	}
	index, err := s.drawIn(list + 1)
	return sql.NullInt64{Int64: index, Valid: true}, err
}

func (s *Service) drawIn(list int64) (int64, error) {
	var drawn [4]byte
	if _, err := io.ReadFull(s.Random, drawn[:]); err != nil {
		return 0, fmt.Errorf("draw a bit of the status list: %w", err)
	}
	return list<<listBits | int64(binary.BigEndian.Uint32(drawn[:])%listSize), nil
}

// newestList is the list that certificates are put into, from 0.
func newestList(ctx context.Context, q *db.Queries) (int64, error) {
	highest, err := q.HighestStatus(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find the newest status list: %w", err)
	}
	return highest.Int64 >> listBits, nil
}

// statusCredential is a status list as it is signed (W3C Bitstring Status List 1.0, section 2.2,
// and Verifiable Credentials 2.0).
type statusCredential struct {
	Context    []string      `json:"@context"`
	ID         string        `json:"id"`
	Type       []string      `json:"type"`
	Issuer     string        `json:"issuer"`
	ValidFrom  string        `json:"validFrom"`
	ValidUntil string        `json:"validUntil"`
	Subject    statusSubject `json:"credentialSubject"`
}

type statusSubject struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Purpose string `json:"statusPurpose"`
	TTL     int64  `json:"ttl"` // milliseconds
	List    string `json:"encodedList"`
}

// statusType is the type of a signed status list (W3C Securing Verifiable Credentials using JOSE and COSE).
const statusType = "vc+jwt"

// StatusList is a signed status list as of now, from 0. Problems: no_route.
func (s *Service) StatusList(ctx context.Context, list int) (string, error) {
	now, err := s.publish(ctx)
	if err != nil {
		return "", err
	}
	if list < 0 || list >= len(now.lists) {
		return "", problem.New(problem.NotFound, "problem.no_route")
	}
	return now.lists[list], nil
}

// signList signs a list of which bits are set, counted over all lists.
func (s *Service) signList(ctx context.Context, list int64, revoked []int64, now time.Time) (string, error) {
	bits := make([]byte, listSize/8)
	for _, index := range revoked {
		if index>>listBits == list {
			at := index % listSize
			bits[at/8] |= 0x80 >> (at % 8) // the first is the leftmost (section 3.2)
		}
	}
	encoded, err := encodeBits(bits)
	if err != nil {
		return "", err
	}
	address := fmt.Sprintf("%s/.well-known/certificate-status/%d", s.origin(), list)
	return s.Signer.SignToken(ctx, statusType, statusCredential{
		Context: []string{"https://www.w3.org/ns/credentials/v2"}, ID: address,
		Type: []string{"VerifiableCredential", "BitstringStatusListCredential"}, Issuer: s.origin(),
		ValidFrom: now.UTC().Format(time.RFC3339), ValidUntil: now.Add(trustLasts).UTC().Format(time.RFC3339),
		Subject: statusSubject{ID: address + "#list", Type: "BitstringStatusList", Purpose: "revocation", TTL: statusCached.Milliseconds(), List: encoded},
	})
}

// encodeBits packs bits as the recommendation has it: gzip, then multibase's base64url.
func encodeBits(bits []byte) (string, error) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, err := writer.Write(bits)
	if err := errors.Join(err, writer.Close()); err != nil {
		return "", fmt.Errorf("pack a status list: %w", err)
	}
	return "u" + base64.RawURLEncoding.EncodeToString(packed.Bytes()), nil
}

// errBits is a list that is none.
var errBits = errors.New("not a status list")

// decodeBits reads what encodeBits wrote; what unpacks to more than a list is none.
func decodeBits(text string) ([]byte, error) {
	if text == "" || text[0] != 'u' {
		return nil, errBits
	}
	packed, err := base64.RawURLEncoding.DecodeString(text[1:])
	if err != nil {
		return nil, errors.Join(errBits, err)
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errors.Join(errBits, err)
	}
	bits, err := io.ReadAll(io.LimitReader(reader, listSize/8+1))
	if err != nil || len(bits) != listSize/8 {
		return nil, errors.Join(errBits, err)
	}
	return bits, nil
}
