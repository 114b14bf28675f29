package sign_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
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
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: now().Add(-time.Hour), NotAfter: now().AddDate(2, 0, 0),
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
