package console

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
)

// seat is where an officer sits while a request lasts.
type seat struct {
	shown   staff.Session
	officer staff.Officer
}

type seatKey struct{}

// seated is the seat of the officer whose request ctx belongs to.
func seated(ctx context.Context) seat {
	at, _ := ctx.Value(seatKey{}).(seat)
	return at
}

// origin is what a session is bound to: the address that it was begun from; of IPv6, the
// network, as one subscriber has many addresses.
func origin(address string) string { return "address:" + caller.Caller{Address: address}.Network() }

// Audience are the officers, by the tokens of their sessions; index makes a pseudonym of
// what identifies a request.
func Audience(known *staff.Service, index func(turn string) string, now func() time.Time) api.Audience {
	return api.Audience{
		Channel: caller.Staff, Gateway: "console", Levels: map[string]api.Level{"officer": nil}, Challenge: challenge, Index: index, Now: now,
		Authenticate: func(c *fiber.Ctx) (api.Principal, error) {
			token, found := api.BearerOf(c)
			if !found {
				return api.Principal{}, staff.ErrSession
			}
			at := seat{shown: staff.Session{Token: token, Origin: origin(strings.Clone(c.IP()))}}
			var err error
			if at.officer, err = known.SignedIn(c.UserContext(), at.shown); err != nil {
				return api.Principal{}, err
			}
			c.SetUserContext(context.WithValue(c.UserContext(), seatKey{}, at))
			return api.Principal{ID: at.officer.ID}, nil
		},
		May: func(ctx context.Context, _ api.Principal, operation string) error {
			return known.Admit(ctx, seated(ctx).officer, operation)
		},
	}
}

// challenge says that a token is needed (RFC 6750, section 3).
func challenge(_ *problem.Error, status int) string {
	if status == http.StatusUnauthorized {
		return `Bearer realm="eshik-console"`
	}
	return ""
}
