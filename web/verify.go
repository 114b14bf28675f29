package web

import (
	"io"
	"net/url"
	"strings"

	"github.com/eshik-kg/eshik/locales"
)

// VerifyView is what the page that verifies a certificate shows.
type VerifyView struct {
	// Typed is the number as it was typed; it stays in the field.
	Typed string
	// Problem is the sentence about a number that gives no answer, in the page's
	// language; empty: there is none.
	Problem string
	// Scanned is the content of a QR code as it was pasted; it stays in its field.
	Scanned string
	// CodeProblem is the sentence about a code that gives no answer.
	CodeProblem string
	// Opening is what was typed to see a certificate by its holder's code; it stays in the fields.
	Opening VerifyOpening
	// OpeningProblem is the sentence about a code of a holder that opens nothing.
	OpeningProblem string
	// Offices are those who may say that they open one.
	Offices []VerifyOffice
	// Known is what the page's script checks certificates by, beside what the server publishes, as
	// JSON: its texts and names of places.
	Known any
	// Answer is what is known about the number; nil: nothing was asked, or Problem.
	Answer *VerifyAnswer
}

// VerifyOpening is a certificate's number, its holder's code, and who opens it.
type VerifyOpening struct{ Number, Code, Office string }

// VerifyOffice is an office by its id and its name in the page's language.
type VerifyOffice struct{ ID, Name string }

// VerifyAnswer is what anybody may learn about a certificate by its number.
type VerifyAnswer struct {
	Number    string // in groups
	Kind      string // in the page's language
	Initials  string
	BirthYear string // empty when unknown
	Issued    string // dd.MM.yyyy
	Revoked   string // dd.MM.yyyy; empty: the certificate is valid
	// Signed is the signed text in both languages, where the QR was checked; nil:
	// by the number alone nobody can tell whether the paper's text was changed.
	Signed []VerifyWords
	// ByCode says that the holder let the text be seen: it needs no comparing, and the document is
	// to be had.
	ByCode bool
}

// VerifyWords is a signed text in one language.
type VerifyWords struct {
	Locale locales.Locale
	Title  string
	Lines  []VerifyLine
}

// VerifyLine is a label and what stands under it; the label is empty for one more
// line of the same.
type VerifyLine struct{ Label, Value string }

// exampleNumber has a right check character: whoever tries it learns that there
// is no such certificate, not that it is mistyped.
const exampleNumber = "K7MN-4PQR-2XW"

// Verify writes the page at /verify and /verify/{number} in the language loc. It
// needs no script: a number is asked with a plain GET, the content of a QR code,
// which is personal and belongs into no address that is sent, with a POST. With a script the
// device checks codes itself.
func (p *Pages) Verify(w io.Writer, loc locales.Locale, view VerifyView) error {
	f := p.frame(loc, Verify, "verify")
	if view.Typed != "" {
		f.keep = url.Values{"number": {view.Typed}}
	}
	return p.write(w, "verify.html", verifyData{frame: f, VerifyView: view})
}

// verifyData is the view as the template sees it.
type verifyData struct {
	frame
	VerifyView
}

// hint is the sentence about a number, parted around the example, which must not
// break over two lines.
type hint struct{ Before, Example, After string }

// Worker is where the page's worker stands, and Trust what it verifies by.
func (verifyData) Worker() string { return WorkerPath }

// Trust is where the server publishes what certificates are verified by.
func (verifyData) Trust() string { return TrustPath }

// Hint says what a number looks like.
func (d verifyData) Hint() hint {
	before, after, _ := strings.Cut(d.T("hint", "certificate", exampleNumber), exampleNumber)
	return hint{Before: before, Example: exampleNumber, After: after}
}
