package certificate_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

var officer = staff.Act{Actor: "staff:officer"}

// trust is what is published now.
func trust(t *testing.T, h *world) certificate.Trust {
	t.Helper()
	return must[certificate.Trust](t)(certificate.ReadTrust(must[string](t)(h.Trust(t.Context())) + "\n"))
}

// printedBefore is a code's text as it was printed before codes were addresses.
func printedBefore(t *testing.T, code string) string {
	t.Helper()
	return "ESHIK2:" + sign.EncodeBase45(must[[]byte](t)(certificate.Unpack(code)))
}

// code is a signed code of claims that are like a certificate's but for what change does.
func code(t *testing.T, h *world, change func(*sign.Claims)) string {
	t.Helper()
	content := must[[]byte](t)(cbor.Marshal(certificate.Record{Kind: certificate.Residential, Holder: certificate.Person{Name: "Асанова Айгүл", Born: "1988-03-15"}, Address: "Чүй облусу"}))
	place := int64(7)
	claims := sign.Claims{Issuer: "KG-ESHIK", IssuedAt: h.Clock.Now().Unix(), ID: []byte("K7MN4PQR2XW"), Status: &place, Content: content}
	change(&claims)
	return "ESHIK1:" + sign.EncodeBase45(must[[]byte](t)(h.signer.Sign(t.Context(), claims)))
}

// TestWithoutNetwork: each outcome, and hostile input of every kind, by a trust bundle alone.
func TestWithoutNetwork(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	good := certificate.Payload(t, h.Service, request(t, h, "t1", certificate.Residential).Number)
	gone := request(t, h, "t2", certificate.Family).Number
	revoked := certificate.Payload(t, h.Service, gone)
	h.OK(h.Revoke(t.Context(), officer, anybody, gone))
	stranger := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	foreign := code(t, stranger, func(c *sign.Claims) { c.IssuedAt -= int64(time.Hour.Seconds()) })
	perhaps := code(t, stranger, func(*sign.Claims) {}) // a clock of ours may lag: of a key that the bundle was too early for
	raw := must[[]byte](t)(certificate.Unpack(good))
	altered := func(at int) string {
		changed := slices.Clone(raw)
		changed[at] ^= 1
		return sign.EncodeBase45(changed)
	}
	now := h.Clock.Now()
	asOf, both := bundle(t, h), &devices{t: t, h: h}
	for name, c := range map[string]struct {
		code string
		want certificate.Outcome
		text bool // the signed text is shown
	}{
		"genuine":              {good, certificate.Genuine, true},
		"great letters":        {strings.ToUpper(good), certificate.Genuine, true},
		"printed before":       {printedBefore(t, good), certificate.Genuine, true},
		"before, small":        {strings.ToLower(printedBefore(t, good)), certificate.Genuine, true},
		"another's address":    {"https://evil.example/verify#" + sign.EncodeDecimal(raw), certificate.Genuine, true},
		"wrapped":              {good[:40] + "\r\n" + good[40:] + "\n", certificate.Genuine, true},
		"revoked":              {revoked, certificate.Withdrawn, true},
		"the payload altered":  {altered(60), certificate.Altered, false},
		"the signature":        {altered(len(raw) - 1), certificate.Altered, false},
		"cut CBOR":             {sign.EncodeBase45(raw[:len(raw)/2]), certificate.Altered, false},
		"cut digits":           {good[:len(good)-2], certificate.Altered, false},
		"cut base45":           {printedBefore(t, good)[:len(raw)], certificate.Altered, false},
		"nothing behind":       {"ESHIK1:", certificate.Altered, false},
		"deep CBOR":            {"ESHIK1:" + sign.EncodeBase45(bytes.Repeat([]byte{0x81}, 4000)), certificate.Altered, false},
		"an array of billions": {"ESHIK1:" + sign.EncodeBase45([]byte{0xd2, 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), certificate.Altered, false},
		"another's key":        {foreign, certificate.NotOurs, false},
		"another's, of now":    {perhaps, certificate.Unknown, false},
		"a ticket":             {"https://example.kg/ticket/14", certificate.NotOurs, false},
		"nothing":              {"", certificate.NotOurs, false},
		"huge":                 {"ESHIK1:" + strings.Repeat("A", 1<<20), certificate.NotOurs, false},
		"expired":              {code(t, h, func(c *sign.Claims) { c.Expires = now.Add(-time.Second).Unix() }), certificate.Expired, true},
		"expires later":        {code(t, h, func(c *sign.Claims) { c.Expires = now.Add(time.Hour).Unix() }), certificate.Genuine, true},
		"another issuer":       {code(t, h, func(c *sign.Claims) { c.Issuer = "KG-OTHER" }), certificate.NotOurs, false},
		"from the future":      {code(t, h, func(c *sign.Claims) { c.IssuedAt = now.Add(time.Hour).Unix() }), certificate.Unknown, true},
		"before its key":       {code(t, h, func(c *sign.Claims) { c.IssuedAt = now.Add(-time.Hour).Unix() }), certificate.NotOurs, true},
		"of before the lists":  {code(t, h, func(c *sign.Claims) { c.Status = nil }), certificate.Unknown, true},
		"of a later list":      {code(t, h, func(c *sign.Claims) { *c.Status = 1 << 20 }), certificate.Unknown, true},
		"a place below zero":   {code(t, h, func(c *sign.Claims) { *c.Status = -1 }), certificate.Unknown, true},
		"a kind of later":      {code(t, h, func(c *sign.Claims) { c.Content = must[[]byte](t)(cbor.Marshal(map[int]string{1: "of later"})) }), certificate.Unknown, false},
	} {
		got := both.check(asOf, c.code, now)
		if got.Outcome != c.want || (got.Words != nil) != c.text || len(got.Said) != 3 {
			t.Errorf("%s: %s with the text %v", name, got.Outcome, got.Words)
		}
	}
	for name, at := range map[string]time.Time{"a clock that lags": now.Add(-time.Hour), "a bundle too old": now.Add(8 * 24 * time.Hour)} {
		if got := both.check(asOf, good, at); got.Outcome != certificate.Unknown || got.Words == nil {
			t.Errorf("%s: %s", name, got.Outcome)
		}
		if got := both.check(asOf, revoked, at); got.Outcome != certificate.Withdrawn {
			t.Errorf("revoked, by %s: %s", name, got.Outcome)
		}
	}
	both.agree()
}

// TestWithoutNetworkAndNewKeys: a bundle of before a rotation cannot tell of what was signed since;
// one of after it knows both; keys that were revealed prove nothing.
func TestWithoutNetworkAndNewKeys(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	both := &devices{t: t, h: h}
	outcome := func(by, code string) certificate.Outcome { return both.check(by, code, h.Clock.Now()).Outcome }
	plain := func(*sign.Claims) {}
	first, before := code(t, h, plain), bundle(t, h)
	h.Clock.Pass(time.Hour)
	_ = must[string](t)(h.signer.Rotate(t.Context(), officer))
	second, after := code(t, h, plain), bundle(t, h)
	if got := []certificate.Outcome{outcome(before, second), outcome(after, first), outcome(after, second)}; !slices.Equal(got, []certificate.Outcome{
		certificate.Unknown, certificate.Genuine, certificate.Genuine,
	}) {
		t.Errorf("a rotation: %q", got)
	}
	_ = must[string](t)(h.signer.Reveal(t.Context(), officer))
	third, last := code(t, h, plain), bundle(t, h)
	if got := []certificate.Outcome{outcome(last, first), outcome(last, second), outcome(last, third)}; !slices.Equal(got, []certificate.Outcome{
		certificate.Unknown, certificate.Unknown, certificate.Genuine,
	}) {
		t.Errorf("revealed keys: %q", got)
	}
	both.agree()
}

// TestNoTrust: a bundle that was changed, or is none, is not read.
func TestNoTrust(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	whole := must[string](t)(h.Trust(t.Context()))
	parts := strings.Split(whole, ".")
	payload := string(must[[]byte](t)(base64.RawURLEncoding.DecodeString(parts[1])))
	with := func(payload string) string {
		return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + "." + parts[2]
	}
	both := &devices{t: t, h: h}
	for name, text := range map[string]string{
		"empty": "", "words": "trust me", "cut": whole[:len(whole)-4], "a list alone": must[string](t)(h.StatusList(t.Context(), 0)),
		"later": with(strings.Replace(payload, `"exp":1`, `"exp":2`, 1)), "no keys": with(`{"keys":{"keys":[]}}`), "no JSON": with("["),
	} {
		if _, err := certificate.ReadTrust(text); !errors.Is(err, certificate.ErrTrust) {
			t.Errorf("%s: %v", name, err)
		}
		both.check(text, "", h.Clock.Now())
	}
	both.agree()
}

// TestFiles: a code is read from the document, from pictures of its last page, and from its text.
func TestFiles(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	issued := request(t, h, "t1", certificate.Residential)
	document := must[[]byte](t)(h.PDF(t.Context(), aigul(""), issued.Number))
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	h.OK(os.WriteFile(at("whole.pdf"), document, 0o600))
	run(t, "pdftoppm", "-r", "150", "-png", "-singlefile", at("whole.pdf"), at("page"))
	run(t, "pdftoppm", "-r", "300", "-jpeg", "-singlefile", at("whole.pdf"), at("page"))
	payload := certificate.Payload(t, h.Service, issued.Number)
	by := trust(t, h)
	for name, file := range map[string][]byte{
		"document": document, "PNG": must[[]byte](t)(os.ReadFile(at("page.png"))), "JPEG": must[[]byte](t)(os.ReadFile(at("page.jpg"))), "text": []byte(payload + "\n"),
	} {
		got, err := certificate.CheckFile(h.Texts, by, file, h.Clock.Now())
		if err != nil || got.Outcome != certificate.Genuine || len(got.Words) != 2 || !strings.Contains(got.Words[0].Lines[0].Value, certificate.ShowNumber(issued.Number)) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	var blank bytes.Buffer
	h.OK(jpeg.Encode(&blank, &image.RGBA{Pix: make([]byte, 4*100*100), Stride: 400, Rect: image.Rect(0, 0, 100, 100)}, nil))
	for name, file := range map[string][]byte{
		"a picture of nothing": blank.Bytes(), "half a picture": blank.Bytes()[:50], "a PDF without a code": []byte("%PDF-1.4"), "bytes": {0xff, 0xfe, 0},
		"two codes": slices.Concat(document, []byte("/Keywords (ESHIK1:AAA)")), "a huge text": bytes.Repeat([]byte("A"), 1<<20),
	} {
		if _, err := certificate.CheckFile(h.Texts, by, file, h.Clock.Now()); !errors.Is(err, certificate.ErrNoCode) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
