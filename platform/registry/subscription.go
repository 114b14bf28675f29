package registry

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/problem"
)

// The codes that subscriptions and deliveries have besides. Source: as of the others.
const (
	codeDeliveredSet   = 402
	codeNoParticipant  = 405
	codeAsItIs         = 406 // exists already, or is absent already
	deliveryTimeLayout = "2006-01-02T15:04:05-07:00"
)

// errNoParticipant is where the register lets us subscribe to nothing: it is asked instead.
var errNoParticipant = problem.New(problem.Forbidden, "problem.registry_ours")

// Subscribe has the register count us among those who follow a person's car
// (subscribeViolations); unique is our own number of it. Repeating it changes nothing.
// How the register then tells of a new fine is not published: whoever subscribes asks too.
func (s *SafeCity) Subscribe(ctx context.Context, call Call, pin, plate, unique string) error {
	return s.follow(ctx, call, "subscribeViolations", pin, plate, unique)
}

// Unsubscribe ends Subscribe (unsubscribeViolations). Repeating it changes nothing.
func (s *SafeCity) Unsubscribe(ctx context.Context, call Call, pin, plate, unique string) error {
	return s.follow(ctx, call, "unsubscribeViolations", pin, plate, unique)
}

func (s *SafeCity) follow(ctx context.Context, call Call, operation, pin, plate, unique string) error {
	in := struct {
		PIN    string `xml:"pin"`
		Plate  string `xml:"plate"`
		Unique string `xml:"uniqueNumber"`
	}{pin, plate, unique}
	var out verdict
	if err := s.do(ctx, call, operation, in, &out); err != nil {
		return err
	}
	switch out.Code {
	case CodeOK, codeAsItIs:
		return nil
	case codeNoParticipant:
		return errNoParticipant
	}
	return s.unexpected(operation, out.Code)
}

// Delivery is how a resolution reached whom it is for.
type Delivery struct {
	Protocol string // the resolution's number
	Status   string // of the register's own list
	At       time.Time
	Note     string
}

// Delivered tells the register that a resolution was delivered (resolutionDeliveryStatus),
// from which its discount counts. set is false where the register has another delivery
// already, and found where it has no such resolution.
func (s *SafeCity) Delivered(ctx context.Context, call Call, d Delivery) (set, found bool, err error) {
	const operation = "resolutionDeliveryStatus"
	in := struct {
		Protocol string `xml:"protocol"`
		Status   string `xml:"deliveryStatus"`
		At       string `xml:"deliveryDate"`
		Note     string `xml:"note"`
	}{d.Protocol, d.Status, d.At.In(clock.Bishkek).Format(deliveryTimeLayout), d.Note}
	var out verdict
	if err := s.do(ctx, call, operation, in, &out); err != nil {
		return false, false, err
	}
	switch out.Code {
	case CodeOK:
		return true, true, nil
	case codeDeliveredSet:
		return false, true, nil
	case CodeNotFound:
		return false, false, nil
	}
	return false, false, s.unexpected(operation, out.Code)
}
