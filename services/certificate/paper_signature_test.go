package certificate_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

// pdfsig is what an independent reader of PDF says of a document's signature.
func pdfsig(t *testing.T, document []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "document.pdf")
	return testworld.Tool(t, file, document, "pdfsig", file)
}

// TestThePaperIsSigned: an independent reader takes a certificate's signature over the whole file, and not when a byte of
// it was changed, be it of the text, of the end or of the signature. Who downloads it twice has the same bytes; after the key was rotated it is signed by the next one.
func TestThePaperIsSigned(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	h.register.members = largeFamily()
	issued := request(t, h, "signed", certificate.Family)
	download := func() []byte { return must[[]byte](t)(h.PDF(t.Context(), aigul(""), issued.Number)) }
	document := download()
	said := pdfsig(t, document)
	for _, want := range []string{
		"Signature is Valid.", "Total document signed", "Signature Type: ETSI.CAdES.detached", "Signing Hash Algorithm: SHA-256",
		"Signing Time: Nov 23 2026 06:00:00", "Common Name: Eshik documents ",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said: %s", want, said)
		}
	}
	if !bytes.Equal(document, download()) {
		t.Error("the bytes differ from one download to the next")
	}
	testworld.Archived(t, document)
	from := bytes.Index(document, []byte("/Contents <")) + len("/Contents ")
	to := from + bytes.IndexByte(document[from:], '>')
	for _, at := range []int{0x40, from / 3, from / 2, from - 2, to + 1, (to + len(document)) / 2, len(document) - 40, bytes.Index(document, []byte("/M (D:")) + 8, to - 80} {
		changed := bytes.Clone(document)
		if at > from && at < to { // of the signature itself, another digit
			changed[at] = "10"[strings.IndexByte("1", changed[at])+1] // 1 for all but 1
		} else {
			changed[at] ^= 1
		}
		if said := pdfsig(t, changed); strings.Contains(said, "Signature is Valid.") {
			t.Errorf("byte %d of %d was changed, and a reader says %s", at, len(document), said)
		}
	}
	before := said
	must[string](t)(h.documents.Rotate(t.Context(), staff.Act{Actor: "staff:officer"}))
	if said := pdfsig(t, download()); said == before || !strings.Contains(said, "Signature is Valid.") {
		t.Errorf("after the rotation: %s", said)
	}
	if got := fmt.Sprint(testworld.ReadAloud(t, download())); got != fmt.Sprint(testworld.ReadAloud(t, document)) {
		t.Errorf("another key signs, and it reads %s", got)
	}
}
