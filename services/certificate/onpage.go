package certificate

import (
	"strings"

	"github.com/eshik-kg/eshik/locales"
)

// OnPage is what the page that verifies certificates needs, beside the trust bundle, to say what
// CheckCode says, on the device of who looks at a paper: web/static/record.js reads it.
type OnPage struct {
	// Words are the texts of a signed record by language and by the end of their key: "pdf_name",
	// "relation_child". {n} is to be filled in.
	Words map[locales.Locale]map[string]string `json:"words"`
	// Kinds are those of certificates, by code.
	Kinds map[Kind]PageKind `json:"kinds"`
	// Outcomes are the closed list, in the page's language; {moment} is to be filled in.
	Outcomes map[Outcome]PageOutcome `json:"outcomes"`
	// Places are the regions and districts that the Russian column names: the head of the SOATE
	// code, which is the region's, the Kyrgyz and the Russian name, and the first edition.
	Places [][4]any `json:"places"`
}

// PageKind is what a kind of certificate says: its full name by language, whether it has an address
// and the members of a family, and the fields of its facts and rows, each a name and a type.
type PageKind struct {
	Title   map[locales.Locale]string `json:"title"`
	Address bool                      `json:"address"`
	Members bool                      `json:"members"`
	Facts   []field                   `json:"facts"`
	Rows    []field                   `json:"rows"`
}

// PageOutcome is an outcome in words, and what to do.
type PageOutcome struct {
	Said   string `json:"said"`
	Advice string `json:"advice"`
}

// outcomes are all of them.
var outcomes = []Outcome{Genuine, Altered, Withdrawn, Expired, NotOurs, Unknown}

// OnPage gives what the page in a language needs.
func (s *Service) OnPage(loc locales.Locale) OnPage {
	p := OnPage{Words: map[locales.Locale]map[string]string{}, Kinds: map[Kind]PageKind{}, Outcomes: map[Outcome]PageOutcome{}}
	for _, of := range []locales.Locale{locales.KY, locales.RU} {
		p.Words[of] = map[string]string{}
		for _, key := range s.Texts.Keys() {
			part, whole := strings.CutPrefix(key, "certificate.")
			if whole && wordOfRecord(part) {
				p.Words[of][part] = s.Texts.Text(of, key, "n", "{n}", "value", "{value}")
			}
		}
	}
	for _, code := range Kinds() {
		kind := code.of()
		p.Kinds[code] = PageKind{
			Title:   map[locales.Locale]string{locales.KY: kind.Names.KY, locales.RU: kind.Names.RU},
			Address: kind.Address, Members: kind.Members, Facts: kind.Facts, Rows: kind.Rows,
		}
	}
	for _, o := range outcomes {
		p.Outcomes[o] = PageOutcome{
			Said:   s.Texts.Text(loc, "verify.outcome_"+string(o), "moment", "{moment}"),
			Advice: s.Texts.Text(loc, "verify.advice_"+string(o)),
		}
	}
	for _, at := range s.places {
		p.Places = append(p.Places, [4]any{at.soate[:regionDigits], at.ky, at.ru, at.since})
	}
	return p
}

// wordOfRecord reports that a signed text may say what has this key.
func wordOfRecord(part string) bool {
	switch part {
	case "pdf_number", "pdf_issued", "pdf_name", "pdf_born", "pdf_address", "pdf_members", "pdf_alone", "members_elsewhere", "untranslated":
		return true
	}
	for _, of := range []string{"relation_", "fact_", "rows_", "none_", "is_", "as_"} {
		if strings.HasPrefix(part, of) {
			return true
		}
	}
	return false
}
