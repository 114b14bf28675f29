package registry

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
)

// The registers that confirm a person, as banks ask them: that of passports knows whose
// an identity document is, that of civil status who lives. Source: generated public
// clients of Tunduk.
const (
	PassportService = "central-server/GOV/70000005/passport-service"
	CivilService    = "central-server/GOV/70000005/zags-service"
	// personNoneFound comes in the answer about a number or a document that the register
	// of passports does not know. The wording is unverified; an answer with no message at
	// all means the same.
	personNoneFound = "Person not found"
	// personMoment is how both registers write a day.
	personMoment = "2006-01-02T15:04:05"
)

// PersonsConfig says where the registers are, INSTANCE/CLASS/MEMBER/SUBSYSTEM, and who
// asks; empty services take the constants above.
type PersonsConfig struct {
	Passport, Civil string
	// ClientID and Secret are what the register of passports gave us.
	ClientID, Secret string
}

// Persons asks the registers about persons.
type Persons struct {
	soap            *SOAP
	passport, civil ServiceID
	clientID        string
	secret          string
}

// NewPersons makes the client. It fails on a service id that cannot be.
func NewPersons(soap *SOAP, cfg PersonsConfig) (*Persons, error) {
	passport, err := ParseService(or(cfg.Passport, PassportService))
	if err != nil {
		return nil, err
	}
	civil, err := ParseService(or(cfg.Civil, CivilService))
	if err != nil {
		return nil, err
	}
	passport.Service, passport.Version = "bankPinService", "v1"
	civil.Service, civil.Version = "zagsDataByPin", "v1"
	return &Persons{soap: soap, passport: passport, civil: civil, clientID: cfg.ClientID, secret: cfg.Secret}, nil
}

// Person is what the registers tell about somebody whose document they confirm.
type Person struct {
	Surname    string
	Name       string
	Patronymic string
	// BirthDate is in UTC the midnight of the day.
	BirthDate time.Time
	// Void is set for a document that was declared void, lost or replaced.
	Void bool
	// Expires is the last day on which the document is valid, in UTC its midnight.
	Expires time.Time
	// Barred is set for who has died, and for a personal number that is blocked.
	Barred bool
}

// CheckPerson confirms that the document belongs to the person with the PIN. An
// unknown PIN and a document of somebody else are one problem,
// registry_person_unknown: telling them apart would tell who exists.
func (p *Persons) CheckPerson(ctx context.Context, call Call, pin, document string) (Person, error) {
	person, err := p.document(ctx, call, pin, document)
	if err == nil {
		var died, blocked bool
		died, blocked, err = p.Barred(ctx, call, pin)
		person.Barred = died || blocked
	}
	if err != nil {
		return Person{}, fmt.Errorf("checking a person: %w", err)
	}
	return person, nil
}

var errPersonUnknown = problem.New(problem.Invalid, "problem.registry_person_unknown")

// seriesLength is that of a document's series (ID, AN), before its number.
const seriesLength = 2

// document asks whose a document is (bankPinService).
func (p *Persons) document(ctx context.Context, call Call, pin, document string) (Person, error) {
	if len(document) <= seriesLength {
		return Person{}, errPersonUnknown
	}
	type passport struct {
		Series string `xml:"series"`
		Number string `xml:"number"`
	}
	asked := passport{document[:seriesLength], document[seriesLength:]}
	in := struct {
		ClientID string `xml:"clientid"`
		Secret   string `xml:"secret"`
		PIN      string `xml:"pin"`
		passport
	}{p.clientID, p.secret, pin, asked}
	var out struct {
		PIN        string `xml:"pin"`
		Surname    string `xml:"surname"`
		Name       string `xml:"name"`
		Patronymic string `xml:"patronymic"`
		Born       string `xml:"dateOfBirth"`
		Series     string `xml:"passportSeries"`
		Number     string `xml:"passportNumber"`
		VoidStatus string `xml:"voidStatus"`
		Expires    string `xml:"expiredDate"`
		Message    string `xml:"message"`
	}
	if err := p.soap.Do(ctx, call, p.operation(p.passport), in, &out); err != nil {
		return Person{}, err
	}
	message := strings.TrimSpace(out.Message)
	switch {
	case out.PIN == "" && (message == "" || message == personNoneFound):
		return Person{}, errPersonUnknown
	case out.PIN != pin || out.Surname == "":
		return Person{}, p.misfit(p.passport, "a person without our number or a name")
	case passport{out.Series, out.Number} != asked:
		return Person{}, errPersonUnknown
	}
	void, errVoid := strconv.Atoi(out.VoidStatus)
	born, errBorn := time.Parse(personMoment, out.Born)
	expires, errExpires := time.Parse(personMoment, out.Expires)
	if errVoid != nil || errBorn != nil || errExpires != nil {
		return Person{}, p.misfit(p.passport, "a person without a status, a birth date or an expiry")
	}
	return Person{
		Surname: out.Surname, Name: out.Name, Patronymic: out.Patronymic,
		BirthDate: born, Void: void != 0, Expires: expires,
	}, nil
}

// operation has the namespace of all producers of this member.
func (*Persons) operation(service ServiceID) Operation {
	return Operation{Service: service, Namespace: SafeCityNamespace}
}

// misfit is an answer that fits SOAP and not the operation.
func (*Persons) misfit(service ServiceID, what string) error {
	return schemaError(service.String(), 200, "unexpected "+what).asProblem()
}
