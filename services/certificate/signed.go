package certificate

import (
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
	w := Words{Locale: loc, Title: r.Kind.of().Title(loc), Lines: []Line{
		{Label: text("certificate.pdf_number"), Value: ShowNumber(v.Number)},
		{Label: text("certificate.pdf_issued"), Value: showDay(v.IssuedAt)},
		{Label: text("certificate.pdf_name"), Value: r.Holder.Name},
	}}
	if r.Holder.Born != "" {
		w.Lines = append(w.Lines, Line{Label: text("certificate.pdf_born"), Value: showDate(r.Holder.Born)})
	}
	if r.Kind.of().Address {
		address := r.Address
		if loc == locales.RU {
			address = list.russian(address, r.Places)
		}
		w.Lines = append(w.Lines, Line{Label: text("certificate.pdf_address"), Value: address})
	}
	w.Lines = append(w.Lines, written{texts, loc}.lines(r)...)
	return w
}

// relation is a kinship in words: a code of the register that we do not know is
// shown as it is.
func relation(texts *locales.Catalogue, loc locales.Locale, code string) string {
	if key := "certificate.relation_" + code; texts.Has(key) {
		return texts.Text(loc, key)
	}
	return code
}
