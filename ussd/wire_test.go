package ussd_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/needs/needstest"
	"github.com/eshik-kg/eshik/ussd"
)

// wire is a wire format from the gateway's side.
type wire struct {
	name string
	// paths are all callbacks of session s1.
	paths []string
	// write makes the session's newest request, which brings the last of inputs;
	// none: it begins. end makes the notice that it is over.
	write func(session, phone string, inputs []string) (path, contentType, body string)
	end   func(session, phone string) (path, contentType, body string)
	// read is what the gateway makes of an answer.
	read func(answer string) (text string, end, ok bool)
	// blind says that nothing in a request tells it from an equal one.
	blind bool
}

const formType, jsonType = "application/x-www-form-urlencoded", "application/json"

// gateways are all wire formats. A new one is an entry here and its recorded
// fixtures in testdata/fixtures/<name>.
var gateways = []wire{
	{
		name: "africastalking", paths: []string{"", "/end"},
		write: func(session, phone string, inputs []string) (string, string, string) {
			return "", formType, url.Values{"sessionId": {session}, "phoneNumber": {"+" + phone}, "text": {strings.Join(inputs, "*")}}.Encode()
		},
		end: func(session, phone string) (string, string, string) {
			return "/end", formType, url.Values{"sessionId": {session}, "phoneNumber": {"+" + phone}, "status": {"Incomplete"}}.Encode()
		},
		read: func(answer string) (string, bool, bool) {
			if text, ok := strings.CutPrefix(answer, "END "); ok {
				return text, true, true
			}
			text, ok := strings.CutPrefix(answer, "CON ")
			return text, false, ok
		},
	},
	{
		name: "infobip", paths: []string{"/s1/start", "/s1/response", "/s1/end", "/s1/status"}, blind: true,
		write: func(session, phone string, inputs []string) (string, string, string) {
			verb := map[bool]string{true: "/start", false: "/response"}[len(inputs) == 0]
			return "/" + session + verb, jsonType, asJSON(map[string]any{"msisdn": phone, "text": last(inputs)})
		},
		end: func(session, phone string) (string, string, string) {
			return "/" + session + "/end", jsonType, asJSON(map[string]any{"msisdn": phone, "exitCode": 540, "reason": "timeout"})
		},
		read: func(answer string) (string, bool, bool) {
			var out struct {
				UssdMenu         *string
				ShouldClose      bool
				SessionActive    *bool
				ResponseExitCode int
			}
			ok := json.Unmarshal([]byte(answer), &out) == nil && out.ResponseExitCode != 0 && (out.UssdMenu != nil || out.SessionActive != nil)
			if !ok || out.UssdMenu == nil {
				return "", false, ok
			}
			return *out.UssdMenu, out.ShouldClose, true
		},
	},
	{
		name: "hubtel", paths: []string{""},
		write: func(session, phone string, inputs []string) (string, string, string) {
			kind := map[bool]string{true: "Initiation", false: "Response"}[len(inputs) == 0]
			return "", jsonType, asJSON(map[string]any{
				"Type": kind, "Mobile": phone, "SessionId": session, "Message": last(inputs), "Sequence": len(inputs) + 1,
			})
		},
		end: func(session, phone string) (string, string, string) {
			return "", jsonType, asJSON(map[string]any{"Type": "Release", "Mobile": phone, "SessionId": session, "Sequence": 99})
		},
		read: func(answer string) (string, bool, bool) {
			var out struct{ Type, Message string }
			err := json.Unmarshal([]byte(answer), &out)
			return out.Message, out.Type == "Release", err == nil && (out.Type == "Release" || out.Type == "Response")
		},
	},
	{
		name: "plain", paths: []string{""},
		write: func(session, phone string, inputs []string) (string, string, string) {
			return "", jsonType, asJSON(map[string]any{
				"session": session, "sequence": len(inputs) + 1, "phone": phone, "text": last(inputs), "begin": len(inputs) == 0,
			})
		},
		end: func(session, phone string) (string, string, string) {
			return "", jsonType, asJSON(map[string]any{"session": session, "sequence": 99, "phone": phone, "end": true})
		},
		read: func(answer string) (string, bool, bool) {
			var out struct {
				Text *string
				End  bool
			}
			if json.Unmarshal([]byte(answer), &out) != nil || out.Text == nil {
				return "", false, false
			}
			return *out.Text, out.End, true
		},
	},
}

func asJSON(fields map[string]any) string {
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err) // the tests' own strings and numbers
	}
	return string(data)
}

func last(inputs []string) string {
	if len(inputs) == 0 {
		return ""
	}
	return inputs[len(inputs)-1]
}

// turn is the n-th request of session s1, from 1.
func (g wire) turn(n int, phone, text string) (path, contentType, body string) {
	if n == 1 {
		return g.write("s1", phone, nil)
	}
	inputs := make([]string, n-1)
	for i := range inputs {
		inputs[i] = "1"
	}
	inputs[n-2] = text
	return g.write("s1", phone, inputs)
}

// fixture is a recorded request and the exact answer to it.
type fixture struct {
	file, method, path, contentType, body string
	status                                int
	headers                               []string // "name: value"
	answer                                string
}

func fixtures(t testing.TB, format string) []fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/fixtures/" + format + "/*.http")
	if err != nil || len(files) < 4 {
		t.Fatalf("%s has %d fixtures, %v", format, len(files), err)
	}
	all := make([]fixture, len(files))
	for i, file := range files {
		data, err := os.ReadFile(file) // #nosec G304 -- the files listed above
		if err != nil {
			t.Fatal(err)
		}
		f := fixture{file: filepath.Base(file)}
		sent, expected, _ := strings.Cut(string(data), "\n\n=====\n")
		head, body, _ := strings.Cut(sent, "\n\n")
		lines := strings.Split(head, "\n")
		f.method, f.path, _ = strings.Cut(lines[0], " ")
		f.contentType, f.body = strings.TrimPrefix(lines[1], "Content-Type: "), body
		head, f.answer, _ = strings.Cut(strings.TrimSuffix(expected, "\n"), "\n\n")
		lines = strings.Split(head, "\n")
		if f.status, err = strconv.Atoi(lines[0]); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		f.headers = lines[1:]
		all[i] = f
	}
	return all
}

// TestFormatsAreTried: what is spoken is what the tests of this folder speak, and no
// other name makes a gateway.
func TestFormatsAreTried(t *testing.T) {
	t.Parallel()
	var tried []string
	for _, g := range gateways {
		tried = append(tried, g.name)
	}
	if got := ussd.Formats(); strings.Join(got, " ") != strings.Join(tried, " ") {
		t.Errorf("%v are spoken and %v tried: what a new one sends and is answered goes into gateways, above", got, tried)
	}
	if _, err := ussd.New("smoke", ussd.Config{Auth: ussd.Auth{Secret: secretWord}}, newOffice(t).deps()); err == nil || !strings.Contains(err.Error(), "africastalking, infobip") {
		t.Errorf("smoke is a format: %v", err)
	}
}

// TestNothingIsMissing: no gateway is made without what it stands on, but who hears of
// sessions that are over.
func TestNothingIsMissing(t *testing.T) {
	t.Parallel()
	whole := newOffice(t).deps()
	whole.Closed = func(ussd.Closing) {}
	for _, format := range ussd.Formats() {
		needstest.Each(t, whole, func(d ussd.Deps) error {
			_, err := ussd.New(format, ussd.Config{Auth: ussd.Auth{Secret: secretWord}}, d)
			return err
		}, "Closed")
	}
	needstest.Each(t, whole, func(d ussd.Deps) error {
		_, err := ussd.NewSMPP(ussd.SMPPConfig{Name: "smpp"}, nil, d)
		return err
	}, "Closed")
}
