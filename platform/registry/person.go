package registry

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
)

// PersonService is the register of persons' check of an identity document.
// Unverified: the service is known to exist over SOAP under this subsystem.
const PersonService = "central-server/GOV/70000005/passport-service/check"

// Persons asks the register of persons.
type Persons struct {
	rest    *REST
	service ServiceID
}

// NewPersons makes the client; an empty service is PersonService.
func NewPersons(rest *REST, service string) (*Persons, error) {
	id, err := ParseService(or(service, PersonService))
	if err != nil {
		return nil, err
	}
	return &Persons{rest: rest, service: id}, nil
}

// Person is what the register confirms about somebody.
type Person struct {
	Surname    string
	Name       string
	Patronymic string
	// BirthDate is in UTC the midnight of the day.
	BirthDate time.Time
}

// CheckPerson confirms that the document belongs to the person with the PIN. An
// unknown PIN and a document of somebody else are one problem,
// registry_person_unknown: telling them apart would tell who exists.
func (p *Persons) CheckPerson(ctx context.Context, call Call, pin, document string) (Person, error) {
	in := struct {
		PIN      string `json:"pin"`
		Document string `json:"document"`
	}{pin, document}
	var out struct {
		Valid      *bool  `json:"valid"`
		Surname    string `json:"surname"`
		Name       string `json:"name"`
		Patronymic string `json:"patronymic"`
		BirthDate  string `json:"birthDate"`
	}
	status, err := p.rest.Do(ctx, call, Request{Method: http.MethodPost, Service: p.service}, in, &out)
	if err != nil {
		return Person{}, fmt.Errorf("checking a person: %w", err)
	}
	if status == http.StatusNoContent || out.Valid != nil && !*out.Valid {
		return Person{}, problem.New(problem.Invalid, "problem.registry_person_unknown")
	}
	born, err := time.Parse(time.DateOnly, out.BirthDate)
	if err != nil || out.Valid == nil || out.Surname == "" {
		e := schemaError(p.service.String(), status, "a person without a verdict, a name or a birth date")
		return Person{}, fmt.Errorf("checking a person: %w", e.asProblem())
	}
	return Person{Surname: out.Surname, Name: out.Name, Patronymic: out.Patronymic, BirthDate: born}, nil
}
