package certificate

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"

	"rsc.io/qr"
	"rsc.io/qr/coding"
)

// qrFull is the most modules, at level M, up to which a code holds the whole record: 0.5 mm each.
const qrFull = 89

// fits reports that a code with the text is read from paper by a cheap phone.
func fits(text string) bool {
	code, err := encodeQR(text, qr.M)
	return err == nil && code.Size <= qrFull
}

// encodeQR makes the code of a payload: the address byte by byte, the digits of the message in
// the mode that holds them densest. What is printed has the smallest size that holds both.
func encodeQR(text string, level qr.Level) (*qr.Code, error) {
	digits := strings.IndexByte(text, '#') + 1
	parts := []coding.Encoding{coding.String(text[:digits]), coding.Num(text[digits:])}
	for v := coding.Version(coding.MinVersion); v <= coding.MaxVersion; v++ {
		if parts[0].Bits(v)+parts[1].Bits(v) > v.DataBytes(coding.Level(level))*8 {
			continue
		}
		plan, err := coding.NewPlan(v, coding.Level(level), 0)
		if err != nil {
			return nil, fmt.Errorf("plan a QR code: %w", err)
		}
		code, err := plan.Encode(parts...)
		if err != nil {
			return nil, fmt.Errorf("encode a QR code: %w", err)
		}
		return &qr.Code{Bitmap: code.Bitmap, Size: code.Size, Stride: code.Stride, Scale: 1}, nil
	}
	return nil, errors.New("too much for a QR code")
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

// drawQR draws text with as much error correction as leaves the modules large: paper that is
// printed coarsely, or held far away, loses small ones first.
func drawQR(text string) (qrImage, error) {
	var code *qr.Code
	var err error
	for _, try := range []struct {
		level qr.Level
		most  int
	}{{qr.Q, qrFull}, {qr.M, qrFull}, {qr.L, qrDense}} {
		if code, err = encodeQR(text, try.level); err == nil && code.Size <= try.most {
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
	for y := range full {
		first := picture.Pix[y*dots*picture.Stride:][:picture.Stride]
		for x := range first {
			if code.Black(x/dots-qrQuiet, y-qrQuiet) {
				first[x] = 1
			}
		}
		for again := 1; again < dots; again++ { // a module's lines are the same
			copy(picture.Pix[(y*dots+again)*picture.Stride:], first)
		}
	}
	var out bytes.Buffer
	quick := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := quick.Encode(&out, picture); err != nil {
		return qrImage{}, fmt.Errorf("draw the QR code: %w", err)
	}
	return qrImage{png: out.Bytes(), side: float64(full) * module, quiet: qrQuiet * module}, nil
}
