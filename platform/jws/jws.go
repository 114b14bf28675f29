package jws

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
)

// MaxToken is the longest token that is read, in bytes: ours have some 700.
const MaxToken = 4096

// parts of a token: header, payload, signature.
const parts = 3

// ErrRefused says that a token is none that one of the keys signed. What is wrong with it
// helps only those who forge.
var ErrRefused = errors.New("the token is refused")

// header of a token. Another member is refused: one that brings a key (jwk, jku, x5c) or
// demands to be understood (crit) has no place in what we sign.
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ,omitempty"`
}

// Signed is what a token says, under a signature that is good.
type Signed struct {
	Type    string // of the header: what kind of token it is
	Payload []byte
}

// Sign signs a payload. kid is the id by which the key is published, typ what kind of token
// it is.
func Sign(typ, kid string, payload any, key *ecdsa.PrivateKey) (string, error) {
	head, err := json.Marshal(header{Algorithm: Algorithm, KeyID: kid, Type: typ})
	if err != nil {
		return "", fmt.Errorf("write a token's header: %w", err)
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("write a token's payload: %w", err)
	}
	input := encode(head) + "." + encode(body)
	signature, err := jwt.SigningMethodES256.Sign(input, key)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return input + "." + encode(signature), nil
}

// Verify reads a token and checks its signature with the key that find gives for its kid.
// The error is ErrRefused, or find's own where that is another.
func Verify(token string, find func(kid string) (*PublicKey, error)) (Signed, error) {
	return VerifyUpTo(MaxToken, token, find)
}

// VerifyUpTo is Verify for what may be longer than a token that is sent with every request, as a
// file: up to limit bytes.
func VerifyUpTo(limit int, token string, find func(kid string) (*PublicKey, error)) (Signed, error) {
	texts := strings.SplitN(token, ".", parts+1)
	if len(token) > limit || len(texts) != parts {
		return Signed{}, ErrRefused
	}
	var raw [parts][]byte
	for i, text := range texts {
		var err error
		if raw[i], err = decode(text); err != nil || len(raw[i]) == 0 {
			return Signed{}, ErrRefused
		}
	}
	head, err := readHeader(raw[0])
	if err != nil || head.Algorithm != Algorithm {
		return Signed{}, ErrRefused
	}
	key, err := find(head.KeyID)
	if err != nil {
		return Signed{}, err
	}
	if err := jwt.SigningMethodES256.Verify(texts[0]+"."+texts[1], raw[2], key.ecdsa); err != nil {
		return Signed{}, ErrRefused
	}
	return Signed{Type: head.Type, Payload: raw[1]}, nil
}

// readHeader reads a header that has the members that we write, in their exact names, and no
// other.
func readHeader(data []byte) (head header, err error) {
	names, err := members(data)
	if err != nil || slices.ContainsFunc(names, func(n string) bool { return n != "alg" && n != "kid" && n != "typ" }) {
		return header{}, ErrRefused
	}
	return head, json.Unmarshal(data, &head)
}

// Decode reads the JSON object of a payload. One with two members of one name, in other
// capitals too, which readers would take differently, is ErrRefused.
func Decode(payload []byte, into any) error {
	if _, err := members(payload); err != nil {
		return err
	}
	if err := json.Unmarshal(payload, into); err != nil {
		return ErrRefused
	}
	return nil
}

// members are the names of a JSON object, of which each is there once.
func members(data []byte) (names []string, err error) {
	if !utf8.Valid(data) || !json.Valid(data) {
		return nil, ErrRefused
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil, ErrRefused
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		name, _ := token.(string)
		folded := strings.ToLower(name)
		if err != nil || seen[folded] || !isASCII(name) {
			return nil, ErrRefused
		}
		seen[folded] = true
		names = append(names, name)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, ErrRefused
		}
	}
	return names, nil
}

// isASCII keeps out letters that JSON readers take for others: U+212A for k.
func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
