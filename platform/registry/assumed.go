package registry

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
)

// The registers of this file are asked by a contract of our own design: no public description of
// theirs was found, so that there is no default for their names, and without one they are not asked.
// Each takes POST {"pin"} over X-Road REST and answers with the number and a list; 204: it does not
// know the number.

// assumed is a client of such a register.
type assumed struct {
	rest    *REST
	service ServiceID
}

func newAssumed(rest *REST, service string) (assumed, error) {
	id, err := ParseService(service)
	return assumed{rest, id}, err
}

// list asks for the list, read into out behind whose it is.
func (a assumed) list(ctx context.Context, call Call, pin string, out interface{ of() string }) (found bool, err error) {
	status, err := a.rest.Do(ctx, call, Request{Method: http.MethodPost, Service: a.service}, byPIN{pin}, out)
	if err != nil {
		return false, fmt.Errorf("asking a register: %w", err)
	}
	if status == http.StatusNoContent {
		return false, nil
	}
	if out.of() != pin {
		return false, a.misfit()
	}
	return true, nil
}

func (a assumed) misfit() error {
	e := schemaError(a.service.String(), http.StatusOK, "an answer that is not of our number, or whose list lacks something")
	return fmt.Errorf("asking a register: %w", e.asProblem())
}

// whose is the number that an answer is of.
type whose struct {
	PIN string `json:"pin"`
}

func (w whose) of() string { return w.PIN }

// Taxes asks the tax service.
type Taxes struct{ assumed }

// NewTaxes makes the client of a service, INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE.
func NewTaxes(rest *REST, service string) (*Taxes, error) {
	a, err := newAssumed(rest, service)
	return &Taxes{a}, err
}

// TaxDebt is what somebody owes of one tax, as the register names it.
type TaxDebt struct {
	Tax    string
	Amount money.Amount
}

// Debts lists what somebody owes, nothing being an empty list; found is false for a number that the
// register does not know.
func (t *Taxes) Debts(ctx context.Context, call Call, pin string) (debts []TaxDebt, found bool, err error) {
	var out struct {
		whose
		Debts *[]struct {
			Tax    string `json:"tax"`
			Amount string `json:"amount"` // som
		} `json:"debts"`
	}
	if found, err = t.list(ctx, call, pin, &out); err != nil || !found {
		return nil, false, err
	}
	if out.Debts == nil {
		return nil, false, t.misfit()
	}
	debts = []TaxDebt{}
	for _, d := range *out.Debts {
		amount, err := money.ParseSom(d.Amount)
		if err != nil || d.Tax == "" {
			return nil, false, t.misfit()
		}
		debts = append(debts, TaxDebt{d.Tax, amount})
	}
	return debts, true, nil
}

// Land asks the register of rights to immovable property.
type Land struct{ assumed }

// NewLand makes the client of a service, INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE.
func NewLand(rest *REST, service string) (*Land, error) {
	a, err := newAssumed(rest, service)
	return &Land{a}, err
}

// Estate is an immovable thing that somebody has a right to.
type Estate struct {
	// ENI is its code in the register, Kind one of flat, house, land, or as the register writes it.
	ENI  string `json:"eni"`
	Kind string `json:"kind"`
	// The address in either language; empty where the register has none in it.
	AddressKY string `json:"addressKy"`
	AddressRU string `json:"addressRu"`
	Area      string `json:"area"`  // square metres, as the register writes them
	Share     string `json:"share"` // "1/2"; empty: all of it
	// Encumbered says that it is pledged, seized or bound otherwise.
	Encumbered *bool `json:"encumbered"`
}

// Estates lists what somebody has a right to, nothing being an empty list; found is false for a number
// that the register does not know.
func (l *Land) Estates(ctx context.Context, call Call, pin string) (estates []Estate, found bool, err error) {
	var out struct {
		whose
		Estates *[]Estate `json:"estates"`
	}
	if found, err = l.list(ctx, call, pin, &out); err != nil || !found {
		return nil, false, err
	}
	if out.Estates == nil {
		return nil, false, l.misfit()
	}
	for _, e := range *out.Estates {
		if e.ENI == "" || e.Kind == "" || e.AddressKY+e.AddressRU == "" || e.Encumbered == nil {
			return nil, false, l.misfit()
		}
	}
	return *out.Estates, true, nil
}

// Schools asks the register of who learns where.
type Schools struct{ assumed }

// NewSchools makes the client of a service, INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE.
func NewSchools(rest *REST, service string) (*Schools, error) {
	a, err := newAssumed(rest, service)
	return &Schools{a}, err
}

// Enrolment is that somebody learns at a school or a university now.
type Enrolment struct {
	// The name of it in either language; empty where the register has none in it.
	NameKY string `json:"nameKy"`
	NameRU string `json:"nameRu"`
	// Stage is school, college or university, or as the register writes it; Course is the class or
	// the year, as people say it ("5", "5-А").
	Stage  string `json:"stage"`
	Course string `json:"course"`
	From   string `json:"since"` // YYYY-MM-DD
}

// Enrolments lists where somebody learns, nowhere being an empty list; found is false for a number
// that the register does not know.
func (s *Schools) Enrolments(ctx context.Context, call Call, pin string) (list []Enrolment, found bool, err error) {
	var out struct {
		whose
		Enrolments *[]Enrolment `json:"enrolments"`
	}
	if found, err = s.list(ctx, call, pin, &out); err != nil || !found {
		return nil, false, err
	}
	if out.Enrolments == nil {
		return nil, false, s.misfit()
	}
	for _, e := range *out.Enrolments {
		if _, err := time.Parse(time.DateOnly, e.From); err != nil || e.NameKY+e.NameRU == "" || e.Stage == "" {
			return nil, false, s.misfit()
		}
	}
	return *out.Enrolments, true, nil
}
