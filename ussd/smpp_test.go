package ussd_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/smpp"
	"github.com/eshik-kg/eshik/platform/smpp/smpptest"
	"github.com/eshik-kg/eshik/ussd"
)

// link is a gateway on a link to somebody else's SMS centre.
type link struct {
	*conversation
	t       *testing.T
	smsc    *smpptest.SMSC
	mu      sync.Mutex
	refused []string
	log     bytes.Buffer
	gateway *ussd.SMPP
}

func newLink(t *testing.T, cfg ussd.SMPPConfig) *link {
	t.Helper()
	l := &link{t: t, conversation: &conversation{}, smsc: smpptest.Start(t)}
	log := slog.New(slog.NewTextHandler(&l.log, nil))
	client, err := smpp.New(
		smpp.Config{Address: l.smsc.Address, SystemID: "eshik", Password: "secret", MinPause: 10 * time.Millisecond, MaxPause: time.Second},
		smpp.Deps{Log: log, Faulty: l.refuse, Handle: func(ctx context.Context, d smpp.Delivery) (smpp.Status, func(context.Context)) {
			return l.gateway.Handle(ctx, d)
		}})
	if err != nil {
		t.Fatal(err)
	}
	l.gateway, err = ussd.NewSMPP(cfg, client.Submit, ussd.Deps{
		Conversations: l.conversation, Texts: sentences{}, Now: time.Now, Log: log, Refused: l.refuse,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); client.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	l.smsc.Until("bound")
	return l
}

func (l *link) refuse(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = append(l.refused, reason)
}

// says sends what the phone does, and gives the screen.
func (l *link) says(fields map[string]any) smpptest.Submit {
	l.t.Helper()
	l.deliver(fields)
	return l.smsc.Until("submit").PDU
}

func (l *link) deliver(fields map[string]any) {
	l.t.Helper()
	all := map[string]any{
		"service_type": "USSD", "source_addr": "996555000001", "source_addr_ton": 1, "destination_addr": "1414", "data_coding": 15,
	}
	for name, value := range fields {
		all[name] = value
	}
	l.smsc.Do(map[string]any{"deliver": all})
}

// screenText is a screen's text: USSD's own GSM-7 the other library leaves as it
// is.
func screenText(screen smpptest.Submit) string {
	if octets, err := hex.DecodeString(strings.TrimPrefix(screen.Text, "0x")); err == nil && screen.Coding == 15 {
		return gsm.Decode(octets)
	}
	return screen.Text
}

// The dialogue 1, 2, 18, 17 (ussd_service_op, SMPP 3.4, 5.3.2.44), with and without its_session_info,
// in both alphabets.
func TestSMPPDialogue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cfg            ussd.SMPPConfig
		dial, go_, end string // its_session_info of the three messages
		wantGo, wantTo string
		plain, wide    int
	}{
		"with session info":    {ussd.SMPPConfig{Name: "smpp", Session: ussd.SessionByInfo}, "0x0900", "0x0902", "0x0904", "0x0902", "0x0905", 0, 8},
		"constant info":        {ussd.SMPPConfig{Name: "smpp", Session: ussd.SessionByInfo}, "0xa1b2", "0xa1b2", "0xa1b2", "0xa1b2", "0xa1b3", 0, 8},
		"info that counts":     {ussd.SMPPConfig{Name: "smpp"}, "0x0900", "0x0a00", "0x0b00", "0x0a00", "0x0b01", 0, 8},
		"without session info": {ussd.SMPPConfig{Name: "smpp", USSDCodings: true}, "", "", "", "", "", 15, 72},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLink(t, test.cfg)
			with := func(info string, fields map[string]any) map[string]any {
				if info != "" {
					fields["its_session_info"] = info
				}
				return fields
			}
			menu := l.says(with(test.dial, map[string]any{"ussd_service_op": 1, "short_message": "0x2a313431342a3223"})) // *1414*2#
			if menu.Operation != 2 || screenText(menu) != "+996555000001 MegaCom start=true [2]" || menu.ServiceType != "USSD" ||
				menu.Source != "1414" || menu.Destination != "996555000001" || menu.DestinationTON != 1 || menu.Coding != test.plain {
				t.Errorf("the menu is %+v", menu)
			}
			next := l.says(with(test.go_, map[string]any{"ussd_service_op": 18, "data_coding": test.wide, "short_message": "0x04e904af"})) // өү
			if next.Operation != 2 || !strings.HasSuffix(next.Text, "start=false [өү]") || next.Coding != test.wide || next.SessionInfo != test.wantGo {
				t.Errorf("the next screen is %+v", next)
			}
			last := l.says(with(test.end, map[string]any{"ussd_service_op": 18, "short_message": "0x66696e697368"})) // finish
			if last.Operation != 17 || last.SessionInfo != test.wantTo {
				t.Errorf("the last screen is %+v", last)
			}
			turns := l.taken()
			if len(turns) != 3 || turns[0].ID == "" || turns[1].ID != "" || turns[0].Session != turns[1].Session || turns[1].Session != turns[2].Session {
				t.Errorf("the turns are %+v", turns)
			}
			if len(l.refused) > 0 {
				t.Errorf("refused: %v", l.refused)
			}
		})
	}
}

// A dialled string that begins no dialogue gets its one answer in the kind of
// message that the network expects.
func TestSMPPWithoutDialogue(t *testing.T) {
	t.Parallel()
	l := newLink(t, ussd.SMPPConfig{Name: "smpp"})
	l.deliver(map[string]any{"ussd_service_op": 0, "short_message": "0x2a313431342a66696e69736823"}) // *1414*finish#
	if answer := l.smsc.Until("submit").PDU; answer.Operation != 16 {
		t.Errorf("answered with %+v", answer)
	}
}

// The network, the citizen or the gateway ends a session: that is told, and
// nothing is sent into it.
func TestSMPPEnd(t *testing.T) {
	t.Parallel()
	l := newLink(t, ussd.SMPPConfig{Name: "smpp"})
	for _, fields := range []map[string]any{
		{"ussd_service_op": 129}, {"ussd_service_op": 18, "its_session_info": "0x0903"}, {"ussd_service_op": 19},
	} {
		l.deliver(fields)
		if d := l.smsc.Until("delivered"); d.Status != 0 {
			t.Errorf("%v is refused with %d", fields, d.Status)
		}
	}
	// The next screen comes after them: what was sent for them would be before it.
	screen := l.says(map[string]any{"ussd_service_op": 1, "short_message": "0x2a3134313423"})
	if screen.Operation != 2 || len(l.taken()) != 1 {
		t.Errorf("the screen is %+v of %d turns", screen, len(l.taken()))
	}
	if got := l.over(); len(got) != 2 {
		t.Errorf("ended: %v", got)
	}
}

// What makes no sense is refused for good, counted, and costs nobody else
// anything; what a citizen typed stays out of the log.
func TestSMPPBadInput(t *testing.T) {
	t.Parallel()
	l := newLink(t, ussd.SMPPConfig{Name: "smpp"})
	for _, fields := range []map[string]any{
		{"ussd_service_op": 18, "source_addr": "Beeline", "short_message": "0x63616e617279"},
		{"ussd_service_op": 17, "short_message": "0x63616e617279"},
		{"short_message": "0x63616e617279"},
	} {
		l.deliver(fields)
		if d := l.smsc.Until("delivered"); d.Status != uint32(smpp.StatusPermanent) {
			t.Errorf("%v is answered with %d", fields, d.Status)
		}
	}
	screen := l.says(map[string]any{"ussd_service_op": 18, "data_coding": 0x20, "short_message": "0xb51da69c8ed3f3"})
	if !strings.Contains(screen.Text, "[\uFFFD]") {
		t.Errorf("a compressed text is answered with %+v", screen)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := strings.Join(l.refused, " "); got != "malformed operation operation coding" {
		t.Errorf("counted %q", got)
	}
	if strings.Contains(l.log.String(), "canary") || strings.Contains(l.log.String(), "996555000001") {
		t.Errorf("the log tells: %s", l.log.String())
	}
}

// Steps of one phone that come at once are answered in the order they came in, in
// whatever form the centre writes the number, and hold nobody else up.
func TestSMPPKeepsTheOrder(t *testing.T) {
	t.Parallel()
	l := newLink(t, ussd.SMPPConfig{Name: "smpp"})
	l.held = make(chan struct{})
	step := func(source string, ton int, text string) {
		l.deliver(map[string]any{
			"ussd_service_op": 18, "source_addr": source, "source_addr_ton": ton, "short_message": "0x" + hex.EncodeToString([]byte(text)),
		})
	}
	step("996555000001", 1, "slow")
	step("996555000001", 1, "second")
	step("0555000001", 0, "third")
	step("996555000002", 1, "other")
	for _, want := range []string{"other", "slow", "second", "third"} {
		if got := screenText(l.smsc.Until("submit").PDU); !strings.HasSuffix(got, "["+want+"]") {
			t.Errorf("answered %q, want that to %q", got, want)
		}
		if want == "other" { // the steps before it were read
			close(l.held)
		}
	}
}

// T9: a centre that leaves destination_addr empty and has its session's id in
// user_message_reference finds that id in every screen, and our code as the sender.
func TestSMPPReference(t *testing.T) {
	t.Parallel()
	for name, session := range map[string]ussd.SessionBy{"by phone": "", "by reference": ussd.SessionByReference} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLink(t, ussd.SMPPConfig{Name: "smpp", Session: session, Code: "*1414*5#"})
			in := func(reference int, fields map[string]any) map[string]any {
				fields["destination_addr"], fields["user_message_reference"] = "", reference
				return fields
			}
			menu := l.says(in(4660, map[string]any{"ussd_service_op": 1, "short_message": "0x2a313431342a352a3223"})) // *1414*5*2#
			if menu.Reference != 4660 || menu.Source != "1414*5" || !strings.HasSuffix(screenText(menu), "[2]") {
				t.Errorf("the menu is %+v", menu)
			}
			last := l.says(in(4660, map[string]any{"ussd_service_op": 18, "short_message": "0x66696e697368"})) // finish
			if last.Reference != 4660 || last.Operation != 17 || last.Source != "1414*5" {
				t.Errorf("the last screen is %+v", last)
			}
			l.says(in(4661, map[string]any{"ussd_service_op": 1, "short_message": "0x2a313431342a3523"})) // *1414*5#
			turns := l.taken()
			if len(turns) != 3 || turns[0].Session != turns[1].Session || (session == "") != (turns[1].Session == turns[2].Session) {
				t.Errorf("the turns are %+v", turns)
			}
		})
	}
}

// T4: a centre that names only the first part of a shared code.
func TestSMPPSharedCode(t *testing.T) {
	t.Parallel()
	l := newLink(t, ussd.SMPPConfig{Name: "smpp", Code: "*1414*2#"})
	menu := l.says(map[string]any{"ussd_service_op": 1, "short_message": "0x2a313431342a3223"})     // *1414*2#
	deep := l.says(map[string]any{"ussd_service_op": 1, "short_message": "0x2a313431342a322a3323"}) // *1414*2*3#
	if !strings.HasSuffix(screenText(menu), "[]") || !strings.HasSuffix(screenText(deep), "[3]") || menu.Source != "1414" {
		t.Errorf("the screens are %+v and %+v", menu, deep)
	}
}

// A centre without ussd_service_op: the service type alone marks a dialogue where
// the link says so, and nothing of one is a text.
func TestSMPPUntagged(t *testing.T) {
	t.Parallel()
	l := newLink(t, ussd.SMPPConfig{Name: "smpp", Untagged: true})
	menu := l.says(map[string]any{"short_message": "0x2a313431342a3223"}) // *1414*2#
	if menu.Operation != 0 || menu.ServiceType != "USSD" || screenText(menu) != "+996555000001 MegaCom start=true [2]" {
		t.Errorf("the menu is %+v", menu)
	}
	if next := l.says(map[string]any{"short_message": "0x31"}); screenText(next) != "+996555000001 MegaCom start=false [1]" {
		t.Errorf("the next screen is %+v", next)
	}
	if star := l.says(map[string]any{"short_message": "0x2a31"}); !strings.Contains(star.Text, "start=false [*1]") {
		t.Errorf("a typed * is %+v", star)
	}
	marked := l.says(map[string]any{"ussd_service_op": 18, "short_message": "0x32"})
	if marked.Operation != 2 || !strings.Contains(marked.Text, "start=false [2]") {
		t.Errorf("a marked message is answered with %+v", marked)
	}
	for name, d := range map[string]smpp.Delivery{
		"a text": {Message: &smpp.Message{Short: []byte("1")}}, "of another service": {Message: &smpp.Message{ServiceType: "WAP"}},
	} {
		if l.gateway.Speaks(d) {
			t.Errorf("%s is taken for a dialogue", name)
		}
	}
}

// T7, T8: a dialogue begins anew with every dialling, also where the centre uses its
// sequence numbers again or writes 0, and from a phone that is written nationally.
func TestSMPPSequenceNumbers(t *testing.T) {
	t.Parallel()
	l := newLink(t, ussd.SMPPConfig{Name: "megacom"})
	for n, sequence := range []uint32{7, 7, 0, 0} {
		octets, _ := gsm.Encode("*1414#")
		p := smpp.PDU{
			Command: smpp.DeliverSM, Sequence: sequence, TLVs: smpp.TLVs{{Tag: smpp.TagUSSDServiceOp, Value: []byte{1}}},
			Message: &smpp.Message{
				ServiceType: "USSD", Source: smpp.Address{TON: 2, Digits: "0555000001"}, Destination: smpp.Address{Digits: "1414"},
				Coding: smpp.CodingUSSD, Short: octets,
			},
		}
		raw, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if status := l.smsc.Raw(raw); status != 0 {
			t.Fatalf("answered with %#x", status)
		}
		l.smsc.Until("submit")
		l.conversation.mu.Lock()
		turns := slices.Clone(l.turns)
		l.conversation.mu.Unlock()
		if len(turns) != n+1 || turns[n].Phone != "+996555000001" || !turns[n].Start {
			t.Fatalf("heard %+v", turns)
		}
		for _, before := range turns[:n] {
			if before.ID == turns[n].ID {
				t.Errorf("two diallings have the id %q", before.ID)
			}
		}
	}
}
