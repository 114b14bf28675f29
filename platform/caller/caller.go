// Package caller says who is asking and over what. Every use case takes a
// Caller; it is how the time, the channel and the language reach the domain,
// which has no clock and knows no transport.
package caller

import (
	"net/netip"
	"time"

	"github.com/eshik-kg/eshik/locales"
)

// Channel is the kind of door the caller came through.
type Channel string

// The channels.
const (
	USSD    Channel = "ussd"
	SMS     Channel = "sms"
	REST    Channel = "rest"
	Web     Channel = "web"
	Partner Channel = "partner"
	Staff   Channel = "staff"
)

// Caller is one party at one moment.
type Caller struct {
	// Phone is the caller's number in E.164 (+996555000001); empty where the
	// channel proves none (an anonymous REST request).
	Phone string
	// Subject is the pseudonymous id of the identified citizen (identity.Citizen
	// ID); empty until the caller proved who they are.
	Subject string
	// Level is how surely the caller is Subject; below LevelWeak while there is none.
	Level   Level
	Channel Channel
	// Gateway is the wire format's name (africastalking), for budgets and counts.
	Gateway string
	// Operator is the mobile network's name (MegaCom), a hint for statistics.
	Operator string
	Locale   locales.Locale
	// Address is a REST client's network address. It is personal: index it, and
	// never log it.
	Address string
	// Now is the moment of the request.
	Now time.Time
	// Session names what the turn is of, as a pseudonym: the gateway's session, or the sign-in
	// over REST; empty where there is none, as by SMS.
	Session string
	// Key identifies this turn among all: a retry of a request has the same.
	// It keys effects, so that a repeated turn does not repeat them.
	Key string
}

// ByText reports that the answer to the turn is itself a message that stays with
// the caller: what it says need not be sent once more.
func (c Caller) ByText() bool { return c.Channel == SMS }

// Network is what a REST client counts as: its address or, as one IPv6 subscriber has
// a whole /64 of addresses to choose from (RFC 6177), that. Empty without an address;
// what is no address stands for itself.
func (c Caller) Network() string {
	address, err := netip.ParseAddr(c.Address)
	if err != nil {
		return c.Address
	}
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	return netip.PrefixFrom(address, 64).Masked().String()
}
