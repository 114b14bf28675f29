package certificate

import (
	_ "embed" // the catalogue's data
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/money"
)

// catalogueFile says what each kind is like; see there what its fields mean.
//
//go:embed catalogue.toml
var catalogueFile []byte

// Kind is the code of what a certificate certifies, as it is stored, signed and counted.
type Kind string

// The kinds that other code names.
const (
	Residential Kind = "residence" // where somebody lives
	Family      Kind = "family"    // with whom
)

// Way is how a certificate comes about.
type Way string

// The ways.
const (
	Automatic Way = "automatic" // from a register, at once
	Delayed   Way = "delayed"   // an office prepares it
	Decided   Way = "clerk"     // a clerk decides
)

// Known is how well a fact of the catalogue is known.
type Known string

// What the marks mean stands in catalogue.toml.
const (
	Sourced    Known = "sourced"
	Weak       Known = "weak"
	Dated      Known = "dated"
	Unverified Known = "unverified"
)

// Mark says how well a fact is known, and from where; From may be empty where nobody confirms it.
type Mark struct {
	Mark Known
	From string
}

// Entry is one kind of the catalogue.
type Entry struct {
	Code     Kind
	Public   string // its name in the REST contract
	Register string // whose data it is; an office where no register is asked
	Way      struct {
		Is Way
		Mark
	}
	// Level is how surely a person is to be known (caller.Level).
	Level struct {
		Is int
		Mark
	}
	// Price and Urgent are nil where they are not known, Urgent also where there is none.
	Price *struct {
		Tyiyn money.Amount
		Days  int // 0: at once
		Mark
	}
	Urgent *struct {
		Tyiyn *money.Amount // nil: it costs, and nobody says how much
		Hours int
		Mark
	}
	Names struct {
		KY, RU, EN string
		Mark
	}
	// Mapping names how the registers are asked; empty: it is not issued here.
	Mapping string
	// Address and Members say that it has them, Facts and Rows what else it says.
	Address, Members bool
	Facts, Rows      []field
	Words            []string // what people text for it
}

// field is a fact that a kind certifies: how it is shown is by its type, and its texts by its name.
type field struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
}

// The types of a field.
const (
	typeText = ""
	typeDay  = "day"  // YYYY-MM-DD
	typeCode = "code" // a code of the register, with a text of ours
	typeKY   = "ky"   // shown in Kyrgyz only; its twin in Russian follows
	typeRU   = "ru"
)

// UnmarshalText reads "name" or "name:type".
func (f *field) UnmarshalText(text []byte) error {
	f.Name, f.Type, _ = strings.Cut(string(text), ":")
	if !slices.Contains([]string{typeText, typeDay, typeCode, typeKY, typeRU}, f.Type) || f.Name == "" {
		return fmt.Errorf("%q is no field", text)
	}
	return nil
}

// Title is the kind's full name in a language.
func (e Entry) Title(loc locales.Locale) string {
	return map[locales.Locale]string{locales.KY: e.Names.KY, locales.RU: e.Names.RU, locales.EN: e.Names.EN}[loc]
}

// Unverified names the facts of the entry that no source confirms: way, level, price, names.
func (e Entry) Unverified() (names []string) {
	marks := []struct {
		name string
		mark Known
	}{{"names", e.Names.Mark.Mark}, {"way", e.Way.Mark.Mark}, {"level", e.Level.Mark.Mark}}
	if e.Price != nil {
		marks = append(marks, struct {
			name string
			mark Known
		}{"price", e.Price.Mark.Mark})
	}
	for _, m := range marks {
		if m.mark == Unverified {
			names = append(names, m.name)
		}
	}
	return names
}

// catalogue is the data, read once: the program does not start with one that cannot be.
var catalogue = sync.OnceValue(func() []Entry {
	entries, err := readCatalogue(catalogueFile)
	if err != nil {
		panic(err)
	}
	return entries
})

func readCatalogue(file []byte) ([]Entry, error) {
	var data struct{ Kind []Entry }
	meta, err := toml.Decode(string(file), &data)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue of certificates: %w", err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("the catalogue of certificates says %v, which nothing reads", unknown)
	}
	for _, e := range data.Kind {
		if err := e.whole(); err != nil {
			return nil, fmt.Errorf("the kind %q of certificates: %w", e.Public, err)
		}
	}
	return data.Kind, nil
}

// whole refuses an entry that lacks what each has.
func (e Entry) whole() error {
	marks := []Mark{e.Names.Mark, e.Way.Mark, e.Level.Mark}
	if e.Price != nil {
		marks = append(marks, e.Price.Mark)
	}
	if e.Urgent != nil {
		marks = append(marks, e.Urgent.Mark)
	}
	for _, m := range marks {
		if !slices.Contains([]Known{Sourced, Weak, Dated, Unverified}, m.Mark) || m.From == "" && m.Mark != Unverified {
			return errors.New("a fact has no mark, or no source")
		}
	}
	switch {
	case e.Code == "" || e.Public == "" || e.Register == "" || e.Names.KY == "" || e.Names.RU == "" || e.Names.EN == "":
		return errors.New("it has no code, name or register")
	case !slices.Contains([]Way{Automatic, Delayed, Decided}, e.Way.Is):
		return errors.New("it has no way")
	case e.Mapping != "" && (e.Way.Is != Automatic || mappings[e.Mapping] == nil):
		return errors.New("nothing asks its register")
	}
	return nil
}

// Kinds lists the kinds that are issued, in the order of the menu.
func Kinds() (all []Kind) {
	for _, e := range catalogue() {
		if e.Mapping != "" {
			all = append(all, e.Code)
		}
	}
	return all
}

// KindOf is the kind with a name of the REST contract; one that nobody knows is "".
func KindOf(public string) Kind {
	for _, e := range catalogue() {
		if e.Public == public {
			return e.Code
		}
	}
	return ""
}

// Known reports whether k is one of Kinds.
func (k Kind) Known() bool {
	e, ok := k.entry()
	return ok && e.Mapping != ""
}

// Public is the kind's name in the REST contract.
func (k Kind) Public() string { return k.of().Public }

// TitleKey names the kind's short title in the locale files, as menus have it.
func (k Kind) TitleKey() string { return "certificate.title_" + string(k) }

// of is what the kind is like. Every kind that is stored or signed is of the catalogue: without
// one of it it panics.
func (k Kind) of() Entry {
	e, ok := k.entry()
	if !ok {
		panic("a certificate of no kind")
	}
	return e
}

func (k Kind) entry() (Entry, bool) {
	all := catalogue()
	i := slices.IndexFunc(all, func(e Entry) bool { return e.Code == k })
	if i < 0 {
		return Entry{}, false
	}
	return all[i], true
}
