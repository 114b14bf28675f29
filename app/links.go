package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"sync"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/smpp"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/ussd"
)

// smppTable is one [[smpp]] table of the gateways' file: an account at an
// operator's SMS centre or USSD gateway.
type smppTable struct {
	Name        string    `toml:"name"`
	Address     string    `toml:"address"`
	TLS         bool      `toml:"tls"`
	SystemID    string    `toml:"system_id"`
	PasswordEnv string    `toml:"password_env"`
	SystemType  string    `toml:"system_type"`
	Mode        smpp.Mode `toml:"mode"`
	Window      int       `toml:"window"`
	Rate        float64   `toml:"rate"`
	// USSD and SMS are what the link carries; From is our number for SMS.
	USSD        bool   `toml:"ussd"`
	SMS         bool   `toml:"sms"`
	From        string `toml:"from"`
	USSDCodings bool   `toml:"ussd_codings"`
	// FromTON and FromNPI are those of From, Alphabet is the centre's own: see
	// sms.SMPPConfig.
	FromTON  *byte         `toml:"from_ton"`
	FromNPI  *byte         `toml:"from_npi"`
	Alphabet smpp.Alphabet `toml:"alphabet"`
	// How this centre marks its dialogues: see ussd.SMPPConfig.
	USSDSession  ussd.SessionBy `toml:"ussd_session"`
	USSDUntagged bool           `toml:"ussd_untagged"`
	USSDCode     string         `toml:"ussd_code"`
	budget
	Operators map[string]budget `toml:"operators"`

	password string
}

// linkName is what a link may be called: the name is kept with messages and is a
// metric's label.
var linkName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)

// resolve checks a table and reads its password.
func (t *smppTable) resolve(taken map[string]bool) error {
	if !linkName.MatchString(t.Name) || taken[t.Name] {
		return errors.New("a link's name has 2 to 31 of a-z, 0-9 and -, and is no other gateway's")
	}
	if !t.USSD && !t.SMS {
		return errors.New("set ussd = true, sms = true, or both: what the link carries")
	}
	if !t.Alphabet.Known() {
		return errors.New("alphabet is gsm7, latin1, iso-8859-5 or ucs2")
	}
	if !t.USSDSession.Known() {
		return errors.New("ussd_session is phone, info or reference")
	}
	if t.USSDCode != "" && !shortCode.MatchString(t.USSDCode) {
		return fmt.Errorf("ussd_code: %q cannot be dialled: write it as *1414#", t.USSDCode)
	}
	if t.SMS && t.From == "" {
		return errors.New("from is our number there: SMS need it")
	}
	if t.Mode == smpp.Receiver || (t.USSD && t.Mode == smpp.Transmitter) {
		return errors.New("USSD needs a transceiver, and SMS at least a transmitter")
	}
	if t.password = os.Getenv(t.PasswordEnv); t.PasswordEnv == "" || t.password == "" {
		return fmt.Errorf("password_env names a variable with the account's password; %q is missing", t.PasswordEnv)
	}
	if _, err := smpp.New(t.config(false), smpp.Deps{}); err != nil {
		return err
	}
	return checkBudgets(t.budget, t.Operators)
}

// config is the account as the client takes it. A worker only sends.
func (t *smppTable) config(sendOnly bool) smpp.Config {
	c := smpp.Config{
		Address: t.Address, SystemID: t.SystemID, Password: t.password, SystemType: t.SystemType, Mode: t.Mode,
		Window: t.Window, Rate: t.Rate,
	}
	if sendOnly {
		c.Mode = smpp.Transmitter
	}
	if host, _, err := net.SplitHostPort(t.Address); t.TLS && err == nil {
		c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	}
	return c
}

// link is one account at work.
type link struct {
	table  smppTable
	client *smpp.Client
	ussd   *ussd.SMPP // nil: carries no dialogues
	sms    *sms.SMPP  // nil: carries no messages
	// refused counts what belongs to nobody.
	refused func(reason string)
}

// handle gives what comes to whom it belongs.
func (l *link) handle(ctx context.Context, d smpp.Delivery) (smpp.Status, func(context.Context)) {
	receipt := smpp.IsReceipt(d.Message, d.TLVs) // also of a screen, which some centres send
	switch {
	case receipt && l.sms == nil:
		l.refused("receipt")
		return smpp.StatusOK, nil
	case !receipt && l.ussd != nil && l.ussd.Speaks(d):
		return l.ussd.Handle(ctx, d)
	case l.sms != nil:
		return l.sms.Handle(ctx, d)
	}
	return smpp.StatusPermanent, nil
}

// callbacks reaches what is made after the links.
type callbacks struct{ a *App }

// NoteReceipt implements sms.Deliveries.
func (c callbacks) NoteReceipt(ctx context.Context, r notify.DeliveryReceipt) error {
	return c.a.Outbox.NoteReceipt(ctx, r)
}

// Take implements sms.Receiver.
func (c callbacks) Take(ctx context.Context, mo sms.MO) error {
	return c.a.inbound.Take(ctx, mo)
}

// Acknowledged implements sms.Receiver.
func (c callbacks) Acknowledged(ctx context.Context, provider, id string) error {
	return c.a.inbound.Acknowledged(ctx, provider, id)
}

// newLink makes an account's link; startLinks makes it live.
func (a *App) newLink(table smppTable) (*link, error) {
	refused := a.metrics.refuse(table.Name)
	l := &link{table: table, refused: refused}
	var err error
	if l.client, err = smpp.New(table.config(a.config.sendOnly), smpp.Deps{Handle: l.handle, Faulty: refused, Log: a.Log}); err != nil {
		return nil, UsageError{fmt.Errorf("the link %s: %w", table.Name, err)}
	}
	if table.SMS {
		l.sms, err = sms.NewSMPP(sms.SMPPConfig{
			Name: table.Name, From: table.From, TON: table.FromTON, NPI: table.FromNPI, Alphabet: table.Alphabet,
		}, l.client.Submit, sms.CallbackDeps{
			Deliveries: callbacks{a}, Receiver: callbacks{a}, Now: a.Clock, Refused: refused, Log: a.Log,
		})
	}
	return l, err
}

// carryUSSD lets the links that carry USSD into the conversation.
func (a *App) carryUSSD() error {
	for _, l := range a.links {
		if !l.table.USSD {
			continue
		}
		budgets := ussd.Budgets{Default: dialog.Budget(l.table.budget), Operators: map[string]dialog.Budget{}}
		for name, b := range l.table.Operators {
			budgets.Operators[name] = dialog.Budget(b)
		}
		var err error
		l.ussd, err = ussd.NewSMPP(ussd.SMPPConfig{
			Name: l.table.Name, Budgets: budgets, USSDCodings: l.table.USSDCodings, Alphabet: l.table.Alphabet, Session: l.table.USSDSession,
			Untagged: l.table.USSDUntagged, Code: cmp.Or(l.table.USSDCode, a.config.ShortCode),
		}, l.client.Submit, ussd.Deps{
			Conversations: a.Conversations, Texts: a.Texts, Now: a.Clock, Refused: a.metrics.refuse(l.table.Name), Log: a.Log,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// startLinks keeps the links until the returned function is called, which waits
// for the work in hand.
func (a *App) startLinks(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	for _, l := range a.links {
		all.Go(func() { l.client.Run(ctx) })
	}
	return func() { cancel(); all.Wait() }
}
