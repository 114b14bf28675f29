package certificate

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"

	"rsc.io/qr"

	"github.com/eshik-kg/eshik/platform/sign"
)

// qrPrefix says what a QR code of ours holds and in which version; all its
// characters are of the alphanumeric mode.
const (
	qrPrefix = "ESHIK1:"
	// qrBrief is the version in which a digest stands for the members of a large
	// family: who reads only the first must not take it for a family of none.
	qrBrief = "ESHIK2:"
	// qrFull is the most modules, at level M, up to which a code holds the whole
	// record: 0.5 mm each.
	qrFull = 89
)

// payload is the text of a signed message's QR code.
func payload(message []byte, r Record) string {
	if r.Digest != nil {
		return qrBrief + sign.EncodeBase45(message)
	}
	return qrPrefix + sign.EncodeBase45(message)
}

// qrStart is how the base45 of every signed message begins: the tag and the array of
// a COSE_Sign1 message, D2 84 (RFC 9052, section 2).
const qrStart = "RRQ"

// unwrapped takes out what wraps a long text that was copied. The space stays: it is a
// digit of base45.
var unwrapped = strings.NewReplacer("\r", "", "\n", "", "\t", "")

// unprefixed gives the base45 of a code's text, and whether the text is one of ours, with
// its prefix or without. Base45 has no small letters: a phone that takes the prefix for
// the scheme of an address, and writes it small (RFC 3986, section 3.1), loses nothing.
func unprefixed(text string) (string, bool) {
	for _, version := range []string{qrPrefix, qrBrief} {
		if len(text) >= len(version) && strings.EqualFold(text[:len(version)], version) {
			return strings.ToUpper(text[len(version):]), true
		}
	}
	return text, strings.HasPrefix(text, qrStart)
}

// fits reports that a code with the text is read from paper by a cheap phone.
func fits(text string) bool {
	code, err := qr.Encode(text, qr.M)
	return err == nil && code.Size <= qrFull
}

// The printed code. A quiet zone of four modules surrounds it (ISO/IEC 18004).
const (
	qrSide       = 45.0 // millimetres, without the quiet zone
	qrQuiet      = 4    // modules
	qrResolution = 300  // dots per inch, at least
	// qrDense is the most modules that 45 mm show in at least 0.4 mm each, what
	// a cheap phone's camera reads from paper.
	qrDense = 109
)

// qrImage is a QR code for a page.
type qrImage struct {
	png   []byte
	side  float64 // millimetres, with the quiet zone
	quiet float64 // millimetres of quiet zone on each side
}

// drawQR draws text with as much error correction as the size allows.
func drawQR(text string) (qrImage, error) {
	var code *qr.Code
	var err error
	for _, level := range []qr.Level{qr.Q, qr.M, qr.L} {
		if code, err = qr.Encode(text, level); err == nil && code.Size <= qrDense {
			break
		}
	}
	if err != nil {
		return qrImage{}, fmt.Errorf("make the QR code: %w", err)
	}
	module := qrSide / float64(code.Size)
	dots := int(math.Ceil(module / 25.4 * qrResolution))
	full := code.Size + 2*qrQuiet
	picture := image.NewPaletted(image.Rect(0, 0, full*dots, full*dots), color.Palette{color.White, color.Black})
	for y := range full * dots {
		for x := range full * dots {
			if code.Black(x/dots-qrQuiet, y/dots-qrQuiet) {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return qrImage{}, fmt.Errorf("draw the QR code: %w", err)
	}
	return qrImage{png: out.Bytes(), side: float64(full) * module, quiet: qrQuiet * module}, nil
}
