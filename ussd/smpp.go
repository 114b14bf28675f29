package ussd

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

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
	// Alphabet is the centre's own, for data_coding 0 and what says nothing of one.
	Alphabet smpp.Alphabet
	// Session is what a session is told by; empty: SessionByPhone.
	Session SessionBy
	// Untagged has messages of the service type USSD without ussd_service_op taken
	// for a dialogue, and answers them without one.
	Untagged bool
	// Code is the service code as it is dialled, *1414#, for a centre that leaves
	// destination_addr empty or names a part of the code: it tells what was dialled
	// after it, and is the sender of the screens that would have none.
	Code string
}

// SessionBy says what tells a phone's sessions on a link apart.
type SessionBy string

// What sessions are told by.
const (
	// SessionByPhone: a network keeps one USSD session for a phone, so that the
	// number alone names it. It holds with any centre.
	SessionByPhone SessionBy = "phone"
	// SessionByInfo: by the first octet of its_session_info, at a centre that keeps
	// it all through a session. With some it counts messages.
	SessionByInfo SessionBy = "info"
	// SessionByReference: by user_message_reference, at a centre that puts its
	// session's id there.
	SessionByReference SessionBy = "reference"
)

// Known reports whether s is one of the above, or empty.
func (s SessionBy) Known() bool {
	return s == "" || s == SessionByPhone || s == SessionByInfo || s == SessionByReference
}

// SMPP takes the dialogues of one link. What a message says of its session
// (its_session_info, user_message_reference, addresses) goes back in its answer.
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
) (*SMPP, error) {
	if err := deps.complete(cfg.Name); err != nil {
		return nil, err
	}
	if cfg.Budgets.Default == (dialog.Budget{}) {
		cfg.Budgets.Default = DefaultBudget
	}
	return &SMPP{
		cfg: cfg, submit: submit,
		gateway: &Gateway{
			format: format{name: cfg.Name}, Deps: deps, cfg: Config{Budgets: cfg.Budgets, Lifetime: DefaultLifetime, Code: cfg.Code},
		},
	}, nil
}

// Speaks reports whether a delivered message belongs to a USSD dialogue.
func (s *SMPP) Speaks(d smpp.Delivery) bool {
	_, marked := d.TLVs.Get(smpp.TagUSSDServiceOp)
	return marked || s.untagged(d)
}

// untagged reports that a message belongs to a dialogue by its service type alone.
func (s *SMPP) untagged(d smpp.Delivery) bool {
	_, marked := d.TLVs.Get(smpp.TagUSSDServiceOp)
	return s.cfg.Untagged && !marked && d.Message.ServiceType == serviceType
}

// serviceType is the service_type of USSD (SMPP 3.4, section 5.2.11).
const serviceType = "USSD"

// operation is a message's ussd_service_op. Where a link has none, a string that is
// dialled begins a dialogue, and all else goes on with one.
func (s *SMPP) operation(d smpp.Delivery) (op byte, ok bool) {
	if !s.untagged(d) {
		return d.TLVs.Byte(smpp.TagUSSDServiceOp)
	}
	if text, err := s.content(d); err == nil && strings.HasPrefix(text, "*") && strings.HasSuffix(text, "#") {
		return pssrIndication, true
	}
	return ussrConfirm, true
}

// content is what was dialled or typed.
func (s *SMPP) content(d smpp.Delivery) (string, error) {
	octets, _, err := smpp.Content(d.Message, d.TLVs)
	if err != nil {
		return "", err
	}
	text, err := s.cfg.Alphabet.Decode(octets, d.Message.Coding)
	return legible(text), err
}

// Handle takes one message of a dialogue. It is accepted at once, and the next
// screen follows as a message of its own.
func (s *SMPP) Handle(ctx context.Context, d smpp.Delivery) (smpp.Status, func(context.Context)) {
	op, ok := s.operation(d)
	if !ok {
		s.gateway.Refused("operation")
		return smpp.StatusPermanent, nil
	}
	if op == ussnConfirm {
		return smpp.StatusOK, nil
	}
	in := s.read(d, op)
	if err := s.gateway.complete(&in); err != nil {
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
	phone, _ := d.Message.Source.Phone()
	in := request{
		session: d.Message.Source.Digits + s.session(d), phone: phone,
		start: op == pssrIndication || op == pssdIndication, over: op >= vendorOps,
	}
	if info, has := sessionInfo(d); has {
		in.over = in.over || (info[1]&lastUnit != 0 && !in.start)
	}
	var err error
	if in.text, err = s.content(d); err != nil {
		s.gateway.Refused("coding")
		in.text = dialog.Unreadable // the citizen is told, and asked again
	}
	if in.start {
		in.id, in.whole, in.code = d.ID, true, d.Message.Destination.Digits
	}
	return in
}

// session is what tells the phone's session from others, by the link's setting. A
// message without it belongs to the phone's only one.
func (s *SMPP) session(d smpp.Delivery) string {
	switch s.cfg.Session {
	case SessionByInfo:
		if info, has := sessionInfo(d); has {
			return "/" + hex.EncodeToString(info[:1])
		}
	case SessionByReference:
		if reference, has := d.TLVs.Get(smpp.TagUserReference); has {
			return "/" + hex.EncodeToString(reference)
		}
	}
	return ""
}

// sessionInfo is its_session_info: two octets (SMPP 3.4, section 5.3.2.43).
func sessionInfo(d smpp.Delivery) (info []byte, has bool) {
	info, has = d.TLVs.Get(smpp.TagSessionInfo)
	return info, has && len(info) == 2
}

// answer takes the turn and sends the screen.
func (s *SMPP) answer(ctx context.Context, d smpp.Delivery, op byte, in request) {
	screen, _ := s.gateway.turn(ctx, in) // the link is the proof: nothing is signed
	m, tlvs := s.screen(d, op, screen)
	if _, err := s.submit(ctx, m, tlvs); err != nil {
		// The citizen sees the network's error; dialled again, the conversation goes on.
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
	var octets []byte
	var err error
	own, ok := s.cfg.Alphabet.Encode(answer.Text)
	switch {
	case coding == smpp.CodingDefault && ok:
		octets = own
	case coding == smpp.CodingDefault && gsm.Units(answer.Text) <= DefaultBudget.Units:
		coding = wide // which is never misread
		octets, err = smpp.EncodeText(answer.Text, coding)
	case coding == smpp.CodingDefault:
		coding = smpp.CodingUSSD // says what it is
		fallthrough
	default:
		octets, err = smpp.EncodeText(answer.Text, coding)
	}
	if err != nil { // the alphabet was asked above
		panic(fmt.Sprintf("ussd: a text in GSM-7 cannot be written: %v", err))
	}
	source := d.Message.Destination
	if source.Digits == "" {
		source = smpp.Address{TON: d.Message.Destination.TON, NPI: d.Message.Destination.NPI, Digits: strings.Trim(s.cfg.Code, "*#")}
	}
	return &smpp.Message{
		ServiceType: serviceType, Source: source, Destination: d.Message.Source, Coding: coding, Short: octets,
	}, s.marks(d, reply, answer.End)
}

// marks are the parameters of an answer to d: our operation, and what the centre
// knows its session by.
func (s *SMPP) marks(d smpp.Delivery, reply byte, end bool) smpp.TLVs {
	var tlvs smpp.TLVs
	if reference, has := d.TLVs.Get(smpp.TagUserReference); has {
		tlvs = append(tlvs, smpp.TLV{Tag: smpp.TagUserReference, Value: reference})
	}
	if !s.untagged(d) {
		tlvs = append(tlvs, smpp.TLV{Tag: smpp.TagUSSDServiceOp, Value: []byte{reply}})
	}
	if info, has := sessionInfo(d); has {
		back := []byte{info[0], info[1] &^ lastUnit}
		if end {
			back[1] |= lastUnit
		}
		tlvs = append(tlvs, smpp.TLV{Tag: smpp.TagSessionInfo, Value: back})
	}
	return tlvs
}
