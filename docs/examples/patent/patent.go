// Package patent is the worked example of docs/guides/write-a-screen.md: a small
// service of three screens' questions and one effect. It is no part of the product.
package patent

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/locales"
)

// Activity is a kind of work that an electronic patent is issued for.
type Activity struct {
	Code string
	Name map[locales.Locale]string // by language, as the register writes it
	Som  int64                     // the price of a month
}

// Register is what the service needs of the tax office.
type Register interface {
	Activities(ctx context.Context) ([]Activity, error)
	// Person finds who has a personal number. The reference that comes back names
	// them and does not tell the number.
	Person(ctx context.Context, number string) (ref string, err error)
	// Issue issues a patent. With a key that was used before it changes nothing and
	// gives the patent that was issued then.
	Issue(ctx context.Context, key, person, activity string) (Patent, error)
}

// Patent is one that was issued.
type Patent struct {
	Number string
	Until  time.Time
}

// Service is the electronic patent.
type Service struct{ Register Register }
