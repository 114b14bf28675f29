package api

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/text/language"

	"github.com/eshik-kg/eshik/locales"
)

// maxLanguages bounds how much of an Accept-Language is read.
const maxLanguages = 32

// Locale is the language of a request: the one of Accept-Language that is spoken
// here and weighs most (RFC 9110, section 12.5.4), or Kyrgyz. The lang parameter
// of a page wins.
func Locale(c *fiber.Ctx) locales.Locale {
	if loc, ok := locales.Parse(c.Query("lang")); ok {
		return loc
	}
	return accepted(c.Get(fiber.HeaderAcceptLanguage))
}

// accepted chooses the language of a header. Its entries are read one by one: one
// that cannot be read does not cost the others.
func accepted(header string) locales.Locale {
	type choice struct {
		locale locales.Locale
		weight float32
	}
	var choices []choice
	for i, entry := range strings.Split(header, ",") {
		if i == maxLanguages {
			break
		}
		// One entry is one tag, or none where its weight is 0.
		tags, weights, err := language.ParseAcceptLanguage(strings.TrimSpace(entry))
		if err != nil || len(tags) == 0 {
			continue
		}
		if loc, ok := locales.Parse(tags[0].String()); ok {
			choices = append(choices, choice{loc, weights[0]})
		}
	}
	if len(choices) == 0 {
		return locales.KY
	}
	// Of equal weights the first: what somebody wrote first, they meant first.
	slices.SortStableFunc(choices, func(a, b choice) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return 0
	})
	return choices[0].locale
}

// Speak says in the answer's headers which language it is in, and that another
// request may get another one.
func Speak(c *fiber.Ctx, loc locales.Locale) {
	c.Set(fiber.HeaderContentLanguage, string(loc))
	c.Vary(fiber.HeaderAcceptLanguage)
}
