package dialog

import (
	"fmt"

	"github.com/eshik-kg/eshik/locales"
)

// sayings are those of one node, and the lexicon that finds them by their places.
type sayings struct {
	list    []Saying
	lexicon *locales.Lexicon
}

// learnSayings makes what a node's screen is answered in words findable: letter by letter or
// by a form, never by a typo, as "кабыл алам" and "кабыл албайм" say the opposite.
func (e *Engine) learnSayings(node Node) error {
	if len(node.Sayings) == 0 {
		return nil
	}
	lexicon, err := locales.NewLexicon(false)
	if err != nil {
		return err
	}
	for i, saying := range node.Sayings {
		for _, words := range saying.Words {
			if _, taken := lexicon.Learn(i, words); taken {
				return fmt.Errorf("%q answers %s in two ways", words, node.ID)
			}
		}
	}
	e.sayings[node.ID] = sayings{node.Sayings, lexicon}
	return nil
}

// answered is where a text leads that answers the present screen in words. One that says two
// things, or anything beside, answers nothing.
func (w *walk) answered(text string) (Next, bool) {
	here, has := w.engine.sayings[w.state.Node]
	if !has {
		return Next{}, false
	}
	reading := here.lexicon.Read(text)
	if len(reading.Matches) == 0 {
		return Next{}, false
	}
	meant := reading.Matches[0].ID
	for _, m := range reading.Matches {
		if m.ID != meant {
			return Next{}, false
		}
	}
	for _, t := range reading.Tokens {
		if t.Sense == locales.Unknown || t.Sense == locales.Number {
			return Next{}, false
		}
	}
	return here.list[meant].Next, true
}
