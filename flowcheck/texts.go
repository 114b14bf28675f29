package flowcheck

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/locales"
)

// TextPage is a page on which each text is read beside its screen and marked: it walks
// the conversation over USSD. guide is the translators', whose questions the page repeats.
func TextPage(ctx context.Context, guide string) (string, error) {
	seen, err := lookAtScreens(ctx)
	if err != nil {
		return "", err
	}
	asked, err := readQuestions(guide, seen.texts)
	if err != nil {
		return "", app.UsageError{Err: fmt.Errorf("the translators' guide: %w", err)}
	}
	return textPage(textSections(seen, asked))
}

// TextTable is every text in Kyrgyz, Russian and Latin Kyrgyz, tab-separated, a line for
// each key.
func TextTable() (string, error) {
	texts, err := locales.Load()
	if err != nil {
		return "", fmt.Errorf("the locale files: %w", err)
	}
	return textTable(texts), nil
}

// readIn are the languages and scripts that stand side by side.
var readIn = []locales.Locale{locales.KY, locales.RU, locales.KYLatn}

// textTable is every text with its placeholders' names, a line each; the short
// wording of a message follows the full one as the key and ", short".
func textTable(texts *locales.Catalogue) string {
	var out strings.Builder
	cell := strings.NewReplacer("\n", `\n`, "\t", " ").Replace
	line := func(key string, wording func(locales.Locale) string) {
		out.WriteString(key)
		for _, loc := range readIn {
			out.WriteString("\t" + cell(wording(loc)))
		}
		out.WriteString("\n")
	}
	line("key", func(loc locales.Locale) string { return string(loc) })
	for _, key := range texts.Keys() {
		line(key, func(loc locales.Locale) string { return strings.Join(wordings(texts, loc, key), " | ") })
		if _, short := template(texts, locales.KY, key); short != "" {
			line(key+", short", func(loc locales.Locale) string {
				_, short := template(texts, loc, key)
				return short
			})
		}
	}
	return out.String()
}

// template gives a text, and a message's short wording if it has one, with the
// placeholders' names in braces.
func template(texts *locales.Catalogue, loc locales.Locale, key string) (full, short string) {
	var args []any
	for _, name := range texts.Placeholders(key) {
		args = append(args, name, "{"+name+"}")
	}
	if !slices.Contains(texts.Messages(), key) {
		return texts.Text(loc, key, args...), ""
	}
	if full, short = texts.Message(loc, key, args...); short == full {
		short = ""
	}
	return full, short
}

// wordings are the plural forms of a text, each once, and one of a text without.
func wordings(texts *locales.Catalogue, loc locales.Locale, key string) []string {
	full, _ := template(texts, loc, key)
	if !slices.Contains(texts.Placeholders(key), "n") {
		return []string{full}
	}
	var forms []string
	for _, n := range []int{1, 2, 5} { // one, few and many in Russian
		args := []any{"n", n}
		for _, name := range texts.Placeholders(key) {
			args = append(args, name, "{"+name+"}") // the first value of a name counts
		}
		forms = append(forms, texts.Text(loc, key, args...))
	}
	same := func(a, b string) bool { return digit.ReplaceAllString(a, "#") == digit.ReplaceAllString(b, "#") }
	if same(forms[0], forms[1]) && same(forms[1], forms[2]) {
		return []string{full}
	}
	return slices.CompactFunc(forms, same)
}

// longestText is a text with its longest values.
func longestText(texts *locales.Catalogue, loc locales.Locale, key string) string {
	return texts.Text(loc, key, texts.LongestArgs(loc, key)...)
}

// serviceOf is the part of the program that a key belongs to: for a sentence about
// an error, the one whose name follows.
func serviceOf(key string, known []string) string {
	part, rest, _ := strings.Cut(key, ".")
	if errorText(key) {
		first, _, _ := strings.Cut(rest, "_")
		if slices.Contains(known, first) {
			return first
		}
	}
	return part
}

// errorText tells a sentence about an error, of a conversation or of a field of a request.
func errorText(key string) bool {
	return strings.HasPrefix(key, "problem.") || strings.HasPrefix(key, "fault.")
}

// byService sorts keys in the order in which the main menu comes to services;
// what it does not come to follows by name.
func byService(keys, services []string) []string {
	at := func(key string) int {
		if i := slices.Index(services, serviceOf(key, services)); i >= 0 {
			return i
		}
		return len(services)
	}
	return slices.SortedStableFunc(slices.Values(keys), func(a, b string) int {
		return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(serviceOf(a, services), serviceOf(b, services)))
	})
}
