package registry

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// CivilPerson is what the register of civil status tells of the owner of a personal number.
type CivilPerson struct {
	PIN                       string
	Surname, Name, Patronymic string
	// BirthDate and Assigned are in UTC the midnight of the day: of birth, and of that on which the
	// number was given; Assigned is zero where the register does not say.
	BirthDate, Assigned time.Time
	Died, Blocked       bool
}

// BirthAct is a record of birth. The names of its fields are those that one public client shows of
// zagsPinBirthAct; the shape is unverified.
type BirthAct struct {
	Child, Father, Mother ActPerson
	// Sex is M or F, as of bankPinService.
	Sex string
	// Document is the series and the number of the certificate of birth, IssuedAt its day in UTC
	// midnight, and Office who issued it, as the register writes it.
	Document string
	IssuedAt time.Time
	Office   string
}

// ActPerson is a person of a record; Surname is empty where the record names nobody.
type ActPerson struct {
	PIN        string `xml:"pin"`
	Surname    string `xml:"surname"`
	Name       string `xml:"firstName"`
	Patronymic string `xml:"patronymic"`
}

// civilAnswer is an answer of zagsDataByPin.
type civilAnswer struct {
	PIN        string `xml:"pin"`
	Assigned   string `xml:"pinGenerationDate"`
	Surname    string `xml:"surname"`
	Name       string `xml:"name"`
	Patronymic string `xml:"patronymic"`
	Born       string `xml:"dateOfBirth"`
	Blocked    string `xml:"pinBlocked"`
	Death      string `xml:"deathDate"`
}

// barred is what the answer says of the number. An error: it does not say.
func (a civilAnswer) barred() (died, blocked bool, err error) {
	blocked, err = strconv.ParseBool(strings.TrimSpace(a.Blocked))
	return strings.TrimSpace(a.Death) != "", blocked, err
}

// askCivil asks zagsDataByPin; found is false for a number that the register does not know.
func (p *Persons) askCivil(ctx context.Context, call Call, pin string) (answer civilAnswer, found bool, err error) {
	if err := p.soap.Do(ctx, call, p.operation(p.civil), byPIN{pin}, &answer); err != nil || answer.PIN == "" {
		return civilAnswer{}, false, err
	}
	if answer.PIN != pin {
		return civilAnswer{}, false, p.misfit(p.civil, "a person without our number")
	}
	return answer, true, nil
}

// Civil asks who the owner of a number is (zagsDataByPin); found is false for a number that the
// register does not know.
func (p *Persons) Civil(ctx context.Context, call Call, pin string) (person CivilPerson, found bool, err error) {
	answer, found, err := p.askCivil(ctx, call, pin)
	if err != nil || !found {
		return CivilPerson{}, false, err
	}
	died, blocked, errBarred := answer.barred()
	born, errBorn := time.Parse(personMoment, answer.Born)
	assigned, errAssigned := dayOrNone(answer.Assigned)
	if errBarred != nil || errBorn != nil || errAssigned != nil || answer.Surname == "" {
		return CivilPerson{}, false, p.misfit(p.civil, "a person without a name, a day of birth or a status")
	}
	return CivilPerson{
		PIN: pin, Surname: answer.Surname, Name: answer.Name, Patronymic: answer.Patronymic, BirthDate: born, Assigned: assigned,
		Died: died, Blocked: blocked,
	}, true, nil
}

// Birth asks for somebody's record of birth (zagsPinBirthAct); found is false where the register has
// none: older ones are on paper.
func (p *Persons) Birth(ctx context.Context, call Call, pin string) (act BirthAct, found bool, err error) {
	service := p.civil
	service.Service = "zagsPinBirthAct"
	var out struct {
		Child struct {
			ActPerson
			Sex string `xml:"gender"`
		} `xml:"child"`
		Father      ActPerson `xml:"father"`
		Mother      ActPerson `xml:"mother"`
		Certificate struct {
			Series string `xml:"docSeries"`
			Number string `xml:"docNumber"`
			Day    string `xml:"docDate"`
			Office string `xml:"govUnit"`
		} `xml:"crtf"`
	}
	if err := p.soap.Do(ctx, call, p.operation(service), byPIN{pin}, &out); err != nil {
		return BirthAct{}, false, err
	}
	if out.Child.PIN == "" {
		return BirthAct{}, false, nil
	}
	issued, err := time.Parse(personMoment, out.Certificate.Day)
	if err != nil || out.Child.PIN != pin || out.Child.Surname == "" || out.Certificate.Number == "" {
		return BirthAct{}, false, p.misfit(service, "a record without our number, a name, or the certificate's number and day")
	}
	return BirthAct{
		Child: out.Child.ActPerson, Father: out.Father, Mother: out.Mother, Sex: out.Child.Sex, IssuedAt: issued, Office: out.Certificate.Office,
		Document: strings.TrimSpace(out.Certificate.Series + " " + out.Certificate.Number),
	}, true, nil
}

// Barred asks whether somebody has died, and whether their number is blocked (zagsDataByPin), of which
// neither a name nor a day of birth is needed: some people have one name. A number that the register
// does not know is the problem registry_person_unknown.
func (p *Persons) Barred(ctx context.Context, call Call, pin string) (died, blocked bool, err error) {
	answer, found, err := p.askCivil(ctx, call, pin)
	if err == nil && !found {
		err = errPersonUnknown
	}
	if err != nil {
		return false, false, err
	}
	if died, blocked, err = answer.barred(); err != nil {
		return false, false, p.misfit(p.civil, "a person without a status")
	}
	return died, blocked, nil
}

// byPIN is a request about the owner of a number.
type byPIN struct {
	PIN string `xml:"pin" json:"pin"`
}

// dayOrNone reads a day of these registers; an empty text is the zero time.
func dayOrNone(text string) (time.Time, error) {
	if text = strings.TrimSpace(text); text == "" {
		return time.Time{}, nil
	}
	return time.Parse(personMoment, text)
}
