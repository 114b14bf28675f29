package certificate

import (
	"bytes"
	"errors"
	"image"
	_ "image/jpeg" // pictures that people have
	_ "image/png"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/image/draw"
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
		return readCode(scaled(picture, 2*size.Width, 2*size.Height))
	}
	return readCode(scaled(picture, size.Width/2, size.Height/2))
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

// scaled is a picture of another size, in shades of grey. Of a large scan the reader takes now and then
// the wrong edges, which are smoother at half the size; of a code that is turned and has few points to a
// module it misjudges the size.
func scaled(picture image.Image, width, height int) *image.Gray {
	grey := image.NewGray(image.Rect(0, 0, width, height))
	draw.ApproxBiLinear.Scale(grey, grey.Rect, picture, picture.Bounds(), draw.Src, nil) // by so simple factors it is exact
	return grey
}
