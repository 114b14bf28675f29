package ussd_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/ussd"
)

// fuzz sends bodies to every callback of a format. Whatever comes, it is taken
// once and answered as the format wants, or refused as it wants and without any
// effect; and neither the log nor a header can hold any of it, since both are
// known to the letter.
func fuzz(f *testing.F, name string) {
	g := gateways[slices.IndexFunc(gateways, func(g wire) bool { return g.name == name })]
	_, kind, body := g.turn(2, phone, "1")
	for at := range g.paths {
		f.Add(uint8(at), body)
		f.Add(uint8(at), "{}")
		for _, recorded := range fixtures(f, name) {
			f.Add(uint8(at), recorded.body)
		}
	}
	b := newBench(f, g.name, ussd.Auth{Secret: secretWord})
	f.Fuzz(func(t *testing.T, at uint8, body string) {
		b.t, b.turns, b.ended, b.refused, b.closed = t, nil, nil, nil, nil
		b.log.Reset()
		path := g.paths[int(at)%len(g.paths)]
		response, answer := b.send("POST", "/ussd/"+name+path, kind, body, ussd.SecretHeader, secretWord)
		b.checkHeaders(t, response.Header, kind == jsonType)
		b.checkEffects(t, g, path, response.StatusCode, answer)
	})
}

// checkHeaders holds the headers to what they may be.
func (b *bench) checkHeaders(t *testing.T, headers http.Header, isJSON bool) {
	t.Helper()
	kinds := []string{"text/plain; charset=utf-8"}
	if isJSON {
		kinds = []string{jsonType}
	}
	for header, values := range headers {
		ok := len(values) == 1
		switch header {
		case "Content-Type":
			ok = ok && slices.Contains(kinds, values[0])
		case "At-Ussd-Hop-Metadata":
			ok = ok && values[0] == `{"step":"fake.screen"}`
		case "Date":
			_, err := http.ParseTime(values[0])
			ok = ok && err == nil
		case "Content-Length":
			ok = ok && strings.Trim(values[0], "0123456789") == ""
		default:
			ok = false
		}
		if !ok {
			t.Errorf("header %s: %q", header, values)
		}
	}
}

// checkEffects holds what was done, counted and logged to the answer.
func (b *bench) checkEffects(t *testing.T, g wire, path string, status int, answer string) {
	t.Helper()
	effects := len(b.turns) + len(b.ended)
	switch status {
	case http.StatusOK:
		text, end, ok := g.read(answer)
		notice := answer == "OK" && path == "/end" // Africa's Talking's has no format
		idle := strings.HasSuffix(path, "/status") || (path == "/s1/end" && effects == 0)
		if !(ok || notice) || (effects != 1) != idle || len(b.refused) > 0 {
			t.Errorf("answered %q after %d turns and %d ends, refused %v", answer, len(b.turns), len(b.ended), b.refused)
		}
		if len(b.turns) == 1 && (text != shown(b.turns[0]) || end != (b.turns[0].Text == "finish")) {
			t.Errorf("%+v was shown as %q", b.turns[0], answer)
		}
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		if effects > 0 || len(b.refused) != 1 || len(b.closed) > 0 {
			t.Errorf("refused %v and still %d turns and %d ends", b.refused, len(b.turns), len(b.ended))
		}
	case http.StatusForbidden: // conversation.Turn calls "again" a replay
		if len(b.turns) != 1 || !strings.HasSuffix(b.turns[0].Text, "again") || !slices.Equal(b.refused, []string{"replayed"}) {
			t.Errorf("refused %v after %d turns", b.refused, len(b.turns))
		}
	default:
		t.Errorf("answered %d %q", status, answer)
	}
	if status != http.StatusOK && !slices.ContainsFunc(reasons, func(why string) bool { return answer == refusals[g.name](status, why) }) {
		t.Errorf("%d is told as %q", status, answer)
	}
	if want := strings.Repeat(notTaken(g.name), len(b.ended)); b.log.String() != want {
		t.Errorf("the log is %q, want %q", b.log.String(), want)
	}
	for _, c := range b.closed {
		known := slices.Contains([]string{"success", "incomplete", "failed", "other"}, c.Status)
		if !known || c.Duration > time.Hour || c.Hops > 1000 || c.Cost > 1_000_000 || c.Cost != c.Cost {
			t.Errorf("counted %+v", c)
		}
	}
}

// reasons are all that a gateway is told of a body that is refused.
var reasons = []string{
	"the body is not the JSON object that is documented", "the Type is Initiation, Response or Release", "a phone number is needed",
	"a session id of 1 to 256 bytes is needed", "the request is too large", "the request was answered before",
}

// notTaken is what is logged when conversations.Ended fails, as it does.
func notTaken(gateway string) string {
	return `level=WARN msg="a USSD session's end was not taken" gateway=` + gateway + ` error="planned: the gateway is not told"` + "\n"
}

func FuzzAfricasTalking(f *testing.F) { fuzz(f, "africastalking") }
func FuzzInfobip(f *testing.F)        { fuzz(f, "infobip") }
func FuzzHubtel(f *testing.F)         { fuzz(f, "hubtel") }
func FuzzPlain(f *testing.F)          { fuzz(f, "plain") }
