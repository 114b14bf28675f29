package testworld

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
)

// PDFText is the text of a document: what its content streams draw in UTF-16.
func PDFText(t testing.TB, document []byte) string {
	t.Helper()
	var out strings.Builder
	for _, stream := range regexp.MustCompile(`(?s)stream\n(.*?)\nendstream`).FindAllSubmatch(document, -1) {
		plain, err := zlib.NewReader(bytes.NewReader(stream[1]))
		if err != nil {
			continue // not compressed: a font's table
		}
		content, err := io.ReadAll(plain)
		if err != nil || !bytes.Contains(content, []byte("BT ")) {
			continue
		}
		for _, drawn := range regexp.MustCompile(`(?s)[\(]((?:[^\\)]|\\.)*)\)`).FindAllSubmatch(content, -1) {
			raw := regexp.MustCompile(`(?s)\\(.)`).ReplaceAll(drawn[1], []byte("$1"))
			units := make([]uint16, 0, len(raw)/2)
			for i := 0; i+1 < len(raw); i += 2 {
				units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
			}
			out.WriteString(string(utf16.Decode(units)) + " ")
		}
	}
	return out.String()
}
