// Package flowcheck proves the conversation, draws it, lists its texts and estimates its
// messages: it walks every screen of an app over the sandbox. It knows services only
// through what their modules say.
package flowcheck

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/ussd"
)

// Channel is a channel as it is walked: with the budget of its screens.
type Channel struct {
	Name   string
	of     caller.Channel
	budget dialog.Budget
}

// channels are those with the budgets that are proved: what the standard allows on
// USSD, the least that gateways are known to enforce, and SMS.
var channels = []Channel{
	{"ussd 182/80", caller.USSD, ussd.DefaultBudget},
	{"ussd 160/70", caller.USSD, dialog.Budget{Septets: 160, Units: 70}},
	{"sms", caller.SMS, sms.Budget},
}

// Channels are the channels that are walked: ours, and every other size of screen that
// the gateways' file at path sets; none where path is empty. Who has a size that is
// walked already is named beside it.
func Channels(path string) ([]Channel, error) {
	walked := slices.Clone(channels)
	screens, err := app.Screens(path)
	for _, gateway := range slices.Sorted(maps.Keys(screens)) {
		b := screens[gateway]
		at := slices.IndexFunc(walked, func(c Channel) bool { return c.of == caller.USSD && c.budget == b })
		if at < 0 {
			walked = append(walked, Channel{fmt.Sprintf("ussd %d/%d", b.Septets, b.Units), caller.USSD, b})
			at = len(walked) - 1
		}
		walked[at].Name += ", " + gateway
	}
	return walked, err
}

// languages are the languages and scripts that are proved; English, for developers and
// donors, is not on the screen of languages.
var languages = []locales.Locale{locales.KY, locales.RU, locales.KYLatn, locales.EN}

// Languages are the languages and scripts that a conversation is proved in.
func Languages() []locales.Locale { return slices.Clone(languages) }

// MaxPages is how many pages a screen may take with the longest values: nobody turns
// that many over.
const MaxPages = 12

// Walked is what a walk in one language over one channel came to.
type Walked struct {
	Turns, Screens int
	Reached, Nodes int    // of the screens, those that somebody came to, and all
	Problems       int    // sentences about problems that fit
	MostPages      int    // of a screen with the longest values
	MostPaged      string // the node that has them
	Longest        int    // characters of the longest page met
	Faults         []error
}

// Walk walks every screen in one language over one channel, with the longest values of
// its texts. What is wrong with the conversation is in Walked; an error is that of a walk
// that could not go on.
func Walk(ctx context.Context, channel Channel, loc locales.Locale) (Walked, error) {
	c, err := crawlAll(ctx, channel, loc, planted{})
	if err != nil {
		return Walked{}, err
	}
	w := Walked{Turns: c.turns, Screens: c.screens, Reached: c.shown(), Nodes: len(c.shows), Problems: c.problems, Longest: c.longest}
	w.MostPages, w.MostPaged = c.mostPaged()
	for _, fault := range c.faults {
		w.Faults = append(w.Faults, errors.New(fault))
	}
	return w, nil
}

// Draw is docs/flows.md: the screens and the ways between them (Mermaid, in Markdown), and
// how each screen is divided.
func Draw(ctx context.Context) (string, error) {
	var walks []*crawl
	for _, of := range drawn() {
		c, err := crawlAll(ctx, of.Channel, of.Locale, planted{})
		if err != nil {
			return "", err
		}
		walks = append(walks, c)
	}
	return document(walks), nil
}

// walkOf is a channel and a language to walk in.
type walkOf struct {
	Channel
	locales.Locale
}

// drawn are the walks that docs/flows.md tells of.
func drawn() (all []walkOf) {
	for _, channel := range []Channel{channels[0], channels[2]} {
		for _, loc := range drawnIn {
			all = append(all, walkOf{channel, loc})
		}
	}
	return all
}
