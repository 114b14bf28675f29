package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
)

// FundService is the Social Fund's service of pensions and personal accounts. The member and the
// names of its operations and fields are of public clients; that it takes JSON over REST as they
// name it, and asks for no permission of the citizen's own where the citizen asks, is unverified.
const FundService = "central-server/GOV/70000018/sfrkr-service"

// requestOrg is who we are to the Fund.
const requestOrg = "eshik"

// Fund asks the Social Fund.
type Fund struct {
	rest    *REST
	service ServiceID
}

// NewFund makes the client; an empty service is FundService.
func NewFund(rest *REST, service string) (*Fund, error) {
	id, err := ParseService(or(service, FundService))
	if err != nil {
		return nil, err
	}
	return &Fund{rest: rest, service: id}, nil
}

// Pension is a pension that somebody is paid.
type Pension struct {
	// Kind is as the Fund writes it, Dossier the number of the case.
	Kind, Dossier string
	// Amount is by month. Since is in UTC the midnight of the day; zero: not said.
	Amount money.Amount
	Since  time.Time
}

// WorkPeriod is a time for which somebody's payer paid.
type WorkPeriod struct {
	Payer string
	// From and To are in UTC the midnight of the day; To is zero while it lasts.
	From, To time.Time
	// Salary is all of the period.
	Salary money.Amount
}

// fundAnswer is what both answers have: whose it is. A second person is a fault of the Fund's.
type fundAnswer struct {
	PIN   string `json:"PIN"`
	Error string `json:"CauseOfError"`
}

// Pensions lists what pensions somebody is paid (GetPensionInfoWithSum), none of them an empty list;
// found is false for a number that the Fund does not know.
func (f *Fund) Pensions(ctx context.Context, call Call, pin string) (pensions []Pension, found bool, err error) {
	var out struct {
		Response *struct {
			fundAnswer
			Dossiers part[struct {
				List several[struct {
					PIN     string      `json:"PINPensioner"`
					Kind    string      `json:"KindOfPension"`
					Dossier string      `json:"NumDossier"`
					Since   string      `json:"DateFromInitial"`
					Sum     json.Number `json:"Sum"`
				}] `json:"DossierInfoWithSum"`
			}] `json:"DossierInfoes"`
		} `json:"GetPensionInfoWithSumResponse"`
	}
	const operation = "GetPensionInfoWithSum"
	found, err = f.ask(ctx, call, operation, pin, &out)
	if err != nil || !found {
		return nil, false, err
	}
	if out.Response == nil || out.Response.PIN != pin || out.Response.Error != "" || !out.Response.Dossiers.says(out.Response.Dossiers.Of.List != nil) {
		return nil, false, f.misfit(operation)
	}
	pensions = []Pension{}
	for _, d := range out.Response.Dossiers.Of.List {
		sum, errSum := money.ParseSom(d.Sum.String())
		since, errSince := dayOrNone(d.Since)
		if errSum != nil || errSince != nil || d.PIN != pin || d.Kind == "" {
			return nil, false, f.misfit(operation)
		}
		pensions = append(pensions, Pension{Kind: d.Kind, Dossier: d.Dossier, Amount: sum, Since: since})
	}
	return pensions, true, nil
}

// WorkPeriods lists for what times somebody's payers paid (GetWorkPeriodInfoWithSum), in the Fund's
// order; found is false for a number that the Fund does not know.
func (f *Fund) WorkPeriods(ctx context.Context, call Call, pin string) (periods []WorkPeriod, found bool, err error) {
	var out struct {
		Response *struct {
			fundAnswer
			Periods part[struct {
				List several[struct {
					Payer  string      `json:"Payer"`
					From   string      `json:"DateBegin"`
					To     string      `json:"DateEnd"`
					Salary json.Number `json:"Salary"`
				}] `json:"WorkPeriodWithSum"`
			}] `json:"WorkPeriods"`
		} `json:"GetWorkPeriodInfoWithSumResponse"`
	}
	const operation = "GetWorkPeriodInfoWithSum"
	found, err = f.ask(ctx, call, operation, pin, &out)
	if err != nil || !found {
		return nil, false, err
	}
	if out.Response == nil || out.Response.PIN != pin || out.Response.Error != "" || !out.Response.Periods.says(out.Response.Periods.Of.List != nil) {
		return nil, false, f.misfit(operation)
	}
	periods = []WorkPeriod{}
	for _, p := range out.Response.Periods.Of.List {
		salary, errSalary := money.ParseSom(p.Salary.String())
		from, errFrom := time.Parse(personMoment, p.From)
		to, errTo := dayOrNone(p.To)
		if errSalary != nil || errFrom != nil || errTo != nil || p.Payer == "" {
			return nil, false, f.misfit(operation)
		}
		periods = append(periods, WorkPeriod{Payer: p.Payer, From: from, To: to, Salary: salary})
	}
	return periods, true, nil
}

// ask calls an operation. The number goes in the body: X-Road logs addresses.
func (f *Fund) ask(ctx context.Context, call Call, operation, pin string, out any) (found bool, err error) {
	in := map[string]any{operation: map[string]string{"PIN": pin, "RequestOrg": requestOrg, "RequestPerson": call.UserID}}
	status, err := f.rest.Do(ctx, call, Request{Method: http.MethodPost, Service: f.named(operation)}, in, out)
	if err != nil {
		return false, fmt.Errorf("asking the Social Fund: %w", err)
	}
	return status != http.StatusNoContent, nil
}

func (f *Fund) named(operation string) ServiceID {
	id := f.service
	id.Service = operation
	return id
}

func (f *Fund) misfit(operation string) error {
	e := schemaError(f.named(operation).String(), 200, "an answer that is not of our number, or lacks a sum or a day")
	return fmt.Errorf("asking the Social Fund: %w", e.asProblem())
}

// part is a part of an answer, of which null and absent differ: that somebody has none is said, and not
// concluded from an answer of another shape.
type part[T any] struct {
	Of          T
	there, null bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *part[T]) UnmarshalJSON(text []byte) error {
	p.there, p.null = true, bytes.Equal(bytes.TrimSpace(text), []byte("null"))
	return json.Unmarshal(text, &p.Of)
}

// says reports that the part is there, and is null or has its list.
func (p *part[T]) says(list bool) bool { return p.there && (p.null || list) }

// several is a list in JSON that was XML: one thing is not in a list, and none is null.
type several[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (s *several[T]) UnmarshalJSON(text []byte) error {
	text = bytes.TrimSpace(text)
	if bytes.Equal(text, []byte("null")) {
		*s = several[T]{} // there, and empty
		return nil
	}
	if strings.HasPrefix(string(text), "[") {
		return json.Unmarshal(text, (*[]T)(s))
	}
	*s = make([]T, 1)
	return json.Unmarshal(text, &(*s)[0])
}
