package owndata

import (
	"context"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/paper"
)

// PDF is Export as a document in the language of c.
func (s *Service) PDF(ctx context.Context, c caller.Caller) ([]byte, error) {
	export, err := s.Export(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.render(export, c.Locale)
}

func (s *Service) render(export Export, loc locales.Locale) ([]byte, error) {
	title := s.Texts.Text(loc, "kept.title")
	p, err := paper.New(paper.About{Title: title, Language: string(loc), Made: export.MadeAt, Foot: title})
	if err != nil {
		return nil, err
	}
	p.Style("B", 14, 0)
	p.Text(7, paper.Piece{Part: p.Document.Add("H1"), Text: title})
	p.Style("", 9, 60)
	p.Text(5, paper.Piece{Part: p.Document.Add("P"), Text: clock.Moment(export.MadeAt)})
	p.Text(5, paper.Piece{Part: p.Document.Add("P"), Text: s.Texts.Text(loc, "kept.about")})
	p.Ln(3)
	for _, section := range export.Sections {
		s.section(p, section, loc)
	}
	return p.Bytes(nil)
}

// section writes what one part keeps; the title stands once over records of one kind.
func (s *Service) section(p *paper.Page, section Section, loc locales.Locale) {
	last := ""
	for _, r := range section.Records {
		p.Room(20) // no title alone at the end of a page
		if r.Kind != last {
			p.Ln(2)
			p.Rule()
			p.Style("B", 12, 0)
			p.Text(6.5, paper.Piece{Part: p.Document.Add("H2"), Text: s.Title(loc, r)})
			last = r.Kind
		}
		p.Ln(1.5)
		table := p.Document.Add("Table")
		for _, f := range r.Fields {
			if f.Empty() {
				continue
			}
			p.Style("", 9.5, 0)
			row := table.Add("TR")
			p.Pair(4.8, paper.Piece{Part: row.Add("TH"), Text: s.Label(loc, f)}, paper.Piece{Part: row.Add("TD"), Text: s.Say(loc, f)})
		}
	}
}
