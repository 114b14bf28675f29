package sms

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/smpp"
)

// Submit sends one short message over a link, as (*smpp.Client).Submit does.
type Submit func(ctx context.Context, m *smpp.Message, tlvs smpp.TLVs) (id string, err error)

// SMPPConfig is an SMS centre that speaks SMPP.
type SMPPConfig struct {
	// Name tells the centre from others, for good: its receipts are kept under it.
	Name string
	// From is our number there: a short code, or in E.164.
	From string
	// TON and NPI, unless nil, are the type of number and the numbering plan of From
	// (SMPP 3.4, sections 5.2.5 and 5.2.6), where the centre wants other ones than its
	// form says.
	TON, NPI *byte
	// Alphabet is the centre's own, for data_coding 0 and what says nothing of one.
	Alphabet smpp.Alphabet
}

// SMPP sends and takes messages over one link. It implements Provider.
type SMPP struct {
	cfg    SMPPConfig
	submit Submit
	deps   CallbackDeps
	mu     sync.Mutex
	left   map[string]leaving
}

// leaving is how much of a message left before a try failed.
type leaving struct {
	parts int
	// unsure is how often the next part was submitted with an unknown outcome.
	unsure int
	at     time.Time
}

// mostCopies is how many copies of a part may be under way with an unknown outcome: its
// phone shows them as one, and the rest is not kept waiting for it.
const mostCopies = 2

// rememberLeaving is longer than a message is tried.
const rememberLeaving = 24 * time.Hour

// NewSMPP makes the provider of a link. It fails where a dependency is missing.
func NewSMPP(cfg SMPPConfig, submit Submit, deps CallbackDeps) (*SMPP, error) {
	if err := deps.complete(cfg.Name); err != nil {
		return nil, err
	}
	return &SMPP{cfg: cfg, submit: submit, deps: deps, left: map[string]leaving{}}, nil
}

// Name implements Provider.
func (s *SMPP) Name() string { return s.cfg.Name }

// Send hands over the parts of a message, and gives the id of the last one: its
// receipt is asked for. The parts that an earlier try got rid of are not sent
// again.
func (s *SMPP) Send(ctx context.Context, m notify.MT) (id string, err error) {
	parts := s.split(m.Text)
	for i := s.gone(m.ID); i < len(parts.Texts); i++ {
		message, err := s.part(m, parts, i)
		if err != nil {
			return "", err
		}
		if id, err = s.submit(ctx, message, nil); err != nil {
			last := i == len(parts.Texts)-1
			s.awaitLate(m, i, last, err)
			s.keep(m.ID, i, errors.Is(err, smpp.ErrOutcomeUnknown) && !last)
			if last && errors.Is(err, smpp.ErrOutcomeUnknown) { // the part with the receipt
				return "", fmt.Errorf("%w: %w", notify.ErrUnanswered, err)
			}
			return "", s.fault(err, i)
		}
	}
	s.keep(m.ID, 0, false)
	return id, nil
}

// awaitLate has the response to the i-th part noted if it comes when nobody waits for
// it: a part that was taken is not sent again, nor is a message whose last part was.
func (s *SMPP) awaitLate(m notify.MT, i int, last bool, err error) {
	var unanswered *smpp.UnansweredError
	if !errors.As(err, &unanswered) {
		return
	}
	unanswered.Late.Then(func(id string, err error) {
		s.deps.Refused("late_response")
		if !last {
			if err == nil {
				s.keepAtLeast(m.ID, i+1)
			}
			return
		}
		told := notify.DeliveryReceipt{Provider: s.cfg.Name, Message: m.ID, ID: id, Operator: caller.Operator(m.To), Status: "accepted"}
		if err != nil {
			told.Status = notify.NotTaken
		}
		ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
		defer cancel()
		if err := s.deps.Deliveries.NoteReceipt(ctx, told); err != nil && !errors.Is(err, notify.ErrUnknown) { // it went again meanwhile
			s.deps.Log.WarnContext(ctx, "a late response was not noted", "provider", s.cfg.Name, "message", m.ID, "error", err)
		}
	})
}

// part writes the i-th short message of m. The reference is the message's own:
// a phone that gets a part twice shows it once.
func (s *SMPP) part(m notify.MT, parts gsm.Parts, i int) (*smpp.Message, error) {
	coding := smpp.CodingUCS2
	if parts.Encoding == gsm.GSM7 {
		coding = smpp.CodingDefault
	}
	octets, err := s.encode(parts.Texts[i], coding)
	if err != nil {
		return nil, fmt.Errorf("write a message for SMPP: %w", errors.Join(err, notify.ErrRefused))
	}
	message := &smpp.Message{
		Source: s.source(), Destination: address(m.To), Coding: coding, Short: octets,
	}
	if total := len(parts.Texts); total > 1 {
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(m.ID)) // a hash takes everything
		place := smpp.Part{Reference: int(hash.Sum32() % 256), Number: i + 1, Total: total}
		message.Class = smpp.JoinedClass
		message.Short = append(place.Header(), octets...)
	}
	if left := m.Left(s.deps.Now()); left > 0 {
		message.Validity = validity(left)
	}
	if i == len(parts.Texts)-1 {
		message.Registered = 1
	}
	return message, nil
}

// validity is a relative time of SMPP, YYMMDDhhmmss000R (section 7.1.1.2), of 99 days
// at the most.
func validity(left time.Duration) string {
	seconds := int(min(left, 99*24*time.Hour) / time.Second)
	return fmt.Sprintf("0000%02d%02d%02d%02d000R", seconds/86400, seconds/3600%24, seconds/60%60, seconds%60)
}

// split cuts a text for this centre, whose alphabet may lack a character of GSM-7.
func (s *SMPP) split(text string) gsm.Parts {
	if _, ok := s.cfg.Alphabet.Encode(text); !ok {
		return gsm.SplitWide(text)
	}
	return gsm.Split(text)
}

func (s *SMPP) encode(text string, coding byte) ([]byte, error) {
	if coding == smpp.CodingDefault {
		if octets, ok := s.cfg.Alphabet.Encode(text); ok {
			return octets, nil
		}
	}
	return smpp.EncodeText(text, coding)
}

// source is our address.
func (s *SMPP) source() smpp.Address {
	a := address(s.cfg.From)
	if s.cfg.TON != nil {
		a.TON = *s.cfg.TON
	}
	if s.cfg.NPI != nil {
		a.NPI = *s.cfg.NPI
	}
	return a
}

// address writes a number as SMPP does (sections 5.2.5 and 5.2.6): in international
// form, as a name, or as a short code of the network's own.
func address(number string) smpp.Address {
	if strings.ContainsFunc(number, func(r rune) bool { return (r < '0' || r > '9') && r != '+' }) {
		return smpp.Address{TON: 5, Digits: number}
	}
	if digits, international := strings.CutPrefix(number, "+"); international {
		return smpp.Address{TON: 1, NPI: 1, Digits: digits}
	}
	return smpp.Address{TON: 3, Digits: number}
}

// fault says what a failed submit means for the message. With a part of it gone,
// another provider would send the whole.
func (s *SMPP) fault(err error, gone int) error {
	var refused *smpp.StatusError
	switch final := errors.As(err, &refused) && refused.Status.Final(); {
	case final && gone == 0:
		return fmt.Errorf("%w: %w", notify.ErrRefused, err)
	case final:
		return err
	case errors.Is(err, smpp.ErrNoTurn):
		return fmt.Errorf("%w: %w", notify.ErrFull, err)
	}
	if gone == 0 && (refused != nil || errors.Is(err, smpp.ErrNotSent)) {
		return fmt.Errorf("%w: %w", ErrNotTaken, err)
	}
	return err
}

// gone is how many parts of a message left in earlier tries.
func (s *SMPP) gone(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left[id].parts
}

// keep remembers it, until the message is through or forgotten. A part that was
// submitted twice with an unknown outcome counts as gone.
func (s *SMPP) keep(id string, parts int, unsure bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.left[id]
	delete(s.left, id)
	now := s.deps.Now()
	l := leaving{parts: parts, at: now}
	if unsure {
		if l.unsure = 1; before.parts == parts {
			l.unsure += before.unsure
		}
		if l.unsure >= mostCopies {
			l.parts, l.unsure = parts+1, 0
		}
	}
	if l.parts == 0 && l.unsure == 0 {
		return
	}
	for other, l := range s.left {
		if now.Sub(l.at) > rememberLeaving {
			delete(s.left, other)
		}
	}
	s.left[id] = l
}

// keepAtLeast remembers that so many parts are gone, unless more are.
func (s *SMPP) keepAtLeast(id string, parts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, known := s.left[id]; known && l.parts < parts {
		s.left[id] = leaving{parts: parts, at: l.at}
	}
}

// Handle takes what the centre delivers: receipts of our messages, and citizens'
// messages. One that was not stored is asked for again.
func (s *SMPP) Handle(ctx context.Context, d smpp.Delivery) (smpp.Status, func(context.Context)) {
	switch {
	case smpp.IsReceipt(d.Message, d.TLVs):
		return s.receipt(ctx, d)
	case smpp.IsAutomatic(d.Message):
		s.deps.Refused("automatic") // a phone wrote it, and nobody waits for an answer
		return smpp.StatusOK, nil
	}
	if r, looks := smpp.ReadReceipt(d.Message, d.TLVs); looks {
		known, err := s.unmarked(ctx, r, d)
		if err != nil {
			s.deps.Log.WarnContext(ctx, "a delivery report was not taken", "provider", s.cfg.Name, "error", err)
			return smpp.StatusTemporary, nil
		}
		if known {
			return smpp.StatusOK, nil
		}
	}
	return s.text(ctx, d)
}

// unmarked takes a text in the form of a receipt for one if it is about a message of
// ours to the phone that it names. Everything else a citizen may have written.
func (s *SMPP) unmarked(ctx context.Context, r smpp.Receipt, d smpp.Delivery) (known bool, err error) {
	told := s.report(r, d)
	if told.OwnPhone = true; told.Phone == "" {
		return false, nil
	}
	err = report(ctx, s.deps.Deliveries, told) // it may have overtaken the response
	if errors.Is(err, notify.ErrUnknown) {
		return false, nil
	}
	return err == nil, err
}

// report is what a receipt tells. It comes from the phone that the message went to;
// some centres leave the message's own addresses in their places.
func (s *SMPP) report(r smpp.Receipt, d smpp.Delivery) notify.DeliveryReceipt {
	told := notify.DeliveryReceipt{Provider: s.cfg.Name, ID: r.ID, Status: r.State, Rewritten: true}
	for _, a := range []smpp.Address{d.Message.Source, d.Message.Destination} {
		if phone, ok := a.Phone(); ok && a.Digits != address(s.cfg.From).Digits {
			told.Phone = phone
			break
		}
	}
	return told
}

// text takes what a citizen sent.
func (s *SMPP) text(ctx context.Context, d smpp.Delivery) (smpp.Status, func(context.Context)) {
	octets, part, err := smpp.Content(d.Message, d.TLVs)
	if err != nil {
		s.deps.Refused("malformed")
		return smpp.StatusPermanent, nil
	}
	text, err := s.cfg.Alphabet.Decode(octets, d.Message.Coding)
	if err != nil {
		s.deps.Refused("coding")
		text = dialog.Unreadable // the citizen is told
	}
	phone, _ := d.Message.Source.Phone()
	err = s.deps.Receiver.Take(ctx, MO{
		Provider: s.cfg.Name, ID: d.ID, Unnumbered: true, Phone: phone,
		Text: text, Ref: part.Reference, Part: part.Number, Parts: part.Total, At: s.deps.Now(),
	})
	switch {
	case errors.Is(err, ErrMalformed):
		s.deps.Refused("malformed")
		return smpp.StatusPermanent, nil
	case errors.Is(err, ErrSender):
		s.deps.Refused("sender")
		return smpp.StatusOK, nil // nobody to answer, and nothing to try again
	case err != nil:
		s.deps.Log.ErrorContext(ctx, "a message was not taken", "provider", s.cfg.Name, "error", err)
		return smpp.StatusTemporary, nil
	}
	return smpp.StatusOK, func(ctx context.Context) {
		if err := s.deps.Receiver.Acknowledged(ctx, s.cfg.Name, d.ID); err != nil {
			s.deps.Log.WarnContext(ctx, "a message's acknowledgement was not noted", "provider", s.cfg.Name, "error", err)
		}
	}
}

// receipt notes what became of a message; one that could not be noted is asked for
// again.
func (s *SMPP) receipt(ctx context.Context, d smpp.Delivery) (smpp.Status, func(context.Context)) {
	r, ok := smpp.ReadReceipt(d.Message, d.TLVs)
	if !ok {
		s.deps.Refused("receipt")
		return smpp.StatusOK, nil // it would not be clearer the next time
	}
	told := s.report(r, d)
	failed := func(ctx context.Context, err error) {
		s.deps.Log.WarnContext(ctx, "a delivery report was not taken", "provider", s.cfg.Name, "error", err)
	}
	err := s.deps.Deliveries.NoteReceipt(ctx, told)
	switch {
	case errors.Is(err, notify.ErrUnknown): // it may have overtaken the response to its message
		return smpp.StatusOK, func(ctx context.Context) {
			if err := reportOrOrphan(ctx, s.deps.Deliveries, told, s.deps.Refused); err != nil && !errors.Is(err, notify.ErrUnknown) {
				failed(ctx, err)
			}
		}
	case err != nil:
		failed(ctx, err)
		return smpp.StatusTemporary, nil
	}
	return smpp.StatusOK, nil
}
