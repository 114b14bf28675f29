package smpp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Mode is what a link is bound for.
type Mode string

// The modes. Some older SMS centres have no transceivers: there one link sends
// and another one receives.
const (
	Transceiver Mode = "transceiver"
	Transmitter Mode = "transmitter"
	Receiver    Mode = "receiver"
)

// binds are the requests of the modes.
var binds = map[Mode]Command{Transceiver: BindTransceiver, Transmitter: BindTransmitter, Receiver: BindReceiver}

// Config is one account at an SMS centre.
type Config struct {
	// Address is host:port.
	Address string
	// TLS, unless nil, is spoken on the link.
	TLS *tls.Config
	// SystemID and Password are the account, SystemType what the operator asks
	// for, often nothing.
	SystemID, Password, SystemType string
	Mode                           Mode // zero: Transceiver
	// Window is how many requests may wait for their responses; zero: 10.
	Window int
	// Rate is how many short messages (parts) a second the operator takes from
	// us; zero: no limit.
	Rate float64
	// Idle is how long the link may be silent until it is asked whether it lives;
	// zero: 30 s.
	Idle time.Duration
	// Response is how long to wait for the link, and for a response; zero: 10 s.
	Response time.Duration
	// MinPause and MaxPause bound the pause before a link is made anew; it
	// doubles each time. Zero: 1 s and 1 minute.
	MinPause, MaxPause time.Duration
}

const (
	// handlers is how many delivered messages are worked on at once; one more is
	// answered that the queue is full.
	handlers = 100
	// handleWithin bounds the work on one delivered message.
	handleWithin = 15 * time.Second
)

func (c *Config) complete() error {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	set(&c.Idle, 30*time.Second)
	set(&c.Response, 10*time.Second)
	set(&c.MinPause, time.Second)
	set(&c.MaxPause, time.Minute)
	if c.Mode == "" {
		c.Mode = Transceiver
	}
	if c.Window == 0 {
		c.Window = 10
	}
	if _, known := binds[c.Mode]; !known {
		return fmt.Errorf("an SMPP link is a transceiver, a transmitter or a receiver, not %q", c.Mode)
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return fmt.Errorf("an SMPP link needs an address as host:port, not %q", c.Address)
	}
	if c.Window < 1 {
		return fmt.Errorf("an SMPP link's window is 1 or more, not %d", c.Window)
	}
	if c.Rate < 0 {
		return fmt.Errorf("an SMPP link's rate is 0 (no limit) or more, not %g", c.Rate)
	}
	if min(c.Idle, c.Response, c.MinPause) < 0 || c.MaxPause < c.MinPause {
		return errors.New("an SMPP link's times are not negative, and its longest pause is no shorter than its shortest")
	}
	_, err := PDU{Command: binds[c.Mode], Bind: c.bind()}.Encode()
	if err != nil {
		return errors.New("SMPP has room for a system_id of 15, a password of 8 and a system_type of 12 octets")
	}
	return nil
}

func (c *Config) bind() *Bind {
	return &Bind{SystemID: c.SystemID, Password: c.Password, SystemType: c.SystemType, Version: 0x34}
}

// Delivery is a message that the other side brought.
type Delivery struct {
	Message *Message
	TLVs    TLVs
	// ID names the request for good: the link's random name, and which of its messages
	// this was. SMPP gives messages to us no id of their own, and a sequence number
	// says little: some centres count from 0 again, some do not count.
	ID string
}

// Handler takes a delivered message. The status is the response, and then,
// unless nil, runs when the response is written: for work that takes longer than
// the other side waits.
type Handler func(ctx context.Context, d Delivery) (status Status, then func(ctx context.Context))

// Deps are what a Client stands on.
type Deps struct {
	// Handle takes what is delivered; nil on a transmitter.
	Handle Handler
	// Faulty hears of every PDU that is malformed, unknown, was never asked for, came
	// again or has what does not belong there, to be counted.
	Faulty func(reason string)
	Log    *slog.Logger
}

// Client keeps one link to an SMS centre and makes it anew when it breaks. It is
// safe for concurrent use.
type Client struct {
	Deps
	cfg  Config
	pace pace
	// asked outlives the links: a response may come over the next one.
	asked *requests
	dial  func(ctx context.Context) (net.Conn, error)

	mu      sync.Mutex
	link    *link         // nil while there is none
	changed chan struct{} // closed when link changes
}

// New checks the settings; Run makes the link.
func New(cfg Config, deps Deps) (*Client, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if deps.Handle == nil {
		deps.Handle = func(context.Context, Delivery) (Status, func(context.Context)) { return StatusBindState, nil }
	}
	c := &Client{Deps: deps, cfg: cfg, pace: newPace(cfg.Rate), asked: newRequests(), changed: make(chan struct{})}
	c.dial = c.connect
	return c, nil
}

func (c *Client) connect(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: c.cfg.Response}
	if c.cfg.TLS == nil {
		return dialer.DialContext(ctx, "tcp", c.cfg.Address)
	}
	secure := tls.Dialer{NetDialer: &dialer, Config: c.cfg.TLS}
	return secure.DialContext(ctx, "tcp", c.cfg.Address)
}

// Run keeps the link until the context is cancelled; then it lets the work in
// hand finish, for as long as a response may take, unbinds and returns.
func (c *Client) Run(ctx context.Context) {
	for pause := c.cfg.MinPause; ; pause = min(2*pause, c.cfg.MaxPause) {
		bound, err := c.serve(ctx)
		if ctx.Err() != nil {
			return
		}
		if bound {
			pause = c.cfg.MinPause
		}
		c.Log.WarnContext(ctx, "an SMPP link is down", "address", c.cfg.Address, "error", err)
		// Between half and all of the pause: instances do not come back together.
		wait := pause/2 + rand.N(pause/2+1) // #nosec G404 -- jitter is no secret
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// serve makes one link and works on it until it breaks or ctx is cancelled.
func (c *Client) serve(ctx context.Context) (bound bool, err error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return false, fmt.Errorf("reach the SMS centre: %w", err)
	}
	l := newLink(c, conn)
	defer l.end()
	if err := l.bind(ctx); err != nil {
		return false, fmt.Errorf("bind: %w", err)
	}
	c.Log.InfoContext(ctx, "an SMPP link is bound", "address", c.cfg.Address, "mode", c.cfg.Mode)
	c.set(l)
	defer c.set(nil)
	watched := make(chan struct{})
	go func() { defer close(watched); l.watch(ctx) }()
	defer func() { <-watched }()
	select {
	case <-l.broken:
		return true, l.err
	case <-ctx.Done():
		l.finish()
		return true, ctx.Err()
	}
}

func (c *Client) set(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
	close(c.changed)
	c.changed = make(chan struct{})
}

// bound waits for a link.
func (c *Client) bound(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Response)
	defer cancel()
	for {
		c.mu.Lock()
		l, changed := c.link, c.changed
		c.mu.Unlock()
		if l != nil {
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: there is no link", ErrNotSent)
		}
	}
}

// Submit sends one short message and gives the id in the response; one with
// ussd_service_op is a screen and goes before the others that wait. While the
// other side says that it is busy, all messages are held back and this one is
// sent again, for as long as ctx lasts. Errors wrap ErrNotSent or
// ErrOutcomeUnknown, or are a StatusError.
func (c *Client) Submit(ctx context.Context, m *Message, tlvs TLVs) (id string, err error) {
	_, screen := tlvs.Get(TagUSSDServiceOp)
	for pause := c.cfg.MinPause; ; pause = min(2*pause, c.cfg.MaxPause) {
		if err := c.pace.wait(ctx, screen); err != nil {
			return "", fmt.Errorf("%w: %w: %w", ErrNotSent, ErrNoTurn, err)
		}
		l, err := c.bound(ctx)
		if err != nil {
			return "", err
		}
		answer, err := l.ask(ctx, PDU{Command: SubmitSM, Message: m, TLVs: tlvs})
		if err != nil {
			return "", err
		}
		if !answer.Status.Busy() {
			return accepted(answer)
		}
		c.pace.hold(pause)
	}
}
