package certificate

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/jws"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/sign"
)

// Outcome is what comes of checking a certificate without network: one of a closed list.
type Outcome string

// The outcomes. Unknown is whatever only our server can tell.
const (
	Genuine   Outcome = "genuine"
	Altered   Outcome = "altered" // or not read whole
	Withdrawn Outcome = "revoked"
	Expired   Outcome = "expired"
	NotOurs   Outcome = "foreign"
	Unknown   Outcome = "unknown"
)

// skew is how far clocks may be apart: of our servers, and of whoever checks.
const skew = 5 * time.Minute

// longestTrust is the largest trust bundle that is read, in bytes.
const longestTrust = 32 << 20

// Trust is a trust bundle that was read.
type Trust struct {
	AsOf, NextUpdate, Until time.Time
	Signer                  string // id of the key that signed it
	issuer                  string
	keys                    map[string]trustKey
	lists                   [][]byte
}

// trustKey is a key and when it signed.
type trustKey struct {
	TrustedKey
	public *jws.PublicKey
}

// ErrTrust says that a file is no trust bundle, or is not whole.
var ErrTrust = errors.New("this is no trust bundle, or it was changed")

// ReadTrust reads a trust bundle. That it is whole its signature shows; that it is ours, where it
// came from.
func ReadTrust(text string) (Trust, error) {
	text = strings.TrimSpace(text)
	parts := strings.Split(text, ".")
	if len(text) > longestTrust || len(parts) != 3 {
		return Trust{}, ErrTrust
	}
	claimed, err := base64.RawURLEncoding.DecodeString(parts[1])
	var of bundle
	if err != nil || json.Unmarshal(claimed, &of) != nil || len(of.Lists) > mostLists {
		return Trust{}, ErrTrust
	}
	t := Trust{
		AsOf: time.Unix(of.AsOf, 0).UTC(), NextUpdate: time.Unix(of.NextUpdate, 0).UTC(), Until: time.Unix(of.Until, 0).UTC(),
		issuer: of.Issuer, keys: map[string]trustKey{},
	}
	for _, k := range of.Keys.Keys {
		public, err := k.Verifier()
		if err != nil || public.ECDSA() == nil {
			return Trust{}, errors.Join(ErrTrust, err)
		}
		t.keys[k.ID] = trustKey{k, public}
	}
	if _, err := t.verify(text, trustType); err != nil {
		return Trust{}, err
	}
	return t.withLists(of.Lists)
}

// verify checks what a key of the bundle signed that signs still.
func (t *Trust) verify(token, typ string) ([]byte, error) {
	signed, err := jws.VerifyUpTo(longestTrust, token, func(kid string) (*jws.PublicKey, error) {
		key, known := t.keys[kid]
		if !known || key.Revoked != nil || key.Until != 0 {
			return nil, ErrTrust
		}
		t.Signer = kid
		return key.public, nil
	})
	if err != nil || signed.Type != typ {
		return nil, errors.Join(ErrTrust, err)
	}
	return signed.Payload, nil
}

func (t Trust) withLists(lists []string) (Trust, error) {
	for _, list := range lists {
		payload, err := t.verify(list, statusType)
		var credential statusCredential
		if err == nil {
			err = json.Unmarshal(payload, &credential)
		}
		var bits []byte
		if err == nil {
			bits, err = decodeBits(credential.Subject.List)
		}
		if err != nil {
			return Trust{}, errors.Join(ErrTrust, err)
		}
		t.lists = append(t.lists, bits)
	}
	return t, nil
}

// Checked is what came of checking a certificate without network.
type Checked struct {
	Outcome Outcome
	Words   []Words // the signed text, where the signature is good; else nil
	Said    []Said  // the outcome in words, Kyrgyz first
}

// Said is an outcome and what to do, in one language.
type Said struct {
	Locale          locales.Locale
	Outcome, Advice string
}

// CheckCode checks the text of a QR code by a trust bundle, without network, at the moment now.
func CheckCode(texts *locales.Catalogue, t Trust, code string, now time.Time) (Checked, error) {
	list, err := loadPlaces()
	if err != nil {
		return Checked{}, err
	}
	outcome, signed := t.judge(code, now)
	out := Checked{Outcome: outcome}
	for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.EN} {
		out.Said = append(out.Said, Said{
			Locale:  loc,
			Outcome: texts.Text(loc, "verify.outcome_"+string(outcome), "moment", clock.Moment(t.AsOf)),
			Advice:  texts.Text(loc, "verify.advice_"+string(outcome)),
		})
	}
	if signed != nil {
		out.Words = []Words{wordsOf(texts, list, locales.KY, *signed), wordsOf(texts, list, locales.RU, *signed)}
	}
	return out, nil
}

// judge gives the outcome, and what was signed where the signature is good.
func (t Trust) judge(code string, now time.Time) (Outcome, *Signed) {
	if len(code) > longestCode {
		return NotOurs, nil
	}
	message, err := unpack(code)
	if err != nil && problem.From(err).Key == "problem.certificate_foreign" {
		return NotOurs, nil
	}
	if err != nil {
		return Altered, nil
	}
	m, err := sign.Read(message)
	if err != nil {
		return Altered, nil
	}
	key, known := t.keys[m.Kid]
	issued := time.Unix(m.Claims.IssuedAt, 0)
	switch {
	case !known && issued.After(t.AsOf.Add(-skew)): // perhaps a key that was made since
		return Unknown, nil
	case !known:
		return NotOurs, nil
	case m.VerifyBy(key.public.ECDSA()) != nil:
		return Altered, nil
	case m.Claims.Issuer != t.issuer:
		return NotOurs, nil
	}
	signed, err := signedOf(m.Claims)
	if err != nil { // of a version that this program is too old for
		return Unknown, nil
	}
	return t.stands(m.Claims, key, now), &signed
}

// stands gives the outcome for a record whose signature is good.
func (t Trust) stands(claims sign.Claims, key trustKey, now time.Time) Outcome {
	issued := time.Unix(claims.IssuedAt, 0)
	revoked, told := t.revoked(claims.Status)
	switch {
	case revoked:
		return Withdrawn
	case key.Revoked != nil: // anybody may have signed it
		return Unknown
	case issued.Before(time.Unix(key.From, 0).Add(-skew)), key.Until != 0 && issued.After(time.Unix(key.Until, 0).Add(skew)):
		return NotOurs
	case claims.Expires != 0 && now.After(time.Unix(claims.Expires, 0)):
		return Expired
	case !told, issued.After(t.AsOf), now.Before(t.AsOf.Add(-skew)), now.After(t.Until):
		return Unknown
	}
	return Genuine
}

// revoked tells a record's bit, if there is one in the lists.
func (t Trust) revoked(index *int64) (revoked, told bool) {
	if index == nil || *index < 0 || *index>>listBits >= int64(len(t.lists)) {
		return false, false
	}
	at := *index % listSize
	return t.lists[*index>>listBits][at/8]&(0x80>>(at%8)) != 0, true
}

// CheckFile checks what a file holds: a QR code's text, a picture of one, or the document.
// ErrNoCode: it holds none.
func CheckFile(texts *locales.Catalogue, t Trust, file []byte, now time.Time) (Checked, error) {
	code, err := codeOfFile(file)
	if err != nil {
		return Checked{}, fmt.Errorf("read the file: %w", err)
	}
	return CheckCode(texts, t, code, now)
}
