package certificate_test

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/services/certificate"
)

// papers are the registers beside that of residents, which know of the one person, her children and
// who gave her a mandate what is set.
type papers struct {
	person   registry.CivilPerson
	act      registry.BirthAct
	cars     []registry.Vehicle
	pensions []registry.Pension
	periods  []registry.WorkPeriod
	debts    []registry.TaxDebt
	estates  []registry.Estate
	learns   []registry.Enrolment
	// unknown is set where they do not know the number, noAct where the birth is on paper.
	unknown, noAct bool
	err            error // of those beside that of civil status
	civilErr       error
}

func newPapers() *papers {
	on := func(text string) time.Time {
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			panic(err)
		}
		return day
	}
	no := false
	return &papers{
		person: registry.CivilPerson{Surname: "Асанова", Name: "Айгүл", Patronymic: "Бакытовна", BirthDate: on("1988-03-15"), Assigned: on("2004-05-01")},
		act: registry.BirthAct{
			Sex: "F", Document: "KGZ01 000117", IssuedAt: on("1988-03-27"), Office: "ЗАГС Ленинского района города Бишкек",
			Mother: registry.ActPerson{Surname: "Асанова", Name: "Гүлнара", Patronymic: "Токтоевна"},
		},
		cars:     []registry.Vehicle{{Plate: "01KG123ABC", Brand: "Toyota", Model: "Camry", Year: "2012", VIN: "JTN00012345678901", Since: on("2019-06-03")}},
		pensions: []registry.Pension{{Kind: "По возрасту", Dossier: "118204", Amount: 1284050, Since: on("2017-05-03")}},
		periods: []registry.WorkPeriod{
			{Payer: "ОсОО «Ак-Сай»", From: on("2011-09-01"), To: on("2016-02-29"), Salary: 84230000}, {Payer: "Школа № 12", From: on("2016-09-01"), Salary: 231045075},
		},
		estates: []registry.Estate{
			{ENI: "1-02-03-0114-0021", Kind: "flat", AddressKY: "Бишкек ш., Чүй проспектиси, 114", AddressRU: "г. Бишкек, проспект Чуй, 114", Area: "54.2", Share: "1/2", Encumbered: &no},
			{ENI: "7-01-11-0008", Kind: "garage", AddressKY: "Лебединовка айылы, Достук көчөсү, 7", Encumbered: &no},
		},
		learns: []registry.Enrolment{{NameKY: "Кыргыз улуттук университети", NameRU: "Кыргызский национальный университет", Stage: "university", Course: "2", From: "2025-09-01"}},
	}
}

// registers are all that a world asks.
func registers(h *world) certificate.Registers {
	p := h.papers
	return certificate.Registers{Residents: h.register, Civil: p, Vehicles: p, Fund: p, Taxes: p, Land: p, Schools: p}
}

func (p *papers) Civil(_ context.Context, _ registry.Call, pin string) (registry.CivilPerson, bool, error) {
	one := p.person
	one.PIN = pin
	return one, !p.unknown, p.civilErr
}

func (p *papers) Birth(context.Context, registry.Call, string) (registry.BirthAct, bool, error) {
	return p.act, !p.noAct, p.err
}

func (p *papers) Owned(context.Context, registry.Call, string) ([]registry.Vehicle, error) {
	return p.cars, p.err
}

func (p *papers) Pensions(context.Context, registry.Call, string) ([]registry.Pension, bool, error) {
	return p.pensions, !p.unknown, p.err
}

func (p *papers) WorkPeriods(context.Context, registry.Call, string) ([]registry.WorkPeriod, bool, error) {
	return p.periods, !p.unknown, p.err
}

func (p *papers) Debts(context.Context, registry.Call, string) ([]registry.TaxDebt, bool, error) {
	return p.debts, !p.unknown, p.err
}

func (p *papers) Estates(context.Context, registry.Call, string) ([]registry.Estate, bool, error) {
	return p.estates, !p.unknown, p.err
}

func (p *papers) Enrolments(context.Context, registry.Call, string) ([]registry.Enrolment, bool, error) {
	return p.learns, !p.unknown, p.err
}
