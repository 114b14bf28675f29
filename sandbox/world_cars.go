package sandbox

import (
	"fmt"
	"strconv"
	"time"
)

// car is a car that the register knows.
type car struct {
	plate, owner, brand, model string // owner is a PIN
	fines                      []fine
}

// fine is a resolution of Safe City. Amounts are in som.
type fine struct {
	protocol, payment     int64
	plate                 string
	violation             string
	amount, due           int64
	at                    time.Time
	delivered             time.Time // zero: not yet
	article, part, place  string
	paidSum               int64 // of a fine that was paid before the world began; 0: none
	paidAt                time.Time
	carBrand, carModel    string
	ownerName, ownerBirth string
}

// The volume: cars, and three fines to every ten of them.
const (
	cars           = 200_000
	finesPerBlock  = 3
	block          = 10
	firstProtocol  = 5_000_000_000_000
	firstPayment   = 7_000_000_000_000
	fixedProtocol  = 5_900_000_000_000
	fixedPayment   = 7_900_000_000_000
	platesPerRow   = 6 * 1000 // regions 02–07, three digits
	volumeViolated = "2026-06-01"
)

// car finds a car by its plate, written as on the car: 01KG123ABC, B1234AB.
func (w *World) car(plate string) (car, bool) {
	if c, ok := w.fixedCars()[plate]; ok {
		return c, true
	}
	n, ok := carNumber(plate)
	if !ok {
		return car{}, false
	}
	c := car{plate: plate, owner: generatedCitizen(n).pin, brand: "Honda", model: "Fit"}
	for i := range finesPerBlock {
		index := n/block*finesPerBlock + i
		if ownerOf(index) == n {
			c.fines = append(c.fines, w.generatedFine(index))
		}
	}
	return c, true
}

// fine finds a fine by its payment number, or by its protocol number.
func (w *World) fine(payment, protocol int64) (fine, bool) {
	for _, c := range w.fixedCars() {
		for _, f := range c.fines {
			if f.payment == payment || f.protocol == protocol {
				return f, true
			}
		}
	}
	index := payment - firstPayment
	if protocol != 0 {
		index = protocol - firstProtocol
	}
	if index < 0 || index >= cars/block*finesPerBlock {
		return fine{}, false
	}
	return w.generatedFine(int(index)), true
}

// ownerOf says which car of its block a generated fine belongs to.
func ownerOf(index int) int {
	return index/finesPerBlock*block + int(mixed(uint64(index))%block)
}

// plateOf is the n-th generated plate: 02KG000AAA and on.
func plateOf(n int) string {
	letters := n / platesPerRow
	return fmt.Sprintf("0%dKG%03dA%c%c", 2+n%6, n/6%1000, 'A'+rune(letters/26), 'A'+rune(letters%26))
}

func carNumber(plate string) (int, bool) {
	if len(plate) != 10 || plate[0] != '0' || plate[2:4] != "KG" {
		return 0, false
	}
	digits, err := strconv.Atoi(plate[4:7])
	if err != nil {
		return 0, false
	}
	n := (int(plate[8])-'A')*26*platesPerRow + (int(plate[9])-'A')*platesPerRow + digits*6 + int(plate[1]) - '2'
	return n, n >= 0 && n < cars && plateOf(n) == plate
}

// violations are kinds of fines with their amounts. Source: domain/violations.csv.
type violation struct {
	name, article, part string
	amount              int64
}

func violations() []violation {
	return []violation{
		{"Проезд на запрещающий сигнал светофора (красный)", "", "", 5000},
		{"Превышение скорости на 40–60 км/ч", "187", "3", 7500},
		{"Непристёгнутый ремень безопасности", "", "", 1000},
		{"Движение по тротуару", "", "", 5000},
	}
}

func (w *World) generatedFine(index int) fine {
	n := ownerOf(index)
	kind := violations()[mixed(uint64(index)+7)%4]
	at, _ := time.Parse(time.DateOnly, volumeViolated) // a constant
	at = at.Add(time.Duration(mixed(uint64(index)+9)%(90*24*60)) * time.Minute)
	owner := generatedCitizen(n)
	return fine{
		protocol: firstProtocol + int64(index), payment: firstPayment + int64(index), plate: plateOf(n),
		violation: kind.name, article: kind.article, part: kind.part, amount: kind.amount, due: kind.amount,
		at: at, delivered: at.AddDate(0, 0, 7), place: "Чүй облусу",
		carBrand: "Honda", carModel: "Fit", ownerName: owner.surname + " " + owner.name,
		ownerBirth: owner.born.Format(time.DateOnly),
	}
}

// fixedCars are the cars of the guides.
func (w *World) fixedCars() map[string]car {
	aigul := car{plate: "01KG123ABC", owner: pinAigul, brand: "Toyota", model: "Camry", fines: w.finesOfAigul()}
	elena := car{plate: "B1234AB", owner: pinElena, brand: "ВАЗ", model: "2107", fines: []fine{{
		violation: violations()[2].name, amount: 1000, due: 1000,
		at: w.started.AddDate(0, 0, -60), delivered: w.started.AddDate(0, 0, -50), place: "Бишкек, Жибек Жолу",
	}}}
	bakyt := car{plate: "01KG777AAA", owner: pinBakyt, brand: "Hyundai", model: "Sonata"}
	fixed := map[string]car{}
	w.mu.Lock()
	defer w.mu.Unlock()
	number := int64(0)
	for _, c := range []car{aigul, elena, bakyt} {
		owner := fixedPeople()[c.owner]
		for i := range c.fines {
			number++
			f := &c.fines[i]
			f.protocol, f.payment, f.plate = fixedProtocol+number, fixedPayment+number, c.plate
			f.carBrand, f.carModel = c.brand, c.model
			f.ownerName, f.ownerBirth = owner.surname+" "+owner.name, owner.born.Format(time.DateOnly)
		}
		c.fines = append(c.fines, w.addedTo(c)...)
		fixed[c.plate] = c
	}
	return fixed
}

// finesOfAigul are three unpaid fines and a paid one. The register quotes 30 %
// of the first, whose discount window is open.
func (w *World) finesOfAigul() []fine {
	ago := func(days int) time.Time { return w.started.AddDate(0, 0, -days).Truncate(time.Minute) }
	kinds := violations()
	return []fine{
		{violation: kinds[0].name, amount: 5000, due: 1500, at: ago(9), delivered: ago(4), place: "Бишкек, Чүй – Манас"},
		{
			violation: kinds[1].name, article: "187", part: "3", amount: 7500, due: 7500,
			at: ago(3), place: "Бишкек, Түштүк магистралы",
		},
		{violation: kinds[2].name, amount: 1000, due: 1000, at: ago(80), delivered: ago(70), place: "Бишкек, Ахунбаев"},
		{
			violation: kinds[3].name, amount: 5000, due: 5000, at: ago(200), delivered: ago(190),
			place: "Бишкек, Токтогул", paidSum: 1500, paidAt: ago(185),
		},
	}
}
