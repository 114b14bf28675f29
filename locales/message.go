package locales

import (
	"maps"
	"slices"
)

// Messages lists the keys of messages.toml, sorted: the texts that leave as an
// SMS of their own.
func (c *Catalogue) Messages() []string { return slices.Sorted(maps.Keys(c.bounds)) }

// Bound is how many SMS parts a message may take at most, in every language and
// with the longest values.
func (c *Catalogue) Bound(key string) (parts int) { return c.bounds[key] }

// Message is the full and the short wording of a message in loc, with its
// placeholders filled as Text does; short is the full one where there is no
// other. A key that is no message's comes back as it is, as from Text: what
// leaves must be listed, so that its length is watched.
func (c *Catalogue) Message(loc Locale, key string, args ...any) (full, short string) {
	if _, leaves := c.bounds[key]; !leaves {
		return key, key
	}
	full = c.Text(loc, key, args...)
	if segments := c.messages[loc][key].short; segments != nil {
		return full, fill(loc, segments, args)
	}
	return full, full
}
