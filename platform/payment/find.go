package payment

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/money"
)

// By is what bills are looked for by.
type By string

// What bills are looked for by: all of a car's by its plate, or one by a number that stands in
// its notice. Neither tells whose they are.
const (
	ByPlate      By = "plate"
	ByNumber     By = "number"     // what it is paid by at its register
	ByResolution By = "resolution" // its resolution's number
)

// Search is what a partner's user looks for.
type Search struct {
	By    By
	Value string
}

// Found is what a search came to.
type Found struct {
	// Known is false where the register has nothing of the kind; true without Bills is that
	// nothing is owed.
	Known bool
	Bills []FoundBill
}

// FoundBill is a bill as anybody may see it.
type FoundBill struct {
	Service string
	Ref     string       // its number in its register
	Due     money.Amount // what the register takes for it now
	// Paying says that it is paid through us and its register is being told.
	Paying bool
}

// Finder is a service whose bills partners may look for.
type Finder interface {
	// Service is the service's name, as its Biller has it.
	Service() string
	// Source names whose rule its prices are of: the register and what it is asked.
	Source() string
	// Find looks for bills for c, whose Phone is a pseudonym of a partner's user. What was
	// found c may have paid, as after any look-up. Problems: an invalid value, too many
	// different ones, and the register's.
	Find(ctx context.Context, c caller.Caller, s Search) (Found, error)
}

// Offer lets partners look for the bills of more services. Call it before anything is served.
func (s *Service) Offer(finders ...Finder) { s.finders = append(s.finders, finders...) }

// Source names whose rule the prices of a service are of; empty where it has no finder.
func (s *Service) Source(service string) string {
	for _, f := range s.finders {
		if f.Service() == service {
			return f.Source()
		}
	}
	return ""
}

// User is somebody for whom a partner asks: by the partner's own pseudonym, which never leaves
// us in the clear.
type User struct {
	Partner Partner
	Name    string
	Locale  locales.Locale
	Now     time.Time
	Key     string // makes a repeated request known; empty: it is none
}

// caller is the user as services know who looks at bills: the pseudonym stands where a
// citizen's phone does, so that the same limits hold for each user apart.
func (u User) caller() caller.Caller {
	return caller.Caller{
		Phone: "partner:" + u.Partner.ID + ":" + u.Name, Channel: caller.Partner, Gateway: "rest", Locale: u.Locale, Now: u.Now, Key: u.Key,
	}
}

// FindBills looks for bills of the services that the partner takes money for. Where one of
// them cannot say, an error says why, and nothing of the others.
func (s *Service) FindBills(ctx context.Context, u User, search Search) (Found, error) {
	var all Found
	for _, f := range s.finders {
		if !u.Partner.serves(f.Service()) {
			continue
		}
		found, err := f.Find(ctx, u.caller(), search)
		if err != nil {
			return Found{}, fmt.Errorf("look for bills of %s: %w", f.Service(), err)
		}
		all.Known = all.Known || found.Known
		all.Bills = append(all.Bills, found.Bills...)
	}
	return all, nil
}
