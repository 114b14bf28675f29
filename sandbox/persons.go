package sandbox

import (
	"strconv"
	"time"
)

// What the register of passports gives to who asks it, unless World.Passport says other.
const (
	PassportClient = "eshik"
	PassportSecret = "sandbox-passport"
)

// Credentials are by what a register knows who asks.
type Credentials struct{ ClientID, Secret string }

// cardLasts is how many years an identity document is valid.
const cardLasts = 10

// Papers are somebody's of whom a register says no good.
type Papers struct {
	PIN, Document         string
	Expired, Void, Barred bool
}

// Flawed lists those of the generated people whose papers prove nothing: the document's
// time is over, it was declared void, the person has died, the number is blocked.
func Flawed() []Papers {
	var list []Papers
	for f := flawExpired; f <= flawBlocked; f++ {
		c := generatedCitizen(cars - int(f))
		list = append(list, Papers{c.pin, c.document, f == flawExpired, f == flawVoid, f == flawDead || f == flawBlocked})
	}
	return list
}

// bankPIN tells whose an identity document is: nothing but a message where it is not that of
// the person with the number.
func (w *World) bankPIN(op soapOperation) []soapElement {
	q := op.Request
	if (Credentials{q.ClientID, q.Secret}) != w.Passport {
		return []soapElement{{name: "message", text: "Access denied"}}
	}
	c, ok := w.citizen(q.PIN)
	if !ok || c.document != q.Series+q.Document {
		return []soapElement{{name: "message", text: "Person not found"}}
	}
	issued := w.started.AddDate(-cardLasts/2, 0, 0)
	if c.flaw == flawExpired {
		issued = issued.AddDate(-cardLasts, 0, 0)
	}
	gender := "M"
	if c.pin[0] == '1' {
		gender = "F"
	}
	return []soapElement{
		{name: "pin", text: c.pin}, {name: "surname", text: c.surname}, {name: "name", text: c.name},
		{name: "patronymic", text: c.patronymic}, {name: "gender", text: gender}, midnight("dateOfBirth", c.born),
		{name: "passportSeries", text: q.Series}, {name: "passportNumber", text: q.Document},
		number("voidStatus", bit(c.flaw == flawVoid)), midnight("issuedDate", issued),
		{name: "passportAuthority", text: "MKK 50-00"}, midnight("expiredDate", issued.AddDate(cardLasts, 0, 0)), {name: "message"},
	}
}

// civilStatus tells who lives, and whose number is not blocked; no number for who is unknown.
func (w *World) civilStatus(op soapOperation) []soapElement {
	c, ok := w.citizen(op.Request.PIN)
	if !ok {
		return []soapElement{{name: "pin"}}
	}
	died := soapElement{name: "deathDate"}
	if c.flaw == flawDead {
		died = midnight("deathDate", w.started.AddDate(-1, 0, 0))
	}
	return []soapElement{
		{name: "pin", text: c.pin}, midnight("pinGenerationDate", numbered(c)), {name: "surname", text: c.surname}, {name: "name", text: c.name},
		{name: "patronymic", text: c.patronymic}, midnight("dateOfBirth", c.born),
		{name: "pinBlocked", text: strconv.FormatBool(c.flaw == flawBlocked)}, died,
	}
}

// numbered is when somebody got their personal number: with the birth, or when there were numbers.
func numbered(c citizen) time.Time {
	if first := day(2004, 5, 1); c.born.Before(first) {
		return first
	}
	return c.born.AddDate(0, 0, 12)
}

// midnight writes a day as these registers do.
func midnight(name string, day time.Time) soapElement {
	return soapElement{name: name, text: day.Format(time.DateOnly) + "T00:00:00"}
}
