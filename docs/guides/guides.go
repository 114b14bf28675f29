// Package guides holds the guides that the program itself reads.
package guides

import _ "embed"

// Translators is the translators' guide, in Markdown: its part for a native speaker
// asks what `eshik flows texts --html` repeats beside the texts.
//
//go:embed translators.md
var Translators string
