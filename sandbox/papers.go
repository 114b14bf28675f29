package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The registers that certificates are made from. Those of births and vehicles answer over SOAP, the
// Social Fund over REST by the names that public clients show.

// The names of the registers of our own design: no description of the real ones is public.
const (
	TaxService    = "central-server/GOV/70000081/tax-service/debts"
	LandService   = "central-server/GOV/70000019/dkrpni-service/estatesByPin"
	SchoolService = "central-server/GOV/70000082/education-service/enrolments"
)

// birthRecord is what a record of birth says of a fixed person's parents; who is not there was
// recorded on paper.
type birthRecord struct{ father, mother relative }

func birthRecords() map[string]birthRecord {
	return map[string]birthRecord{
		pinAigul: {
			relative{surname: "Асанов", name: "Марат", patronymic: "Жумабекович"},
			relative{pin: pinGulnara, surname: "Асанова", name: "Гүлнара", patronymic: "Токтоевна"},
		},
		pinNurai: {
			relative{surname: "Асанов", name: "Бакыт", patronymic: "Нурланович"},
			relative{pin: pinAigul, surname: "Асанова", name: "Айгүл", patronymic: "Мараткызы"},
		},
		pinElena: {mother: relative{surname: "Ковалёва", name: "Ирина", patronymic: "Павловна"}},
	}
}

// birthAct is the record of somebody's birth, empty where it is on paper.
func (w *World) birthAct(op soapOperation) []soapElement {
	c, known := w.citizen(op.Request.PIN)
	record, kept := birthRecords()[c.pin]
	if !known || !kept {
		return []soapElement{{name: "child"}}
	}
	gender := "M"
	if c.pin[0] == '1' {
		gender = "F"
	}
	child := actPerson("child", relative{pin: c.pin, surname: c.surname, name: c.name, patronymic: c.patronymic})
	child.children = append(child.children, soapElement{name: "gender", text: gender}, midnight("dfrom", c.born))
	return []soapElement{child, actPerson("father", record.father), actPerson("mother", record.mother), {name: "crtf", children: []soapElement{
		{name: "docSeries", text: "KGZ01"}, {name: "docNumber", text: c.pin[9:] + "7"}, midnight("docDate", c.born.AddDate(0, 0, 12)),
		{name: "govUnit", text: "ЗАГС Ленинского района города Бишкек"},
	}}}
}

func actPerson(name string, p relative) soapElement {
	return soapElement{name: name, children: []soapElement{
		{name: "pin", text: p.pin}, {name: "surname", text: p.surname}, {name: "firstName", text: p.name}, {name: "patronymic", text: p.patronymic},
	}}
}

// transportByPin lists somebody's vehicles; status 203: there are none.
func (w *World) transportByPin(op soapOperation) []soapElement {
	owned := w.carsOf(op.Request.PIN)
	if len(owned) == 0 {
		return []soapElement{{name: "status", text: "203"}}
	}
	fields := []soapElement{{name: "status", text: "200"}}
	for i, c := range owned {
		fields = append(fields, soapElement{name: "cars", children: []soapElement{
			{name: "govPlate", text: c.plate}, {name: "carTypeName", text: "Легковой"}, {name: "bodyType", text: "Седан"},
			{name: "brand", text: c.brand}, {name: "model", text: c.model}, {name: "steering", text: "Левый"},
			{name: "year", text: fmt.Sprint(2012 + i)}, {name: "color", text: "Белый"}, {name: "bodyNo"},
			{name: "vin", text: fmt.Sprintf("JTN%014d", mixed(uint64(len(c.plate)+i))%1e14)}, {name: "engineVolume", text: "2500"},
			midnight("dateFrom", day(2019, 6, 3+i)),
		}})
	}
	return fields
}

// carsOf lists somebody's cars by their plates.
func (w *World) carsOf(pin string) (owned []car) {
	for _, c := range w.fixedCars() {
		if c.owner == pin {
			owned = append(owned, c)
		}
	}
	if n, ok := generatedNumber(pin); ok {
		c, _ := w.car(plateOf(n))
		owned = append(owned, c)
	}
	slices.SortFunc(owned, func(a, b car) int { return strings.Compare(a.plate, b.plate) })
	return owned
}

// fundRequest reads who the Social Fund is asked about, known or not.
func (w *World) fundRequest(call restCall, operation string) (pin string, ok bool) {
	var in map[string]struct{ PIN, RequestOrg, RequestPerson string }
	if call.method != http.MethodPost || len(call.path) != 0 || json.Unmarshal(call.body, &in) != nil {
		return "", false
	}
	asked := in[operation]
	return asked.PIN, asked.PIN != "" && asked.RequestOrg != "" && asked.RequestPerson != ""
}

// pensionInfo lists somebody's pensions: of two there is a list, of one no list, of none nothing.
func (w *World) pensionInfo(call restCall) (int, any) {
	const operation = "GetPensionInfoWithSum"
	pin, ok := w.fundRequest(call, operation)
	if !ok {
		return http.StatusBadRequest, refused(`POST {"` + operation + `": {"PIN","RequestOrg","RequestPerson"}}`)
	}
	c, known := w.citizen(pin)
	if !known {
		return http.StatusNoContent, nil
	}
	answer := map[string]any{"PIN": pin, "CauseOfError": "", "State": "1", "LastName": c.surname, "FirstName": c.name, "DossierInfoes": nil}
	if pin == pinGulnara {
		answer["DossierInfoes"] = map[string]any{"DossierInfoWithSum": map[string]any{
			"RUSF": "Ленинское", "NumDossier": "118204", "PINPensioner": pin, "PINRecipient": pin, "DateFromInitial": "2017-05-03T00:00:00",
			"Sum": 12840.5, "KindOfPension": "По возрасту", "CategoryPension": "На общих основаниях",
		}}
	}
	return http.StatusOK, map[string]any{operation + "Response": answer}
}

// workPeriods lists for what times somebody was paid for.
func (w *World) workPeriods(call restCall) (int, any) {
	const operation = "GetWorkPeriodInfoWithSum"
	pin, ok := w.fundRequest(call, operation)
	if !ok {
		return http.StatusBadRequest, refused(`POST {"` + operation + `": {"PIN","RequestOrg","RequestPerson"}}`)
	}
	if _, known := w.citizen(pin); !known {
		return http.StatusNoContent, nil
	}
	period := func(payer, from, to string, salary float64) map[string]any {
		return map[string]any{"Payer": payer, "INN": "01234567890123", "NumSF": "21-04417", "DateBegin": from, "DateEnd": to, "Salary": salary}
	}
	var periods any
	switch pin {
	case pinAigul:
		periods = []any{
			period("ОсОО «Ак-Сай»", "2011-09-01T00:00:00", "2016-02-29T00:00:00", 842300),
			period("Школа-гимназия № 12", "2016-09-01T00:00:00", "", 2310450.75),
		}
	case pinBakyt:
		periods = period("ИП Токтогулов Б. Э.", "2009-11-01T00:00:00", "", 1204000)
	}
	return http.StatusOK, map[string]any{operation + "Response": map[string]any{
		"PIN": pin, "CauseOfError": "", "State": "1", "WorkPeriods": map[string]any{"WorkPeriodWithSum": periods},
	}}
}

// postedPIN reads whom one of the registers of our own design is asked about.
func (w *World) postedPIN(call restCall) (c citizen, status int) {
	var in struct {
		PIN string `json:"pin"`
	}
	if call.method != http.MethodPost || len(call.path) != 0 || json.Unmarshal(call.body, &in) != nil || in.PIN == "" {
		return c, http.StatusBadRequest
	}
	c, known := w.citizen(in.PIN)
	if !known {
		return c, http.StatusNoContent
	}
	return c, http.StatusOK
}

// taxDebts lists what somebody owes.
func (w *World) taxDebts(call restCall) (int, any) {
	c, status := w.postedPIN(call)
	if status != http.StatusOK {
		return status, refusedOr(status)
	}
	debts := []map[string]string{}
	if c.pin == pinBakyt {
		debts = append(debts, map[string]string{"tax": "Налог на имущество", "amount": "1875.00"}, map[string]string{"tax": "Земельный налог", "amount": "640.50"})
	}
	return http.StatusOK, map[string]any{"pin": c.pin, "debts": debts}
}

// estatesByPin lists to what immovable things somebody has a right.
func (w *World) estatesByPin(call restCall) (int, any) {
	c, status := w.postedPIN(call)
	if status != http.StatusOK {
		return status, refusedOr(status)
	}
	flat := map[string]any{
		"eni": "1-02-03-0114-0021", "kind": "flat", "addressKy": "Бишкек ш., Чүй проспектиси, 114-үй, 21-батир",
		"addressRu": "г. Бишкек, проспект Чуй, дом 114, кв. 21", "area": "54.2", "share": "1/2", "encumbered": false,
	}
	estates := map[string][]any{
		pinAigul: {flat}, pinGulnara: {flat},
		pinBakyt: {
			map[string]any{
				"eni": "7-01-11-0007", "kind": "house", "addressKy": "Аламүдүн району, Лебединовка айылы, Достук көчөсү, 7",
				"addressRu": "Аламудунский район, с. Лебединовка, ул. Достук, 7", "area": "88", "share": "", "encumbered": true,
			},
			map[string]any{"eni": "7-01-11-0008", "kind": "land", "addressKy": "Аламүдүн району, Лебединовка айылы, Достук көчөсү, 7", "addressRu": "", "area": "600", "share": "", "encumbered": false},
		},
	}[c.pin]
	if estates == nil {
		estates = []any{}
	}
	return http.StatusOK, map[string]any{"pin": c.pin, "estates": estates}
}

// enrolments lists where somebody learns.
func (w *World) enrolments(call restCall) (int, any) {
	c, status := w.postedPIN(call)
	if status != http.StatusOK {
		return status, refusedOr(status)
	}
	list := []map[string]string{}
	if c.pin == pinElena {
		list = append(list, map[string]string{
			"nameKy": "Ж. Баласагын атындагы Кыргыз улуттук университети", "nameRu": "Кыргызский национальный университет имени Ж. Баласагына",
			"stage": "university", "course": "2", "since": w.started.AddDate(-1, 0, 0).Truncate(24 * time.Hour).Format(time.DateOnly),
		})
	}
	return http.StatusOK, map[string]any{"pin": c.pin, "enrolments": list}
}

// refusedOr is the body of a refusal: none of 204.
func refusedOr(status int) any {
	if status == http.StatusNoContent {
		return nil
	}
	return refused(`POST {"pin"}`)
}
