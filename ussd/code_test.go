package ussd_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/eshik-kg/eshik/ussd"
)

// T4: a gateway writes the service code with or without its * and #, and the code
// may have parts of its own: only what was dialled after it leads deeper. Where no
// code is named, our own setting holds.
func TestServiceCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, dialled, want string }{
		{"711*2", "*711*2#", ""}, {"*711*2#", "*711*2#", ""}, {"*711*2", "*711*2#", ""}, {"711*2#", "*711*2#", ""},
		{"1414*5", "*1414*5#", ""}, {"1414*5", "*1414*5*2*1#", "2*1"}, {"*1414*5#", "1414*5*2", "2"}, {"1414*5", "1414*5", ""},
		{"1414", "*1414#", ""}, {"1414", "*1414*2#", "2"}, {"1414", "1414*2", "2"}, {"*1414#", "*1414*2*1#", "2*1"},
		{"1414", "", ""}, {"1414", "2", ""}, // what was typed is no dialled string
		{"141", "*1414*2#", "2"}, {"14145", "*1414*2#", "2"}, // another code's text: up to the second *
		{"", "*1414*2#", "2"}, {"", "*1414#", ""}, {"", "*1414*2*1#", "2*1"},
	} {
		t.Run(fmt.Sprintf("%q dialled as %q", c.code, c.dialled), func(t *testing.T) {
			t.Parallel()
			hubtel := newBench(t, "hubtel", ussd.Auth{Secret: secretWord})
			hubtel.begins(t, "/ussd/hubtel", c.want, map[string]any{
				"Type": "Initiation", "Mobile": "996555000001", "SessionId": "h1", "ServiceCode": c.code, "Message": c.dialled, "Sequence": 1,
			})
			infobip := newBench(t, "infobip", ussd.Auth{Secret: secretWord})
			infobip.begins(t, "/ussd/infobip/s1/start", c.want, map[string]any{"msisdn": "996555000001", "text": c.dialled, "shortCode": c.code})
		})
	}
}

// begins posts the first request of a session and looks at what it leads to.
func (b *bench) begins(t *testing.T, path, want string, body map[string]any) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	response, answer := b.send(http.MethodPost, path, "", string(raw), ussd.SecretHeader, secretWord)
	turns := b.taken()
	if response.StatusCode != http.StatusOK || len(turns) != 1 || turns[0].Text != want || !turns[0].Start {
		t.Errorf("%s: %d %s, turns %+v, want text %q", path, response.StatusCode, answer, turns, want)
	}
}
