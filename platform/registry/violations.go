package registry

import (
	"context"
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
	CarBrand       string `xml:"carBrand"`
	CarModel       string `xml:"carModel"`
}

// Violations lists the fines of a person's own car, paid ones too
// (smartcityGetViolations, without photos). No fines is an empty list; a car
// that is not theirs is the problem registry_not_owner.
func (s *SafeCity) Violations(ctx context.Context, call Call, pin, plate string) ([]Violation, error) {
	const operation = "smartcityGetViolations"
	in := struct {
		PIN   string `xml:"pin"`
		Plate string `xml:"plate"`
		Image bool   `xml:"image"`
	}{pin, plate, false}
	var out struct {
		verdict
		Protocols []violationRecord `xml:"protocols"`
	}
	if err := s.do(ctx, call, operation, in, &out); err != nil {
		return nil, err
	}
	switch out.Code {
	case CodeOK:
	case CodeNotFound:
		return nil, nil
	case CodeForbidden:
		return nil, problem.New(problem.Forbidden, "problem.registry_not_owner")
	default:
		return nil, s.unexpected(operation, out.Code)
	}
	list := make([]Violation, 0, len(out.Protocols))
	for _, record := range out.Protocols {
		violation, ok := record.read()
		if !ok {
			return nil, s.misfit(operation, "number, amount, status or date of a protocol")
		}
		list = append(list, violation)
	}
	return list, nil
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
	return Violation{
		ProtocolNumber: r.ProtocolNumber, PaymentNumber: r.PaymentNumber, Paid: r.PaymentStatus == "1",
		Plate: r.Plate, Type: r.Type, Amount: amount, Date: date, Article: r.Article, Part: r.Part,
		Place: r.Place, Delivered: delivered, Car: car,
	}, true
}
