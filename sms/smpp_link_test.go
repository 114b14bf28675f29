package sms_test

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/smpp"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// T8, T6, T7: over the link, a text is heard from a phone in any form, in any coding
// that can be read, and with any sequence number; each once.
func TestSMPPOddTexts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		c := newCentreOf(t, w.inbound, w.Outbox)
		var want []string
		hears := func(text string, sequence uint32, m smpp.Message, more ...byte) {
			t.Helper()
			m.Destination = smpp.Address{Digits: "1414"}
			raw, err := smpp.PDU{Command: smpp.DeliverSM, Sequence: sequence, Message: &m}.Encode()
			if err != nil {
				t.Fatal(err)
			}
			raw = append(raw, more...)
			raw[2], raw[3] = byte(len(raw)>>8), byte(len(raw))
			if status := c.smsc.Raw(raw); status != 0 {
				t.Errorf("%q is answered with %#x", text, status)
			}
			want = append(want, text)
			// One after the other: of texts that come faster than a busy machine answers
			// the last are left to Resume, which nobody calls here.
			for deadline := time.Now().Add(20 * time.Second); len(w.said()) < len(want) && time.Now().Before(deadline); {
				time.Sleep(5 * time.Millisecond)
			}
		}
		for n, source := range []smpp.Address{
			{TON: 0, Digits: "0555000001"}, {TON: 2, NPI: 1, Digits: "555000001"}, {TON: 3, Digits: "0555000001"}, {TON: 1, NPI: 1, Digits: aigul[1:]},
		} {
			text := string(rune('a' + n))
			hears(text, 0, smpp.Message{Source: source, Short: []byte(text)})
		}
		// Two phones, as one that writes so much at once is taken for a machine.
		phone, other := smpp.Address{TON: 1, NPI: 1, Digits: aigul[1:]}, smpp.Address{TON: 1, NPI: 1, Digits: azat[1:]}
		for n, coding := range []byte{0xF0, 0xF1, 0x10, 0x11, 0x04} {
			text := string(rune('k' + n))
			hears(text, 5, smpp.Message{Source: other, Coding: coding, Short: []byte(text)})
		}
		hears("p", 5, smpp.Message{Source: other, Coding: 0x18, Short: []byte{0, 'p'}})
		hears("ж", 5, smpp.Message{Source: other, Coding: 0x06, Short: []byte{0xD6}})
		hears("r", 5, smpp.Message{Source: other, Short: []byte("r")}, 0) // T3
		hears("s", 5, smpp.Message{Source: other, Coding: 0x20, Short: []byte("s")})
		hears("ө", 5, smpp.Message{Source: phone, Coding: 0x08, Short: []byte{0xFF, 0xFE, 0xE9, 0x04}})
		hears("u", 5, smpp.Message{Source: phone, Coding: 0x08, Short: []byte("u")})
		hears(dialog.Unreadable, 5, smpp.Message{Source: phone, Coding: 0xF5, Short: []byte{0x01, 0x06, 0xB5}})
		if reason := c.countedLast(); reason != "coding" {
			t.Errorf("a binary text is counted as %q", reason)
		}
		w.rest()
		if got := w.said(); !slices.Equal(got, want) {
			t.Errorf("heard %q, want %q", got, want)
		}
		for _, turn := range w.heard() {
			if turn.Phone != aigul && turn.Phone != azat {
				t.Errorf("heard from %s", turn.Phone)
			}
		}
	})
}

// countedLast is the reason that was counted last.
func (c *centre) countedLast() (reason string) {
	for {
		select {
		case reason = <-c.refused:
		default:
			return reason
		}
	}
}

// T11, T6: our address, and our texts for data_coding 0, as the link has them.
func TestSMPPSender(t *testing.T) {
	t.Parallel()
	six, nine := byte(6), byte(9)
	for name, test := range map[string]struct {
		cfg    sms.SMPPConfig
		want   smpp.Address
		text   string
		coding byte
		octets string
	}{
		"a name":              {sms.SMPPConfig{From: "ESHIK"}, smpp.Address{TON: 5, Digits: "ESHIK"}, "a@", 0, "6100"},
		"a name with digits":  {sms.SMPPConfig{From: "Eshik 24"}, smpp.Address{TON: 5, Digits: "Eshik 24"}, "a@", 0, "6100"},
		"a short code":        {sms.SMPPConfig{From: "1414"}, smpp.Address{TON: 3, Digits: "1414"}, "a@", 0, "6100"},
		"a long number":       {sms.SMPPConfig{From: "+996312000000"}, smpp.Address{TON: 1, NPI: 1, Digits: "996312000000"}, "a@", 0, "6100"},
		"the link's own":      {sms.SMPPConfig{From: "1414", TON: &six, NPI: &nine}, smpp.Address{TON: 6, NPI: 9, Digits: "1414"}, "a@", 0, "6100"},
		"Latin-1":             {sms.SMPPConfig{From: "1414", Alphabet: smpp.AlphabetLatin1}, smpp.Address{TON: 3, Digits: "1414"}, "a@", 0, "6140"},
		"ISO 8859-5":          {sms.SMPPConfig{From: "1414", Alphabet: smpp.AlphabetCyrillic}, smpp.Address{TON: 3, Digits: "1414"}, "a@", 0, "6140"},
		"UCS-2":               {sms.SMPPConfig{From: "1414", Alphabet: smpp.AlphabetUCS2}, smpp.Address{TON: 3, Digits: "1414"}, "a@", 8, "00610040"},
		"a letter it has not": {sms.SMPPConfig{From: "1414", Alphabet: smpp.AlphabetLatin1}, smpp.Address{TON: 3, Digits: "1414"}, "Δ", 8, "0394"},
		"Cyrillic":            {sms.SMPPConfig{From: "1414", Alphabet: smpp.AlphabetCyrillic}, smpp.Address{TON: 3, Digits: "1414"}, "ж", 8, "0436"},
	} {
		var got []*smpp.Message
		s, err := sms.NewSMPP(test.cfg, func(_ context.Context, m *smpp.Message, _ smpp.TLVs) (string, error) {
			got = append(got, m)
			return "1", nil
		}, called())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Send(t.Context(), notify.MT{ID: "m", To: aigul, Text: test.text}); err != nil || len(got) != 1 {
			t.Fatalf("%s: %v, %d messages", name, err, len(got))
		}
		if m := got[0]; m.Source != test.want || m.Coding != test.coding || hex.EncodeToString(m.Short) != test.octets {
			t.Errorf("%s: sent as %+v", name, m)
		}
		got = nil
		if _, err := s.Send(t.Context(), notify.MT{ID: "m", To: aigul, Text: strings.Repeat(test.text, 80)}); err != nil {
			t.Fatal(err)
		}
		for _, m := range got {
			if len(m.Short) > 160 || m.Coding == smpp.CodingUCS2 && len(m.Short) > 140 {
				t.Errorf("%s: a part has %d octets in coding %d", name, len(m.Short), m.Coding)
			}
		}
	}
}
