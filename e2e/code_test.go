package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/smpp/smpptest"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// format is the wire of one USSD gateway, as that gateway speaks it.
type format interface {
	// send brings all that was typed in a session, none for the dialled code, and
	// gives the screen.
	send(session, phone string, inputs []string) string
	// drop is the notice that the session is over.
	drop(session, phone string)
}

// overHTTP is a gateway that posts a turn and reads the screen from the answer.
type overHTTP struct {
	d     *door
	kind  string
	turn  func(session, phone string, inputs []string) (path, body string)
	end   func(session, phone string) (path, body string)
	field string // of the answer, that holds the screen; "" for CON and END
}

func (g overHTTP) post(path, body string) string {
	g.d.t.Helper()
	response, err := g.d.client.Post(g.d.url+"/ussd/"+path, g.kind, strings.NewReader(body))
	if err != nil {
		g.d.t.Fatal(err)
	}
	answer := g.d.read(response)
	if response.StatusCode != http.StatusOK {
		g.d.t.Fatalf("%s %s is answered %d %s", path, body, response.StatusCode, answer)
	}
	return string(answer)
}

func (g overHTTP) send(session, phone string, inputs []string) string {
	g.d.t.Helper()
	answer := g.post(g.turn(session, phone, inputs))
	if g.field == "" {
		return strings.TrimPrefix(answer, "CON ")
	}
	var fields map[string]any
	if err := json.NewDecoder(bytes.NewBufferString(answer)).Decode(&fields); err != nil {
		g.d.t.Fatalf("%q: %v", answer, err)
	}
	return fmt.Sprint(fields[g.field])
}

func (g overHTTP) drop(session, phone string) {
	g.d.t.Helper()
	g.post(g.end(session, phone))
}

// overSMPP is an operator's centre whose requests carry a dialogue's number.
type overSMPP struct {
	d    *door
	smsc *smpptest.SMSC
}

func (g overSMPP) deliver(session, phone string, operation int, text string) {
	g.d.t.Helper()
	fields := map[string]any{
		"source_addr": strings.TrimPrefix(phone, "+"), "destination_addr": "1414",
		"ussd_service_op": operation, "its_session_info": "0x" + session + "00",
	}
	if text != "" {
		fields["data_coding"], fields["short_message"] = 15, octets(text)
	}
	if status := g.smsc.Deliver(fields); status != 0 {
		g.d.t.Fatalf("a message is refused with %d", status)
	}
}

func (g overSMPP) send(session, phone string, inputs []string) string {
	if len(inputs) == 0 {
		g.deliver(session, phone, 1, "*1414#")
	} else {
		g.deliver(session, phone, 18, inputs[len(inputs)-1])
	}
	return g.smsc.Until("submit").PDU.Text
}

func (g overSMPP) drop(session, phone string) { g.deliver(session, phone, 129, "") }

func lastOf(inputs []string) string {
	if len(inputs) == 0 {
		return ""
	}
	return inputs[len(inputs)-1]
}

func object(fields map[string]any) string {
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(data)
}

// wires are the names of the formats.
var wires = []string{"africastalking", "infobip", "hubtel", "plain", "smpp"}

// formats are all wires that the server speaks.
func formats(d *door, smsc *smpptest.SMSC) map[string]format {
	const asJSON = "application/json"
	return map[string]format{
		"africastalking": overHTTP{
			d: d, kind: "application/x-www-form-urlencoded",
			turn: func(session, phone string, inputs []string) (string, string) {
				return "africastalking", url.Values{"sessionId": {session}, "phoneNumber": {phone}, "text": {strings.Join(inputs, "*")}}.Encode()
			},
			end: func(session, phone string) (string, string) {
				return "africastalking/end", url.Values{"sessionId": {session}, "phoneNumber": {phone}, "status": {"Incomplete"}}.Encode()
			},
		},
		"infobip": overHTTP{
			d: d, kind: asJSON, field: "ussdMenu",
			turn: func(session, phone string, inputs []string) (string, string) {
				verb := map[bool]string{true: "/start", false: "/response"}[len(inputs) == 0]
				return "infobip/" + session + verb, object(map[string]any{"msisdn": phone, "text": lastOf(inputs)})
			},
			end: func(session, phone string) (string, string) {
				return "infobip/" + session + "/end", object(map[string]any{"msisdn": phone, "exitCode": 540, "reason": "timeout"})
			},
		},
		"hubtel": overHTTP{
			d: d, kind: asJSON, field: "Message",
			turn: func(session, phone string, inputs []string) (string, string) {
				kind := map[bool]string{true: "Initiation", false: "Response"}[len(inputs) == 0]
				return "hubtel", object(map[string]any{
					"Type": kind, "Mobile": phone, "SessionId": session, "Message": lastOf(inputs), "Sequence": len(inputs) + 1,
				})
			},
			end: func(session, phone string) (string, string) {
				return "hubtel", object(map[string]any{"Type": "Release", "Mobile": phone, "SessionId": session, "Sequence": 99})
			},
		},
		"plain": overHTTP{
			d: d, kind: asJSON, field: "text",
			turn: func(session, phone string, inputs []string) (string, string) {
				return "plain", object(map[string]any{
					"session": session, "sequence": len(inputs) + 1, "phone": phone, "text": lastOf(inputs), "begin": len(inputs) == 0,
				})
			},
			end: func(session, phone string) (string, string) {
				return "plain", object(map[string]any{"session": session, "sequence": 99, "phone": phone, "end": true})
			},
		},
		"smpp": overSMPP{d, smsc},
	}
}

// handset is a phone on one wire.
type handset struct {
	d        *door
	wire     format
	phone    string
	sessions int
	session  string
	inputs   []string
}

// rings dials the code; the screen must hold want.
func (h *handset) rings(want string) {
	h.d.t.Helper()
	h.sessions++
	h.session, h.inputs = fmt.Sprintf("%02x", h.sessions), nil
	if _, centre := h.wire.(overSMPP); !centre {
		h.session = strings.TrimPrefix(h.phone, "+") + "s" + h.session
	}
	h.wants(want)
}

// keys types; the last screen must hold want.
func (h *handset) keys(want string, inputs ...string) {
	h.d.t.Helper()
	for i, input := range inputs {
		h.inputs = append(h.inputs, input)
		if i+1 < len(inputs) {
			h.wants("")
		}
	}
	h.wants(want)
}

func (h *handset) wants(want string) {
	h.d.t.Helper()
	if screen := h.wire.send(h.session, h.phone, h.inputs); !strings.Contains(screen, want) {
		h.d.t.Fatalf("after %q: %q lacks %q", h.inputs, screen, want)
	}
}

const (
	goOn      = "улантасызбы"
	codeAsked = "SMSтеги кодду"
	codeLives = "код жарактуу"
	pinAsked  = "ПИН"
)

// ways are how the line breaks while the message with the code is read, and how
// the citizen comes back to the question.
var ways = map[string]func(h *handset){
	"at once": func(h *handset) {
		h.rings(goOn)
		h.keys(codeLives, "1")
	},
	"after the notice": func(h *handset) {
		h.wire.drop(h.session, h.phone)
		h.rings(goOn)
		h.keys(codeLives, "1")
	},
	"twice, the notice late": func(h *handset) {
		first := h.session
		h.rings(goOn)
		h.keys(codeLives, "1")
		h.wire.drop(first, h.phone)
		h.wire.drop(h.session, h.phone)
		h.rings(goOn)
		h.rings(goOn)
		h.keys(codeLives, "1")
	},
	"afresh": func(h *handset) {
		h.wire.drop(h.session, h.phone)
		h.rings(goOn)
		h.keys(codeLives, "0", "2", "1")
	},
	"another service": func(h *handset) {
		h.wire.drop(h.session, h.phone)
		h.rings(goOn)
		h.keys("", "0", "3", "1")
		h.keys(codeLives, "0", "1")
	},
}

// TestTheCodeOutlivesTheCall is B1: on every gateway's wire the session drops while
// the message with the code is read. The code is not void, no other is sent, and
// a guess before counts on.
func TestTheCodeOutlivesTheCall(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	d := open(t, []string{"ESHIK_GATEWAYS=" + allGateways(t, smsc.Address), "E2E_LINK=12345678"})
	smsc.Until("bound")
	n := 0
	for _, gateway := range wires {
		for way, back := range ways {
			n++
			phone := fmt.Sprintf("+9965550010%02d", n)
			t.Run(gateway+" "+way, func(t *testing.T) {
				d := d.in(t)
				h := &handset{d: d, wire: formats(d, smsc)[gateway], phone: phone}
				code := h.asksForCode()
				back(h)
				h.keys("Калган аракет: 4", otherCode(code))
				back(h)
				h.keys("Калган аракет: 3", otherCode(code))
				h.keys(pinAsked, code)
				h.rings(goOn) // and while the passport is looked for
				h.keys(pinAsked, "1")
				h.keys("ID-карта", "11503198800011")
				h.keys("", "ID1000001")
				if sent := h.codes(); sent != 1 {
					t.Errorf("%d codes were sent", sent)
				}
			})
		}
	}
}

// TestTheCodeOutlivesTheWindow: where nothing can be continued any more, and where
// another instance answers, the service is chosen again, and the code still holds;
// by SMS as well.
func TestTheCodeOutlivesTheWindow(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	redis := os.Getenv("ESHIK_TEST_REDIS")
	if redis == "" {
		t.Fatal("ESHIK_TEST_REDIS is not set: run the tests with `make test`")
	}
	d := open(t, []string{
		"ESHIK_GATEWAYS=" + allGateways(t, smsc.Address), "E2E_LINK=12345678", "ESHIK_RESUME_WINDOW=0s",
		"ESHIK_DATABASE=" + storetest.NewPostgres(t), "ESHIK_REDIS=redis://" + redis + "/3",
	})
	smsc.Until("bound")
	var phones []*handset
	codes := map[*handset]string{}
	for i, gateway := range wires {
		h := &handset{d: d, wire: formats(d, smsc)[gateway], phone: fmt.Sprintf("+99655500200%d", i)}
		codes[h] = h.asksForCode()
		phones = append(phones, h)
	}
	d.kill()
	smsc.Until("bound")
	for _, h := range phones {
		h.rings("Эшик")
		h.keys(codeLives, "2", "1")
		h.rings("Эшик")
		h.keys(codeLives, "2", "1")
		h.keys(pinAsked, codes[h])
	}
	for _, h := range phones { // the conversation over USSD is not known to be over, so SMS begins its own
		h.d.replies(h.phone, "МААЛЫМКАТ", "Алуу")
		h.d.replies(h.phone, "1", pinAsked)
	}
}

// TestTheCodeIsTypedBySMS: the code that was asked for over USSD is answered by
// text, as one does who has its message before them: at once, or after going on.
func TestTheCodeIsTypedBySMS(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	d := open(t, []string{"ESHIK_GATEWAYS=" + allGateways(t, smsc.Address), "E2E_LINK=12345678"})
	smsc.Until("bound")
	for i, gateway := range wires {
		t.Run(gateway, func(t *testing.T) {
			d := d.in(t)
			h := &handset{d: d, wire: formats(d, smsc)[gateway], phone: fmt.Sprintf("+99655500300%d", i)}
			code := h.asksForCode()
			h.wire.drop(h.session, h.phone)
			h.d.replies(h.phone, "салам", goOn)
			h.d.replies(h.phone, "1", codeLives)
			h.d.replies(h.phone, otherCode(code), "Калган аракет: 4")
			h.d.replies(h.phone, code, pinAsked)
			if sent := h.codes(); sent != 1 {
				t.Errorf("%d codes were sent", sent)
			}
			atOnce := &handset{d: d, wire: formats(d, smsc)[gateway], phone: fmt.Sprintf("+99655500301%d", i)}
			code = atOnce.asksForCode()
			atOnce.wire.drop(atOnce.session, atOnce.phone)
			atOnce.d.replies(atOnce.phone, otherCode(code), "Калган аракет: 4")
			atOnce.d.replies(atOnce.phone, code, pinAsked)
		})
	}
}

// asksForCode walks to the question for the code and gives the code that came.
func (h *handset) asksForCode() string {
	h.d.t.Helper()
	h.rings("Кыргызча")
	h.keys(codeAsked, "1", "2", "1")
	return sixDigits.FindString(h.d.await(h.phone, "Код: "))
}

// codes counts the messages with a one-time code.
func (h *handset) codes() int {
	n := 0
	for _, m := range h.d.inbox(h.phone) {
		if strings.Contains(m.Text, "Код: ") {
			n++
		}
	}
	return n
}

// otherCode is a code that is not the right one.
func otherCode(code string) string {
	if code == "111111" {
		return "222222"
	}
	return "111111"
}

// in is the same server in a test within.
func (d *door) in(t *testing.T) *door {
	within := *d
	within.t = t
	return &within
}

// allGateways writes the file of every format and a link.
func allGateways(t *testing.T, smsc string) string {
	t.Helper()
	var text strings.Builder
	for _, name := range []string{"africastalking", "infobip", "hubtel", "plain"} {
		text.WriteString("[[ussd]]\nformat = \"" + name + "\"\n")
	}
	text.WriteString("[[smpp]]\nname = \"centre\"\naddress = \"" + smsc + "\"\nsystem_id = \"eshik\"\npassword_env = \"E2E_LINK\"\nussd = true\n")
	file := filepath.Join(t.TempDir(), "gateways.toml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
