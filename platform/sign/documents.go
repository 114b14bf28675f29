package sign

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/sign/db"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// ownYears is how long a key's certificate by itself is good. An authority says how long its own is.
const ownYears = 10

// ErrUncertified says that certificates were given for documents, and none is of a key of ours.
var ErrUncertified = errors.New("none of the certificates for documents is of a key of ours")

// Documents signs files that people download, as X.509 has it, so that any reader of PDF checks
// them. It is safe for concurrent use, by several processes on one database too.
type Documents struct {
	Deps
	given []*x509.Certificate // by an authority: of our keys, and those above them
}

// OpenDocuments reads the keys and makes the first one where there is none. An authority certifies
// them: given are its certificates of them and those between, in any order. Without any, the newest
// key signs with a certificate by itself, which nobody need trust. ErrUncertified.
func OpenDocuments(ctx context.Context, d Deps, given []*x509.Certificate) (*Documents, error) {
	if err := needs.All("the keys of documents", d); err != nil {
		return nil, err
	}
	k := &Documents{Deps: d, given: given}
	rows, err := db.New(k.DB.Reader()).DocumentKeys(ctx)
	if err == nil && len(rows) == 0 {
		err = k.DB.InTx(ctx, func(tx *store.Tx) error { return k.add(ctx, tx, 1) })
	}
	if err != nil {
		return nil, fmt.Errorf("open the keys of documents: %w", err)
	}
	if _, err := k.Current(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

// ParseCertificates reads certificates in PEM, one after the other.
func ParseCertificates(text []byte) (all []*x509.Certificate, err error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		if text = rest; block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("a %s is no certificate", block.Type)
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read a certificate: %w", err)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, errors.New("no certificate in PEM is there")
	}
	return all, nil
}

// DocumentKey is a key and its certificates, its own first.
type DocumentKey struct {
	KID       string // hex of the head of the SHA-256 of its public half (SubjectPublicKeyInfo)
	MadeAt    time.Time
	Certified bool // by an authority
	Chain     []*x509.Certificate
	private   *ecdsa.PrivateKey
}

// Current is the key that signs: the newest that an authority certified, where one did for any.
func (k *Documents) Current(ctx context.Context) (DocumentKey, error) {
	keys, err := k.Keys(ctx)
	if err != nil {
		return DocumentKey{}, err
	}
	for _, key := range slices.Backward(keys) {
		if key.Certified == (len(k.given) > 0) {
			return key, nil
		}
	}
	return DocumentKey{}, ErrUncertified
}

// Keys are all that there are, the oldest first. A row that is no key of ours is told to the log and left out.
func (k *Documents) Keys(ctx context.Context) ([]DocumentKey, error) {
	rows, err := db.New(k.DB.Reader()).DocumentKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the keys of documents: %w", err)
	}
	var keys []DocumentKey
	for _, row := range rows {
		key, err := openDocumentKey(k.Sealer, row)
		if err != nil {
			k.Log.Error("a row of the keys of documents is not used", "kid", row.Kid, "error", err)
			continue
		}
		if chain := chainOf(key.Chain[0], k.given, k.Now()); chain != nil {
			key.Chain, key.Certified = chain, true
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("no key of documents can be used")
	}
	return keys, nil
}

// chainOf is an authority's certificate of the key that has an own one, and those above it as far as
// they are given and not the authority's own root; nil: none is given. Of several each is the best.
func chainOf(own *x509.Certificate, given []*x509.Certificate, now time.Time) (chain []*x509.Certificate) {
	last := best(given, now, func(c *x509.Certificate) bool {
		return bytes.Equal(c.RawSubjectPublicKeyInfo, own.RawSubjectPublicKeyInfo)
	})
	for last != nil && len(chain) < len(given) {
		chain = append(chain, last)
		last = best(given, now, func(c *x509.Certificate) bool {
			return c != last && last.CheckSignatureFrom(c) == nil && c.CheckSignatureFrom(c) != nil
		})
	}
	return chain
}

// best is of the certificates that are meant the newest that is good now, or where none is, the newest;
// nil: none is meant. An authority that renews a certificate of a key leaves two.
func best(given []*x509.Certificate, now time.Time, meant func(*x509.Certificate) bool) (found *x509.Certificate) {
	good := func(c *x509.Certificate) bool { return !now.Before(c.NotBefore) && !now.After(c.NotAfter) }
	for _, c := range given {
		if !meant(c) {
			continue
		}
		if found == nil || good(c) && !good(found) || good(c) == good(found) && c.NotBefore.After(found.NotBefore) {
			found = c
		}
	}
	return found
}

// openDocumentKey makes the key of a row. An error names the row where its certificate is not that of its sealed half.
func openDocumentKey(sealer Sealer, row db.DocumentKey) (DocumentKey, error) {
	der, err := sealer.Open(row.Sealed, documentContext(row.Kid))
	if err != nil {
		return DocumentKey{}, fmt.Errorf("open the key of documents %s: %w", row.Kid, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return DocumentKey{}, fmt.Errorf("read the key of documents %s: %w", row.Kid, err)
	}
	private, is := parsed.(*ecdsa.PrivateKey)
	if !is {
		return DocumentKey{}, fmt.Errorf("the key of documents %s signs no ECDSA", row.Kid)
	}
	kid, err := documentKID(&private.PublicKey)
	if err != nil {
		return DocumentKey{}, fmt.Errorf("the id of the key of documents %s: %w", row.Kid, err)
	}
	if kid != row.Kid {
		return DocumentKey{}, fmt.Errorf("the id of the key of documents %s is not that of its sealed half, %s", row.Kid, kid)
	}
	own, err := x509.ParseCertificate(row.Certificate)
	if err == nil && !private.PublicKey.Equal(own.PublicKey) {
		err = errors.New("it is of another key")
	}
	if err == nil {
		err = own.CheckSignature(own.SignatureAlgorithm, own.RawTBSCertificate, own.Signature)
	}
	if err != nil {
		return DocumentKey{}, fmt.Errorf("the certificate of the key of documents %s is not its own: %w", row.Kid, err)
	}
	return DocumentKey{KID: kid, MadeAt: row.MadeAt.Time, Chain: []*x509.Certificate{own}, private: private}, nil
}

func documentContext(kid string) string { return "sign.document:" + kid }

func documentKID(public *ecdsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("encode a public key: %w", err)
	}
	print := sha256.Sum256(der)
	return hex.EncodeToString(print[:kidBytes]), nil
}

// Name is who signs, as the certificate says.
func (k DocumentKey) Name() string { return k.Chain[0].Subject.CommonName }

// At is when a document of a moment is said to be signed: then, or where the certificate is younger, from when it is good.
func (k DocumentKey) At(made time.Time) time.Time {
	if from := k.Chain[0].NotBefore; from.After(made) {
		return from
	}
	return made
}

// Room is how many bytes a signature has at most.
func (k DocumentKey) Room() (int, error) {
	const spread = 8 // by which two ECDSA signatures differ at most
	signature, err := k.CMS(make([]byte, sha256.Size))
	return len(signature) + spread, err
}

// CMS signs the SHA-256 of a document, as PAdES baseline B-B has it.
func (k DocumentKey) CMS(digest []byte) ([]byte, error) { return signCMS(k.private, k.Chain, digest) }

// Request is what an authority is asked by to certify the key: PKCS #10 (RFC 2986), in PEM.
func (k DocumentKey) Request() ([]byte, error) {
	template := &x509.CertificateRequest{Subject: k.Chain[0].Subject, SignatureAlgorithm: x509.ECDSAWithSHA256}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, k.private)
	if err != nil {
		return nil, fmt.Errorf("make a certificate request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

// Rotate makes the next key and returns its id. It signs from now on, or, where an authority certifies the keys, when
// its certificate is given. When two processes rotate at once, one new key is made.
func (k *Documents) Rotate(ctx context.Context, act staff.Act) (kid string, err error) {
	err = k.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		rows, err := db.New(tx).DocumentKeys(ctx)
		if err != nil {
			return fmt.Errorf("read the keys of documents: %w", err)
		}
		return k.add(ctx, tx, rows[len(rows)-1].Generation+1)
	})
	if err != nil {
		return "", err
	}
	keys, err := k.Keys(ctx)
	if err != nil {
		return "", err
	}
	return keys[len(keys)-1].KID, nil
}

// add makes the key of a generation, unless somebody else just did.
func (k *Documents) add(ctx context.Context, tx *store.Tx, generation int64) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("generate a P-256 key: %w", err)
	}
	kid, err := documentKID(&private.PublicKey)
	if err != nil {
		return err
	}
	now := k.Now()
	certificate, err := ownCertificate(private, kid, now)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("encode the private key: %w", err)
	}
	sealed, err := k.Sealer.Seal(der, documentContext(kid))
	if err != nil {
		return fmt.Errorf("seal a key of documents: %w", err)
	}
	_, err = db.New(tx).AddDocumentKey(ctx, db.AddDocumentKeyParams{
		Kid: kid, Generation: generation, Certificate: certificate, Sealed: sealed, MadeAt: dbtime.From(now),
	})
	if err != nil {
		return fmt.Errorf("store a key of documents: %w", err)
	}
	return nil
}

// ownCertificate is a key's certificate by itself, in DER.
func ownCertificate(private *ecdsa.PrivateKey, kid string, now time.Time) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"Eshik"}, CommonName: "Eshik documents " + kid},
		NotBefore: now.UTC().Truncate(time.Second), NotAfter: now.UTC().AddDate(ownYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, BasicConstraintsValid: true,
		SignatureAlgorithm: x509.ECDSAWithSHA256,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, fmt.Errorf("certify a key of documents: %w", err)
	}
	return der, nil
}

// checkDocuments names each row whose id or certificate is not that of its sealed half.
func checkDocuments(ctx context.Context, tx *sql.Tx, sealer Sealer) error {
	rows, err := db.New(tx).DocumentKeys(ctx)
	if err != nil {
		return fmt.Errorf("check the keys of documents: %w", err)
	}
	var found []error
	for _, row := range rows {
		_, err := openDocumentKey(sealer, row)
		found = append(found, err)
	}
	return errors.Join(found...)
}
