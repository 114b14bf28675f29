package paper_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/paper"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestAnyText: whatever somebody wrote is drawn, and read aloud as it is drawn: names of the neighbours letter for
// letter, a space of any kind as one, what nobody sees as nothing, and what the fonts do not have as a sign for it.
func TestAnyText(t *testing.T) {
	t.Parallel()
	texts := [][2]string{
		{"Ҳамидов Ҷӯра Ӣсо", "Ҳамидов Ҷӯра Ӣсо"},
		{"Oʻgʻli Gʼani, Şahin Doğan Işık, čċ Əliyev", "Oʻgʻli Gʼani, Şahin Doğan Işık, čċ Əliyev"},
		{"и\u0306 у\u0304 e\u0301", "й ӯ é"},       // composed where there is one letter
		{"за\u0301мок", "за\u0301мок"},             // and together where there is none
		{"даттануу 😀🏠!", "даттануу \ufffd\ufffd!"}, // beyond U+FFFF
		{"漢字 \u10d0", "\ufffd\ufffd \ufffd"},
		{"a\u2009b\u3000c\td\u200d\ufeffe\ufe0f", "a b c de"},
		{"bytes \xff\xfe of nothing", "bytes \ufffd\ufffd of nothing"},
		{"\x00\x07", "\ufffd\ufffd"},
		{"€ ₸ ₽ № ″", "€ ₸ ₽ № ″"},
		{strings.Repeat("\U0010ffff", 300), strings.Repeat("\ufffd", 300)},
	}
	p, err := paper.New(paper.About{Title: "😀", Language: "ky", Made: time.Unix(0, 0), Foot: "😀 Ҳамидов"})
	testworld.OK(t, err)
	var want []string
	for _, style := range []string{"", "B"} {
		p.Style(style, 11, 0)
		for _, text := range texts {
			p.Pair(5, paper.Piece{Part: p.Document.Add("P"), Text: text[0]}, paper.Piece{Part: p.Document.Add("P").Says("😀"), Text: text[0]})
			want = append(want, text[1], text[1])
		}
	}
	document, err := p.Bytes(nil)
	testworld.OK(t, err)
	testworld.Archived(t, document)
	if read := testworld.ReadAloud(t, document); !slices.Equal(read, want) {
		t.Errorf("read aloud:\n%q\nnot\n%q", read, want)
	}
}

// TestFontsHaveLetters: both fonts have Cyrillic, the Latin of Europe and of Turkic languages, and the sign for what
// they do not have.
func TestFontsHaveLetters(t *testing.T) {
	t.Parallel()
	letters := []rune("\ufffdƏəȘșȚțʻʼ–—‘’“”„…€₸₽№")
	for _, span := range [][2]rune{{' ', '~'}, {'\u00a0', '\u017f'}, {'\u0400', '\u052f'}} {
		for letter := span[0]; letter <= span[1]; letter++ {
			letters = append(letters, letter)
		}
	}
	for _, font := range []string{"Regular", "Bold"} {
		for _, letter := range letters {
			if has, err := paper.Has(font, letter); err != nil || !has {
				t.Errorf("%s has no %q: %v", font, letter, err)
			}
		}
	}
}

// TestLongerThanAPage: a pair that no page holds goes on over the next ones, within their margins, and each side is
// read as one; a pair that a page holds is kept whole.
func TestLongerThanAPage(t *testing.T) {
	t.Parallel()
	const lines, rows = 150, 48
	text := func(side string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%s%d\n", side, i)
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	p, err := paper.New(paper.About{Title: "x", Language: "ky", Made: time.Unix(0, 0)})
	testworld.OK(t, err)
	p.Style("", 11, 0)
	left, right := p.Document.Add("Sect"), p.Document.Add("Sect")
	pair := func(l, r string) {
		p.Pair(5, paper.Piece{Part: left.Add("P"), Text: l}, paper.Piece{Part: right.Add("P"), Text: r})
	}
	pair("L", "R")
	pair(text("l", lines), text("r", 60)) // 52 lines of this page, 53 of the next, 45 of the third
	if y := p.GetY(); p.PageNo() != 3 || y > paper.Bottom {
		t.Errorf("down on page %d at %v", p.PageNo(), y)
	}
	pair(text("k", rows), "")
	if p.PageNo() != 4 || p.GetY() != paper.Margin+5*rows {
		t.Errorf("the next is on page %d, to %v", p.PageNo(), p.GetY())
	}
	document, err := p.Bytes(nil)
	testworld.OK(t, err)
	testworld.Archived(t, document)
	spoken := func(text string) string { return strings.ReplaceAll(text, "\n", " ") }
	want := []string{"L", spoken(text("l", lines)), spoken(text("k", rows)), "R", spoken(text("r", 60))}
	// The program begins anew with each page; how many parts there are its dictionaries say.
	if read := testworld.ReadAloud(t, document); strings.Join(read, "") != strings.Join(want, "") {
		t.Errorf("read aloud:\n%q\nnot\n%q", read, want)
	}
	paragraphs := 0
	for _, o := range parsed(t, document) {
		if o["/Type"] == "/StructElem" && o["/S"] == "/P" {
			paragraphs++
		}
	}
	if paragraphs != len(want) {
		t.Errorf("%d parts, not %d", paragraphs, len(want))
	}
	file := filepath.Join(t.TempDir(), "document.pdf")
	within := testworld.Tool(t, file, document, "pdftotext", "-x", "0", "-y", "0", "-W", "596", "-H", "800", file, "-") // above the foot: 282 mm
	shown := strings.Fields(within)
	for _, word := range strings.Fields(strings.Join(want, " ")) {
		if !slices.Contains(shown, word) {
			t.Errorf("%s is not on a sheet", word)
		}
	}
}
