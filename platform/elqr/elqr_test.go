package elqr_test

import (
	"encoding/xml"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/elqr"
	"github.com/eshik-kg/eshik/platform/money"
)

// vectors are payloads that other systems made.
var vectors = []string{
	"00020101021232810011qr.finik.kg0114averspay-items10328606240d690d42e4b036d3dba9d0371a120212130212520448295303417540712412005908Finik-QR6304b127",
	"00020101021232720016fines.example.kg0104fine101910000000000000000011105PAY-11202121302125204922253034175405300005905JKKBB63046d05",
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, payload := range vectors {
		if !elqr.Valid(payload) || !elqr.Valid(strings.Replace(payload, "63046d05", "63046D05", 1)) {
			t.Errorf("%s is not valid", payload)
		}
		for i := range payload { // each character counts
			other := payload[:i] + "~" + payload[i+1:]
			if elqr.Valid(other) {
				t.Errorf("%s is valid", other)
			}
		}
	}
	r, err := elqr.ParseRecipient("fines.example.kg,fine,1000000000000000001,JKKBB")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Payload("PAY-1", 300_00); err != nil || got != vectors[1] {
		t.Errorf("%s, %v", got, err)
	}
	if elqr.Valid("") || elqr.Valid("6304") || elqr.Valid("\xff6304aaaa") {
		t.Error("nothing is valid")
	}
}

// TestImagesAreRead: an independent reader finds the payload's link in the PNG, and the SVG is one.
func TestImagesAreRead(t *testing.T) {
	t.Parallel()
	svg, picture, err := elqr.Images(vectors[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal([]byte(svg), new(struct{ XMLName xml.Name })); err != nil {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "elqr.png")
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := exec.CommandContext(t.Context(), "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil || strings.TrimSpace(string(read)) != elqr.Link(vectors[1]) {
		t.Errorf("read %s, %v", read, err)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	r := elqr.Recipient{Provider: "p", Service: "s", ID: "1", Name: "A #1 & B%"}
	payload, err := r.Payload("1234567894", 1)
	if err != nil {
		t.Fatal(err)
	}
	link, err := url.Parse(elqr.Link(payload))
	if err != nil || link.Fragment != payload || link.Host != "pay.payqr.kg" || !elqr.Valid(payload) {
		t.Errorf("%v, %v", link, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a,b,c", "a,b,c,d,e", ",b,c,d", "a,b,c," + strings.Repeat("x", 26), "a,b,c,Эшик"} {
		if _, err := elqr.ParseRecipient(text); err == nil {
			t.Errorf("%q is a recipient", text)
		}
	}
	r := elqr.Recipient{Provider: "p", Service: "s", ID: "1", Name: "n"}
	for transaction, amount := range map[string]money.Amount{"": 1, "1": 0, "2": -5, strings.Repeat("1", 33): 1} {
		if got, err := r.Payload(transaction, amount); err == nil {
			t.Errorf("%q, %d: %s", transaction, amount, got)
		}
	}
}
