package jws_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/eshik-kg/eshik/platform/jws"
)

// row is a line of testdata/wycheproof.jsonl: a group with its key, or a token of the group
// before it. Source: C2SP/wycheproof, testvectors_v1/json_web_signature_test.json, commit
// dac1dd47, Apache-2.0; of the keys the members that are public.
type row struct {
	Group string   `json:"group"`
	Key   *jws.Key `json:"key"`

	ID    int    `json:"id"`
	What  string `json:"what"`
	Valid bool   `json:"valid"`
	JWS   string `json:"jws"`
}

// only finds one key, by its id.
func only(key jws.Key) func(string) (*jws.PublicKey, error) {
	return func(kid string) (*jws.PublicKey, error) {
		if kid != key.ID {
			return nil, jws.ErrRefused
		}
		return key.Verifier()
	}
}

func wycheproof(t *testing.T) (rows []row) {
	t.Helper()
	file, err := os.Open("testdata/wycheproof.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // read only
	var group row
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Key != nil {
			group = r
			continue
		}
		r.Group, r.Key = group.Group, group.Key
		rows = append(rows, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// foreign is why a row that Wycheproof calls valid is none of ours; empty: it must be taken.
func foreign(r row) string {
	switch {
	case r.Key.Type == "oct":
		return "a shared secret signs it: nobody shares one with us"
	case r.Key.Type == "RSA":
		return "an RSA key signs it: we have none, and allow no RS* and no PS*"
	case r.Key.Curve != "P-256":
		return "a key on " + r.Key.Curve + " signs it: ours are on P-256"
	}
	return ""
}

// TestWycheproof: each row that ES256 can decide is decided as it should. All others are
// refused, the valid ones too, and it is said why; they are tried with a key of ours under
// their kid as well, so that it is not only the key that refuses them.
func TestWycheproof(t *testing.T) {
	t.Parallel()
	private := newKey(t)
	own, err := jws.KeyOf(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var taken, refused int
	why := map[string]int{}
	for _, r := range wycheproof(t) {
		_, err := jws.Verify(r.JWS, only(*r.Key))
		reason := foreign(r)
		if want := r.Valid && reason == ""; (err == nil) != want {
			t.Errorf("row %d (%s, %s): taken %v, want %v: %v", r.ID, r.Group, r.What, err == nil, want, err)
		}
		switch {
		case reason != "":
			why[reason]++
			t.Logf("row %d (%s, %s): refused, as %s", r.ID, r.Group, r.What, reason)
		case r.Valid:
			taken++
		default:
			refused++
		}
		ours := own
		ours.ID = r.Key.ID
		if _, err := jws.Verify(r.JWS, only(ours)); err == nil {
			t.Errorf("row %d (%s, %s) is taken with a key that did not sign it", r.ID, r.Group, r.What)
		}
	}
	others := 0
	for _, n := range why {
		others += n
	}
	if taken != 2 || refused != 39 || others != 360 || len(why) != 3 {
		t.Errorf("of 401 rows %d are taken, %d refused, and no ES256 are %v", taken, refused, why)
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// hand signs what it is given as it stands, as a careless signer would.
func hand(t *testing.T, private *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	return input + "." + seal(t, private, input)
}

func seal(t *testing.T, private *ecdsa.PrivateKey, input string) string {
	t.Helper()
	signature, err := jwt.SigningMethodES256.Sign(input, private)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(signature)
}

// TestOneSpelling: a token is taken as it was signed, and in no other spelling of the same
// bytes; nor what our own key signed in a form that readers take differently.
func TestOneSpelling(t *testing.T) {
	t.Parallel()
	private := newKey(t)
	key, err := jws.KeyOf(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	good, err := jws.Sign("at+jwt", key.ID, map[string]string{"sub": "x"}, private)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jws.Verify(good, only(key))
	if err != nil || signed.Type != "at+jwt" || string(signed.Payload) != `{"sub":"x"}` {
		t.Fatalf("%+v, %v", signed, err)
	}
	part := strings.Split(good, ".")
	for name, token := range spellings(part) {
		if _, err := jws.Verify(token, only(key)); !errors.Is(err, jws.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, header := range headers(key.ID, string(decoded(t, part[0]))) {
		if _, err := jws.Verify(hand(t, private, header, `{}`), only(key)); !errors.Is(err, jws.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := jws.Verify(hand(t, private, fmt.Sprintf(`{"alg":"ES256","kid":%q}`, key.ID), `{}`), only(key)); err != nil {
		t.Fatalf("the hand does not sign well: %v", err)
	}
	for name, input := range map[string]string{ // signed in the other spelling
		"padded": part[0] + "=." + part[1], "a line end": part[0] + "\n." + part[1], "other bits": otherBits(part[0]) + "." + part[1],
		"a padded payload": part[0] + "." + part[1] + "=", "a space": part[0] + "." + part[1] + " ",
	} {
		if _, err := jws.Verify(input+"."+seal(t, private, input), only(key)); !errors.Is(err, jws.ErrRefused) {
			t.Errorf("signed with %s: %v", name, err)
		}
	}
	long := hand(t, private, fmt.Sprintf(`{"alg":"ES256","kid":%q}`, key.ID), `{"x":"`+strings.Repeat("x", jws.MaxToken)+`"}`)
	if _, err := jws.Verify(long, only(key)); !errors.Is(err, jws.ErrRefused) {
		t.Errorf("a huge token: %v", err)
	}
}

// spellings of a good token by its parts.
func spellings(part []string) map[string]string {
	join := func(a, b, c string) string { return a + "." + b + "." + c }
	header, payload, signature := part[0], part[1], part[2]
	return map[string]string{
		"padding":                join(header, payload, signature+"=="),
		"one sign of padding":    join(header, payload, signature+"="),
		"a line end":             join(header, payload, signature+"\n"),
		"a line end inside":      join(header, payload, signature[:9]+"\r\n"+signature[9:]),
		"a space":                join(header, payload, signature+" "),
		"a space before":         " " + join(header, payload, signature),
		"a tab":                  join(header, payload, "\t"+signature),
		"other unused bits":      join(header, payload, otherBits(signature)),
		"the other alphabet":     join(header, payload, "+/"+signature[2:]),
		"a byte of zero behind":  join(header, payload, signature+"AA"),
		"a fourth part":          join(header, payload, signature) + ".",
		"a part twice":           join(header, payload, signature) + "." + signature,
		"a dot before":           "." + join(header, payload, signature),
		"twice":                  join(header, payload, signature) + join(header, payload, signature),
		"no signature":           join(header, payload, ""),
		"no header":              join("", payload, signature),
		"no payload":             join(header, "", signature),
		"percent signs":          join(header, payload, "%41"+signature[1:]),
		"a detached payload":     header + ".." + signature,
		"JSON serialization":     `{"payload":"` + payload + `","protected":"` + header + `","signature":"` + signature + `"}`,
		"the payload's capitals": join(header, strings.ToUpper(payload), signature),
	}
}

// otherBits changes the unused bits of the last character, which has some in a text of 32,
// 64 or another number of bytes that no three divide.
func otherBits(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	at := strings.IndexByte(alphabet, text[len(text)-1])
	return text[:len(text)-1] + string(alphabet[at^1])
}

func decoded(t *testing.T, part string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// headers that our own key signs and nobody may take.
func headers(kid, good string) map[string]string {
	rest := strings.TrimPrefix(good, "{")
	return map[string]string{
		"alg none":             `{"alg":"none","kid":"` + kid + `"}`,
		"alg HS256":            `{"alg":"HS256","kid":"` + kid + `"}`,
		"no alg":               `{"kid":"` + kid + `"}`,
		"alg is a list":        `{"alg":["ES256"],"kid":"` + kid + `"}`,
		"alg in other letters": `{"alg":"es256","kid":"` + kid + `"}`,
		"ALG":                  `{"ALG":"ES256","kid":"` + kid + `"}`,
		"two algs":             `{"alg":"none",` + rest,
		"two algs, none last":  `{"alg":"ES256","alg":"none","kid":"` + kid + `"}`,
		"alg and Alg":          `{"Alg":"none",` + rest,
		"two kids":             `{"kid":"other",` + rest,
		"two kids alike":       `{"kid":"` + kid + `",` + rest,
		"a kid in Kelvin":      "{\"\u212aid\":\"other\"," + rest,
		"no kid":               `{"alg":"ES256"}`,
		"kid is a number":      `{"alg":"ES256","kid":1}`,
		"kid is null":          `{"alg":"ES256","kid":null}`,
		"crit":                 `{"crit":["exp"],"exp":1,` + rest,
		"an empty crit":        `{"crit":[],` + rest,
		"b64":                  `{"b64":false,"crit":["b64"],` + rest,
		"jwk":                  `{"jwk":{"kty":"EC"},` + rest,
		"jku":                  `{"jku":"https://example.com/keys",` + rest,
		"x5c":                  `{"x5c":["AAAA"],` + rest,
		"zip":                  `{"zip":"DEF",` + rest,
		"more behind":          good + `{}`,
		"a comma":              `{"alg":"ES256","kid":"` + kid + `",}`,
		"a list":               `[` + good + `]`,
		"not UTF-8":            "{\"x\xff\":1," + rest,
		"nothing":              `null`,
	}
}

// TestAMirroredSignature: (r, n-s) is as good a signature of the same bytes, as ECDSA has it;
// nothing of ours knows a token by its signature. A zero, n and more are none.
func TestAMirroredSignature(t *testing.T) {
	t.Parallel()
	private := newKey(t)
	key, err := jws.KeyOf(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	good, err := jws.Sign("", key.ID, struct{}{}, private)
	if err != nil {
		t.Fatal(err)
	}
	part := strings.Split(good, ".")
	signature := decoded(t, part[2])
	order := elliptic.P256().Params().N
	with := func(r, s *big.Int) error {
		var out [64]byte
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		_, err := jws.Verify(part[0]+"."+part[1]+"."+base64.RawURLEncoding.EncodeToString(out[:]), only(key))
		return err
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if err := with(r, new(big.Int).Sub(order, s)); err != nil {
		t.Errorf("mirrored: %v", err)
	}
	for name, pair := range map[string][2]*big.Int{
		"r is 0": {new(big.Int), s}, "s is 0": {r, new(big.Int)}, "s is n": {r, order}, "r is n": {order, s}, "both are 0": {new(big.Int), new(big.Int)},
	} {
		if err := with(pair[0], pair[1]); !errors.Is(err, jws.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeysForNothingElse: a key verifies tokens only where it says that it is for that.
func TestKeysForNothingElse(t *testing.T) {
	t.Parallel()
	private := newKey(t)
	good, err := jws.KeyOf(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := good.Verifier(); err != nil || good.ID != good.Thumbprint() {
		t.Fatalf("%+v: %v", good, err)
	}
	for name, change := range map[string]func(*jws.Key){
		"for encryption": func(k *jws.Key) { k.Use = "enc" }, "for signing": func(k *jws.Key) { k.Use, k.Operations = "", []string{"sign"} },
		"for deriving": func(k *jws.Key) { k.Operations = []string{"deriveKey"} }, "for no operation": func(k *jws.Key) { k.Operations = []string{} },
		"for anything": func(k *jws.Key) { k.Use = "" }, "of another algorithm": func(k *jws.Key) { k.Algorithm = "ES384" },
		"of agreements": func(k *jws.Key) { k.Algorithm = "ECDH-ES" }, "RSA": func(k *jws.Key) { k.Type = "RSA" },
		"of another curve": func(k *jws.Key) { k.Curve = "P-384" }, "off the curve": func(k *jws.Key) { k.Y = k.X },
		"without x": func(k *jws.Key) { k.X = "" }, "of a short x": func(k *jws.Key) { k.X = "AAAA" }, "of a padded y": func(k *jws.Key) { k.Y += "=" },
		"at zero": func(k *jws.Key) { k.X = base64.RawURLEncoding.EncodeToString(make([]byte, 32)); k.Y = k.X },
	} {
		k := good
		change(&k)
		if _, err := k.Verifier(); err == nil {
			t.Errorf("a key %s is taken", name)
		}
	}
	k := good
	k.Use, k.Operations = "", []string{"verify"}
	if _, err := k.Verifier(); err != nil {
		t.Errorf("a key for verifying: %v", err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jws.KeyOf(&other.PublicKey); err == nil {
		t.Error("a key on P-384 is described as one that signs ES256")
	}
}

// TestThumbprint has the key of RFC 7517, appendix A.1; its thumbprint was computed apart, by
// SHA-256 of the text that RFC 7638 describes.
func TestThumbprint(t *testing.T) {
	t.Parallel()
	k := jws.Key{Type: "EC", Curve: "P-256", X: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", Y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}
	if got := k.Thumbprint(); got != "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s" {
		t.Errorf("the thumbprint is %s", got)
	}
}

func TestPayloadsOfOneMeaning(t *testing.T) {
	t.Parallel()
	var into struct {
		Exp int `json:"exp"`
	}
	if err := jws.Decode([]byte(`{"exp": 1, "more": {"exp": 2}}`), &into); err != nil || into.Exp != 1 {
		t.Errorf("%+v, %v", into, err)
	}
	for _, payload := range []string{
		``, `1`, `null`, `[]`, `{`, `{"exp":1}{}`, `{"exp":1,"exp":2}`, `{"exp":1,"EXP":2}`, `{"exp":1,"\u0065xp":2}`, `{"exp":"1"}`, "{\"e\xff\":1}", `{"ехр":1}`,
	} {
		if err := jws.Decode([]byte(payload), &into); !errors.Is(err, jws.ErrRefused) {
			t.Errorf("%s: %v", payload, err)
		}
	}
}

// FuzzVerify: nothing that comes over the network makes it panic, and what it takes is
// written as it was signed.
func FuzzVerify(f *testing.F) {
	private := newKey(f)
	key, err := jws.KeyOf(&private.PublicKey)
	if err != nil {
		f.Fatal(err)
	}
	good, err := jws.Sign("at+jwt", key.ID, map[string]int{"exp": 1}, private)
	if err != nil {
		f.Fatal(err)
	}
	for _, token := range []string{good, "", "..", good + "=", strings.ReplaceAll(good, ".", "")} {
		f.Add([]byte(token))
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		signed, err := jws.Verify(string(token), only(key))
		if (err == nil) != bytes.Equal(token, []byte(good)) {
			t.Fatalf("%q: %+v, %v", token, signed, err)
		}
	})
}
