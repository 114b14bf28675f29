package locales

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// longestValue is what placeholders.toml says of a placeholder: its longest value, or
// that it is filled with one of our own texts.
type longestValue struct {
	value string
	texts string // the prefix of their keys
}

// UnmarshalTOML reads name = "the longest value" and name = {texts = "prefix of keys"}.
func (v *longestValue) UnmarshalTOML(written any) error {
	switch written := written.(type) {
	case string:
		v.value = written
	case map[string]any:
		v.texts, _ = written["texts"].(string)
	}
	if v.value == "" && v.texts == "" {
		return errors.New(`the longest value is written name = "value", or name = {texts = "prefix of the keys of texts"}`)
	}
	return nil
}

// Longest is the value of a placeholder, or of a kind of text from a registry, with the
// most characters that it can have in loc; "" where none is declared.
func (c *Catalogue) Longest(loc Locale, placeholder string) string {
	declared := c.longest[placeholder]
	if declared.texts == "" {
		return declared.value
	}
	var values []string
	for _, key := range c.keysOf(declared) {
		values = append(values, c.Text(loc, key))
	}
	if len(values) == 0 {
		return ""
	}
	return slices.MaxFunc(values, func(a, b string) int {
		return cmp.Compare(utf8.RuneCountInString(a), utf8.RuneCountInString(b))
	})
}

// LongestArgs fills every placeholder of the sentence key with its longest value in loc.
func (c *Catalogue) LongestArgs(loc Locale, key string) []any {
	var args []any
	for _, name := range c.Placeholders(key) {
		args = append(args, name, c.Longest(loc, name))
	}
	return args
}

// keysOf are the keys of the texts that a placeholder is filled with.
func (c *Catalogue) keysOf(v longestValue) []string {
	return slices.DeleteFunc(c.Keys(), func(key string) bool { return !strings.HasPrefix(key, v.texts) })
}

// plainValues finds texts that placeholders are filled with and that have placeholders
// themselves: their length is nobody's.
func (c *Catalogue) plainValues() error {
	var faults []error
	for name, v := range c.longest {
		if v.texts == "" {
			continue
		}
		keys := c.keysOf(v)
		if len(keys) == 0 {
			faults = append(faults, fmt.Errorf("placeholders.toml: {%s} is one of the texts %q, and there are none", name, v.texts))
		}
		for _, key := range keys {
			if len(c.Placeholders(key)) > 0 {
				faults = append(faults, fmt.Errorf("placeholders.toml: {%s} is one of the texts %q, and %q has placeholders itself", name, v.texts, key))
			}
		}
	}
	return errors.Join(faults...)
}
