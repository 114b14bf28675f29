package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
)

// verdict is the beginning of every response.
func verdict(code int, message string) []soapElement {
	return []soapElement{number("code", int64(code)), {name: "message", text: message}}
}

func number(name string, n int64) soapElement {
	return soapElement{name: name, text: strconv.FormatInt(n, 10)}
}

// som writes whole som with two decimals.
func som(name string, n int64) soapElement {
	return soapElement{name: name, text: fmt.Sprintf("%d.00", n)}
}

// violationsByPlate tells only payment numbers and amounts of unpaid fines. A
// clean car is 200 without protocols, an unknown plate is 404.
func (w *World) violationsByPlate(op soapOperation) []soapElement {
	c, ok := w.car(op.Request.Plate)
	switch {
	case op.Request.Plate == "":
		return verdict(400, "plate is required")
	case !ok:
		return verdict(404, "Plate is not registered")
	}
	fields := verdict(200, "OK")
	for _, f := range c.fines {
		if paid, _, _ := w.paid(f); !paid {
			fields = append(fields, soapElement{name: "protocols", children: []soapElement{
				number("paymentNumber", f.payment), som("violationAmmount", f.amount),
			}})
		}
	}
	return fields
}

// violationsOfOwner gives the full records to the car's owner.
func (w *World) violationsOfOwner(op soapOperation) []soapElement {
	c, ok := w.car(op.Request.Plate)
	switch {
	case op.Request.Plate == "" || op.Request.PIN == "":
		return verdict(400, "pin and plate are required")
	case !ok:
		return verdict(404, "Plate is not registered")
	case c.owner != op.Request.PIN:
		return verdict(403, "The car belongs to another person")
	case len(c.fines) == 0:
		return verdict(404, "Violations not found")
	}
	fields := verdict(200, "OK")
	for _, f := range c.fines {
		record := w.record(f)
		if op.Request.Image == "true" {
			record = append(record, soapElement{name: "violationImage", text: f.photo()})
		}
		fields = append(fields, soapElement{name: "protocols", children: record})
	}
	return fields
}

// protocol gives a fine's full record by the resolution's number.
func (w *World) protocol(op soapOperation) []soapElement {
	number, err := strconv.ParseInt(op.Request.Number, 10, 64)
	if err != nil {
		return verdict(400, "protocolNumber is required")
	}
	f, ok := w.fine(0, number)
	if !ok {
		return verdict(404, "Protocol not found")
	}
	return append(verdict(200, "OK"), w.record(f)...)
}

// record is a fine with all its fields.
func (w *World) record(f fine) []soapElement {
	paid, _, _ := w.paid(f)
	delivered, status := "", "0"
	if at := w.deliveredAt(f); !at.IsZero() {
		delivered, status = moment(at), "1"
	}
	return []soapElement{
		number("protocolNumber", f.protocol), number("paymentNumber", f.payment), number("paymentStatus", bit(paid)),
		{name: "plateNumber", text: f.plate}, {name: "violationType", text: f.violation}, som("violationAmmount", f.amount),
		{name: "violationDate", text: moment(f.at)}, {name: "violationArticle", text: f.article},
		{name: "violationArticlePart", text: f.part}, {name: "violationPlace", text: f.place},
		{name: "deliveryDate", text: delivered}, {name: "deliveryStatus", text: status}, {name: "judgementStatus", text: "0"},
		{name: "carBrand", text: f.carBrand}, {name: "carModel", text: f.carModel},
		{name: "ownerName", text: f.ownerName}, {name: "ownerBirthDate", text: f.ownerBirth},
	}
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// moment writes a time as the register does: Bishkek's clock without a zone.
func moment(t time.Time) string {
	return t.In(clock.Bishkek).Format("2006-01-02T15:04:05")
}

// protocolInfo tells how a fine's payment stands.
func (w *World) protocolInfo(op soapOperation) []soapElement {
	protocol, err := strconv.ParseInt(op.Request.Number, 10, 64)
	if err != nil {
		return verdict(400, "protocolNumber is required")
	}
	f, ok := w.fine(0, protocol)
	if !ok {
		return verdict(404, "Protocol not found")
	}
	paid, tyiyn, at := w.paid(f)
	fields := append(verdict(200, "OK"), number("paymentStatus", bit(paid)))
	if paid {
		fields = append(fields,
			soapElement{name: "paidSum", text: fmt.Sprintf("%d.%02d", tyiyn/100, tyiyn%100)},
			soapElement{name: "paymentDate", text: moment(at)})
	}
	return fields
}

// paid tells whether a fine is paid, with what sum in tyiyn and when.
func (w *World) paid(f fine) (paid bool, tyiyn int64, at time.Time) {
	if s, ok := w.fines.of(f.payment); ok {
		return !s.Cancelled, s.Sum, s.At
	}
	return f.paidSum > 0, f.paidSum * 100, f.paidAt
}

// setPaymentLegal checks (0), takes (1) and takes back (2) a payment. Only the
// exact amount due is taken.
func (w *World) setPaymentLegal(op soapOperation) []soapElement {
	q := op.Request
	payment, errNumber := strconv.ParseInt(q.Payment, 10, 64)
	sum, errSum := tyiynOf(q.Sum)
	if errNumber != nil || errSum != nil || len(q.Status) != 1 || !strings.Contains("012", q.Status) {
		return verdict(400, "status, sum and paymentNumber are required")
	}
	f, ok := w.fine(payment, 0)
	if !ok {
		return verdict(404, "Payment number not found")
	}
	var fields []soapElement
	err := w.fines.change(payment, func(last settlement, known bool) *settlement {
		var next *settlement
		fields, next = w.settle(f, asked{status: q.Status, sum: sum, at: w.paymentDate(q.Date)}, last, known)
		return next
	})
	if err != nil {
		return verdict(500, "the payment could not be written down")
	}
	return fields
}

// asked is what a caller wants to be done with a payment; the sum is in tyiyn.
type asked struct {
	status string
	sum    int64
	at     time.Time
}

// paymentDate is the date that the caller gave, or now.
func (w *World) paymentDate(text string) time.Time {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	return w.now()
}

// settle decides about a payment whose fine stands as last says.
func (w *World) settle(f fine, a asked, last settlement, known bool) ([]soapElement, *settlement) {
	paid := known && !last.Cancelled || !known && f.paidSum > 0
	if a.status == "2" {
		switch {
		case known && last.Cancelled:
			return verdict(407, "Already cancelled"), nil
		case !paid:
			return verdict(405, "There is no payment to cancel"), nil
		}
		return verdict(200, "OK"), &settlement{Payment: f.payment, Sum: last.Sum, At: a.at, Cancelled: true}
	}
	due := f.due * 100
	switch {
	case paid:
		return verdict(406, "Already paid"), nil
	case a.sum > due:
		return append(verdict(408, "The sum is too large"), som("cost", f.due)), nil
	case a.sum < due && (a.status == "1" || a.sum != 0):
		return append(verdict(409, "The sum is too small"), som("cost", f.due)), nil
	case a.status == "0":
		return append(verdict(200, "OK"), som("cost", f.due)), nil
	}
	return append(verdict(200, "OK"), som("cost", f.due)), &settlement{Payment: f.payment, Sum: a.sum, At: a.at}
}

var errSum = errors.New("a sum is digits with up to two decimals")

// tyiynOf reads a sum in som: "1500", "1500.00". It is not the application's
// parser on purpose.
func tyiynOf(text string) (int64, error) {
	whole, rest, _ := strings.Cut(text, ".")
	if len(rest) > 2 || len(whole) > 12 {
		return 0, errSum
	}
	n, err := strconv.ParseUint(whole+(rest + "00")[:2], 10, 63)
	if err != nil || whole == "" {
		return 0, errSum
	}
	return int64(n), nil
}
