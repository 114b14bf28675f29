package registry

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/problem"
)

// Violation is a record of Safe City, for the car's owner only. What it holds
// about the owner (name, birth date, address) is not even decoded.
type Violation struct {
	// ProtocolNumber is the resolution's number, PaymentNumber the code it is
	// paid by: two numbers per fine.
	ProtocolNumber, PaymentNumber string
	Paid                          bool
	Plate                         string
	// Type is the violation in the register's own words.
	Type string
	// Amount is the full amount; what is due now, Check tells.
	Amount        money.Amount
	Date          time.Time
	Article, Part string
	Place         string
	// Delivered is when the resolution was delivered; zero: not yet, so that the
	// discount's clock has not started.
	Delivered time.Time
	Car       string
	// Judgement is what a court decided of it, as the register writes it; empty: nothing.
	Judgement string
}

// violationRecord is a Violation as the register writes it.
type violationRecord struct {
	ProtocolNumber string `xml:"protocolNumber"`
	PaymentNumber  string `xml:"paymentNumber"`
	PaymentStatus  string `xml:"paymentStatus"`
	Plate          string `xml:"plateNumber"`
	Type           string `xml:"violationType"`
	Amount         string `xml:"violationAmmount"` // [sic]
	Date           string `xml:"violationDate"`
	Article        string `xml:"violationArticle"`
	Part           string `xml:"violationArticlePart"`
	Place          string `xml:"violationPlace"`
	DeliveryDate   string `xml:"deliveryDate"`
	Judgement      string `xml:"judgementStatus"`
	Reason         string `xml:"judgementReason"`
	Image          string `xml:"violationImage"`
	CarBrand       string `xml:"carBrand"`
	CarModel       string `xml:"carModel"`
}

// noJudgement is the judgementStatus of a fine that no court looked at. Unverified.
const noJudgement = "0"

// Violations lists the fines of a person's own car, paid ones too
// (smartcityGetViolations, without photos). No fines is an empty list; a car
// that is not theirs is the problem registry_not_owner, one that the register does not
// know registry_plate_unknown.
func (s *SafeCity) Violations(ctx context.Context, call Call, pin, plate string) ([]Violation, error) {
	records, err := s.violations(ctx, call, pin, plate, false)
	if err != nil {
		return nil, err
	}
	list := make([]Violation, 0, len(records))
	for _, record := range records {
		violation, ok := record.read()
		if !ok {
			return nil, s.misfit(violationsOperation, misfitRecord)
		}
		list = append(list, violation)
	}
	return list, nil
}

const (
	violationsOperation = "smartcityGetViolations"
	misfitRecord        = "number, amount, status or date of a protocol"
	// longestPhotos bounds an answer with the photos of all fines of a car, in base64.
	longestPhotos = 48 << 20
)

func (s *SafeCity) violations(ctx context.Context, call Call, pin, plate string, image bool) ([]violationRecord, error) {
	in := struct {
		PIN   string `xml:"pin"`
		Plate string `xml:"plate"`
		Image bool   `xml:"image"`
	}{pin, plate, image}
	var out struct {
		verdict
		Protocols []violationRecord `xml:"protocols"`
	}
	op := s.operation(violationsOperation)
	if image {
		op.Longest = longestPhotos
	}
	if err := s.ask(ctx, call, op, in, &out); err != nil {
		return nil, err
	}
	switch {
	case out.Code == CodeOK:
		return out.Protocols, nil
	case out.Code == CodeNotFound && strings.TrimSpace(out.Message) == s.noneFound:
		return nil, nil
	case out.Code == CodeNotFound:
		return nil, problem.New(problem.NotFound, "problem.registry_plate_unknown")
	case out.Code == CodeForbidden:
		return nil, problem.New(problem.Forbidden, "problem.registry_not_owner")
	}
	return nil, s.unexpected(violationsOperation, out.Code)
}

// Photo gives the photo of one fine, by its payment number, to the car's owner
// (smartcityGetViolations, with photos: the register gives those of all fines of a car at
// once). nil: the register has none. Problems: as of Violations.
func (s *SafeCity) Photo(ctx context.Context, call Call, pin, plate, number string) ([]byte, error) {
	records, err := s.violations(ctx, call, pin, plate, true)
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		if record.PaymentNumber != number || record.Image == "" {
			continue
		}
		photo, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(record.Image), ""))
		if err != nil {
			return nil, s.misfit(violationsOperation, "photo")
		}
		return photo, nil
	}
	return nil, nil
}

// Protocol gives the full record of a resolution by its number (protocol); found is false
// when the register has none. It names no person to be asked for: what it tells is for
// the car's owner alone.
func (s *SafeCity) Protocol(ctx context.Context, call Call, protocolNumber string) (v Violation, found bool, err error) {
	const operation = "protocol"
	in := struct {
		ProtocolNumber string `xml:"protocolNumber"`
	}{protocolNumber}
	var out struct {
		verdict
		violationRecord
	}
	if err := s.do(ctx, call, operation, in, &out); err != nil {
		return Violation{}, false, err
	}
	switch out.Code {
	case CodeOK:
	case CodeNotFound:
		return Violation{}, false, nil
	default:
		return Violation{}, false, s.unexpected(operation, out.Code)
	}
	if v, found = out.read(); !found {
		return Violation{}, false, s.misfit(operation, misfitRecord)
	}
	return v, true, nil
}

func (r violationRecord) read() (Violation, bool) {
	amount, errAmount := money.ParseSom(r.Amount)
	date, errDate := parseMoment(r.Date)
	delivered, errDelivered := parseMoment(r.DeliveryDate)
	if errAmount != nil || errDate != nil || errDelivered != nil || !isNumber(r.ProtocolNumber) ||
		!isNumber(r.PaymentNumber) || r.PaymentStatus != "0" && r.PaymentStatus != "1" {
		return Violation{}, false
	}
	car := r.CarBrand
	if r.CarModel != "" {
		car += " " + r.CarModel
	}
	judgement := ""
	if r.Judgement != noJudgement {
		judgement = strings.TrimSpace(r.Reason)
	}
	return Violation{
		Judgement: judgement, ProtocolNumber: r.ProtocolNumber, PaymentNumber: r.PaymentNumber, Paid: r.PaymentStatus == "1",
		Plate: r.Plate, Type: r.Type, Amount: amount, Date: date, Article: r.Article, Part: r.Part,
		Place: r.Place, Delivered: delivered, Car: car,
	}, true
}
