package smpp_test

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/smpp"
	"github.com/eshik-kg/eshik/platform/smpp/smpptest"
)

// station is a running client with what it heard.
type station struct {
	*smpp.Client
	mu     sync.Mutex
	heard  []smpp.Delivery
	faulty []string
	got    chan struct{}
	work   func(d smpp.Delivery) // done before a message counts as heard
}

func (s *station) handle(_ context.Context, d smpp.Delivery) (smpp.Status, func(context.Context)) {
	if s.work != nil {
		s.work(d)
	}
	s.mu.Lock()
	s.heard = append(s.heard, d)
	s.mu.Unlock()
	s.got <- struct{}{}
	return smpp.StatusOK, nil
}

// run starts a client; its link ends with the test.
func run(t *testing.T, cfg smpp.Config) *station {
	t.Helper()
	return runWith(t, cfg, nil)
}

// runWith starts a client that works on what it hears.
func runWith(t *testing.T, cfg smpp.Config, work func(d smpp.Delivery)) *station {
	t.Helper()
	s := &station{got: make(chan struct{}, 100), work: work}
	cfg.SystemID, cfg.Password = "eshik", "secret"
	if cfg.MinPause == 0 {
		cfg.MinPause, cfg.MaxPause = 10*time.Millisecond, 100*time.Millisecond
	}
	client, err := smpp.New(cfg, smpp.Deps{
		Handle: s.handle, Log: slog.New(slog.DiscardHandler),
		Faulty: func(reason string) { s.mu.Lock(); defer s.mu.Unlock(); s.faulty = append(s.faulty, reason) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Client = client
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); client.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return s
}

func submit(text string) *smpp.Message {
	octets, err := smpp.EncodeText(text, smpp.CodingUCS2)
	if err != nil {
		panic(err)
	}
	return &smpp.Message{
		Source: smpp.Address{Digits: "1414"}, Destination: smpp.Address{TON: 1, NPI: 1, Digits: "996555000001"},
		Coding: smpp.CodingUCS2, Short: octets, Registered: 1,
	}
}

func TestBindSubmitUnbind(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	t.Run("link", func(t *testing.T) {
		s := run(t, smpp.Config{Address: smsc.Address})
		bound := smsc.Until("bound")
		if bound.As != "bind_transceiver" || bound.SystemID != "eshik" || bound.Version != 0x34 {
			t.Errorf("bound as %+v", bound)
		}
		id, err := s.Submit(t.Context(), submit("Салам, өкмөт 😀"), nil)
		got := smsc.Until("submit")
		if err != nil || id != got.ID {
			t.Errorf("submitted as %q, the centre named it %q: %v", id, got.ID, err)
		}
		want := smpptest.Submit{
			Source: "1414", Destination: "996555000001", DestinationTON: 1, Coding: 8, RegisteredDelivery: 1, Text: "Салам, өкмөт 😀",
		}
		if got.PDU != want {
			t.Errorf("read as %+v", got.PDU)
		}
		if status := smsc.Deliver(map[string]any{
			"source_addr": "996555000001", "destination_addr": "1414", "data_coding": 8, "short_message": "0x04e8", "ussd_service_op": 18,
			"its_session_info": "0x0902",
		}); status != 0 {
			t.Errorf("refused with %d", status)
		}
		<-s.got
		d := s.heard[0]
		text, err := smpp.DecodeText(d.Message.Short, d.Message.Coding)
		op, _ := d.TLVs.Byte(smpp.TagUSSDServiceOp)
		info, _ := d.TLVs.Get(smpp.TagSessionInfo)
		if err != nil || text != "Ө" || op != 18 || hex.EncodeToString(info) != "0902" {
			t.Errorf("heard %q with %v: %v", text, d.TLVs, err)
		}
	})
	smsc.Until("unbound")
}

func TestBindModesAndRefusal(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	smsc.Do(map[string]any{"refuse": 2})
	smsc.Until("done")
	run(t, smpp.Config{Address: smsc.Address, Mode: smpp.Transmitter})
	smsc.Until("closed")
	smsc.Until("closed")
	if bound := smsc.Until("bound"); bound.As != "bind_transmitter" {
		t.Errorf("bound as %+v", bound)
	}
	run(t, smpp.Config{Address: smsc.Address, Mode: smpp.Receiver})
	if bound := smsc.Until("bound"); bound.As != "bind_receiver" {
		t.Errorf("bound as %+v", bound)
	}
}

// A centre that says we are too fast gets the message later.
func TestThrottled(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	s := run(t, smpp.Config{Address: smsc.Address})
	smsc.Until("bound")
	smsc.Do(map[string]any{"throttle": 2})
	smsc.Until("done")
	if _, err := s.Submit(t.Context(), submit("once"), nil); err != nil {
		t.Fatal(err)
	}
	smsc.Until("throttled")
	smsc.Until("throttled")
	if got := smsc.Until("submit"); got.PDU.Text != "once" {
		t.Errorf("the centre read %+v", got.PDU)
	}
}

// The link breaks while requests wait for their responses: each of them is told
// that its outcome is unknown, those that wait for room in the window are not
// sent, and the next link works.
func TestDisconnectMidWindow(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	const window = 4
	s := run(t, smpp.Config{Address: smsc.Address, Window: window})
	smsc.Until("bound")
	smsc.Do(map[string]any{"silent": window})
	smsc.Until("done")
	faults := make(chan error, 2*window)
	for range 2 * window {
		go func() {
			_, err := s.Submit(t.Context(), submit("mid-window"), nil)
			faults <- err
		}()
	}
	for range window {
		smsc.Until("swallowed")
	}
	if seen := smsc.Seen(); len(seen) > 0 {
		t.Errorf("with %d requests unanswered the centre got %+v", window, seen)
	}
	smsc.Do(map[string]any{"disconnect": true})
	unknown, notSent := 0, 0
	for range 2 * window {
		switch err := <-faults; {
		case errors.Is(err, smpp.ErrOutcomeUnknown):
			unknown++
		case errors.Is(err, smpp.ErrNotSent):
			notSent++
		default:
			t.Errorf("a request ended with %v", err)
		}
	}
	if unknown != window || notSent != window {
		t.Errorf("%d of unknown outcome and %d not sent, want %d each", unknown, notSent, window)
	}
	smsc.Until("bound")
	if _, err := s.Submit(t.Context(), submit("again"), nil); err != nil {
		t.Errorf("on the next link: %v", err)
	}
}

// What one sender wrote is worked on in the order it came in, and holds nobody else
// up; receipts wait for nobody.
func TestSendersKeepTheirOrder(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	others := make(chan struct{}, 2)
	s := runWith(t, smpp.Config{Address: smsc.Address}, func(d smpp.Delivery) {
		switch {
		case d.Message.Source.Digits != "996555000001" || smpp.IsReceipt(d.Message, d.TLVs):
			others <- struct{}{}
		case string(d.Message.Short) == "1": // the others are done before it
			<-others
			<-others
		}
	})
	smsc.Until("bound")
	deliver := func(source, text string, class int) {
		smsc.Do(map[string]any{"deliver": map[string]any{
			"source_addr": source, "destination_addr": "1414", "short_message": text, "data_coding": 0, "esm_class": class,
		}})
	}
	for _, text := range []string{"1", "2", "3"} {
		deliver("996555000001", text, 0)
	}
	deliver("996555000002", "x", 0)
	deliver("996555000001", "id:1 stat:DELIVRD", 4)
	for range 5 {
		select {
		case <-s.got:
		case <-time.After(20 * time.Second):
			t.Fatal("not everything was worked on")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var order string
	for _, d := range s.heard {
		if d.Message.Source.Digits == "996555000001" && !smpp.IsReceipt(d.Message, d.TLVs) {
			order += string(d.Message.Short)
		}
	}
	if order != "123" {
		t.Errorf("worked on in the order %q", order)
	}
}

// A link is asked whether it lives, and one that does not answer is made anew.
func TestEnquireLink(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	run(t, smpp.Config{Address: smsc.Address, Idle: 20 * time.Millisecond, Response: 200 * time.Millisecond})
	smsc.Until("bound")
	smsc.Until("enquired")
	smsc.Do(map[string]any{"deaf": true})
	smsc.Until("closed")
	smsc.Until("bound")
}

// Bad octets get the protocol's own error and cost at most the link.
func TestBadOctets(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	s := run(t, smpp.Config{Address: smsc.Address})
	smsc.Until("bound")
	smsc.Do(map[string]any{"raw": "00000010000000770000000000000009"}) // an unknown command
	if nack := smsc.Until("nack"); nack.Status != uint32(smpp.StatusCommandID) {
		t.Errorf("an unknown command is answered with %#x", nack.Status)
	}
	smsc.Do(map[string]any{"raw": "00000012000000050000000000000009" + "4100"}) // a body that ends
	if d := smsc.Until("delivered"); d.Status != uint32(smpp.StatusParameter) && d.Status != uint32(smpp.StatusCommandLength) {
		t.Errorf("half a body is answered with %#x", d.Status)
	}
	smsc.Do(map[string]any{"raw": "00000010800000040000000000000999"}) // a response nobody waits for
	if status := smsc.Deliver(map[string]any{"short_message": "still here"}); status != 0 {
		t.Errorf("after bad octets a message is refused with %#x", status)
	}
	smsc.Do(map[string]any{"raw": "7FFFFFFF000000050000000000000009"}) // two gigabytes
	smsc.Until("closed")
	smsc.Until("bound")
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faulty) != 4 || s.faulty[0] != "command" || s.faulty[1] != "body" || s.faulty[2] != "unasked" || s.faulty[3] != "length" {
		t.Errorf("counted %v", s.faulty)
	}
}

// Messages leave no faster than the operator allows. The lower bound of the time
// is the protocol's contract; there is no upper one.
func TestPace(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	s := run(t, smpp.Config{Address: smsc.Address, Rate: 50})
	smsc.Until("bound")
	begin := time.Now()
	for range 11 {
		if _, err := s.Submit(t.Context(), submit("paced"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took < 200*time.Millisecond {
		t.Errorf("11 messages at 50 a second took %s", took)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := smpp.Config{Address: "127.0.0.1:2775", SystemID: "eshik", Password: "12345678"}
	if _, err := smpp.New(good, smpp.Deps{}); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*smpp.Config){
		"address": func(c *smpp.Config) { c.Address = "smsc" }, "mode": func(c *smpp.Config) { c.Mode = "both" },
		"password": func(c *smpp.Config) { c.Password = "123456789" }, "system": func(c *smpp.Config) { c.SystemID = "1234567890123456" },
		"window": func(c *smpp.Config) { c.Window = -1 }, "rate": func(c *smpp.Config) { c.Rate = -1 },
		"pauses": func(c *smpp.Config) { c.MinPause = time.Hour },
	} {
		bad := good
		change(&bad)
		if _, err := smpp.New(bad, smpp.Deps{}); err == nil {
			t.Errorf("a bad %s is taken", name)
		}
	}
}
