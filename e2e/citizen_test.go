package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// call is one USSD session; text grows as the gateway sends it.
type call struct {
	d     *door
	id    string
	phone string
	text  string
}

// sessions numbers them: a gateway never uses an id twice.
var sessions atomic.Int64

// dial starts a session at the main menu, whatever was left unfinished, and
// returns it with its first screen.
func (d *door) dial(phone string) (*call, string) {
	d.t.Helper()
	c, screen := d.ring(phone)
	if strings.Contains(screen, "\n0 ") { // the question whether to go on
		screen = c.say("", "0")
	}
	return c, screen
}

// ring starts a session and returns it with its first screen.
func (d *door) ring(phone string) (*call, string) {
	d.t.Helper()
	c := &call{d: d, id: fmt.Sprintf("ATUid_%d_%d", os.Getpid(), sessions.Add(1)), phone: phone}
	return c, c.send()
}

// send delivers the text as it stands: again, it is a gateway's retry.
func (c *call) send() string {
	c.d.t.Helper()
	screen := c.d.post("/ussd/africastalking", url.Values{
		"sessionId": {c.id}, "phoneNumber": {c.phone}, "networkCode": {"43705"}, "serviceCode": {"*1414#"}, "text": {c.text},
	})
	if !strings.HasPrefix(screen, "CON ") && !strings.HasPrefix(screen, "END ") {
		c.d.t.Fatalf("neither CON nor END: %q", screen)
	}
	return screen
}

// say types inputs one after another; the last screen must hold want.
func (c *call) say(want string, inputs ...string) string {
	c.d.t.Helper()
	screen := ""
	for _, input := range inputs {
		if c.text != "" {
			c.text += "*"
		}
		c.text += input
		screen = c.send()
	}
	if !strings.Contains(screen, want) {
		c.d.t.Fatalf("after %q: %q lacks %q", inputs, screen, want)
	}
	return screen
}

// choose picks the option whose label holds label, turning pages to find it.
func (c *call) choose(screen, label, want string) string {
	c.d.t.Helper()
	for range 20 {
		for line := range strings.SplitSeq(strings.TrimPrefix(screen, "CON "), "\n") {
			number, rest, _ := strings.Cut(line, " ")
			if choice.MatchString(line) && strings.Contains(rest, label) {
				return c.say(want, number)
			}
		}
		if !strings.Contains(screen, "\n9 ") {
			break
		}
		screen = c.say("", "9")
	}
	c.d.t.Fatalf("no option %q on %q", label, screen)
	return ""
}

// proves answers with the numbers of a card where the screen asks for them, and gives the next one:
// what an app of the phone proved is not the call's.
func (c *call) proves(screen, number, card string) string {
	c.d.t.Helper()
	if !strings.Contains(screen, "(ПИН, 14 сан)") {
		return screen
	}
	return c.say("", number, card)
}

// message is one SMS as the sandbox lists it.
type message struct {
	Text string `json:"text"`
	From string `json:"from"`
}

// inbox lists the messages that reached a phone, newest first.
func (d *door) inbox(phone string) []message {
	d.t.Helper()
	var messages []message
	d.json(http.MethodGet, "/sandbox/sms?phone="+url.QueryEscape(phone), "", nil, &messages)
	return messages
}

// patience is how long effects may take: a job that a killed process had begun
// is taken up again after about a minute.
const patience = 2 * time.Minute

// await waits for a message that holds want and returns it.
func (d *door) await(phone, want string) string {
	d.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		for _, m := range d.inbox(phone) {
			if strings.Contains(m.Text, want) {
				return m.Text
			}
		}
	}
	d.t.Fatalf("no message with %q reached the phone; there are %+v; log: %s", want, d.inbox(phone), d.stderr)
	return ""
}

// text sends an SMS to the service and waits for an answer that holds want.
func (d *door) text(phone, words, want string) string {
	d.t.Helper()
	d.json(http.MethodPost, "/sandbox/sms", "", map[string]string{"from": phone, "to": "1414", "text": words}, nil)
	return d.await(phone, want)
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code reads the newest one-time code from a phone's messages behind the first so many.
func (d *door) code(phone string, before int) string {
	d.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		messages := d.inbox(phone)
		for _, m := range messages[:max(len(messages)-before, 0)] { // another message may have come behind the code
			if code := sixDigits.FindString(m.Text); code != "" {
				return code
			}
		}
	}
	d.t.Fatal("no one-time code reached the phone")
	return ""
}

// signedIn are the tokens of a device.
type signedIn struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// signInOn signs a device of a phone in over REST.
func (d *door) signInOn(phone string) signedIn {
	d.t.Helper()
	before := len(d.inbox(phone))
	if status := d.json(http.MethodPost, "/v1/codes", "", map[string]string{"phone": phone}, nil); status != http.StatusAccepted {
		d.t.Fatalf("codes: %d", status)
	}
	var tokens signedIn
	in := map[string]string{"phone": phone, "code": d.code(phone, before)}
	if status := d.json(http.MethodPost, "/v1/tokens", "", in, &tokens); status != http.StatusOK {
		d.t.Fatalf("tokens: %d", status)
	}
	return tokens
}

// signIn gives an access token only.
func (d *door) signIn(phone string) string {
	d.t.Helper()
	return d.signInOn(phone).Access
}

// paid is what the wallet answers.
type paid struct {
	State  string `json:"state"`
	Result int    `json:"result"`
}

// wallet pays a code as a user of the demo wallet.
func (d *door) wallet(code string) paid {
	d.t.Helper()
	var p paid
	d.json(http.MethodPost, "/sandbox/wallet/payments", "", map[string]string{"code": code}, &p)
	return p
}
