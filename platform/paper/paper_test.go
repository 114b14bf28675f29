package paper_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/paper"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// long is a text of several lines with a word that is wider than a column.
var long = "Ош облусу, «Кара-Кулжа» " + strings.Repeat("узун", 30) + " айылы (14-үй); \\ \"тамга\" & <белги>"

// draw makes a document of every kind of part over some pages.
func draw(t *testing.T, signature *paper.Signature) []byte {
	t.Helper()
	p, err := paper.New(paper.About{
		Title: "Справка & \"тамга\" (№ 1)", Language: "ky", Made: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Code: "https://example.kg/v#12(3)\\<4>",
		Foot: "K7MN-0000-001 · " + strings.Repeat("Асанова ", 30),
	})
	testworld.OK(t, err)
	ky, ru := p.Document.Add("Sect").In("ky"), p.Document.Add("Sect").In("ru")
	p.Style("B", 14, 0)
	p.Pair(7, paper.Piece{Part: ky.Add("H1"), Text: "Маалымкат"}, paper.Piece{Part: ru.Add("H1"), Text: "Справка"})
	p.Rule()
	left, right := ky.Add("Table"), ru.Add("Table")
	for i := range 40 {
		p.Style("", 11, 60)
		leftRow, rightRow := left.Add("TR"), right.Add("TR")
		p.Pair(4.5, paper.Piece{Part: leftRow.Add("TH"), Text: fmt.Sprint("ky ", i)}, paper.Piece{Part: rightRow.Add("TH"), Text: fmt.Sprint("ru ", i)})
		p.Pair(5.5, paper.Piece{Part: leftRow.Add("TD"), Text: long}, paper.Piece{Part: rightRow.Add("TD"), Text: ""})
	}
	var code bytes.Buffer
	testworld.OK(t, png.Encode(&code, image.NewGray(image.Rect(0, 0, 8, 8))))
	p.Picture(p.Document.Add("Figure").Says("сүрөт (\\)"), "one", code.Bytes(), 20, 200, 30)
	p.Text(5, paper.Piece{Part: p.Document.Add("P"), Text: strings.Repeat("Аягы. ", 600)})
	document, err := p.Bytes(signature)
	testworld.OK(t, err)
	return document
}

// TestReadAloud: two columns over several pages are read one after the other, and where a line ends two words
// stay two, one stays one.
func TestReadAloud(t *testing.T) {
	t.Parallel()
	want := []string{"Маалымкат"}
	for i := range 40 {
		want = append(want, fmt.Sprint("ky ", i), long)
	}
	want = append(want, "Справка")
	for i := range 40 {
		want = append(want, fmt.Sprint("ru ", i))
	}
	read := testworld.ReadAloud(t, draw(t, nil))
	end := strings.Join(read[min(len(want), len(read)):], "")
	if !slices.Equal(read[:min(len(want), len(read))], want) || strings.TrimSpace(end) != strings.TrimSpace(strings.Repeat("Аягы. ", 600)) {
		t.Errorf("read aloud:\n%q\nnot\n%q", read, want)
	}
}

// TestArchive: PDF/A-2a by what judges, and by the rest of what ISO 19005-2 asks of such a document.
func TestArchive(t *testing.T) {
	t.Parallel()
	document := draw(t, nil)
	testworld.Archived(t, document)
	if !bytes.Equal(document, draw(t, nil)) {
		t.Error("the bytes differ from one time to the next")
	}
	objects := parsed(t, document)
	var fonts, structure, figures int
	for _, o := range objects {
		switch {
		case o["/Type"] == "/Font" && o["/Subtype"] == "/Type0":
			fonts++
			if o["/ToUnicode"] == nil || o["/Encoding"] != "/Identity-H" {
				t.Errorf("6.2.11.7: a font without its letters: %v", o)
			}
		case o["/Type"] == "/FontDescriptor" && o["/FontFile2"] == nil:
			t.Errorf("6.2.11.4: a font is not inside: %v", o)
		case o["/Type"] == "/Page" && (o["/StructParents"] == nil || o["/Group"] != nil):
			t.Errorf("a page without its structure, or with transparency: %v", o)
		case o["/Type"] == "/StructElem":
			structure++
			if o["/P"] == nil || o["/S"] == nil {
				t.Errorf("6.7.3: a part of nothing: %v", o)
			}
			if o["/S"] == "/Figure" {
				figures++
				if o["/Alt"] != "u:сүрөт (\\)" {
					t.Errorf("6.7.6: a picture says %v", o["/Alt"])
				}
			}
		case o["/Type"] == "/Catalog":
			if o["/Lang"] != "u:ky" || fmt.Sprint(o["/MarkInfo"], o["/ViewerPreferences"]) != "map[/Marked:true] map[/DisplayDocTitle:true]" {
				t.Errorf("6.7: %v", o)
			}
			if o["/StructTreeRoot"] == nil || o["/Metadata"] == nil || o["/OutputIntents"] == nil || o["/Names"] != nil || o["/OpenAction"] != nil {
				t.Errorf("the catalogue is %v", o)
			}
		}
	}
	if fonts != 2 || structure < 200 || figures != 1 {
		t.Errorf("%d fonts, %d parts, %d pictures", fonts, structure, figures)
	}
}

// TestAllIsMarked: whatever a page draws is a piece of a part or said to be nothing that is read.
func TestAllIsMarked(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "document.pdf")
	open := testworld.Tool(t, file, draw(t, nil), "qpdf", "--qdf", "--object-streams=disable", file, "-")
	drawn := 0
	for _, stream := range regexp.MustCompile(`(?s)stream\n(.*?)\nendstream`).FindAllStringSubmatch(open, -1) {
		if !strings.Contains(stream[1], "BDC\n") {
			continue
		}
		in := 0
		for line := range strings.Lines(stream[1]) {
			line = strings.TrimSpace(line)
			switch {
			case strings.HasSuffix(line, "BDC"):
				in++
			case line == "EMC":
				in--
			case strings.Contains(line, "Tj"), strings.HasSuffix(line, " Do Q"), strings.HasSuffix(line, " l S"):
				drawn++
				if in != 1 {
					t.Errorf("%q is drawn in %d pieces", line, in)
				}
			}
		}
	}
	if drawn < 200 {
		t.Errorf("%d things are drawn", drawn)
	}
}

// parsed are the dictionaries of a document, as qpdf reads them.
func parsed(t *testing.T, document []byte) (all []map[string]any) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "document.pdf")
	var read struct {
		QPDF []json.RawMessage `json:"qpdf"`
	}
	var objects map[string]struct {
		Value  any `json:"value"`
		Stream struct {
			Dict map[string]any `json:"dict"`
		} `json:"stream"`
	}
	testworld.OK(t, json.Unmarshal([]byte(testworld.Tool(t, file, document, "qpdf", "--json=2", file)), &read))
	testworld.OK(t, json.Unmarshal(read.QPDF[1], &objects)) // behind what qpdf says of itself
	for _, o := range objects {
		if dict, is := o.Value.(map[string]any); is {
			all = append(all, dict)
		} else if o.Stream.Dict != nil {
			all = append(all, o.Stream.Dict)
		}
	}
	return all
}
