package sign_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func openDocuments(t testing.TB, d sign.Deps, given ...*x509.Certificate) *sign.Documents {
	t.Helper()
	k, err := sign.OpenDocuments(t.Context(), d, given)
	testworld.OK(t, err)
	return k
}

func current(t testing.TB, k *sign.Documents) sign.DocumentKey {
	t.Helper()
	key, err := k.Current(t.Context())
	testworld.OK(t, err)
	return key
}

// authority is somebody who certifies keys.
type authority struct {
	certificate *x509.Certificate
	private     crypto.Signer
}

// certify makes a certificate of a public key; without an authority above it is by itself.
func (a *authority) certify(t testing.TB, name string, serial int64, public crypto.PublicKey, private crypto.Signer, isCA bool) *x509.Certificate {
	t.Helper()
	return a.certifyFor(t, name, serial, public, private, isCA, now().Add(-time.Hour), now().AddDate(2, 0, 0))
}

// certifyFor is certify for a time.
func (a *authority) certifyFor(t testing.TB, name string, serial int64, public crypto.PublicKey, private crypto.Signer, isCA bool, from, until time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		IsCA: isCA, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if isCA {
		template.KeyUsage = x509.KeyUsageCertSign
	}
	above := template
	if a != nil {
		above, private = a.certificate, a.private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, above, public, private)
	testworld.OK(t, err)
	made, err := x509.ParseCertificate(der)
	testworld.OK(t, err)
	return made
}

func newAuthority(t testing.TB, above *authority, name string, serial int64) *authority {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testworld.OK(t, err)
	return &authority{above.certify(t, name, serial, private.Public(), private, true), private}
}

func asPEM(certificates ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// opensslVerifies reports that OpenSSL takes a signature of a content, by who trusts a certificate, at the moment of the tests.
func opensslVerifies(t testing.TB, cms, content []byte, trusted *x509.Certificate) (string, bool) {
	t.Helper()
	folder := t.TempDir()
	at := func(name string, content []byte) string {
		testworld.OK(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
		return filepath.Join(folder, name)
	}
	said, err := osexec.CommandContext(t.Context(), "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", at("cms", cms), "-content", at("content", content), // #nosec G204 -- the test's own files
		"-CAfile", at("trusted.pem", asPEM(trusted)), "-purpose", "any", "-cades", "-no_check_time", "-out", os.DevNull).CombinedOutput()
	return string(said), err == nil
}

// TestDocumentsAreSigned: what a key signs, another program verifies by its certificate; another content it does not.
// The same content has the same signature, which says no time of its own.
func TestDocumentsAreSigned(t *testing.T) {
	t.Parallel()
	key := current(t, openDocuments(t, deps(t, storetest.Open(t, storetest.NewSQLite(t)))))
	content := []byte("a document")
	digest := sha256.Sum256(content)
	cms, err := key.CMS(digest[:])
	testworld.OK(t, err)
	again, err := key.CMS(digest[:])
	testworld.OK(t, err)
	room, err := key.Room()
	if testworld.OK(t, err); !bytes.Equal(cms, again) || room < len(cms) {
		t.Errorf("%d bytes, then %d; room for %d", len(cms), len(again), room)
	}
	if said, good := opensslVerifies(t, cms, content, key.Chain[0]); !good {
		t.Errorf("OpenSSL: %s", said)
	}
	if _, good := opensslVerifies(t, cms, []byte("A document"), key.Chain[0]); good {
		t.Error("OpenSSL takes another content")
	}
	stranger := newAuthority(t, nil, "Чоочун", 1)
	if _, good := opensslVerifies(t, cms, content, stranger.certificate); good {
		t.Error("OpenSSL takes a certificate that nobody trusts")
	}
	file := filepath.Join(t.TempDir(), "cms")
	print := testworld.Tool(t, file, cms, "openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", file)
	if strings.Contains(print, "signingTime") || !strings.Contains(print, "id-smime-aa-signingCertificateV2") || !strings.Contains(print, "ecdsa-with-SHA256") {
		t.Errorf("the signature is %s", print)
	}
}

// TestAnAuthorityCertifiesDocuments: where an authority's certificates are given, the newest key signs that has one,
// with those between; a key that waits for its own does not.
func TestAnAuthorityCertifiesDocuments(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		own := openDocuments(t, deps(t, db))
		first := current(t, own)
		root := newAuthority(t, nil, "Тамыр", 1)
		between := newAuthority(t, root, "Ортодогу", 2)
		request, err := first.Request()
		testworld.OK(t, err)
		block, _ := pem.Decode(request)
		asked, err := x509.ParseCertificateRequest(block.Bytes)
		testworld.OK(t, err)
		testworld.OK(t, asked.CheckSignature())
		certificate := between.certify(t, "Эшик", 3, asked.PublicKey, nil, false)
		given, err := sign.ParseCertificates(asPEM(between.certificate, root.certificate, certificate))
		testworld.OK(t, err)
		certified := openDocuments(t, deps(t, db), given...)
		key := current(t, certified)
		if key.KID != first.KID || !key.Certified || key.Name() != "Эшик" || len(key.Chain) != 2 || !key.Chain[1].Equal(between.certificate) {
			t.Errorf("%s signs by %v", key.KID, key.Chain)
		}
		cms, err := key.CMS(make([]byte, 32))
		if testworld.OK(t, err); !bytes.Contains(cms, between.certificate.Raw) || bytes.Contains(cms, root.certificate.Raw) {
			t.Error("the chain is not in the signature, or its root is")
		}
		next, err := certified.Rotate(t.Context(), staff.Act{Actor: "staff:officer"})
		if testworld.OK(t, err); next == first.KID || current(t, certified).KID != first.KID || current(t, own).KID != next {
			t.Errorf("after %s was made signs %s, without an authority %s", next, current(t, certified).KID, current(t, own).KID)
		}
		if _, err := sign.OpenDocuments(t.Context(), deps(t, db), []*x509.Certificate{root.certificate}); !errors.Is(err, sign.ErrUncertified) {
			t.Errorf("certificates of others: %v", err)
		}
		if made := now().AddDate(-1, 0, 0); !key.At(made).Equal(key.Chain[0].NotBefore) || !key.At(now()).Equal(now()) {
			t.Errorf("what was made at %v is signed at %v", made, key.At(made))
		}
	})
}

// TestAnAuthorityRenews: of certificates of one key, in any order, the newest signs that is good now, and where none
// is the newest; of those between it and the root as well.
func TestAnAuthorityRenews(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	public := current(t, openDocuments(t, deps(t, db))).Chain[0].PublicKey
	root := newAuthority(t, nil, "Тамыр", 1)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testworld.OK(t, err)
	var serial int64 = 1
	of := func(above *authority, name string, public crypto.PublicKey, isCA bool, from, until int) *x509.Certificate { // in years from now
		serial++
		return above.certifyFor(t, name, serial, public, nil, isCA, now().AddDate(from, 0, 0), now().AddDate(until, 0, 0))
	}
	formerAbove, above := of(root, "Ортодогу", private.Public(), true, -5, -2), of(root, "Ортодогу", private.Public(), true, -2, 3)
	between := &authority{above, private}
	leaf := func(from, until int) *x509.Certificate { return of(between, "Эшик", public, false, from, until) }
	oldest, former, good, newer, next := leaf(-4, -3), leaf(-3, -1), leaf(-2, 1), leaf(-1, 1), leaf(1, 3)
	for name, c := range map[string]struct {
		given []*x509.Certificate
		want  *x509.Certificate
	}{
		"the expired one first": {[]*x509.Certificate{former, good}, good},
		"the expired one last":  {[]*x509.Certificate{good, former}, good},
		"two are good":          {[]*x509.Certificate{good, newer, former}, newer},
		"one is for later":      {[]*x509.Certificate{next, good}, good},
		"all are over":          {[]*x509.Certificate{oldest, former}, former},
	} {
		given := append([]*x509.Certificate{formerAbove, above, root.certificate}, c.given...)
		chain := current(t, openDocuments(t, deps(t, db), given...)).Chain
		if len(chain) != 2 || !chain[0].Equal(c.want) || !chain[1].Equal(above) {
			t.Errorf("%s: of %d certificates, the first until %v", name, len(chain), chain[0].NotAfter)
		}
	}
}

// TestDocumentKeysAreChecked: a row that was changed is named, and signs nothing.
func TestDocumentKeysAreChecked(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"another's certificate": "UPDATE document_keys SET certificate = (SELECT certificate FROM document_keys WHERE generation = 1) WHERE generation = 2",
		"another's key":         "UPDATE document_keys SET sealed = (SELECT sealed FROM document_keys WHERE generation = 1) WHERE generation = 2",
		"no certificate":        "UPDATE document_keys SET certificate = sealed WHERE generation = 2",
	} {
		db := storetest.Open(t, storetest.NewSQLite(t))
		documents := openDocuments(t, deps(t, db))
		first := current(t, documents).KID
		second, err := documents.Rotate(t.Context(), staff.Act{Actor: "staff:officer"})
		testworld.OK(t, err)
		testworld.OK(t, check(t, db))
		exec(t, db, change)
		if err := check(t, db); err == nil || !strings.Contains(err.Error(), second) || strings.Contains(err.Error(), first+":") {
			t.Errorf("%s: fsck says %v", name, err)
		}
		if signs := current(t, documents).KID; signs != first {
			t.Errorf("%s: %s signs", name, signs)
		}
	}
}

// TestAWrongKeyIsNamed: a sealed half that is no key for documents, or another's than its row says, is told as such.
func TestAWrongKeyIsNamed(t *testing.T) {
	t.Parallel()
	edwards, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	testworld.OK(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testworld.OK(t, err)
	others, err := x509.MarshalPKCS8PrivateKey(other)
	testworld.OK(t, err)
	for want, half := range map[string][]byte{"signs no ECDSA": edwards, "is not that of its sealed half": others, "read the key of documents": []byte("none")} {
		db := storetest.Open(t, storetest.NewSQLite(t))
		kid := current(t, openDocuments(t, deps(t, db))).KID
		sealed, err := deps(t, db).Sealer.Seal(half, "sign.document:"+kid)
		testworld.OK(t, err)
		exec(t, db, "UPDATE document_keys SET sealed = ?", sealed)
		if err := check(t, db); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), kid) || strings.Contains(err.Error(), "%!") {
			t.Errorf("fsck says %v", err)
		}
	}
}
