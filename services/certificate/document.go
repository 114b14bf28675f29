package certificate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/paper"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// footHeight is the room of the QR code with its quiet zone and its words, in millimetres.
const footHeight = 66.0

// PDF makes the document of a certificate of the citizen c.Subject. Somebody
// else's certificate answers like an absent one. The same certificate
// gives the same bytes, as long as the key that signs documents is the same.
func (s *Service) PDF(ctx context.Context, c caller.Caller, typed string) ([]byte, error) {
	row, in, err := s.own(ctx, c, "document", typed)
	if err != nil {
		return nil, err
	}
	signed, code, err := s.whole(ctx, row, in)
	if err != nil {
		return nil, err
	}
	document, err := s.render(ctx, signed, code)
	if err != nil {
		return nil, err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		return s.leave(ctx, tx, row, "download", trail.Step{
			Audit: audit.Entry{
				At: c.Now, Actor: c.Subject, Action: "certificate.download", Object: row.ID, Subject: row.CitizenID,
				Purpose: purpose(row, "the citizen asked for the document"),
			},
			Event: analytics.Of(c, name, "document", "done"),
		})
	})
	return document, err
}

// own finds a certificate that the citizen c.Subject holds and that stands, for an operation of
// the policy. Problems: certificate_identify, certificate_number, certificate_not_found (also
// another's), certificate_revoked.
func (s *Service) own(ctx context.Context, c caller.Caller, operation, typed string) (db.Certificate, intent, error) {
	if c.Subject == "" {
		return db.Certificate{}, intent{}, errUnproven
	}
	if err := Assurance.Admit(c, operation); err != nil {
		return db.Certificate{}, intent{}, err
	}
	number, ok := ParseNumber(typed)
	if !ok {
		return db.Certificate{}, intent{}, errNumber
	}
	row, in, err := s.issued(ctx, number)
	if err == nil && row.CitizenID != c.Subject {
		err = errAbsent
	}
	if err == nil && State(row.State) == Revoked {
		err = errRevoked
	}
	return row, in, err
}

// page is a document in the making: Kyrgyz in the left column and Russian in the right one. What
// reads it aloud says the one and then the other.
type page struct {
	*paper.Page
	texts  *locales.Catalogue
	ky, ru *paper.Part
}

// render draws the document.
func (s *Service) render(ctx context.Context, shown Signed, payload string) ([]byte, error) {
	ky, ru := s.words(locales.KY, shown), s.words(locales.RU, shown)
	p, err := s.newPage(shown, payload)
	if err != nil {
		return nil, err
	}
	p.heading(ky, ru)
	p.body(ky.Lines[headingLines:], ru.Lines[headingLines:])
	p.source(shown.Record.Kind, shown.IssuedAt)
	if err := p.foot(payload, s.VerifyURL, s.SMSNumber, shown.Number); err != nil {
		return nil, err
	}
	signature, err := s.signature(ctx, shown.IssuedAt)
	if err != nil {
		return nil, err
	}
	return p.Bytes(signature)
}

// signature signs a document of a moment. As long as the key is the same, so are the bytes.
func (s *Service) signature(ctx context.Context, issued time.Time) (*paper.Signature, error) {
	key, err := s.Documents.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("sign the document: %w", err)
	}
	room, err := key.Room()
	if err != nil {
		return nil, fmt.Errorf("sign the document: %w", err)
	}
	return &paper.Signature{Name: key.Name(), At: key.At(issued), Room: room, CMS: key.CMS}, nil
}

func (s *Service) newPage(shown Signed, payload string) (*page, error) {
	title := s.Texts.Text(locales.KY, shown.Record.Kind.TitleKey()) + " " + ShowNumber(shown.Number)
	p, err := paper.New(paper.About{
		Title: title, Language: string(locales.KY), Made: shown.IssuedAt,
		Code: payload, // see codeOfPDF
		Foot: strings.TrimSuffix(ShowNumber(shown.Number)+" · "+shown.Record.Holder.Name, " · "),
	})
	if err != nil {
		return nil, err
	}
	return &page{
		Page: p, texts: s.Texts,
		ky: p.Document.Add("Sect").In(string(locales.KY)), ru: p.Document.Add("Sect").In(string(locales.RU)),
	}, nil
}

// headingLines are the lines of a signed text that the document's heading shows.
const headingLines = 2

// heading says what the document is, its number and its day.
func (p *page) heading(ky, ru Words) {
	p.Style("B", 10, 0)
	p.pair(5, "P", p.text(locales.KY, "certificate.pdf_state"), p.text(locales.RU, "certificate.pdf_state"))
	p.Ln(5)
	p.Style("B", 14, 0)
	p.pair(7, "H1", ky.Title, ru.Title)
	p.Ln(3)
	p.Style("", 11, 0)
	p.pair(6, "P", headline(ky), headline(ru))
	p.Ln(3)
	p.Rule()
}

// headline is the number and the day of issue.
func headline(w Words) string {
	number, issued := w.Lines[0], w.Lines[1]
	return number.Label + " " + number.Value + "\n" + issued.Label + ": " + issued.Value
}

// body writes what the record says, in both languages: to who hears it, a table of two columns.
func (p *page) body(ky, ru []Line) {
	left, right := p.ky.Add("Table"), p.ru.Add("Table")
	var leftValue, rightValue *paper.Part
	for i := range ky {
		if ky[i].Label != "" {
			p.Room(14)
			p.Style("", 9, 60)
			leftRow, rightRow := left.Add("TR"), right.Add("TR")
			p.Pair(4.5, paper.Piece{Part: leftRow.Add("TH"), Text: ky[i].Label}, paper.Piece{Part: rightRow.Add("TH"), Text: ru[i].Label})
			leftValue, rightValue = leftRow.Add("TD"), rightRow.Add("TD")
		}
		ends := i+1 == len(ky) || ky[i+1].Label != ""
		if ky[i].Label != "" && !ends { // one of several
			leftValue, rightValue = leftValue.Add("L"), rightValue.Add("L")
		}
		p.Style("", 11, 0)
		p.Pair(5.5, valuePiece(leftValue, ky[i].Value), valuePiece(rightValue, ru[i].Value))
		if ends {
			p.Ln(1.5)
		}
	}
}

// valuePiece is a value in its cell, or in the list there.
func valuePiece(in *paper.Part, value string) paper.Piece {
	if in.Kind() == "L" {
		in = in.Add("LI").Add("LBody")
	}
	return paper.Piece{Part: in, Text: value}
}

// source says which register the record is from.
func (p *page) source(kind Kind, issued time.Time) {
	p.Ln(0.5)
	p.Rule()
	p.Style("", 9, 60)
	p.both("certificate.pdf_source_"+kind.of().Register, "date", showDay(issued))
}

// foot is the QR code and how to verify, at the bottom of the last page.
func (p *page) foot(payload, url, sms, number string) error {
	code, err := drawQR(payload)
	if err != nil {
		return err
	}
	p.Room(footHeight)
	top := paper.Bottom - footHeight
	p.SetY(top)
	p.Rule()
	args := []any{"url", url, "phone", sms, "certificate", ShowNumber(number)}
	left := paper.Margin + code.side + 2
	width := 210 - paper.Margin - left
	y := top + 5
	for _, loc := range []locales.Locale{locales.KY, locales.RU} {
		p.Style("B", 10, 0)
		p.SetY(y)
		p.Block(left, width, 5, paper.Piece{Part: p.side(loc).Add("H2"), Text: p.text(loc, "certificate.pdf_verify")})
		p.Style("", 9, 0)
		y = p.Block(left, width, 4.5, paper.Piece{Part: p.side(loc).Add("P"), Text: p.text(loc, "certificate.pdf_how", args...)}) + 3
	}
	// One picture cannot be in both languages: it is at the end of both.
	both := p.text(locales.KY, "certificate.pdf_qr") + " / " + p.text(locales.RU, "certificate.pdf_qr")
	p.Picture(p.Document.Add("Figure").Says(both), "qr", code.png, paper.Margin-code.quiet, top+3, code.side)
	if err := p.Error(); err != nil {
		return fmt.Errorf("draw the document: %w", err)
	}
	return nil
}
