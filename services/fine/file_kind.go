package fine

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"image/png"
	"regexp"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
)

// FileKind is what a file of an appeal is, by its content: its name and what is said of it count
// for nothing.
type FileKind string

// The kinds of files that an appeal takes.
const (
	FileJPEG FileKind = "jpeg"
	FilePNG  FileKind = "png"
	FilePDF  FileKind = "pdf"
)

// maxPixels is how many points a picture has at most: a small file may name more than any memory
// holds (a phone's camera makes 12 to 50 million).
const maxPixels = 64_000_000

var (
	errFileKind   = problem.New(problem.Invalid, "problem.fine_file_kind")
	errFileBroken = problem.New(problem.Invalid, "problem.fine_file_broken")
)

// fileMost is how many bytes a file has at most.
func fileMost(now time.Time) int { return policy.Value("appeal.file_kib", now) << 10 }

const pngSignature = "\x89PNG\r\n\x1a\n"

// pdfHeader begins a PDF (ISO 32000-1, section 7.5.2). No more of one is looked at.
var pdfHeader = regexp.MustCompile(`^%PDF-[12]\.[0-9][\r\n ]`)

// inspect says what a file is, and gives it as it is kept: a picture without what its camera wrote
// beside it, as where and when; a PDF as it is. Problems: fine_file_large, fine_file_kind,
// fine_file_broken.
func inspect(content []byte, now time.Time) (kind FileKind, kept []byte, err error) {
	if most := fileMost(now); len(content) > most {
		return "", nil, problem.New(problem.Invalid, "problem.fine_file_large", "n", most>>10)
	}
	var header image.Config
	switch {
	case bytes.HasPrefix(content, []byte{0xFF, 0xD8, 0xFF}):
		if header, err = jpeg.DecodeConfig(bytes.NewReader(content)); err == nil {
			kind, kept = FileJPEG, plainJPEG(content)
		}
	case bytes.HasPrefix(content, []byte(pngSignature)):
		if header, err = png.DecodeConfig(bytes.NewReader(content)); err == nil {
			kind, kept = FilePNG, plainPNG(content)
		}
	case pdfHeader.Match(content):
		return FilePDF, content, nil
	default:
		return "", nil, errFileKind
	}
	if err != nil || kept == nil || header.Width <= 0 || header.Height <= 0 || header.Width > maxPixels/header.Height {
		return "", nil, errFileBroken
	}
	return kind, kept, nil
}

// Markers of JPEG (ITU-T T.81, table B.1).
const (
	markEOI   = 0xD9
	markSOS   = 0xDA
	markAPP0  = 0xE0 // JFIF
	markAPP14 = 0xEE // Adobe: how colours are written
	markAPP15 = 0xEF
	markCOM   = 0xFE

	jfifHead  = 18 // marker, length and what JFIF says before its thumbnail (ITU-T T.871, 10.1)
	adobeLong = 16 // marker, length and Adobe's 12 bytes (ITU-T T.872, 6.5.3)
)

// plainJPEG is a JPEG without comments, what applications wrote (Exif, among them the place), and
// whatever follows its end; nil: it is broken, or has no end.
func plainJPEG(b []byte) []byte {
	out := slices.Clone(b[:2])
	for i := 2; ; {
		for i+1 < len(b) && b[i] == 0xFF && b[i+1] == 0xFF { // fill (section B.1.1.2)
			i++
		}
		if i+1 < len(b) && b[i] == 0xFF && b[i+1] == markEOI {
			return append(out, b[i:i+2]...)
		}
		if i+4 > len(b) || b[i] != 0xFF {
			return nil
		}
		mark, end := b[i+1], i+2+int(binary.BigEndian.Uint16(b[i+2:]))
		if end < i+4 || end > len(b) {
			return nil
		}
		out = append(out, plainSegment(mark, b[i:end])...)
		if i = end; mark == markSOS {
			scan := scanOf(b[i:])
			out, i = append(out, b[i:i+scan]...), i+scan
		}
	}
}

// plainSegment is what is kept of a segment of a JPEG: of JFIF its head without the thumbnail, which
// shows what was cut off; Adobe's word on colours alone; of others' applications and comments nothing.
func plainSegment(mark byte, segment []byte) []byte {
	switch {
	case mark == markAPP0 && len(segment) >= jfifHead && string(segment[4:9]) == "JFIF\x00":
		head := slices.Clone(segment[:jfifHead])
		binary.BigEndian.PutUint16(head[2:], jfifHead-2)
		head[jfifHead-2], head[jfifHead-1] = 0, 0 // the thumbnail's width and height
		return head
	case mark == markAPP14 && len(segment) == adobeLong && string(segment[4:9]) == "Adobe":
		return segment
	case mark == markCOM, mark >= markAPP0 && mark <= markAPP15:
		return nil
	}
	return segment
}

// scanOf is how long the coded picture is with which b begins: until a marker that is neither a
// stuffed byte nor a restart.
func scanOf(b []byte) int {
	for i := 0; i+1 < len(b); i++ {
		if next := b[i+1]; b[i] == 0xFF && next != 0 && next != 0xFF && (next < 0xD0 || next > 0xD7) {
			return i
		}
	}
	return len(b)
}

// pngKept are the chunks of a PNG that a picture is drawn by (ISO 15948, section 5.6).
var pngKept = []string{"IHDR", "PLTE", "tRNS", "gAMA", "cHRM", "sRGB", "pHYs", "IDAT", "IEND"}

// plainPNG is a PNG without texts, Exif, times, and whatever follows its end; nil: it is broken, or
// has no end.
func plainPNG(b []byte) []byte {
	out, rest := []byte(pngSignature), b[len(pngSignature):]
	for len(rest) >= 12 {
		size := int64(binary.BigEndian.Uint32(rest)) + 12 // its length, name and checksum
		if size > int64(len(rest)) {
			return nil
		}
		name := string(rest[4:8])
		if slices.Contains(pngKept, name) {
			out = append(out, rest[:size]...)
		}
		if name == "IEND" {
			return out
		}
		rest = rest[size:]
	}
	return nil
}
