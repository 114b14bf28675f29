package sandbox

// FixedPhone is one of the sandbox's numbers, the same at every start, and what
// its holder has: guides and the phone page show it.
type FixedPhone struct {
	Number     string // E.164
	Name       string
	Operator   string
	PIN        string
	Document   string // of the ID-card
	Plate      string
	PlateAbout string // fines, clean, or old: a plate of the old format, with a fine
}

// FixedPhones are the numbers that guides, tests and the phone page use.
func FixedPhones() []FixedPhone {
	people := fixedPeople()
	phones := []FixedPhone{
		{Number: "+996555000001", Name: "Айгүл", Operator: "MegaCom", PIN: pinAigul, Plate: "01KG123ABC", PlateAbout: "fines"},
		{Number: "+996700000002", Name: "Бакыт", Operator: "O!", PIN: pinBakyt, Plate: "01KG777AAA", PlateAbout: "clean"},
		{Number: "+996770000003", Name: "Елена", Operator: "Beeline", PIN: pinElena, Plate: "B1234AB", PlateAbout: "old"},
	}
	for i, p := range phones {
		phones[i].Document = people[p.PIN].document
	}
	return phones
}
