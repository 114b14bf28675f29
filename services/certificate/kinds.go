package certificate

import (
	"context"
	"slices"

	"github.com/eshik-kg/eshik/locales"
)

// Kind is the code of what a certificate certifies, as it is stored, signed and counted.
type Kind string

// The kinds that the register of residents answers for at once.
const (
	Residential Kind = "residence" // where somebody lives
	Family      Kind = "family"    // with whom
)

// kind is all in which one kind of certificate differs from another: a new one is a
// value in kinds, its texts, and its name in the contract. Every field is needed.
type kind struct {
	code Kind
	// public is the kind's name in the REST contract, that of the state's list of
	// certificates.
	public string
	// source names the text that says whose data it is; its placeholder is {date}.
	source string
	// fetch fills in what the register says beside the holder and the address. A person
	// whom the register does not know is not ok.
	fetch func(ctx context.Context, register Register, q Question, record *Record) (ok bool, err error)
	// lines are what the paper and the signed text say beside the holder and the address.
	lines func(texts *locales.Catalogue, loc locales.Locale, record Record) []Line
}

// kinds are all of them, in the order of the menu.
var kinds = []kind{
	{
		code: Residential, public: "RESIDENCE", source: "certificate.pdf_source",
		fetch: func(context.Context, Register, Question, *Record) (bool, error) { return true, nil },
		lines: func(*locales.Catalogue, locales.Locale, Record) []Line { return nil },
	},
	{code: Family, public: "FAMILY_COMPOSITION", source: "certificate.pdf_source", fetch: fetchFamily, lines: familyLines},
}

// Kinds lists the kinds in the order of the menu.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.code
	}
	return all
}

// KindOf is the kind with a name of the REST contract; one that nobody knows is not Known.
func KindOf(public string) Kind {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.public == public })
	if i < 0 {
		return ""
	}
	return kinds[i].code
}

// Known reports whether k is one of Kinds.
func (k Kind) Known() bool { return slices.Contains(Kinds(), k) }

// Public is the kind's name in the REST contract.
func (k Kind) Public() string { return k.of().public }

// TitleKey names the kind's title in the locale files.
func (k Kind) TitleKey() string { return "certificate.title_" + string(k) }

// of is what the kind is like. Every kind that is stored or signed is known: without one
// of the list it panics.
func (k Kind) of() kind {
	return kinds[slices.IndexFunc(kinds, func(one kind) bool { return one.code == k })]
}

func fetchFamily(ctx context.Context, register Register, q Question, record *Record) (ok bool, err error) {
	record.Members, ok, err = register.Family(ctx, q)
	return ok, err
}

func familyLines(texts *locales.Catalogue, loc locales.Locale, record Record) []Line {
	label := texts.Text(loc, "certificate.pdf_members")
	if record.Digest != nil { // read without what is kept here
		return []Line{{Label: label, Value: texts.Text(loc, "certificate.members_elsewhere", "n", record.Count)}}
	}
	if len(record.Members) == 0 {
		return []Line{{Label: label, Value: texts.Text(loc, "certificate.pdf_alone")}}
	}
	lines := make([]Line, len(record.Members))
	for i, m := range record.Members {
		lines[i] = Line{Value: memberLine(texts, loc, i, m)}
	}
	lines[0].Label = label
	return lines
}
