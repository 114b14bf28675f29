package certificate_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
	"rsc.io/qr"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

// anybody verifies without signing in.
var anybody = caller.Caller{Channel: caller.Web, Now: noon}

// run runs a program of the Debian packages that tools/withservers installs.
func run(t *testing.T, program string, arguments ...string) []byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, arguments...).Output() // #nosec G204 -- a test's own programs
	if err != nil {
		t.Fatalf("%s: %v; run the tests with `make test`, which installs it", program, err)
	}
	return out
}

// hexed is text as qpdf writes it in the streams that it opens.
func hexed(text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = fmt.Appendf(out, "%04x", unit)
	}
	return out
}

// asked is a certificate that a program asks for: one for each turn.
func asked(t *testing.T, h *world, turn string, kind certificate.Kind) certificate.Certificate {
	t.Helper()
	c := aigul(turn)
	c.Channel = caller.REST
	return must[certificate.Certificate](t)(h.Request(t.Context(), c, kind))
}

// missing are the words of a signed text, its labels among them, that a document does
// not show.
func missing(words []certificate.Words, document string) []string {
	var lacks []string
	shown := strings.Fields(document)
	has := make(map[string]bool, len(shown))
	for _, word := range shown {
		has[word] = true
	}
	for _, w := range words {
		for _, line := range w.Lines {
			for _, word := range strings.Fields(line.Label + " " + line.Value) {
				if !has[word] && !has[word+":"] {
					lacks = append(lacks, word)
				}
			}
		}
	}
	return lacks
}

// TestS1AChangedDocumentShows changes the address in a certificate's PDF as anybody
// can, scans its QR code from the page with an independent reader, and compares the
// signed text, in both languages, with what the page says.
func TestS1AChangedDocumentShows(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	for _, size := range []int{0, 2, 12} { // a residence, a small family, a large one
		kind := certificate.Residential
		if h.register.members = largeFamily()[:size]; size > 0 {
			kind = certificate.Family
		}
		issued := asked(t, h, fmt.Sprint("t", size), kind)
		folder := t.TempDir()
		at := func(name string) string { return filepath.Join(folder, name) }
		document := must[[]byte](t)(h.PDF(t.Context(), aigul(""), issued.Number))
		if err := os.WriteFile(at("whole.pdf"), document, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, "qpdf", "--qdf", "--object-streams=disable", at("whole.pdf"), at("open.pdf"))
		open := must[[]byte](t)(os.ReadFile(at("open.pdf")))
		if !bytes.Contains(open, hexed("Достук")) {
			t.Fatal("the address is not in the document's streams")
		}
		if err := os.WriteFile(at("edited.pdf"), bytes.ReplaceAll(open, hexed("Достук"), hexed("Костуд")), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at("changed.pdf"), run(t, "fix-qdf", at("edited.pdf")), 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, "pdftoppm", "-r", "300", "-png", at("changed.pdf"), at("page"))
		pages := must[[]string](t)(filepath.Glob(at("page-*.png")))
		scanned := run(t, "zbarimg", append([]string{"--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"}, pages[len(pages)-1])...)
		signed := must[certificate.Signed](t)(h.VerifyQR(t.Context(), anybody, string(scanned)))
		words := h.Words(signed)
		if len(words) != 2 || words[0].Locale != "ky" || words[1].Locale != "ru" {
			t.Fatalf("the languages are %+v", words)
		}
		if lacks := missing(words, string(run(t, "pdftotext", at("whole.pdf"), "-"))); len(lacks) != 0 {
			t.Errorf("%d members: the document as it was issued lacks %q", size, lacks)
		}
		if lacks := missing(words, string(run(t, "pdftotext", at("changed.pdf"), "-"))); len(lacks) != 2 || lacks[0] != "Достук" {
			t.Errorf("%d members: a reader of the changed document misses %q", size, lacks)
		}
		view := must[certificate.View](t)(h.Verify(t.Context(), anybody, issued.Number))
		if shown := fmt.Sprintf("%+v", view); strings.Contains(shown, "Достук") || strings.Contains(shown, "Айгүл") {
			t.Errorf("by number alone the record is shown: %s", shown)
		}
	}
}

// TestS1TheCodeIsScannable: no family makes the code denser than a cheap phone reads
// from paper, and each comes back whole from what was signed.
func TestS1TheCodeIsScannable(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	for size := range 13 {
		h.register.members = largeFamily()[:size]
		issued := asked(t, h, fmt.Sprint("t", size), certificate.Family)
		text := certificate.Payload(t, h.Service, issued.Number)
		if modules := certificate.Modules(t, text, qr.M); modules > 89 {
			t.Errorf("%d members make %d modules", size, modules)
		}
		signed := must[certificate.Signed](t)(h.VerifyQR(t.Context(), anybody, text))
		if len(signed.Record.Members) != size || signed.Record.Digest != nil {
			t.Errorf("of %d members %d come back", size, len(signed.Record.Members))
		}
		if size == 0 && !strings.Contains(fmt.Sprint(h.Words(signed)), h.Texts.Text("ky", "certificate.pdf_alone")) {
			t.Errorf("nobody else: %+v", h.Words(signed))
		}
	}
}

// TestS1OnlySignedBytesCount: the answer is made of the signed bytes, whatever is kept
// here, and a family that is kept otherwise than it was signed is not shown.
func TestS1OnlySignedBytesCount(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	h.register.members = largeFamily()
	large, small := asked(t, h, "t1", certificate.Family), asked(t, h, "t2", certificate.Residential)
	code, other := certificate.Payload(t, h.Service, large.Number), certificate.Payload(t, h.Service, small.Number)
	swap := "UPDATE certificates SET kind = 'residence', issued_at = 1, intent_sealed = $1 WHERE number = $2"
	sealed := certificate.SealedIntent(t, h.Service, large.Number, certificate.Record{Members: largeFamily()[1:]})
	for _, number := range []string{large.Number, small.Number} {
		if number == small.Number {
			sealed = certificate.SealedIntent(t, h.Service, number, certificate.Record{Address: "Ош"})
		}
		change(t, h.DB, swap, sealed, number)
	}
	if signed, err := h.VerifyQR(t.Context(), anybody, code); err == nil {
		t.Errorf("a family that was not signed is shown: %+v", signed)
	}
	signed := must[certificate.Signed](t)(h.VerifyQR(t.Context(), anybody, other))
	if !strings.Contains(signed.Record.Address, "Достук") || signed.Record.Kind != certificate.Residential || !signed.IssuedAt.Equal(noon) {
		t.Errorf("not what was signed: %+v", signed)
	}
}

// TestS1EarlierCertificatesVerify: a record signed before there were digests, with
// however large a family in it, is read as it was.
func TestS1EarlierCertificatesVerify(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	h.register.members = largeFamily()
	issued := asked(t, h, "t1", certificate.Family)
	type person struct {
		Name string `cbor:"1,keyasint"`
		Born string `cbor:"2,keyasint"`
	}
	content := must[[]byte](t)(cbor.Marshal(map[int]any{
		1: "family", 2: person{"Асанова Айгүл Бакытовна", "1988-03-15"}, 3: "Достук, 12",
		4: []map[int]string{{1: "Асанов Бакыт", 2: "1985-07-01", 3: "spouse"}, {1: "Асанова Нурай", 2: "2023-05-09", 3: "child"}},
	}))
	message := must[[]byte](t)(h.signer.Sign(t.Context(), sign.Claims{
		Issuer: "KG-ESHIK", IssuedAt: noon.Unix(), ID: []byte(issued.Number), Content: content,
	}))
	change(t, h.DB, "UPDATE certificates SET signed_sealed = $1 WHERE number = $2", certificate.SealedMessage(t, h.Service, issued.Number, message), issued.Number)
	signed := must[certificate.Signed](t)(h.VerifyQR(t.Context(), anybody, "ESHIK1:"+sign.EncodeBase45(message)))
	if len(signed.Record.Members) != 2 || signed.Record.Address != "Достук, 12" || signed.Record.Holder.Born != "1988-03-15" || signed.Record.Places != 0 {
		t.Errorf("read %+v", signed)
	}
}

func change(t *testing.T, db *store.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.Writer().ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// otherwise signs, with a key of another house or of ours, a record for a number.
func otherwise(t *testing.T, keys *sign.Keys, number, address string) []byte {
	t.Helper()
	content := must[[]byte](t)(cbor.Marshal(certificate.Record{Kind: certificate.Residential, Address: address}))
	return must[[]byte](t)(keys.Sign(t.Context(), sign.Claims{Issuer: "KG-ESHIK", IssuedAt: noon.Unix(), ID: []byte(number), Content: content}))
}

// TestAForeignKeyAmongOurs: a key that is put into the table beside a sealed half of
// ours signs nothing that is shown, and one that is put over our public half neither
// signs nor makes what we issued forged, in a process that starts then.
func TestAForeignKeyAmongOurs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		issued := asked(t, h, "t1", certificate.Residential)
		code := certificate.Payload(t, h.Service, issued.Number)
		elsewhere := testworld.New(t, storetest.Open(t, storetest.NewSQLite(t)), testworld.Setup{})
		stranger := must[*sign.Keys](t)(sign.Open(t.Context(), sign.Deps{
			DB: elsewhere.DB, Sealer: must[*seal.Sealer](t)(seal.New(bytes.Repeat([]byte{9}, 32))), Trail: elsewhere.Trail, Now: elsewhere.Clock.Now, Log: elsewhere.Log,
		}))
		own := must[[]sign.PublicKey](t)(stranger.Public(t.Context()))[0]
		change(t, db, "INSERT INTO sign_keys (kid, generation, public, sealed, made_at) SELECT $1, 0, $2, sealed, made_at FROM sign_keys", own.KID, own.COSE)
		change(t, db, "UPDATE sign_keys SET public = $1 WHERE generation = 1", own.COSE)
		message := otherwise(t, stranger, issued.Number, "Ош")
		for _, house := range []*world{h, newWorld(t, db)} {
			_, err := house.VerifyQR(t.Context(), anybody, "ESHIK1:"+sign.EncodeBase45(message))
			testworld.Refused(t, err, "problem.certificate_forged")
			if signed, err := house.VerifyQR(t.Context(), anybody, code); err != nil || !strings.Contains(signed.Record.Address, "Достук") {
				t.Errorf("what was issued says %+v, %v", signed, err)
			}
		}
	})
}

// TestOnlyTheStoredMessageCounts: what a key of ours signed otherwise for a number that
// was issued, a message of another certificate under its number, and its own message
// with something added that no signature covers are forged.
func TestOnlyTheStoredMessageCounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		issued, other := asked(t, h, "t1", certificate.Residential), asked(t, h, "t2", certificate.Residential)
		code := certificate.Payload(t, h.Service, issued.Number)
		message := must[[]byte](t)(certificate.Unpack(code))
		var parsed cose.Sign1Message
		if err := parsed.UnmarshalCBOR(message); err != nil {
			t.Fatal(err)
		}
		parsed.Headers.RawUnprotected, parsed.Headers.Unprotected = nil, cose.UnprotectedHeader{int64(-70001): "x"}
		for name, forged := range map[string][]byte{
			"another text": otherwise(t, h.signer.Keys, issued.Number, "Ош"), "an unsigned header": must[[]byte](t)(parsed.MarshalCBOR()),
		} {
			if _, err := h.signer.Verify(t.Context(), forged); err != nil {
				t.Fatalf("%s: the signature is wrong: %v", name, err)
			}
			_, err := h.VerifyQR(t.Context(), anybody, "ESHIK1:"+sign.EncodeBase45(forged))
			testworld.Refused(t, err, "problem.certificate_forged")
		}
		must[certificate.Signed](t)(h.VerifyQR(t.Context(), anybody, code))
		// A certificate that was revoked does not stand by the row of one that was not.
		if err := h.Revoke(t.Context(), staff.Act{Actor: "officer", Reason: "moved"}, anybody, issued.Number); err != nil {
			t.Fatal(err)
		}
		change(t, db, "UPDATE certificates SET number = 'x' WHERE number = $1", issued.Number)
		change(t, db, "UPDATE certificates SET number = $1 WHERE number = $2", issued.Number, other.Number)
		_, err := h.VerifyQR(t.Context(), anybody, code)
		testworld.Refused(t, err, "problem.certificate_forged")
	})
}
