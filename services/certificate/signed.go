package certificate

import (
	"fmt"

	"github.com/eshik-kg/eshik/locales"
)

// Words is a certificate's text in one language. The document prints it and who verifies
// its QR code is shown it, to compare the two word by word.
type Words struct {
	Locale locales.Locale
	Title  string
	Lines  []Line // the number, the day of issue, and then what the record says
}

// Line is a label and what stands under it; the label is empty for one more line of
// the same.
type Line struct{ Label, Value string }

// Words gives the signed text in both languages of the document, Kyrgyz first.
func (s *Service) Words(v Signed) []Words {
	return []Words{s.words(locales.KY, v), s.words(locales.RU, v)}
}

func (s *Service) words(loc locales.Locale, v Signed) Words {
	return wordsOf(s.Texts, s.places, loc, v)
}

func wordsOf(texts *locales.Catalogue, list places, loc locales.Locale, v Signed) Words {
	r := v.Record
	text := func(key string) string { return texts.Text(loc, key) }
	w := Words{Locale: loc, Title: text("certificate.pdf_title_" + string(r.Kind)), Lines: []Line{
		{Label: text("certificate.pdf_number"), Value: ShowNumber(v.Number)},
		{Label: text("certificate.pdf_issued"), Value: showDay(v.IssuedAt)},
		{Label: text("certificate.pdf_name"), Value: r.Holder.Name},
	}}
	if r.Holder.Born != "" {
		w.Lines = append(w.Lines, Line{Label: text("certificate.pdf_born"), Value: showDate(r.Holder.Born)})
	}
	address := r.Address
	if loc == locales.RU {
		address = list.russian(address, r.Places)
	}
	w.Lines = append(w.Lines, Line{Label: text("certificate.pdf_address"), Value: address})
	w.Lines = append(w.Lines, r.Kind.of().lines(texts, loc, r)...)
	return w
}

// memberLine is one member of a family, as the document lists them; i counts from 0.
func memberLine(texts *locales.Catalogue, loc locales.Locale, i int, m Member) string {
	return fmt.Sprintf("%d. %s, %s — %s", i+1, m.Name, showDate(m.Born), relation(texts, loc, m.Relation))
}

// relation is a kinship in words: a code of the register that we do not know is
// shown as it is.
func relation(texts *locales.Catalogue, loc locales.Locale, code string) string {
	if key := "certificate.relation_" + code; texts.Has(key) {
		return texts.Text(loc, key)
	}
	return code
}
