// Package locales holds every sentence a person sees, in Kyrgyz, Russian and
// English, and turns a key with its arguments into text. Messages are compiled
// when the package's Catalogue is loaded; nothing is parsed per call.
package locales

import (
	"strings"
)

// Locale is a language in a script, as a BCP 47 tag.
type Locale string

// The locales. KYLatn is Kyrgyz in Latin letters that fit the GSM alphabet;
// it has no file of its own but is KY transcribed (see Latin).
const (
	KY     Locale = "ky"
	RU     Locale = "ru"
	KYLatn Locale = "ky-Latn"
	EN     Locale = "en"
)

// All lists the locales a message can be shown in.
var All = []Locale{KY, RU, KYLatn, EN}

// Parse reads a language tag as people and registries write it: "ky", "kg"
// (what Kyrgyz sites write for ky), "ru-RU", "ky-Latn".
func Parse(tag string) (Locale, bool) {
	tag = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"))
	base, rest, _ := strings.Cut(tag, "-")
	switch base {
	case "ky", "kg":
		if strings.HasPrefix(rest, "latn") {
			return KYLatn, true
		}
		return KY, true
	case "ru":
		return RU, true
	case "en":
		return EN, true
	}
	return "", false
}

// Language is the language without its script: ky for ky-Latn.
func (l Locale) Language() Locale {
	if l == KYLatn {
		return KY
	}
	return l
}
