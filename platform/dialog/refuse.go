package dialog

import (
	"slices"
	"strings"
)

// refuse lays a notice over one of the sheet's pages: above it, or in the place of
// its text, which the citizen has just read. What is to type and to choose stays,
// by the numbers it had, and the other pages stay as they are, so that refusals one
// after the other add nothing. readOnly is a screen that only says something, which
// stays too: see reflow.
func (s sheet) refuse(b Budget, own []Page, at int, notice string, readOnly bool) []Page {
	page := own[at]
	part := s
	part.body, part.goesOn = notice, at+1 < len(own)
	part.labels, part.next, part.first = nil, nil, page.First
	var over []Page
	switch text := join(notice, page.Text); {
	case b.Fits(text):
		over = []Page{{Text: text, Options: page.Options, First: page.First}}
	case readOnly:
		return s.reflow(b, own, at, notice)
	default:
		from := page.First - s.first
		end := from + len(page.Options)
		part.labels, part.next = s.labels[from:end], s.next[from:end]
		over = layout(b, part)
	}
	for i := range over {
		over[i].Of = at
	}
	return slices.Concat(own[:at], over, own[at+1:])
}

// reflow says a notice above one of the pages of a sheet of words: what has no room
// there any more is read on the pages behind it. Where that would take one page more,
// only its first sentence is said, or nothing: no wrong key makes a text longer.
func (s sheet) reflow(b Budget, own []Page, at int, notice string) []Page {
	rest := s.body
	for _, page := range own[:at] {
		text := strings.TrimSuffix(strings.TrimSuffix(page.Text, "\n"+s.footer), "\n"+s.more)
		_, rest, _ = strings.Cut(rest, text)
	}
	first, _, _ := strings.Cut(notice, ". ")
	for _, said := range []string{notice, first + "."} {
		part := s
		part.body = join(said, strings.TrimSpace(rest))
		over := layout(b, part)
		if len(over) > len(own)-at {
			continue
		}
		for i := range over {
			over[i].Of = at + i
		}
		return slices.Concat(own[:at], over)
	}
	return own
}
