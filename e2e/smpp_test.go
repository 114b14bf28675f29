package e2e

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/smpp/smpptest"
)

// TestOperatorsLink: over one SMPP link to somebody else's SMS centre a citizen
// dials, breaks off, goes on by SMS, and gets the answers there; a citizen of
// another operator is answered through the other provider.
func TestOperatorsLink(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	file := filepath.Join(t.TempDir(), "gateways.toml")
	if err := os.WriteFile(file, []byte(`[[smpp]]
name = "megacom"
address = "`+smsc.Address+`"
system_id = "eshik"
password_env = "E2E_LINK"
ussd = true
sms = true
from = "1414"
[[sms]]
provider = "twilio"
price = 4.5
[[sms]]
provider = "megacom"
prices = {MegaCom = 0.9}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	d := open(t, []string{"ESHIK_GATEWAYS=" + file, "E2E_LINK=12345678"})
	smsc.Until("bound")
	link := &link{t: t, smsc: smsc, phone: strings.TrimPrefix(aigul, "+")}
	if menu := link.dials("*1414#"); menu.Operation != 2 || !strings.Contains(menu.Text, "Кыргызча") || menu.Coding != 8 {
		t.Errorf("the first screen is %+v", menu)
	}
	if menu := link.answers("1"); !strings.Contains(menu.Text, "Эшик") || menu.SessionInfo != "0x0700" {
		t.Errorf("the menu is %+v", menu)
	}
	link.answers("2")
	screen, code := link.answers("1"), smsc.Until("submit").PDU // unfinished work, and the code for it: whichever is sent first
	if screen.Operation == 0 {
		screen, code = code, screen
	}
	if screen.Operation != 2 || code.Operation != 0 || !strings.Contains(code.Text, "Код:") {
		t.Errorf("the fourth screen is %+v, and the code %+v", screen, code)
	}
	link.hangsUp()
	if question := link.texts("салам"); !strings.Contains(question.Text, "Токтогон жериңизден") || question.Operation != 0 || question.Source != "1414" {
		t.Errorf("by SMS: %+v", question)
	}
	// O! is not on this link: its citizen texts and is answered through Twilio.
	d.text(bakyt, "ЖАРДАМ", "Язык")
	for _, event := range smsc.Seen() {
		if event.Event == "submit" {
			t.Errorf("a message to another operator left over the link: %+v", event.PDU)
		}
	}
	if out, err := d.run("fsck"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestSMPPSessionInfoThatCounts (T10): at a centre whose its_session_info is another
// in every message a citizen gets past the first screen, ends and dials again.
func TestSMPPSessionInfoThatCounts(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	file := filepath.Join(t.TempDir(), "gateways.toml")
	if err := os.WriteFile(file, []byte("[[smpp]]\nname = \"nurtel\"\naddress = \""+smsc.Address+
		"\"\nsystem_id = \"eshik\"\npassword_env = \"E2E_LINK\"\nussd = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, []string{"ESHIK_GATEWAYS=" + file, "E2E_LINK=12345678"})
	smsc.Until("bound")
	link := &link{t: t, smsc: smsc, phone: strings.TrimPrefix(bakyt, "+")}
	message := byte(0x10)
	says := func(op int, text, want string) smpptest.Submit {
		t.Helper()
		message++
		info := hex.EncodeToString([]byte{message, 0})
		link.deliver(map[string]any{"ussd_service_op": op, "its_session_info": "0x" + info, "data_coding": 15, "short_message": octets(text)})
		screen := smsc.Until("submit").PDU
		if !strings.Contains(screen.Text, want) || !strings.HasPrefix(screen.SessionInfo, "0x"+info[:2]) {
			t.Errorf("%q is answered with %+v, want %q", text, screen, want)
		}
		return screen
	}
	says(1, "*1414#", "Кыргызча")
	says(18, "1", "Эшик")
	says(18, "3", "Бала бакча")
	says(18, "0", "Эшик")
	says(18, "1", "номер")
	says(18, "01KG777AAA", "01KG777AAA")
	message++
	link.deliver(map[string]any{"ussd_service_op": 129, "its_session_info": "0x" + hex.EncodeToString([]byte{message, 1})})
	says(1, "*1414*1#", "номер")
	says(18, "01KG777AAA", "01KG777AAA")
}

// link is a phone behind the SMS centre.
type link struct {
	t     *testing.T
	smsc  *smpptest.SMSC
	phone string
}

func (l *link) deliver(fields map[string]any) {
	l.t.Helper()
	fields["source_addr"], fields["destination_addr"] = l.phone, "1414"
	if status := l.smsc.Deliver(fields); status != 0 {
		l.t.Fatalf("a message is refused with %d", status)
	}
}

func octets(text string) string {
	septets, _ := gsm.Encode(text)
	return "0x" + hex.EncodeToString(septets)
}

func (l *link) dials(code string) smpptest.Submit {
	l.t.Helper()
	l.deliver(map[string]any{"ussd_service_op": 1, "its_session_info": "0x0700", "data_coding": 15, "short_message": octets(code)})
	return l.smsc.Until("submit").PDU
}

func (l *link) answers(digit string) smpptest.Submit {
	l.t.Helper()
	l.deliver(map[string]any{"ussd_service_op": 18, "its_session_info": "0x0700", "data_coding": 15, "short_message": octets(digit)})
	return l.smsc.Until("submit").PDU
}

func (l *link) hangsUp() {
	l.t.Helper()
	l.deliver(map[string]any{"ussd_service_op": 129, "its_session_info": "0x0701"})
}

func (l *link) texts(words string) smpptest.Submit {
	l.t.Helper()
	var units strings.Builder
	for _, r := range words {
		units.WriteString(hex.EncodeToString([]byte{byte(r >> 8), byte(r)}))
	}
	l.deliver(map[string]any{"data_coding": 8, "short_message": "0x" + units.String()})
	return l.smsc.Until("submit").PDU
}
