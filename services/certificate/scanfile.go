package certificate

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // pictures that people have
	_ "image/png"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// What a file may have at most: more is no code and no photograph of one.
const (
	longestCode  = 8 << 10 // bytes
	mostPixels   = 64 << 20
	mostDoubled  = 4 << 20 // pixels: who has more has too many rather than too few
	longestWords = 64 << 10
)

// ErrNoCode says that a file holds no QR code of a certificate.
var ErrNoCode = errors.New("no QR code of a certificate is in this file: give the document as it was downloaded, a sharp picture of the code alone (PNG, JPEG), or the code's text")

// keywords are where a document of ours says its code once more, for programs (see render).
var keywords = regexp.MustCompile(`/Keywords \(([0-9A-Za-z $%*+\-./:#_~\[\]]+)\)`)

// codeOfFile gives the text of the QR code in a file.
func codeOfFile(file []byte) (string, error) {
	switch {
	case bytes.HasPrefix(file, []byte("%PDF-")):
		return codeOfPDF(file)
	case bytes.HasPrefix(file, []byte("\x89PNG")), bytes.HasPrefix(file, []byte("\xff\xd8\xff")):
		return codeOfPicture(file)
	case len(file) > longestWords || !utf8.Valid(file):
		return "", ErrNoCode
	}
	return strings.Trim(string(file), "\r\n"), nil
}

// codeOfPDF reads the code that a document says. Two that differ are none.
func codeOfPDF(file []byte) (string, error) {
	var code string
	for _, found := range keywords.FindAllSubmatch(file, -1) {
		said := string(found[1])
		if code != "" && said != code {
			return "", ErrNoCode
		}
		code = said
	}
	if code == "" {
		return "", ErrNoCode
	}
	return code, nil
}

// codeOfPicture reads the code of a picture.
func codeOfPicture(file []byte) (string, error) {
	size, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil || size.Width*size.Height > mostPixels {
		return "", errors.Join(ErrNoCode, err)
	}
	picture, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return "", errors.Join(ErrNoCode, err)
	}
	code, err := readCode(picture)
	switch {
	case err == nil:
		return code, nil
	case size.Width*size.Height <= mostDoubled:
		return readCode(doubled(picture))
	}
	return readCode(halved(picture))
}

// readCode reads the code of a picture as it is.
func readCode(picture image.Image) (string, error) {
	source := gozxing.NewLuminanceSourceFromImage(picture)
	hard := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	var err error
	// Each reads some pictures that the other does not: uneven light, the blur of JPEG.
	for _, binarizer := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		bitmap, made := gozxing.NewBinaryBitmap(binarizer)
		if made != nil {
			return "", errors.Join(ErrNoCode, made)
		}
		found, unread := qrcode.NewQRCodeReader().Decode(bitmap, hard)
		if unread == nil {
			return found.GetText(), nil
		}
		err = errors.Join(err, unread)
	}
	return "", errors.Join(ErrNoCode, err)
}

// halved is a picture of half the size, in shades of grey: of a large scan the reader takes now and
// then the wrong edges, which are smoother there.
func halved(picture image.Image) *image.Gray {
	from := picture.Bounds()
	large := image.NewGray(image.Rect(0, 0, from.Dx(), from.Dy()))
	draw.Draw(large, large.Rect, picture, from.Min, draw.Src)
	small := image.NewGray(image.Rect(0, 0, from.Dx()/2, from.Dy()/2))
	at := func(x, y int) int { return int(large.GrayAt(x, y).Y) }
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			shade := at(2*x, 2*y) + at(2*x+1, 2*y) + at(2*x, 2*y+1) + at(2*x+1, 2*y+1)
			small.SetGray(x, y, color.Gray{Y: uint8(shade / 4)}) // #nosec G115 -- a mean of bytes
		}
	}
	return small
}

// doubled is a picture of twice the size, in shades of grey: the reader misjudges the size of a
// code that is turned and has few points to a module.
func doubled(picture image.Image) *image.Gray {
	from := picture.Bounds()
	small := image.NewGray(image.Rect(0, 0, from.Dx(), from.Dy()))
	draw.Draw(small, small.Rect, picture, from.Min, draw.Src)
	at := func(x, y int) int {
		return int(small.GrayAt(max(0, min(x, small.Rect.Dx()-1)), max(0, min(y, small.Rect.Dy()-1))).Y)
	}
	large := image.NewGray(image.Rect(0, 0, 2*from.Dx(), 2*from.Dy()))
	for y := range large.Rect.Dy() {
		for x := range large.Rect.Dx() {
			near, left, top := image.Pt(x/2, y/2), x/2-1+x%2*2, y/2-1+y%2*2 // the neighbours on the side of this half
			shade := 9*at(near.X, near.Y) + 3*at(left, near.Y) + 3*at(near.X, top) + at(left, top)
			large.SetGray(x, y, color.Gray{Y: uint8(shade / 16)}) // #nosec G115 -- a mean of bytes
		}
	}
	return large
}
