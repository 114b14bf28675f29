package sandbox

import (
	"fmt"
	"strconv"
	"time"
)

// citizen is somebody whom the registers know.
type citizen struct {
	pin, document             string
	surname, name, patronymic string
	born                      time.Time
	home                      home
	family                    []relative
	flaw                      flaw
}

// flaw is what is wrong with somebody's papers; none with most.
type flaw int

// The flaws of the last of the generated people, who have one each, from the last on.
const (
	flawExpired flaw = iota + 1 // the document's time is over
	flawVoid                    // the document was declared void
	flawDead
	flawBlocked // the personal number is
)

// home is where somebody lives.
type home struct{ region, district, locality, street, house, flat, since string }

// relative is a member of a citizen's household.
type relative struct{ pin, surname, name, patronymic, relation, born string }

// The fixed people of the guides.
const (
	pinAigul   = "11503198800011"
	pinBakyt   = "22107197900022"
	pinElena   = "10112199200033"
	pinGulnara = "10305195900044"
	pinNurai   = "10905202300044" // a child, without a document
)

// fixedPeople are the people of the guides.
func fixedPeople() map[string]citizen {
	leninskiy := home{"Бишкек", "Ленин району", "Бишкек", "Чүй проспектиси", "114", "21", "2015-04-02"}
	return map[string]citizen{
		pinAigul: {
			pin: pinAigul, document: "ID1000001", surname: "Асанова", name: "Айгүл", patronymic: "Мараткызы",
			born: day(1988, 3, 15), home: leninskiy,
			family: []relative{
				{pinAigul, "Асанова", "Айгүл", "Мараткызы", "self", "1988-03-15"},
				{pinNurai, "Асанова", "Нурай", "Бакытовна", "child", "2023-05-09"},
			},
		},
		pinNurai: {
			pin: pinNurai, surname: "Асанова", name: "Нурай", patronymic: "Бакытовна", born: day(2023, 5, 9), home: leninskiy,
			family: []relative{
				{pinNurai, "Асанова", "Нурай", "Бакытовна", "self", "2023-05-09"},
				{pinAigul, "Асанова", "Айгүл", "Мараткызы", "parent", "1988-03-15"},
			},
		},
		pinBakyt: {
			pin: pinBakyt, document: "ID1000002", surname: "Токтогулов", name: "Бакыт", patronymic: "Эркинович",
			born:   day(1979, 7, 21),
			home:   home{"Чүй", "Аламүдүн району", "Лебединовка", "Достук", "7", "", "2009-10-11"},
			family: []relative{{pinBakyt, "Токтогулов", "Бакыт", "Эркинович", "self", "1979-07-21"}},
		},
		pinElena: {
			pin: pinElena, document: "ID1000003", surname: "Ковалёва", name: "Елена", patronymic: "Сергеевна",
			born: day(1992, 12, 1),
			home: home{"Бишкек", "Свердлов району", "Бишкек", "Горький", "1/2", "8", "2018-01-20"},
		},
		pinGulnara: {
			pin: pinGulnara, document: "ID1000004", surname: "Асанова", name: "Гүлнара", patronymic: "Токтоевна",
			born: day(1959, 5, 3), home: leninskiy,
		},
	}
}

// The generated people: one owner per generated car.
const (
	birthDays     = 15000 // from 1955
	firstTail     = 50000
	firstDocument = 2000000
)

// generatedCitizen is the n-th of the generated people.
func generatedCitizen(n int) citizen {
	born := day(1955, 1, 1).AddDate(0, 0, n%birthDays)
	surnames := []string{"Абдыкадыров", "Бекова", "Жумабаев", "Иманалиева", "Касымов", "Мамытова", "Осмонов", "Сыдыкова"}
	men, women := []string{"Азамат", "Нурлан", "Талант", "Улан"}, []string{"Айжан", "Гүлнара", "Жылдыз", "Мээрим"}
	sex, name := 1, women[mixed(uint64(n))%4]
	surname := surnames[2*(mixed(uint64(n)+1)%4)+1]
	if n%2 == 1 {
		sex, name, surname = 2, men[mixed(uint64(n))%4], surnames[2*(mixed(uint64(n)+1)%4)]
	}
	c := citizen{
		pin:      fmt.Sprintf("%d%s%05d", sex, born.Format("02012006"), firstTail+n/birthDays),
		document: fmt.Sprintf("ID%07d", firstDocument+n),
		surname:  surname, name: name, born: born,
		home: home{"Чүй", "Сокулук району", "Сокулук", "Ала-Тоо", strconv.Itoa(1 + n%200), "", "2010-01-01"},
	}
	if last := flaw(cars - n); last <= flawBlocked {
		c.flaw = last
	}
	return c
}

// citizen finds a person by PIN; 12912199900099 and most others are unknown.
func (w *World) citizen(pin string) (citizen, bool) {
	if c, ok := fixedPeople()[pin]; ok {
		return c, true
	}
	n, ok := generatedNumber(pin)
	if !ok {
		return citizen{}, false
	}
	return generatedCitizen(n), true
}

// generatedNumber says which of the generated people has a personal number.
func generatedNumber(pin string) (n int, ok bool) {
	if len(pin) != 14 {
		return 0, false
	}
	born, errBorn := time.Parse("02012006", pin[1:9])
	tail, errTail := strconv.Atoi(pin[9:])
	if errBorn != nil || errTail != nil || tail < firstTail {
		return 0, false
	}
	days := int(born.Sub(day(1955, 1, 1)) / (24 * time.Hour))
	n = (tail-firstTail)*birthDays + days
	return n, days >= 0 && days < birthDays && n < cars && generatedCitizen(n).pin == pin
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}
