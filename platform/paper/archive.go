package paper

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// producer is what made the files.
const producer = "Eshik"

// finish makes of what was drawn a document for archives, PDF/A-2a (ISO 19005-2): tagged, with the
// meaning of its colours and what it is inside it. signature is nil where there will be none.
func (p *Page) finish(f *file, signature *Signature) error {
	pages, err := f.pages()
	if err != nil {
		return err
	}
	if err := f.mapUnicode(); err != nil {
		return err
	}
	catalogue := fmt.Sprintf("<</Type /Catalog /Pages 1 0 R /Lang (%s) /MarkInfo <</Marked true>> /ViewerPreferences <</DisplayDocTitle true>>", p.about.Language)
	for i, page := range pages {
		more := fmt.Sprintf("/StructParents %d /Tabs /S", i)
		if i == 0 && signature != nil {
			field := signature.field(f, page)
			more += fmt.Sprintf(" /Annots [%d 0 R]", field)
			catalogue += fmt.Sprintf(" /AcroForm <</Fields [%d 0 R] /SigFlags 3>>", field)
		}
		if err := f.extend(page, more); err != nil {
			return err
		}
	}
	metadata := f.stream("/Type /Metadata /Subtype /XML", p.about.metadata())
	profile := f.stream("/N 3 /Filter /FlateDecode", deflated(srgb()))
	catalogue += fmt.Sprintf(" /StructTreeRoot %d 0 R /Metadata %d 0 R /OutputIntents [<</Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) "+
		"/Info (sRGB IEC61966-2.1) /DestOutputProfile %d 0 R>>]>>", p.tree(f, pages), metadata, profile)
	f.set(f.root, catalogue)
	f.set(f.info, p.about.info())
	return nil
}

// info is what the document is, as older programs read it. It says what metadata says.
func (a About) info() string {
	made := a.Made.UTC().Format("D:20060102150405Z")
	info := fmt.Sprintf("<</Title %s /Producer (%s) /CreationDate (%s) /ModDate (%s)", unicodeText(a.Title), producer, made, made)
	if a.Code != "" {
		info += " /Keywords (" + literal.Replace(a.Code) + ")"
	}
	return info + ">>"
}

// literal escapes what ends or bends a PDF string (ISO 32000-1, 7.3.4.2).
var literal = strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`)

// metadata is what the document is in XMP (ISO 16684-1).
func (a About) metadata() []byte {
	made := a.Made.UTC().Format(time.RFC3339)
	keywords := ""
	if a.Code != "" {
		keywords = "<pdf:Keywords>" + escaped(a.Code) + "</pdf:Keywords>"
	}
	return []byte("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` + "\n" +
		`<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance></rdf:Description>` + "\n" +
		`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>application/pdf</dc:format>` +
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + escaped(a.Title) + `</rdf:li></rdf:Alt></dc:title>` +
		`<dc:language><rdf:Bag><rdf:li>` + a.Language + `</rdf:li></rdf:Bag></dc:language></rdf:Description>` + "\n" +
		`<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreateDate>` + made + `</xmp:CreateDate><xmp:ModifyDate>` + made + `</xmp:ModifyDate></rdf:Description>` + "\n" +
		`<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>` + producer + `</pdf:Producer>` + keywords + `</rdf:Description>` + "\n" +
		"</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>")
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

// mapUnicode replaces the tables that give the letters of codes. A code is its letter; fpdf says so in one
// range over two bytes, and ranges may not leave their last byte (ISO 32000-1, 9.10.3).
func (f *file) mapUnicode() error {
	table := deflated(unicodeTable())
	for object := range f.objects {
		found := unicodeRef.FindSubmatch(f.objects[object])
		if found == nil || bytes.Contains(f.objects[object], []byte("stream\n")) {
			continue
		}
		of := number(found[1])
		if of <= 0 || of >= len(f.objects) {
			return errShape
		}
		f.set(of, fmt.Sprintf("<</Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream", len(table), table))
	}
	return nil
}

func unicodeTable() []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	pages := []int{0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x20, 0x21, 0xff} // all that the fonts have letters of
	fmt.Fprintf(&b, "%d beginbfrange\n", len(pages))
	for _, page := range pages {
		first, last := page<<8, page<<8|0xff
		switch page {
		case 0:
			first = 1
		case 0xff: // what is behind is no letter
			last = unknown
		}
		fmt.Fprintf(&b, "<%04X> <%04X> <%04X>\n", first, last, first)
	}
	b.WriteString("endbfrange\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend")
	return b.Bytes()
}

func deflated(content []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(content) // a Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// srgb is a colour profile of sRGB (IEC 61966-2-1) by its numbers, in version 2 of ICC.1: the colours of
// the primaries and of white as they are under D50, and the curve that all three channels have.
func srgb() []byte {
	text := func(s string) []byte { return append([]byte("text\x00\x00\x00\x00"+s), 0) }
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", description("sRGB IEC61966-2.1")},
		{"cprt", text("No copyright, use freely")},
		{"wtpt", xyz(0.9642, 1, 0.8249)},
		{"rXYZ", xyz(0.4360747, 0.2225045, 0.0139322)},
		{"gXYZ", xyz(0.3850649, 0.7168786, 0.0971045)},
		{"bXYZ", xyz(0.1430804, 0.0606169, 0.7141733)},
		{"rTRC", curve()}, {"gTRC", nil}, {"bTRC", nil},
	}
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags))) // #nosec G115 -- nine
	var data []byte
	at, size := 0, 0
	for _, tag := range tags {
		if tag.data != nil { // else that of the tag before
			at, size = 128+4+12*len(tags)+len(data), len(tag.data)
			data = append(data, tag.data...)
			data = append(data, make([]byte, -len(data)&3)...)
		}
		table = append(table, tag.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(at))   // #nosec G115 -- of a profile that is small
		table = binary.BigEndian.AppendUint32(table, uint32(size)) // #nosec G115 -- of a profile that is small
	}
	head := make([]byte, 128)
	binary.BigEndian.PutUint32(head, uint32(128+len(table)+len(data))) // #nosec G115 -- of a profile that is small
	copy(head[8:], "\x02\x10\x00\x00mntrRGB XYZ ")
	copy(head[24:], "\x07\xe8\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00acsp") // made on a day, 1 January 2024: bytes that stay
	copy(head[68:], xyz(0.9642, 1, 0.8249)[8:])
	return slices.Concat(head, table, data)
}

// description names a profile (textDescriptionType), with no names in other scripts.
func description(name string) []byte {
	out := binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(name)+1)) // #nosec G115 -- a short name
	return append(append(out, name...), make([]byte, 1+8+3+67)...)
}

// xyz is a colour (XYZType), in numbers of 16.16 bits.
func xyz(x, y, z float64) []byte {
	out := []byte("XYZ \x00\x00\x00\x00")
	for _, v := range []float64{x, y, z} {
		out = binary.BigEndian.AppendUint32(out, uint32(math.Round(v*65536)))
	}
	return out
}

// curve is how light a value is (curveType), at steps between which it is straight.
func curve() []byte {
	const steps = 256
	out := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), steps)
	for i := range steps {
		v := float64(i) / (steps - 1)
		light := v / 12.92
		if v > 0.04045 {
			light = math.Pow((v+0.055)/1.055, 2.4)
		}
		out = binary.BigEndian.AppendUint16(out, uint16(math.Round(light*65535)))
	}
	return out
}
