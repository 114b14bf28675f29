package locales

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed ky/*.toml ru/*.toml en/*.toml placeholders.toml messages.toml
var files embed.FS

// Catalogue is every message in every locale, compiled. It is safe for
// concurrent use.
type Catalogue struct {
	messages map[Locale]map[string]message
	longest  map[string]longestValue
	bounds   map[string]int // by key, of what leaves as an SMS of its own
}

// message is one compiled sentence. A plain one has only the "other" form.
type message struct {
	count string // the argument that chooses the form; empty: plain
	forms map[plural.Form][]segment
	short []segment // the shorter wording; nil: there is none
}

// segment is literal text, or the name of a placeholder.
type segment struct {
	text string
	name string
}

// forms are the plural categories as the files name them (CLDR).
var forms = map[string]plural.Form{
	"text": plural.Other, "other": plural.Other, "one": plural.One, "few": plural.Few, "many": plural.Many,
}

// short names the shorter wording of a message, which stands beside its text.
const short = "short"

// tags are the languages whose plural rules apply.
var tags = map[Locale]language.Tag{
	KY: language.Make("ky"), RU: language.Russian, KYLatn: language.Make("ky"), EN: language.English,
}

// Load gives the texts of the embedded files, compiled once for the whole process, or
// compiles them with those of more folders of the same shape, whose texts are not the
// product's (an example's). It fails on a key or a placeholder that is not declared
// alike in every language, or that is there twice: a screen must never lack a sentence.
func Load(more ...fs.FS) (*Catalogue, error) {
	if len(more) == 0 {
		return embedded()
	}
	return compileAll(more...)
}

var embedded = sync.OnceValues(func() (*Catalogue, error) { return compileAll() })

func compileAll(more ...fs.FS) (*Catalogue, error) {
	c := &Catalogue{messages: map[Locale]map[string]message{KY: {}, RU: {}, EN: {}}, longest: map[string]longestValue{}}
	if _, err := toml.DecodeFS(files, "messages.toml", &c.bounds); err != nil {
		return nil, fmt.Errorf("messages.toml: %w", err)
	}
	for _, folder := range append([]fs.FS{files}, more...) {
		if err := c.loadFolder(folder); err != nil {
			return nil, err
		}
	}
	c.messages[KYLatn] = transcribed(c.messages[KY])
	return c, c.complete()
}

// loadFolder reads the longest values and the languages of one folder.
func (c *Catalogue) loadFolder(folder fs.FS) error {
	var longest map[string]longestValue
	_, err := toml.DecodeFS(folder, "placeholders.toml", &longest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("placeholders.toml: %w", err)
	}
	for name, value := range longest {
		if _, twice := c.longest[name]; twice {
			return fmt.Errorf("placeholders.toml: %q is there twice", name)
		}
		c.longest[name] = value
	}
	for _, loc := range []Locale{KY, RU, EN} {
		if err := c.loadLanguage(folder, loc); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalogue) loadLanguage(folder fs.FS, loc Locale) error {
	names, err := fs.Glob(folder, string(loc)+"/*.toml")
	if err != nil {
		return err
	}
	for _, name := range names {
		var entries map[string]map[string]string
		if _, err := toml.DecodeFS(folder, name, &entries); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for key, entry := range entries {
			if _, twice := c.messages[loc][key]; twice {
				return fmt.Errorf("%s: %q is in two files", name, key)
			}
			if c.messages[loc][key], err = compile(entry); err != nil {
				return fmt.Errorf("%s: %q: %w", name, key, err)
			}
		}
	}
	return nil
}

func compile(entry map[string]string) (message, error) {
	m := message{count: entry["count"], forms: map[plural.Form][]segment{}}
	for name, text := range entry {
		if name == "count" {
			continue
		}
		form, known := forms[name]
		if !known && name != short {
			return m, fmt.Errorf("no plural form is called %q", name)
		}
		segments, err := split(text)
		if err != nil {
			return m, err
		}
		if name == short {
			m.short = segments
			continue
		}
		m.forms[form] = segments
	}
	if m.forms[plural.Other] == nil {
		return m, errors.New("the text is missing")
	}
	return m, nil
}

// split cuts a text at its {placeholders}.
func split(text string) ([]segment, error) {
	out := []segment{}
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		if before != "" {
			out = append(out, segment{text: before})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || name == "" {
			return nil, errors.New("a { has no name or no }")
		}
		out = append(out, segment{name: name})
		text = after
	}
	return out, nil
}

// transcribed gives the Latin form of every Kyrgyz message.
func transcribed(ky map[string]message) map[string]message {
	out := make(map[string]message, len(ky))
	for key, m := range ky {
		latin := message{count: m.count, forms: make(map[plural.Form][]segment, len(m.forms)), short: inLatin(m.short)}
		for form, segments := range m.forms {
			latin.forms[form] = inLatin(segments)
		}
		out[key] = latin
	}
	return out
}

func inLatin(segments []segment) []segment {
	copied := slices.Clone(segments)
	for i := range copied {
		copied[i].text = latinSentence(copied[i].text)
	}
	return copied
}

// complete checks that the languages have the same keys, the same placeholders,
// and that every placeholder's longest value is declared.
func (c *Catalogue) complete() error {
	var faults []error
	for _, key := range c.Keys() {
		kyrgyz, inKyrgyz := c.messages[KY][key]
		for _, loc := range []Locale{KY, RU, EN} {
			m, has := c.messages[loc][key]
			switch {
			case !has:
				faults = append(faults, fmt.Errorf("%s lacks %q", loc, key))
			case inKyrgyz:
				faults = append(faults, m.like(kyrgyz, loc, key))
			}
		}
		for _, name := range kyrgyz.names() {
			if c.Longest(KY, name) == "" {
				faults = append(faults, fmt.Errorf("placeholders.toml lacks {%s} of %q", name, key))
			}
		}
		if _, leaves := c.bounds[key]; kyrgyz.short != nil && !leaves {
			faults = append(faults, fmt.Errorf("%q has a short wording and is no message of messages.toml", key))
		}
	}
	for _, key := range c.Messages() {
		if !c.Has(key) || c.bounds[key] < 1 {
			faults = append(faults, fmt.Errorf("messages.toml: %q is no text, or may take no part", key))
		}
	}
	return errors.Join(append(faults, c.plainValues())...)
}

// like says where m differs from the Kyrgyz message in more than its words.
func (m message) like(kyrgyz message, loc Locale, key string) error {
	var faults []error
	if got, want := m.names(), kyrgyz.names(); !slices.Equal(got, want) {
		faults = append(faults, fmt.Errorf("%s: %q has the placeholders %v, ky has %v", loc, key, got, want))
	}
	if (m.short == nil) != (kyrgyz.short == nil) {
		faults = append(faults, fmt.Errorf("%s: only one of this %q and the one in ky has a short wording", loc, key))
	}
	if got, want := names(m.short), names(kyrgyz.short); !slices.Equal(got, want) {
		faults = append(faults, fmt.Errorf("%s: the short %q has the placeholders %v, ky has %v", loc, key, got, want))
	}
	for _, name := range names(m.short) {
		if !slices.Contains(m.names(), name) {
			faults = append(faults, fmt.Errorf("%s: {%s} of the short %q is not in its text", loc, name, key))
		}
	}
	return errors.Join(faults...)
}

// names lists the placeholders of m's main form, sorted.
func (m message) names() []string { return names(m.forms[plural.Other]) }

func names(segments []segment) []string {
	names := []string{}
	for _, s := range segments {
		if s.name != "" && !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
	}
	slices.Sort(names)
	return names
}

// Keys lists every key of every language, sorted.
func (c *Catalogue) Keys() []string {
	seen := map[string]bool{}
	keys := []string{}
	for _, messages := range c.messages {
		for key := range messages {
			if !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return keys
}

// Has reports whether key exists.
func (c *Catalogue) Has(key string) bool {
	_, has := c.messages[KY][key]
	return has
}

// Placeholders lists the placeholders of key, sorted.
func (c *Catalogue) Placeholders(key string) []string { return c.messages[KY][key].names() }

// Text is the sentence key in loc with its placeholders filled from args: name,
// value, name, value, …. A key that does not exist comes back as it is; a test
// holds that none is used.
func (c *Catalogue) Text(loc Locale, key string, args ...any) string {
	m, has := c.messages[loc][key]
	if !has {
		if m, has = c.messages[KY][key]; !has {
			return key
		}
	}
	segments := m.forms[plural.Other]
	if m.count != "" {
		if chosen := m.forms[form(loc, argument(args, m.count))]; chosen != nil {
			segments = chosen
		}
	}
	return fill(loc, segments, args)
}

// fill writes segments with their placeholders' values.
func fill(loc Locale, segments []segment, args []any) string {
	if len(segments) == 1 && segments[0].name == "" {
		return segments[0].text
	}
	var out strings.Builder
	for _, s := range segments {
		if s.name == "" {
			out.WriteString(s.text)
			continue
		}
		value := render(argument(args, s.name))
		if loc == KYLatn {
			value = Latin(value)
		}
		out.WriteString(value)
	}
	return out.String()
}

// argument finds the value of a name in (name, value, …).
func argument(args []any, name string) any {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1]
		}
	}
	return nil
}

func render(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// form is the plural category of a whole number in loc.
func form(loc Locale, count any) plural.Form {
	var n int
	switch v := count.(type) {
	case int:
		n = v
	case int64:
		n = int(v)
	default:
		return plural.Other
	}
	return plural.Cardinal.MatchPlural(tags[loc], n, 0, 0, 0, 0)
}
