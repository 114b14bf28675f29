package sandbox

// FixedPhone is one of the sandbox's numbers, the same at every start.
type FixedPhone struct {
	Number   string // E.164
	Name     string
	Operator string
}

// FixedPhones are the numbers that guides, tests and the phone page use.
func FixedPhones() []FixedPhone {
	return []FixedPhone{
		{Number: "+996555000001", Name: "Айгүл", Operator: "MegaCom"},
		{Number: "+996700000002", Name: "Бакыт", Operator: "O!"},
		{Number: "+996770000003", Name: "Елена", Operator: "Beeline"},
	}
}
