package testworld

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// preflight are the libraries of PDFBox Preflight where Debian has them.
const preflight = "/usr/share/java/preflight.jar:/usr/share/java/pdfbox2.jar:/usr/share/java/fontbox2.jar:/usr/share/java/xmpbox.jar:" +
	"/usr/share/java/commons-logging.jar:/usr/share/java/javax.activation.jar:/usr/share/java/jaxb-api.jar"

// Archived fails unless a document is whole for qpdf and, for PDFBox Preflight, in order for archives but
// for the part of the standard that it names: Preflight judges PDF/A-1b, and ours are PDF/A-2a.
func Archived(t testing.TB, document []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "document.pdf")
	Tool(t, file, document, "qpdf", "--check", file)
	const named, judged = "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A<", "<pdfaid:part>1</pdfaid:part><pdfaid:conformance>B<"
	if bytes.Count(document, []byte(named)) != 1 {
		t.Fatal("the document does not say that it is PDF/A-2a")
	}
	said := Tool(t, file, bytes.Replace(document, []byte(named), []byte(judged), 1), "java", "-cp", preflight, "org.apache.pdfbox.preflight.Validator_A1b", file)
	if !strings.Contains(said, "is a valid PDF/A-1b file") {
		t.Errorf("Preflight: %s", said)
	}
}

// Tool writes a document to a file and gives what a program says that reads it there.
func Tool(t testing.TB, file string, document []byte, program string, arguments ...string) string {
	t.Helper()
	OK(t, os.WriteFile(file, document, 0o600))
	said, err := exec.CommandContext(t.Context(), program, arguments...).CombinedOutput() // #nosec G204 -- the test's own words
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, said)
	}
	return string(said)
}

// ReadAloud is what a program reads aloud of a document, part after part (pdfinfo -struct-text); of a picture
// nothing, as the program gives no words for it.
func ReadAloud(t testing.TB, document []byte) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "document.pdf")
	var parts []string
	for line := range strings.Lines(Tool(t, file, document, "pdfinfo", "-struct-text", file)) {
		line = strings.TrimSpace(line)
		if len(line) > 2 && strings.HasPrefix(line, `"`) && strings.HasSuffix(line, `"`) {
			parts = append(parts, line[1:len(line)-1])
		}
	}
	return parts
}
