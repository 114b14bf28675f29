package registry

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// SIMs asks the mobile operators' register of subscribers. Its contract is unverified: no
// public description of it was found, so that there is no default for its name.
type SIMs struct {
	rest    *REST
	service ServiceID
}

// NewSIMs makes the client of a service, INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE.
func NewSIMs(rest *REST, service string) (*SIMs, error) {
	id, err := ParseService(service)
	if err != nil {
		return nil, err
	}
	return &SIMs{rest: rest, service: id}, nil
}

// SIM is what the register says of a number and a person.
type SIM struct {
	// Held is whether the number's contract is the person's.
	Held bool
	// ChangedAt is when the number got the SIM card that it has now.
	ChangedAt time.Time
}

// Holder asks whether a person holds a number (E.164); found is false for a number that
// the register does not know. Both go in the body: X-Road logs addresses.
func (s *SIMs) Holder(ctx context.Context, call Call, phone, pin string) (sim SIM, found bool, err error) {
	in := struct {
		Phone string `json:"phone"`
		PIN   string `json:"pin"`
	}{phone, pin}
	var out struct {
		Phone     string     `json:"phone"`
		Held      *bool      `json:"held"`
		ChangedAt *time.Time `json:"simChangedAt"`
	}
	status, err := s.rest.Do(ctx, call, Request{Method: http.MethodPost, Service: s.service}, in, &out)
	switch {
	case err != nil:
		return SIM{}, false, fmt.Errorf("asking the SIM register: %w", err)
	case status == http.StatusNoContent:
		return SIM{}, false, nil
	case out.Held == nil || out.ChangedAt == nil || out.Phone != phone:
		e := schemaError(s.service.String(), status, "an answer without our number, its holder or its SIM's day")
		return SIM{}, false, fmt.Errorf("asking the SIM register: %w", e.asProblem())
	}
	return SIM{Held: *out.Held, ChangedAt: *out.ChangedAt}, true, nil
}
