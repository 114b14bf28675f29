package certificate_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

// largeFamily has more members than one page of the document holds.
func largeFamily() []certificate.Member {
	members := []certificate.Member{
		{Person: certificate.Person{Name: "Асанов Бакыт Эркинович", Born: "1985-07-01"}, Relation: "spouse"},
		{Person: certificate.Person{Name: "Асанова Нурай Бакытовна", Born: "2023-05-09"}, Relation: "child"},
		{Person: certificate.Person{Name: "Токтогулова Үмүт Өмүрбековна", Born: "1961-01-30"}, Relation: "кайненеси"},
	}
	for range 9 {
		members = append(members, members[1])
	}
	return members
}

// TestDocument makes the PDF of a residence and of a large family. Run with
// -artifacts to look at them.
func TestDocument(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	h.register.members = largeFamily()
	for kind, want := range map[certificate.Kind][]string{
		certificate.Residential: {
			"Асанова", "Айгүл", "15.03.1988", "Сокулук", "Справка о месте жительства", "Жашаган жери", "23.11.2026",
			"https://eshik.example.kg/verify", "ТЕКШЕР", "ПРОВЕРИТЬ",
		},
		certificate.Family: {"Үй-бүлө", "Нурай", "09.05.2023", "ребёнок", "баласы", "кайненеси", "Өмүрбековна"},
	} {
		issued := request(t, h, string(kind), kind)
		document := must[[]byte](t)(h.PDF(t.Context(), aigul(""), certificate.ShowNumber(issued.Number)))
		if again := must[[]byte](t)(h.PDF(t.Context(), aigul(""), issued.Number)); !bytes.Equal(document, again) {
			t.Errorf("%s: the bytes differ from one download to the next", kind)
		}
		text := testworld.PDFText(t, document)
		for _, word := range append(want, certificate.ShowNumber(issued.Number), "КЫРГЫЗ РЕСПУБЛИКАСЫ") {
			if !strings.Contains(text, word) {
				t.Errorf("%s: %q is not in %q", kind, word, text)
			}
		}
		if strings.Contains(text, pin) {
			t.Errorf("%s: the document holds the personal number", kind)
		}
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), string(kind)+".pdf"), document, 0o600); err != nil {
			t.Error(err)
		}
	}
}

// TestQR reads the QR code's text as a verifier does, whole and changed.
func TestQR(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	h.register.members = largeFamily()
	issued := request(t, h, "t1", certificate.Family)
	payload := certificate.Payload(t, h.Service, issued.Number)
	anybody := caller.Caller{Channel: caller.Web, Now: noon}
	if _, err := h.signer.Rotate(t.Context(), staff.Act{Actor: "staff:officer"}); err != nil { // earlier keys go on verifying
		t.Fatal(err)
	}
	before := printedBefore(t, payload)
	address, digits, _ := strings.Cut(payload, "#")
	for _, scanned := range []string{
		payload, payload + "\n", strings.ToUpper(address) + "#" + digits, digits, "http://127.0.0.1:8080/verify?lang=ru#" + digits, "https://old.example.kg/v#" + digits,
		address + "#" + digits[:300] + " " + digits[300:],
		before, strings.TrimPrefix(before, "ESHIK2:"), before + "\n", "eshik2:" + before[7:], strings.ToLower(before),
	} {
		signed, err := h.VerifyQR(t.Context(), anybody, scanned)
		if err != nil || signed.Number != issued.Number || !signed.Valid() || len(signed.Record.Members) != 12 {
			t.Fatalf("%+v, %v", signed, err)
		}
	}
	body := strings.TrimPrefix(before, "ESHIK2:")
	for _, wrap := range []string{"\n", "\r\n", "\r", "\t", "\r\n\t"} {
		for _, whole := range []string{payload, before} {
			for _, at := range []int{3, 7, 8, len(whole) / 2, len(whole) - 1} { // in the prefix, behind it, in a group
				signed, err := h.VerifyQR(t.Context(), anybody, whole[:at]+wrap+whole[at:])
				if err != nil || signed.Number != issued.Number {
					t.Errorf("wrapped with %q at %d: %+v, %v", wrap, at, signed, err)
				}
			}
		}
	}
	message := must[[]byte](t)(sign.DecodeBase45(body))
	message[len(message)/2] ^= 1
	for name, c := range map[string]struct{ text, key string }{
		"changed":                {sign.EncodeBase45(message), "problem.certificate_forged"},
		"changed, with a prefix": {"ESHIK2:" + sign.EncodeBase45(message), "problem.certificate_forged"},
		"cut":                    {body[:len(body)-3], "problem.certificate_forged"},
		"cut in a group":         {before[:len(before)-2], "problem.certificate_forged"},
		"a space put in":         {before[:20] + " " + before[20:], "problem.certificate_forged"},
		"digits, changed":        {address + "#" + sign.EncodeDecimal(message), "problem.certificate_forged"},
		"digits, cut":            {payload[:len(payload)-17], "problem.certificate_forged"},
		"digits, cut in a group": {payload[:len(payload)-2], "problem.certificate_forged"},
		"a letter put in":        {payload[:len(payload)-20] + "O" + payload[len(payload)-19:], "problem.certificate_forged"},
		"another number of ours": {digits + "000", "problem.certificate_forged"},
		"nothing behind":         {address + "#", "problem.certificate_forged"},
		"prefix alone":           {"ESHIK2:", "problem.certificate_forged"},
		"foreign after a prefix": {"ESHIK1:https://example.kg", "problem.certificate_forged"},
		"empty":                  {"", "problem.certificate_foreign"},
		"blank":                  {" \n", "problem.certificate_foreign"},
		"our own address":        {"https://eshik.example.kg/verify/" + issued.Number, "problem.certificate_foreign"},
		"a number":               {issued.Number, "problem.certificate_foreign"},
		"another's address":      {"https://example.kg/ticket#14", "problem.certificate_foreign"},
		"a number of old":        {"5925", "problem.certificate_foreign"},
		"a bus ticket":           {"TULPAR;14;2026-11-22;08:15;17", "problem.certificate_foreign"},
		"another COSE message":   {"HC1:" + body, "problem.certificate_foreign"},
		"digits that are base45": {"123456", "problem.certificate_foreign"},
		"a later version":        {"ESHIK:" + body, "problem.certificate_foreign"},
	} {
		if _, err := h.VerifyQR(t.Context(), anybody, c.text); problem.From(err).Key != c.key {
			t.Errorf("%s: %v, not %s", name, err, c.key)
		}
	}
}
