// Package ussd is the USSD channel: one file per gateway's wire format. A
// gateway's request becomes a session.Turn, and the answer is written as that
// gateway wants it. It knows no service.
package ussd

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
)

// DefaultBudget is what one USSD message holds: 160 octets, which are 182 GSM-7
// characters or 80 UTF-16 units. Several gateways enforce less: a gateway's
// budget is configuration.
var DefaultBudget = dialog.Budget{Septets: 182, Units: 80}

// DefaultLifetime is how long a network keeps a USSD session open.
const DefaultLifetime = 180 * time.Second

// Conversations runs conversations, as *session.Conversations does.
type Conversations interface {
	Turn(ctx context.Context, turn session.Turn) (session.Answer, error)
	Ended(ctx context.Context, session, phone string, now time.Time) error
}

// Texts gives the words for what no conversation can say, as *locales.Catalogue
// does.
type Texts interface {
	Text(loc locales.Locale, key string, args ...any) string
}
