package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
)

// What a signature of a document names (RFC 5652, 5035, 5758).
var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidCertificate   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47} // signing-certificate-v2
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECDSA         = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2} // with SHA-256
)

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type signerInfo struct {
	Version   int
	Signer    issuerAndSerial
	Digest    pkix.AlgorithmIdentifier
	Signed    asn1.RawValue // the attributes under the tag [0]
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
}

type signedData struct {
	Version      int
	Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
	Content      struct{ Type asn1.ObjectIdentifier }
	Certificates asn1.RawValue
	Signers      []signerInfo `asn1:"set"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue
}

// signCMS signs the SHA-256 of a content beside which the signature lies, as PAdES baseline B-B has it (ETSI
// EN 319 142-1, 6.3): the certificate is named under the signature, and no time, which the document itself
// says. The same digest, key and chain give the same bytes (RFC 6979). The chain begins with the key's own certificate.
func signCMS(key *ecdsa.PrivateKey, chain []*x509.Certificate, digest []byte) ([]byte, error) {
	attributes, err := signedAttributes(chain[0], digest)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(attributes)
	signature, err := key.Sign(nil, hash[:], crypto.SHA256) // no randomness: by RFC 6979
	if err != nil {
		return nil, fmt.Errorf("sign the attributes of a document: %w", err)
	}
	implicit := bytes.Clone(attributes)
	implicit[0] = 0xa0 // [0] in place of SET (RFC 5652, 5.4)
	sha := pkix.AlgorithmIdentifier{Algorithm: oidSHA256}
	data := signedData{
		Version: 1, Digests: []pkix.AlgorithmIdentifier{sha},
		Signers: []signerInfo{{
			Version: 1, Signer: issuerAndSerial{asn1.RawValue{FullBytes: chain[0].RawIssuer}, chain[0].SerialNumber}, Digest: sha,
			Signed: asn1.RawValue{FullBytes: implicit}, Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidECDSA}, Signature: signature,
		}},
	}
	data.Content.Type = oidData
	var certificates []byte
	for _, one := range sortedDER(chain) {
		certificates = append(certificates, one...)
	}
	data.Certificates = tagged(certificates)
	encoded, err := asn1.Marshal(data)
	if err == nil {
		encoded, err = asn1.Marshal(contentInfo{Type: oidSignedData, Content: tagged(encoded)})
	}
	if err != nil {
		return nil, fmt.Errorf("encode a signature of a document: %w", err)
	}
	return encoded, nil
}

// signedAttributes are what is signed: a SET in DER.
func signedAttributes(certificate *x509.Certificate, digest []byte) ([]byte, error) {
	print := sha256.Sum256(certificate.Raw)
	named := struct { // SigningCertificateV2: by SHA-256, which is not said as it is the usual one
		Certificates []struct{ Hash []byte }
	}{[]struct{ Hash []byte }{{print[:]}}}
	var attributes []attribute
	for _, a := range []struct {
		kind  asn1.ObjectIdentifier
		value any
	}{{oidContentType, oidData}, {oidMessageDigest, digest}, {oidCertificate, named}} {
		encoded, err := asn1.Marshal(a.value)
		if err != nil {
			return nil, fmt.Errorf("encode an attribute of a signature: %w", err)
		}
		attributes = append(attributes, attribute{a.kind, []asn1.RawValue{{FullBytes: encoded}}})
	}
	encoded, err := asn1.MarshalWithParams(attributes, "set")
	if err != nil {
		return nil, fmt.Errorf("encode the attributes of a signature: %w", err)
	}
	return encoded, nil
}

// tagged is a content under the tag [0].
func tagged(content []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: content}
}

// sortedDER are certificates as DER orders a SET.
func sortedDER(chain []*x509.Certificate) [][]byte {
	var all [][]byte
	for _, one := range chain {
		all = append(all, one.Raw)
	}
	slices.SortFunc(all, bytes.Compare)
	return all
}
