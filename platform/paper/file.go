package paper

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf16"
)

// file is a PDF as its objects, of which fpdf writes those that are drawn.
type file struct {
	objects [][]byte // the bodies, by number; 0 is none
	root    int      // the catalogue
	info    int
}

var (
	startxref  = regexp.MustCompile(`startxref\n(\d+)\n%%EOF\s*$`)
	offsetLine = regexp.MustCompile(`(?m)^(\d{10}) 00000 n `)
	rootRef    = regexp.MustCompile(`/Root (\d+) 0 R`)
	infoRef    = regexp.MustCompile(`/Info (\d+) 0 R`)
	anyRef     = regexp.MustCompile(`(\d+) 0 R`)
	kids       = regexp.MustCompile(`/Kids \[([^\]]*)\]`)
	unicodeRef = regexp.MustCompile(`/ToUnicode (\d+) 0 R`)
)

// errShape says that fpdf wrote what this package does not read: it was replaced by another version.
var errShape = errors.New("the drawn document has another shape than its table of objects says")

// read takes a document of fpdf apart by its table of objects.
func read(document []byte) (*file, error) {
	at := startxref.FindSubmatch(document)
	if at == nil {
		return nil, errShape
	}
	table := number(at[1])
	if table <= 0 || table >= len(document) {
		return nil, errShape
	}
	root, info := rootRef.FindSubmatch(document[table:]), infoRef.FindSubmatch(document[table:])
	lines := offsetLine.FindAllSubmatch(document[table:], -1)
	if root == nil || info == nil {
		return nil, errShape
	}
	f := &file{objects: make([][]byte, len(lines)+1), root: number(root[1]), info: number(info[1])}
	starts := []int{table}
	for _, line := range lines {
		starts = append(starts, number(line[1]))
	}
	slices.Sort(starts)
	for i, line := range lines {
		start := number(line[1])
		next, _ := slices.BinarySearch(starts, start+1)
		if next == len(starts) {
			return nil, errShape
		}
		body, opened := bytes.CutPrefix(document[start:starts[next]], fmt.Appendf(nil, "%d 0 obj\n", i+1))
		body, closed := bytes.CutSuffix(bytes.TrimRight(body, "\n"), []byte("endobj"))
		if !opened || !closed {
			return nil, errShape
		}
		f.objects[i+1] = bytes.TrimRight(body, "\n")
	}
	return f, nil
}

// number reads digits that a pattern found; what is too large for a file is 0.
func number(digits []byte) int {
	n, err := strconv.Atoi(string(digits))
	if err != nil {
		return 0
	}
	return n
}

// pages are the objects of the pages, in order.
func (f *file) pages() ([]int, error) {
	list := kids.FindSubmatch(f.objects[1])
	if list == nil {
		return nil, errShape
	}
	var pages []int
	for _, ref := range anyRef.FindAllSubmatch(list[1], -1) {
		pages = append(pages, number(ref[1]))
	}
	return pages, nil
}

// extend adds entries to the dictionary of an object.
func (f *file) extend(object int, entries string) error {
	rest, opened := bytes.CutPrefix(f.objects[object], []byte("<<"))
	if !opened {
		return errShape
	}
	f.objects[object] = slices.Concat([]byte("<<"+entries+" "), rest)
	return nil
}

// reserve gives the number of an object that is to be set.
func (f *file) reserve() int {
	f.objects = append(f.objects, nil)
	return len(f.objects) - 1
}

func (f *file) set(object int, body string) { f.objects[object] = []byte(body) }

// add adds an object and returns its number.
func (f *file) add(body string) int {
	object := f.reserve()
	f.set(object, body)
	return object
}

// stream adds a stream as it is, with entries for its dictionary.
func (f *file) stream(entries string, content []byte) int {
	return f.add(fmt.Sprintf("<<%s /Length %d>>\nstream\n%s\nendstream", entries, len(content), content))
}

// header begins the file: version 1.7 (ISO 32000-1), and a comment whose bytes say that it is no text.
const header = "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"

// bytes writes the file. Where each object begins it notes in offsets, unless that is nil.
func (f *file) bytes(offsets map[int]int) []byte {
	out := bytes.NewBufferString(header)
	starts := make([]int, len(f.objects))
	for n := 1; n < len(f.objects); n++ {
		starts[n] = out.Len()
		if offsets != nil {
			offsets[n] = out.Len()
		}
		fmt.Fprintf(out, "%d 0 obj\n%s\nendobj\n", n, f.objects[n])
	}
	id := sha256.Sum256(out.Bytes())
	table := out.Len()
	fmt.Fprintf(out, "xref\n0 %d\n0000000000 65535 f \n", len(f.objects))
	for _, start := range starts[1:] {
		fmt.Fprintf(out, "%010d 00000 n \n", start)
	}
	fmt.Fprintf(out, "trailer\n<</Size %d /Root %d 0 R /Info %d 0 R /ID [<%x> <%x>]>>\nstartxref\n%d\n%%%%EOF\n", len(f.objects), f.root, f.info, id[:16], id[:16], table)
	return out.Bytes()
}

// unicodeText is a text as a PDF string, in hexadecimal digits.
func unicodeText(text string) string {
	out := []byte("<FEFF")
	for _, unit := range utf16.Encode([]rune(text)) {
		out = fmt.Appendf(out, "%04X", unit)
	}
	return string(append(out, '>'))
}
