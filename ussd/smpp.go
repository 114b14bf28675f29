package ussd

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/smpp"
)

// Values of the parameter ussd_service_op. Source: SMPP 3.4, section 5.3.2.44;
// 18 is decimal, as are all of them.
const (
	pssdIndication = 0  // dialled, and no dialogue is expected
	pssrIndication = 1  // dialled: a dialogue begins
	ussrRequest    = 2  // our screen, which asks for an answer
	pssdResponse   = 16 // our last screen after pssdIndication
	pssrResponse   = 17 // our last screen
	ussrConfirm    = 18 // what the citizen answered
	ussnConfirm    = 19 // a notice of ours was seen; we send none
	// vendorOps and above are the vendors' own: all that are known end a dialogue.
	vendorOps = 32
)

// lastUnit is the bit of its_session_info that ends a session (SMPP 3.4, section
// 5.3.2.42).
const lastUnit = 0x01

// SMPPConfig is a USSD gateway that speaks SMPP.
type SMPPConfig struct {
	// Name tells the gateway from others: in statistics, and in the sessions.
	Name    string
	Budgets Budgets
	// USSDCodings has GSM-7 and UCS-2 marked as USSD's (data_coding 15 and 72)
	// instead of as SMS's (0 and 8): what a gateway wants is its own.
	USSDCodings bool
}

// SMPP takes the dialogues of one link. A gateway that sends its_session_info
// gets it back; one that does not has one dialogue for each phone.
type SMPP struct {
	cfg     SMPPConfig
	gateway *Gateway
	// submit sends a message, as *smpp.Client does.
	submit func(ctx context.Context, m *smpp.Message, tlvs smpp.TLVs) (id string, err error)
}

// NewSMPP makes the gateway of a link. Who is at its other end is proved by the
// link: we called them.
func NewSMPP(
	cfg SMPPConfig, submit func(ctx context.Context, m *smpp.Message, tlvs smpp.TLVs) (string, error), deps Deps,
) *SMPP {
	if cfg.Budgets.Default == (dialog.Budget{}) {
		cfg.Budgets.Default = DefaultBudget
	}
	return &SMPP{
		cfg: cfg, submit: submit,
		gateway: &Gateway{
			format: format{name: cfg.Name}, Deps: deps, cfg: Config{Budgets: cfg.Budgets, Lifetime: DefaultLifetime},
		},
	}
}

// Speaks reports whether a delivered message belongs to a USSD dialogue.
func (s *SMPP) Speaks(d smpp.Delivery) bool {
	_, marked := d.TLVs.Get(smpp.TagUSSDServiceOp)
	return marked
}

// Handle takes one message of a dialogue. It is accepted at once, and the next
// screen follows as a message of its own.
func (s *SMPP) Handle(ctx context.Context, d smpp.Delivery) (smpp.Status, func(context.Context)) {
	op, ok := d.TLVs.Byte(smpp.TagUSSDServiceOp)
	if !ok {
		s.gateway.Refused("operation")
		return smpp.StatusPermanent, nil
	}
	if op == ussnConfirm {
		return smpp.StatusOK, nil
	}
	in := s.read(d, op)
	if err := in.check(); err != nil {
		s.gateway.Refused("malformed")
		return smpp.StatusPermanent, nil
	}
	if in.over {
		// Noted before it is acknowledged: what the phone sends next finds it ended.
		s.gateway.end(ctx, in)
		return smpp.StatusOK, nil
	}
	if !in.start && op != ussrConfirm {
		s.gateway.Refused("operation")
		return smpp.StatusPermanent, nil
	}
	return smpp.StatusOK, func(ctx context.Context) { s.answer(ctx, d, op, in) }
}

// read makes a request of a message. SMPP numbers no turns: the start is known by
// the request's own id, and every other turn by its text (see session.Turn).
func (s *SMPP) read(d smpp.Delivery, op byte) request {
	in := request{
		session: d.Message.Source.Digits, phone: d.Message.Source.Digits,
		start: op == pssrIndication || op == pssdIndication, over: op >= vendorOps,
	}
	// The first octet is the same all through a session, whether the two are a
	// number and a count of messages or one long number.
	if info, has := d.TLVs.Get(smpp.TagSessionInfo); has && len(info) == 2 {
		in.session += "/" + hex.EncodeToString(info[:1])
		in.over = in.over || (info[1]&lastUnit != 0 && !in.start)
	}
	octets, _, err := smpp.Content(d.Message, d.TLVs)
	if err == nil {
		in.text, err = smpp.DecodeText(octets, d.Message.Coding)
	}
	if err != nil {
		// No screen takes this for a choice: the citizen is asked again.
		s.gateway.Refused("coding")
		in.text = "\uFFFD"
	}
	in.text = legible(in.text)
	if in.start {
		in.id = d.ID
		in.text = dialled(in.text, "*"+d.Message.Destination.Digits)
	}
	return in
}

// answer takes the turn and sends the screen.
func (s *SMPP) answer(ctx context.Context, d smpp.Delivery, op byte, in request) {
	screen, _ := s.gateway.turn(ctx, in) // the link is the proof: nothing is signed
	m, tlvs := s.screen(d, op, screen)
	if _, err := s.submit(ctx, m, tlvs); err != nil {
		// The citizen sees the network's error; dialled again, the talk goes on.
		s.gateway.Refused("not_sent")
		s.gateway.Log.WarnContext(ctx, "a USSD screen was not sent", "gateway", s.cfg.Name, "error", err)
	}
}

// screen writes an answer to the message d.
func (s *SMPP) screen(d smpp.Delivery, op byte, answer session.Answer) (*smpp.Message, smpp.TLVs) {
	reply := byte(ussrRequest)
	if answer.End {
		reply = pssrResponse
		if op == pssdIndication {
			reply = pssdResponse
		}
	}
	coding, wide := smpp.CodingDefault, smpp.CodingUCS2
	if s.cfg.USSDCodings {
		coding, wide = smpp.CodingUSSD, smpp.CodingUSSDUCS2
	}
	if _, ok := gsm.Septets(answer.Text); !ok {
		coding = wide
	}
	octets, err := smpp.EncodeText(answer.Text, coding)
	if err != nil { // the alphabet was asked above
		panic(fmt.Sprintf("ussd: a text in GSM-7 cannot be written: %v", err))
	}
	tlvs := smpp.TLVs{{Tag: smpp.TagUSSDServiceOp, Value: []byte{reply}}}
	if info, has := d.TLVs.Get(smpp.TagSessionInfo); has && len(info) == 2 {
		back := []byte{info[0], info[1] &^ lastUnit}
		if answer.End {
			back[1] |= lastUnit
		}
		tlvs = append(tlvs, smpp.TLV{Tag: smpp.TagSessionInfo, Value: back})
	}
	return &smpp.Message{
		ServiceType: "USSD", Source: d.Message.Destination, Destination: d.Message.Source, Coding: coding, Short: octets,
	}, tlvs
}
