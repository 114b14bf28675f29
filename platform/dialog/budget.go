package dialog

import (
	"errors"
	"strings"
	"unicode/utf16"

	"github.com/eshik-kg/eshik/platform/gsm"
)

// Budget is how much text one screen of a channel holds: septets when all of it
// is in the GSM alphabet, UTF-16 units otherwise.
type Budget struct {
	Septets int
	Units   int
}

// MinBudget is the smallest screen that is laid out: less does not hold a choice
// beside the way on and the way back, and a sentence would take pages without end.
var MinBudget = Budget{Septets: 80, Units: 40}

// maxWay is how much of a screen the way on and the way back may take together, in
// septets or UTF-16 units: the rest of the smallest screen is for what it says.
const maxWay = 24

// leaveRoom reports whether the lines of the way on and the way back take at most
// maxWay.
func leaveRoom(more, back string) bool {
	way := sizeOf(more).under(sizeOf(back))
	return max(way.units, way.septets) <= maxWay
}

// ErrBudget reports a screen smaller than MinBudget.
var ErrBudget = errors.New("the screen is too small to lay anything out in")

// Enough reports whether b is at least MinBudget.
func (b Budget) Enough() bool { return b.Septets >= MinBudget.Septets && b.Units >= MinBudget.Units }

// brief is two thirds of b, as two SMS are of three; at least MinBudget.
func (b Budget) brief() Budget {
	return Budget{Septets: max(b.Septets*2/3, MinBudget.Septets), Units: max(b.Units*2/3, MinBudget.Units)}
}

// Fits reports whether text fits one screen.
func (b Budget) Fits(text string) bool { return b.holds(sizeOf(text)) }

func (b Budget) holds(s size) bool {
	if s.wide {
		return s.units <= b.Units
	}
	return s.septets <= b.Septets
}

// size is the length of a text counted both ways, so that the sizes of parts
// can be added without counting again.
type size struct {
	septets, units int
	wide           bool // some character is outside the GSM alphabet
}

func sizeOf(text string) size {
	var s size
	for _, r := range text {
		s = s.plus(sizeOfRune(r))
	}
	return s
}

func sizeOfRune(r rune) size {
	septets, inside := gsm.RuneSeptets(r)
	return size{septets: septets, units: max(utf16.RuneLen(r), 1), wide: !inside}
}

// numbered is the size of the line of the option at a place.
func numbered(label string, place int) size {
	s, digits := sizeOf(label), 1
	for n := number(place); n > 9; n /= 10 {
		digits++
	}
	s.septets += digits + len(" ")
	s.units += digits + len(" ")
	return s
}

// leading is the size of the white space that a word begins with.
func leading(word string) size { return sizeOf(word[:len(word)-len(strings.TrimLeft(word, " \n"))]) }

func (s size) plus(more size) size {
	return size{s.septets + more.septets, s.units + more.units, s.wide || more.wide}
}

// minus takes away the size of a part that is inside the GSM alphabet.
func (s size) minus(less size) size {
	return size{s.septets - less.septets, s.units - less.units, s.wide}
}

// under is the size of two lines, of which an empty one is left out.
func (s size) under(line size) size {
	if s.units == 0 || line.units == 0 {
		return s.plus(line)
	}
	return s.plus(line).plus(size{septets: 1, units: 1})
}
