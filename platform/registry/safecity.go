package registry

import (
	"context"
	"fmt"
	"strings"

	"github.com/eshik-kg/eshik/platform/money"
)

// The Safe City register of traffic fines. Source: public integrations of
// smartcity-service at Tunduk; the namespace is spelt as the producer spells it.
const (
	SafeCityService   = "central-server/GOV/70000005/smartcity-service"
	SafeCityNamespace = "http://tunduk-seccurity-infocom.x-road.fi/producer"
	// SafeCityNoneFound is the message that comes with code 404 when a known car
	// has no fines; any other 404 by plate means that the plate is not known.
	// The wording is unverified.
	SafeCityNoneFound = "Violations not found"
)

// SafeCityConfig says where the register is; empty fields take the constants
// above.
type SafeCityConfig struct {
	// Service is INSTANCE/CLASS/MEMBER/SUBSYSTEM.
	Service string
	// Version of the services; empty: v1.
	Version   string
	Namespace string
	NoneFound string
}

// SafeCity asks the register of traffic fines and pays into it.
type SafeCity struct {
	soap      *SOAP
	service   ServiceID
	namespace string
	noneFound string
}

// NewSafeCity makes the client. It fails on a service id that cannot be.
func NewSafeCity(soap *SOAP, cfg SafeCityConfig) (*SafeCity, error) {
	service, err := ParseService(or(cfg.Service, SafeCityService))
	if err != nil {
		return nil, err
	}
	service.Version = or(cfg.Version, "v1")
	return &SafeCity{
		soap: soap, service: service,
		namespace: or(cfg.Namespace, SafeCityNamespace), noneFound: or(cfg.NoneFound, SafeCityNoneFound),
	}, nil
}

func or(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
}

// The answer codes of Safe City. Source: as above.
const (
	CodeOK               = 200
	CodeBadRequest       = 400
	CodeForbidden        = 403
	CodeNotFound         = 404
	CodeClosed           = 405
	CodeAlreadyPaid      = 406
	CodeAlreadyCancelled = 407
	CodeSumTooLarge      = 408
	CodeSumTooSmall      = 409
	CodeFailed           = 500
)

// verdict is what every response of Safe City holds.
type verdict struct {
	Code    int    `xml:"code"`
	Message string `xml:"message"`
}

// PlateResult is what the register tells anybody about a plate.
type PlateResult struct {
	// Registered is false when the register does not know the plate; true with
	// no Fines is a car without unpaid fines.
	Registered bool
	Fines      []PlateFine
}

// PlateFine is an unpaid fine by plate: no person, no place.
type PlateFine struct {
	// PaymentNumber is the payment code, up to 19 digits.
	PaymentNumber string
	// Amount is the fine's full amount; what is due now, Check tells.
	Amount money.Amount
}

// ByPlate looks up the unpaid fines of a plate (getViolationsByPlate).
func (s *SafeCity) ByPlate(ctx context.Context, call Call, plate string) (PlateResult, error) {
	const operation = "getViolationsByPlate"
	var out struct {
		verdict
		Protocols []struct {
			PaymentNumber string `xml:"paymentNumber"`
			Amount        string `xml:"violationAmmount"` // [sic]
		} `xml:"protocols"`
	}
	in := struct {
		Plate string `xml:"plate"`
	}{plate}
	if err := s.do(ctx, call, operation, in, &out); err != nil {
		return PlateResult{}, err
	}
	switch out.Code {
	case CodeOK:
	case CodeNotFound:
		return PlateResult{Registered: strings.TrimSpace(out.Message) == s.noneFound}, nil
	default:
		return PlateResult{}, s.unexpected(operation, out.Code)
	}
	result := PlateResult{Registered: true}
	for _, p := range out.Protocols {
		amount, err := money.ParseSom(p.Amount)
		if err != nil || !isNumber(p.PaymentNumber) {
			return PlateResult{}, s.misfit(operation, "a protocol's number or amount")
		}
		result.Fines = append(result.Fines, PlateFine{PaymentNumber: p.PaymentNumber, Amount: amount})
	}
	return result, nil
}

// do calls an operation by its name.
func (s *SafeCity) do(ctx context.Context, call Call, operation string, in, out any) error {
	return s.ask(ctx, call, s.operation(operation), in, out)
}

// ask calls an operation.
func (s *SafeCity) ask(ctx context.Context, call Call, op Operation, in, out any) error {
	if err := s.soap.Do(ctx, call, op, in, out); err != nil {
		return fmt.Errorf("asking Safe City %s: %w", op.Service.Service, err)
	}
	return nil
}

func (s *SafeCity) operation(name string) Operation {
	service := s.service
	service.Service = name
	return Operation{Service: service, Namespace: s.namespace}
}

// unexpected is a code that the operation does not have, or its 500.
func (s *SafeCity) unexpected(operation string, code int) error {
	return s.misfit(operation, fmt.Sprintf("code %d", code))
}

// misfit is an answer that fits SOAP and not the operation.
func (s *SafeCity) misfit(operation, what string) error {
	e := schemaError(s.operation(operation).Service.String(), 200, "unexpected "+what)
	return fmt.Errorf("asking Safe City %s: %w", operation, e.asProblem())
}

// isNumber tells a protocol or payment number: an int64 as text.
func isNumber(text string) bool {
	if text == "" || len(text) > 19 {
		return false
	}
	return strings.Trim(text, "0123456789") == ""
}
