package smpp_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/smpp"
)

// example is the bind_transmitter of the specification, section 3.2.3 as printed
// in "SMPP PDU Layout": its octets were written down there by hand.
const example = "0000002F000000020000000000000001" + "534D50503354455354" + "00" + "736563726574303800" + "5355424D49543100" + "34" + "01" + "01" + "00"

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestDecodeExample(t *testing.T) {
	t.Parallel()
	raw := unhex(t, example)
	p, err := smpp.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := smpp.Bind{SystemID: "SMPP3TEST", Password: "secret08", SystemType: "SUBMIT1", Version: 0x34, Range: smpp.Address{TON: 1, NPI: 1}}
	if p.Command != smpp.BindTransmitter || p.Sequence != 1 || *p.Bind != want {
		t.Errorf("read %+v, %+v", p, p.Bind)
	}
	again, err := p.Encode()
	if err != nil || !bytes.Equal(again, raw) {
		t.Errorf("written as %x, %v", again, err)
	}
}

// deliver is a deliver_sm with a text and optional parameters.
func deliver(text []byte, tlvs smpp.TLVs) smpp.PDU {
	return smpp.PDU{
		Command: smpp.DeliverSM, Sequence: 7, TLVs: tlvs,
		Message: &smpp.Message{
			ServiceType: "USSD", Source: smpp.Address{TON: 1, NPI: 1, Digits: "996555000001"},
			Destination: smpp.Address{Digits: "1414"}, Coding: 15, Short: text,
		},
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	tlvs := smpp.TLVs{{Tag: smpp.TagUSSDServiceOp, Value: []byte{18}}, {Tag: smpp.TagSessionInfo, Value: []byte{9, 2}}, {Tag: 0x1401, Value: []byte{}}}
	for _, p := range []smpp.PDU{
		deliver([]byte("*1414#"), tlvs),
		{Command: smpp.SubmitSMResp, Sequence: 7, ID: "A1B2"},
		{Command: smpp.SubmitSMResp, Sequence: 7, Status: smpp.StatusThrottled},
		{Command: smpp.EnquireLink, Sequence: 0x7FFFFFFF},
		{Command: smpp.GenericNack, Status: smpp.StatusCommandID, Sequence: 1},
		{Command: smpp.DataSM, Sequence: 3, Message: &smpp.Message{Coding: 8}, TLVs: smpp.TLVs{{Tag: smpp.TagPayload, Value: []byte{4, 0x36}}}},
	} {
		raw, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		frame, err := smpp.ReadFrame(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		read, err := smpp.Decode(frame)
		if err != nil {
			t.Fatalf("%x: %v", raw, err)
		}
		again, err := read.Encode()
		if err != nil || !bytes.Equal(raw, again) {
			t.Errorf("%x is written again as %x, %v", raw, again, err)
		}
	}
}

// What is wrong with a PDU gets the protocol's own status, and its sender's
// sequence number is known for the answer.
func TestDecodeMalformed(t *testing.T) {
	t.Parallel()
	whole, err := deliver([]byte("12"), smpp.TLVs{{Tag: smpp.TagUSSDServiceOp, Value: []byte{18}}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(whole, []byte("996555000001"))
	change := func(edit func(raw []byte) []byte) []byte {
		raw := edit(bytes.Clone(whole))
		raw[0], raw[1], raw[2], raw[3] = 0, 0, byte(len(raw)>>8), byte(len(raw))
		return raw
	}
	tests := map[string]struct {
		raw    []byte
		status smpp.Status
	}{
		"a message longer than it is": {change(func(raw []byte) []byte { raw[len(raw)-8] = 200; return raw }), smpp.StatusMessageLength},
		"a string without an end": {change(func(raw []byte) []byte {
			return append(raw[:at], bytes.Repeat([]byte{'9'}, 40)...)
		}), smpp.StatusParameter},
		"a body that ends":   {change(func(raw []byte) []byte { return raw[:20] }), smpp.StatusParameter},
		"an unknown command": {change(func(raw []byte) []byte { raw[6] = 0x77; return raw }), smpp.StatusCommandID},
	}
	for name, test := range tests {
		p, err := smpp.Decode(test.raw)
		var bad *smpp.MalformedError
		if !errors.As(err, &bad) || bad.Status != test.status || p.Sequence != 7 {
			t.Errorf("%s: %v, sequence %d; want status %#x", name, err, p.Sequence, test.status)
		}
		if err != nil && strings.Contains(err.Error(), "996555") {
			t.Errorf("%s: the error tells the number: %v", name, err)
		}
	}
	for _, length := range []string{"00000000", "0000000F", "7FFFFFFF", "FFFFFFFF"} {
		if _, err := smpp.ReadFrame(bytes.NewReader(unhex(t, length+"000000150000000000000001"))); err == nil {
			t.Errorf("a PDU of length %s is read", length)
		}
	}
}

func TestReadReceipt(t *testing.T) {
	t.Parallel()
	ucs2, err := smpp.EncodeText("id:A7 sub:001 dlvrd:001 stat:DELIVRD err:000", smpp.CodingUCS2)
	if err != nil {
		t.Fatal(err)
	}
	text := "id:0123456789 sub:001 dlvrd:001 submit date:2611240900 done date:2611240901 stat:DELIVRD err:000 text:id:7 stat:UNDELIV"
	for name, test := range map[string]struct {
		text string
		tlvs smpp.TLVs
		want smpp.Receipt
		ok   bool
	}{
		"a text as in appendix B": {text, nil, smpp.Receipt{ID: "0123456789", State: "DELIVRD"}, true},
		"parameters count more": {text, smpp.TLVs{
			{Tag: smpp.TagReceiptedMessageID, Value: []byte("75BCD15\x00")}, {Tag: smpp.TagMessageState, Value: []byte{5}},
		}, smpp.Receipt{ID: "75BCD15", State: "UNDELIV"}, true},
		"an id between spaces": {"", smpp.TLVs{
			{Tag: smpp.TagReceiptedMessageID, Value: []byte(" 75BCD15  \x00")}, {Tag: smpp.TagMessageState, Value: []byte{2}},
		}, smpp.Receipt{ID: "75BCD15", State: "DELIVRD"}, true},
		"an id of spaces, and one in the text": {text, smpp.TLVs{
			{Tag: smpp.TagReceiptedMessageID, Value: []byte("  \x00")},
		}, smpp.Receipt{ID: "0123456789", State: "DELIVRD"}, true},
		"an id of octets": {"", smpp.TLVs{
			{Tag: smpp.TagReceiptedMessageID, Value: []byte("\xffA1")}, {Tag: smpp.TagMessageState, Value: []byte{2}},
		}, smpp.Receipt{State: "DELIVRD"}, false},
		// T14
		"commas":                   {"id:55,sub:001,dlvrd:001,submit date:2611240900,done date:2611240901,stat:DELIVRD,err:000,text:x", nil, smpp.Receipt{ID: "55", State: "DELIVRD"}, true},
		"semicolons":               {"id:55; sub:001; stat:UNDELIV; err:1", nil, smpp.Receipt{ID: "55", State: "UNDELIV"}, true},
		"a space after the colon":  {"id: 55 sub: 001 dlvrd: 001 stat: DELIVRD err: 000 Text: stat:UNDELIV", nil, smpp.Receipt{ID: "55", State: "DELIVRD"}, true},
		"a space before the colon": {"id : 55 stat : REJECTD", nil, smpp.Receipt{ID: "55", State: "REJECTD"}, true},
		"lines":                    {"id:55\r\nstat:EXPIRED\r\nerr:0", nil, smpp.Receipt{ID: "55", State: "EXPIRED"}, true},
		"UCS-2":                    {string(ucs2), nil, smpp.Receipt{ID: "A7", State: "DELIVRD"}, true},
		"a long id":                {"id:" + strings.Repeat("7", 90) + " stat:DELIVRD", nil, smpp.Receipt{ID: strings.Repeat("7", 90), State: "DELIVRD"}, true},
		"a state in full":          {"id:5 stat:DELIVERED", nil, smpp.Receipt{ID: "5", State: "DELIVRD"}, true},
		"a state by its number":    {"id:5 stat:5 err:0", nil, smpp.Receipt{ID: "5", State: "UNDELIV"}, true},
		"the state before the id":  {"stat:ACCEPTD id:5", nil, smpp.Receipt{ID: "5", State: "ACCEPTD"}, true},
		"lower case":               {"id:ab-1 stat:expired", nil, smpp.Receipt{ID: "ab-1", State: "EXPIRED"}, true},
		"no state":                 {"id:1 sub:001", nil, smpp.Receipt{ID: "1"}, false},
		"no id":                    {"stat:DELIVRD", nil, smpp.Receipt{}, false},
		"only a text":              {"Salam", nil, smpp.Receipt{}, false},
	} {
		got, ok := smpp.ReadReceipt(&smpp.Message{Class: 4, Short: []byte(test.text)}, test.tlvs)
		if ok != test.ok || (ok && got != test.want) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

// T1: what marks a receipt, and that a text does not.
func TestIsReceipt(t *testing.T) {
	t.Parallel()
	id := smpp.TLV{Tag: smpp.TagReceiptedMessageID, Value: []byte("7\x00")}
	state := smpp.TLV{Tag: smpp.TagMessageState, Value: []byte{2}}
	for name, test := range map[string]struct {
		class              byte
		tlvs               smpp.TLVs
		receipt, automatic bool
	}{
		"esm_class":                    {class: 0x04, receipt: true},
		"intermediate":                 {class: 0x20, receipt: true},
		"with a header":                {class: 0x44, receipt: true},
		"both parameters":              {tlvs: smpp.TLVs{id, state}, receipt: true},
		"the id alone":                 {tlvs: smpp.TLVs{id}, receipt: true},
		"the state alone":              {tlvs: smpp.TLVs{state}, receipt: true},
		"an empty id":                  {tlvs: smpp.TLVs{{Tag: smpp.TagReceiptedMessageID, Value: []byte{0}}}},
		"no state of the standard":     {tlvs: smpp.TLVs{{Tag: smpp.TagMessageState, Value: []byte{0}}}},
		"a phone's acknowledgement":    {class: 0x08, automatic: true},
		"the end of a conversation":    {class: 0x18, automatic: true},
		"a person's acknowledgement":   {class: 0x10},
		"a text":                       {},
		"a text with a way to reply":   {class: 0x80},
		"a text in parts with a reply": {class: 0xC0},
	} {
		m := &smpp.Message{Class: test.class, Short: []byte("id:7 stat:DELIVRD")}
		if got := smpp.IsReceipt(m, test.tlvs); got != test.receipt {
			t.Errorf("%s: a receipt: %v", name, got)
		}
		if got := smpp.IsAutomatic(m); got != test.automatic {
			t.Errorf("%s: automatic: %v", name, got)
		}
	}
}

// T3, T14: what lies where nothing belongs is passed over in any PDU, and a response's
// id is kept whole.
func TestDecodeTolerant(t *testing.T) {
	t.Parallel()
	op := smpp.TLVs{{Tag: smpp.TagUSSDServiceOp, Value: []byte{18}}}
	plain, marked := deliver([]byte("12"), nil), deliver([]byte("12"), op)
	response := smpp.PDU{Command: smpp.SubmitSMResp, Sequence: 7, ID: "A1"}
	long := strings.Repeat("7", 90)
	for name, test := range map[string]struct {
		pdu  smpp.PDU
		cut  int // octets taken away from the end
		more string
		odd  string
		want smpp.PDU
	}{
		"a NUL":                        {plain, 0, "00", smpp.OddTrailing, plain},
		"two octets":                   {plain, 0, "0D0A", smpp.OddTrailing, plain},
		"three NULs":                   {plain, 0, "000000", smpp.OddTrailing, plain},
		"a NUL after a parameter":      {marked, 0, "00", smpp.OddTrailing, marked},
		"a NUL before a parameter":     {plain, 0, "00" + "0501000112", smpp.OddTrailing, marked},
		"two NULs before a parameter":  {plain, 0, "0000" + "0501000112", smpp.OddTrailing, marked},
		"half a parameter":             {marked, 0, "0424", smpp.OddTrailing, marked},
		"a parameter beyond the PDU":   {marked, 0, "0424000961", smpp.OddTrailing, marked},
		"a response":                   {response, 0, "00", smpp.OddTrailing, response},
		"a refusal":                    {smpp.PDU{Command: smpp.SubmitSMResp, Sequence: 7, Status: 0x58}, 0, "00", "", smpp.PDU{}},
		"an id without its end":        {response, 1, "", smpp.OddUnended, response},
		"an id of 90 characters":       {smpp.PDU{Command: smpp.SubmitSMResp, Sequence: 7}, 1, hex.EncodeToString([]byte(long)) + "00", smpp.OddLong, smpp.PDU{ID: long}},
		"the same without its end":     {smpp.PDU{Command: smpp.SubmitSMResp, Sequence: 7}, 1, hex.EncodeToString([]byte(long)), smpp.OddUnended, smpp.PDU{ID: long}},
		"a long name of the centre":    {smpp.PDU{Command: smpp.BindTransceiverResp, Sequence: 7}, 1, hex.EncodeToString([]byte(long)) + "00", smpp.OddLong, smpp.PDU{ID: long}},
		"a long name and octets":       {smpp.PDU{Command: smpp.BindTransceiverResp, Sequence: 7}, 1, hex.EncodeToString([]byte(long)) + "003030", smpp.OddLong, smpp.PDU{ID: long}},
		"enquire_link":                 {smpp.PDU{Command: smpp.EnquireLink, Sequence: 7}, 0, "00", smpp.OddTrailing, smpp.PDU{}},
		"the response to enquire_link": {smpp.PDU{Command: smpp.EnquireLinkResp, Sequence: 7}, 0, "0000", smpp.OddTrailing, smpp.PDU{}},
		"unbind":                       {smpp.PDU{Command: smpp.Unbind, Sequence: 7}, 0, "00", smpp.OddTrailing, smpp.PDU{}},
		"generic_nack":                 {smpp.PDU{Command: smpp.GenericNack, Sequence: 7, Status: 3}, 0, "FF", smpp.OddTrailing, smpp.PDU{}},
		"data_sm":                      {smpp.PDU{Command: smpp.DataSM, Sequence: 7, Message: &smpp.Message{}, TLVs: op}, 0, "00", smpp.OddTrailing, smpp.PDU{TLVs: op}},
		"bind":                         {smpp.PDU{Command: smpp.BindReceiver, Sequence: 7, Bind: &smpp.Bind{SystemID: "a"}}, 0, "00", smpp.OddTrailing, smpp.PDU{}},
	} {
		raw, err := test.pdu.Encode()
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw[:len(raw)-test.cut], unhex(t, test.more)...)
		raw[2], raw[3] = byte(len(raw)>>8), byte(len(raw))
		got, err := smpp.Decode(raw)
		if err != nil || got.Odd != test.odd || got.ID != test.want.ID || got.Sequence != 7 || !reflect.DeepEqual(got.TLVs, test.want.TLVs) {
			t.Errorf("%s: read as %+v, %v", name, got, err)
		}
		if test.want.Message != nil && !reflect.DeepEqual(got.Message, test.want.Message) {
			t.Errorf("%s: the message is %+v", name, got.Message)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text   string
		coding byte
		octets string
	}{
		{"Salam €1", smpp.CodingDefault, "53616C616D201B6531"},
		{"@ö", smpp.CodingUSSD, "007C"},
		{"Өң", smpp.CodingUCS2, "04E804A3"},
		{"😀", smpp.CodingUSSDUCS2, "D83DDE00"},
	} {
		octets, err := smpp.EncodeText(test.text, test.coding)
		if err != nil || !strings.EqualFold(hex.EncodeToString(octets), test.octets) {
			t.Errorf("%q is written as %x, %v", test.text, octets, err)
		}
		if text, err := smpp.DecodeText(octets, test.coding); err != nil || text != test.text {
			t.Errorf("%x is read as %q, %v", octets, text, err)
		}
	}
	if _, err := smpp.EncodeText("Ө", smpp.CodingDefault); !errors.Is(err, smpp.ErrCoding) {
		t.Errorf("a letter outside GSM-7 is written: %v", err)
	}
	if _, err := smpp.DecodeText([]byte{1}, 0x20); !errors.Is(err, smpp.ErrCoding) {
		t.Errorf("a compressed text is read: %v", err)
	}
	if text, err := smpp.DecodeText([]byte{4, 0xE8, 4}, smpp.CodingUCS2); err != nil || text != "Ө\uFFFD" {
		t.Errorf("half a character is read as %q, %v", text, err)
	}
}

// T6: data_coding by its groups, and what says nothing of an alphabet in the centre's own.
func TestCodingGroups(t *testing.T) {
	t.Parallel()
	const latin, ucs2, cyrillic = "53544F50", "00530054004F0050", "C1C2BEBF"
	for _, test := range []struct {
		own     smpp.Alphabet
		codings []byte
		octets  string
		want    string
	}{
		{"", []byte{0x00, 0x01, 0x03, 0x06, 0x0F, 0x10, 0x11, 0x12, 0x13, 0xC0, 0xC8, 0xD0, 0xD9, 0xF0, 0xF1, 0xF3, 0x40, 0x50}, latin, "STOP"},
		{"", []byte{0x02, 0x04, 0x05, 0x09, 0x0E, 0x14, 0x15, 0x1C, 0x80, 0xBF, 0xF4, 0xF5, 0xF7}, latin, "STOP"}, // its own: GSM-7
		{"", []byte{0x08, 0x18, 0x19, 0x1A, 0x1B, 0x48, 0x58, 0xE0, 0xE8, 0xEF}, ucs2, "STOP"},
		{"", []byte{0x06}, cyrillic, "СТОП"},
		{"", []byte{0x00, 0xF0, 0x11}, "00", "@"},
		{"", []byte{0x03}, "E9", "é"},
		{smpp.AlphabetCyrillic, []byte{0x00, 0x02, 0x04, 0x0D, 0x80, 0xF4}, cyrillic, "СТОП"},
		{smpp.AlphabetCyrillic, []byte{0x00}, "F0A1F1ADA0FD", "№Ёё\u00AD\u00A0§"},
		{smpp.AlphabetCyrillic, []byte{0xF0, 0x10, 0x0F, 0x03}, latin, "STOP"},
		{smpp.AlphabetLatin1, []byte{0x00, 0x04}, "40E9", "@é"},
		{smpp.AlphabetUCS2, []byte{0x00, 0x02, 0x04}, ucs2, "STOP"},
		{smpp.AlphabetUCS2, []byte{0xF1}, latin, "STOP"},
	} {
		for _, coding := range test.codings {
			if got, err := test.own.Decode(unhex(t, test.octets), coding); err != nil || got != test.want {
				t.Errorf("%s in %#x at a centre with %q is %q, %v", test.octets, coding, test.own, got, err)
			}
		}
	}
	for own, want := range map[smpp.Alphabet]string{"": "0065", smpp.AlphabetLatin1: "4065", smpp.AlphabetCyrillic: "4065", smpp.AlphabetUCS2: ""} {
		octets, ok := own.Encode("@e")
		if got := strings.ToUpper(hex.EncodeToString(octets)); got != want || ok != (want != "") {
			t.Errorf("at a centre with %q written as %s, %v", own, got, ok)
		}
	}
	for _, own := range []smpp.Alphabet{smpp.AlphabetLatin1, smpp.AlphabetCyrillic} {
		if octets, ok := own.Encode("Δ"); ok {
			t.Errorf("a letter that %q lacks is written as %x", own, octets)
		}
	}
}

func TestContent(t *testing.T) {
	t.Parallel()
	joined := func(head ...byte) *smpp.Message {
		return &smpp.Message{Class: smpp.JoinedClass, Short: append(head, "ab"...)}
	}
	second := smpp.Part{Reference: 0x21, Number: 2, Total: 3}
	for name, test := range map[string]struct {
		message *smpp.Message
		tlvs    smpp.TLVs
		part    smpp.Part
		ok      bool
	}{
		"whole":              {&smpp.Message{Short: []byte("ab")}, nil, smpp.Part{}, true},
		"8-bit reference":    {joined(second.Header()...), nil, second, true},
		"16-bit reference":   {joined(6, 8, 4, 0, 0x21, 3, 2), nil, second, true},
		"passed over":        {joined(8, 1, 1, 0, 0, 3, 0x21, 3, 2), nil, second, true},
		"part 0":             {joined(5, 0, 3, 0x21, 3, 0), nil, smpp.Part{}, false},
		"part 4 of 3":        {joined(5, 0, 3, 0x21, 3, 4), nil, smpp.Part{}, false},
		"header too long":    {joined(90), nil, smpp.Part{}, false},
		"element too long":   {joined(2, 0, 9), nil, smpp.Part{}, false},
		"no header at all":   {&smpp.Message{Class: smpp.JoinedClass}, nil, smpp.Part{}, false},
		"sar":                {&smpp.Message{Short: []byte("ab")}, sar(0x21, 3, 2), second, true},
		"sar without number": {&smpp.Message{Short: []byte("ab")}, sar(0x21, 3, 2)[:2], smpp.Part{}, false},
		"in the payload":     {&smpp.Message{}, smpp.TLVs{{Tag: smpp.TagPayload, Value: []byte("ab")}}, smpp.Part{}, true},
	} {
		octets, part, err := smpp.Content(test.message, test.tlvs)
		if (err == nil) != test.ok || part != test.part || (test.ok && string(octets) != "ab") {
			t.Errorf("%s: %q, %+v, %v", name, octets, part, err)
		}
	}
}

func sar(reference, total, number byte) smpp.TLVs {
	return smpp.TLVs{
		{Tag: smpp.TagSARReference, Value: []byte{0, reference}}, {Tag: smpp.TagSARTotal, Value: []byte{total}},
		{Tag: smpp.TagSARNumber, Value: []byte{number}},
	}
}

// FuzzPDU: what is read is written again as the same octets, and no text that
// comes out of it is broken.
func FuzzPDU(f *testing.F) {
	whole, err := deliver([]byte("12"), sar(1, 2, 1)).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(unhex(f, example))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := smpp.Decode(raw)
		if err != nil {
			var bad *smpp.MalformedError
			if !errors.As(err, &bad) || bad.Status == smpp.StatusOK {
				t.Fatalf("no answer is known for %v", err)
			}
			return
		}
		again, err := p.Encode()
		if p.Odd != "" && (err == nil || p.Odd != smpp.OddTrailing) {
			return // not written as it was read; an id may be longer than may be written
		}
		if err != nil || !bytes.Equal(raw, again) && !empty(p) {
			t.Fatalf("%x is written as %x, %v", raw, again, err)
		}
		if p.Message == nil {
			return
		}
		smpp.ReadReceipt(p.Message, p.TLVs)
		octets, part, err := smpp.Content(p.Message, p.TLVs)
		if err == nil && (part.Number < 0 || part.Number > part.Total || part.Total == 1) {
			t.Fatalf("an impossible part %+v", part)
		}
		if text, err := smpp.DecodeText(octets, p.Message.Coding); err == nil && !utf8.ValidString(text) {
			t.Fatalf("%x is read as %q", octets, text)
		}
	})
}

// empty reports a response with a body that says nothing: it may be left out.
func empty(p smpp.PDU) bool { return p.Command.IsResponse() && p.ID == "" && len(p.TLVs) == 0 }

// FuzzReceipt: a receipt has both of what is asked of it, or is none.
func FuzzReceipt(f *testing.F) {
	f.Add([]byte("id:1 stat:DELIVRD text:"), []byte("A1\x00"), byte(2))
	f.Fuzz(func(t *testing.T, text, id []byte, state byte) {
		r, ok := smpp.ReadReceipt(&smpp.Message{Class: 4, Short: text}, smpp.TLVs{
			{Tag: smpp.TagReceiptedMessageID, Value: id}, {Tag: smpp.TagMessageState, Value: []byte{state}},
		})
		if ok && (r.ID == "" || r.State == "" || strings.ContainsFunc(r.ID, func(c rune) bool { return c <= ' ' || c > '~' })) {
			t.Fatalf("%+v", r)
		}
	})
}
