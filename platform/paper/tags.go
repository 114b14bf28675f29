package paper

import (
	"fmt"
	"strings"
)

// Part is a part of what a document says, in the order in which it is read (ISO 32000-1, 14.7 and 14.8):
// the structure beside what is drawn, where two columns are one after the other.
type Part struct {
	kind, language, alternate, more string
	parent                          *Part
	parts                           []*Part
	marks                           []mark
}

// mark is a piece of content of a page: which page, from 1, and which of its pieces, from 0.
type mark struct{ page, piece int }

// Add adds a part at the end, of a standard kind: Sect, H1, P, Table, TR, TH, TD, L, LI, LBody, Figure.
func (t *Part) Add(kind string) *Part {
	child := &Part{kind: kind, parent: t}
	if kind == "TH" { // ours stand at the head of their row
		child.more = "/A <</O /Table /Scope /Row>>"
	}
	t.parts = append(t.parts, child)
	return child
}

// Kind is the kind of the part.
func (t *Part) Kind() string { return t.kind }

// In says that the part is in a language (ky, ru, en), and all in it that says no other.
func (t *Part) In(language string) *Part {
	t.language = language
	return t
}

// Says gives the words for what is no text.
func (t *Part) Says(alternate string) *Part {
	t.alternate = alternate
	return t
}

// mark draws what is a piece of a part. It stays on the page where it begins.
func (p *Page) mark(part *Part, draw func()) {
	page := p.PageNo()
	for len(p.marks) < page {
		p.marks = append(p.marks, 0)
	}
	piece := p.marks[page-1]
	p.marks[page-1]++
	part.marks = append(part.marks, mark{page, piece})
	p.RawWriteStr(fmt.Sprintf("/%s <</MCID %d>> BDC", part.kind, piece))
	draw()
	p.RawWriteStr("EMC")
}

// unread draws what nobody reads aloud: lines, the numbers of pages.
func (p *Page) unread(kind string, draw func()) {
	p.RawWriteStr("/Artifact <<" + kind + ">> BDC")
	draw()
	p.RawWriteStr("EMC")
}

// tree writes the structure of a document whose page n is the object pages[n-1], and returns its root.
func (p *Page) tree(f *file, pages []int) (root int) {
	root = f.reserve()
	owners := make([][]int, len(pages))
	for i := range owners {
		owners[i] = make([]int, p.count(i))
	}
	document := p.Document.write(f, root, pages, owners)
	var parents strings.Builder
	for i, of := range owners {
		fmt.Fprintf(&parents, "%d [%s] ", i, refs(of))
	}
	f.set(root, fmt.Sprintf("<</Type /StructTreeRoot /K %d 0 R /ParentTree <</Nums [%s]>> /ParentTreeNextKey %d>>", document, parents.String(), len(pages)))
	return root
}

// count is how many marked pieces page i has, from 0.
func (p *Page) count(i int) int {
	if i >= len(p.marks) {
		return 0
	}
	return p.marks[i]
}

// write writes a part and those in it, notes of each piece of the pages whose it is, and returns its object.
func (t *Part) write(f *file, parent int, pages []int, owners [][]int) int {
	own := f.reserve()
	var b strings.Builder
	fmt.Fprintf(&b, "<</Type /StructElem /S /%s /P %d 0 R", t.kind, parent)
	if t.language != "" {
		fmt.Fprintf(&b, " /Lang (%s)", t.language)
	}
	if t.alternate != "" {
		fmt.Fprintf(&b, " /Alt %s", unicodeText(t.alternate))
	}
	if t.more != "" {
		b.WriteString(" " + t.more)
	}
	b.WriteString(" /K [")
	for _, m := range t.marks {
		owners[m.page-1][m.piece] = own
		fmt.Fprintf(&b, "<</Type /MCR /Pg %d 0 R /MCID %d>> ", pages[m.page-1], m.piece)
	}
	for _, child := range t.parts {
		if child.empty() {
			continue
		}
		fmt.Fprintf(&b, "%d 0 R ", child.write(f, own, pages, owners))
	}
	b.WriteString("]>>")
	f.set(own, b.String())
	return own
}

// empty reports that nothing was drawn of the part.
func (t *Part) empty() bool {
	if len(t.marks) > 0 {
		return false
	}
	for _, child := range t.parts {
		if !child.empty() {
			return false
		}
	}
	return t.kind != "TD" // an empty cell keeps its row as long as the others
}

// refs are references to objects.
func refs(objects []int) string {
	var b strings.Builder
	for _, n := range objects {
		fmt.Fprintf(&b, "%d 0 R ", n)
	}
	return b.String()
}
