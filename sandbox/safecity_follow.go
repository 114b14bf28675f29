package sandbox

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// subscribe notes who follows a car. The register pushes nothing: how it would is not
// published.
func (w *World) subscribe(op soapOperation) []soapElement { return w.follow(op, true) }

// unsubscribe ends subscribe.
func (w *World) unsubscribe(op soapOperation) []soapElement { return w.follow(op, false) }

func (w *World) follow(op soapOperation, wanted bool) []soapElement {
	q := op.Request
	if q.PIN == "" || q.Plate == "" || q.Unique == "" {
		return verdict(401, "pin, plate and uniqueNumber are required")
	}
	if c, ok := w.car(q.Plate); !ok || c.owner != q.PIN {
		return verdict(405, "Not a participant")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch _, exists := w.follows[q.Unique]; {
	case exists == wanted:
		return verdict(406, "It is as it was asked for already")
	case wanted:
		w.follows[q.Unique] = q.Plate
	default:
		delete(w.follows, q.Unique)
	}
	return verdict(200, "OK")
}

// deliver notes that a resolution was delivered, once.
func (w *World) deliver(op soapOperation) []soapElement {
	number, err := strconv.ParseInt(op.Request.Protocol, 10, 64)
	at, errDate := time.Parse(time.RFC3339, op.Request.DeliveryDate)
	if err != nil || errDate != nil || op.Request.Delivery == "" {
		return verdict(400, "protocol, deliveryStatus and deliveryDate are required")
	}
	f, ok := w.fine(0, number)
	if !ok {
		return verdict(404, "Protocol not found")
	}
	if !w.deliveredAt(f).IsZero() {
		return verdict(402, "The delivery is set already")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deliveries[number] = at
	return verdict(200, "OK")
}

// deliveredAt is when a resolution was delivered; zero: not yet.
func (w *World) deliveredAt(f fine) time.Time {
	if !f.delivered.IsZero() {
		return f.delivered
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deliveries[f.protocol]
}

// addedNumbers is where the numbers of fines begin that were made since the start.
const addedNumbers = 500

// AddFine has a camera see a fixed car run a red light now: a fine of 5 000 som, 1 500 of them
// due, delivered at once. It gives the payment code; 0: there is no such car.
func (w *World) AddFine(plate string) int64 {
	c, fixed := w.fixedCars()[plate]
	if !fixed {
		return 0
	}
	now := w.now().Truncate(time.Minute)
	w.mu.Lock()
	defer w.mu.Unlock()
	n := addedNumbers + int64(len(w.added))
	owner, kind := fixedPeople()[c.owner], violations()[0]
	w.added = append(w.added, fine{
		protocol: fixedProtocol + n, payment: fixedPayment + n, plate: plate, violation: kind.name, amount: kind.amount, due: 1500,
		at: now, delivered: now, place: "Бишкек, Ибраимов – Чүй", carBrand: c.brand, carModel: c.model,
		ownerName: owner.surname + " " + owner.name, ownerBirth: owner.born.Format(time.DateOnly),
	})
	return fixedPayment + n
}

// addedTo are a car's fines that were made since the start; w.mu is held.
func (w *World) addedTo(c car) []fine {
	var list []fine
	for _, f := range w.added {
		if f.plate == c.plate {
			list = append(list, f)
		}
	}
	return list
}

// FinesHandler serves POST /sandbox/fines {"plate"}, from loopback only: see AddFine. It
// answers {"code"}, the register's own.
func (w *World) FinesHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sandbox/fines", func(rw http.ResponseWriter, r *http.Request) {
		var in struct {
			Plate string `json:"plate"`
		}
		if !decode(rw, r, &in) {
			return
		}
		code := w.AddFine(in.Plate)
		if code == 0 {
			refuse(rw, http.StatusNotFound, "not_found", "cameras see the cars of the guides only")
			return
		}
		answer(rw, http.StatusCreated, map[string]string{"code": strconv.FormatInt(code, 10)})
	})
	return loopbackOnly(mux)
}

// photo is what a camera saw, in base64: a JPEG of grey stripes, which differ by the fine;
// empty: a policeman wrote the fine, and there is none.
func (f fine) photo() string {
	if f.violation == violations()[2].name {
		return ""
	}
	const width, height = 320, 200
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.SetGray(x, y, color.Gray{Y: uint8((x*int(f.payment%7+1) + y) % 256)}) // #nosec G115 -- a byte
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		return ""
	}
	// Producers break long lines.
	text := base64.StdEncoding.EncodeToString(b.Bytes())
	return strings.Join([]string{text[:76], text[76:]}, "\n")
}
