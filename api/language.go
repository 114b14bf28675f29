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
	return accepted(c.Get(fiber.HeaderAcceptLanguage), locales.KY, locales.RU, locales.KYLatn, locales.EN)
}

// messageLocale is the language of a message to a phone whose owner chose none: of the
// two that everybody here is written to in, the one that the request accepts more.
func messageLocale(c *fiber.Ctx) locales.Locale {
	return accepted(c.Get(fiber.HeaderAcceptLanguage), locales.KY, locales.RU)
}

// accepted chooses one of the languages by a header, or Kyrgyz. Its entries are read
// one by one: one that cannot be read does not cost the others.
func accepted(header string, of ...locales.Locale) locales.Locale {
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
		if loc, ok := locales.Parse(tags[0].String()); ok && slices.Contains(of, loc) {
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

// unread reports that a request ended before its headers could be read, or that they
// are lost: which language it accepts is not known.
func unread(c *fiber.Ctx) bool { return c.Request().Header.Len() == 0 }

// Speak says in the answer's headers which language it is in, or which, and that
// another request may get another one.
func Speak(c *fiber.Ctx, spoken ...locales.Locale) {
	var tags []string
	for _, loc := range spoken {
		tags = append(tags, string(loc))
	}
	c.Set(fiber.HeaderContentLanguage, strings.Join(tags, ", "))
	c.Vary(fiber.HeaderAcceptLanguage)
}
