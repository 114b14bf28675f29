package ussd_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/smpp"
	"github.com/eshik-kg/eshik/ussd"
)

const otherPhone = "996700000002"

// door is a gateway in front of the office.
type door interface {
	// say sends the session's newest request, which brings the last of inputs;
	// none: the code was dialled.
	say(t *testing.T, session, phone string, inputs []string) (text string, end bool)
	hangUp(t *testing.T, session, phone string)
}

// eachDoor runs test at an office of its own behind every gateway, SMPP among
// them.
func eachDoor(t *testing.T, test func(t *testing.T, o *office, d door, blind bool)) {
	t.Helper()
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			test(t, o, newHTTPDoor(t, o, g, ussd.Auth{Secret: secretWord}), g.blind)
			o.checkLog(t)
		})
	}
	t.Run("smpp", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		test(t, o, newSMPPDoor(t, o), true)
		o.checkLog(t)
	})
}

func (o *office) deps() ussd.Deps {
	return ussd.Deps{
		Conversations: o.Conversations, Texts: sentences{}, Now: o.now, Refused: o.refuse, Log: slog.New(slog.NewTextHandler(o, nil)),
	}
}

// checkLog looks for what must not be there.
func (o *office) checkLog(t *testing.T) {
	t.Helper()
	for _, word := range []string{phone, otherPhone, "482913", "Aigul"} {
		if strings.Contains(o.log.String(), word) {
			t.Errorf("the log tells %s: %s", word, o.log.String())
		}
	}
}

// httpDoor is a gateway that calls over HTTP.
type httpDoor struct {
	wire
	url string
}

func newHTTPDoor(t *testing.T, o *office, g wire, auth ussd.Auth) *httpDoor {
	t.Helper()
	gateway, err := ussd.New(g.name, ussd.Config{Auth: auth}, o.deps())
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	gateway.Register(app)
	return &httpDoor{wire: g, url: listen(t, app)}
}

func (d *httpDoor) say(t *testing.T, session, phone string, inputs []string) (string, bool) {
	t.Helper()
	path, kind, body := d.write(session, phone, inputs)
	status, answer := d.post(t, path, kind, body, ussd.SecretHeader, secretWord)
	text, end, ok := d.read(answer)
	if status != http.StatusOK || !ok {
		t.Errorf("%v was answered %d %q", inputs, status, answer)
	}
	return text, end
}

func (d *httpDoor) hangUp(t *testing.T, session, phone string) {
	t.Helper()
	path, kind, body := d.wire.end(session, phone)
	if status, answer := d.post(t, path, kind, body, ussd.SecretHeader, secretWord); status != http.StatusOK {
		t.Errorf("the end was answered %d %q", status, answer)
	}
}

func (d *httpDoor) post(t *testing.T, path, kind, body string, headers ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/ussd/"+d.name+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	request.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, string(answer)
}

// smppDoor is a link whose messages are handed over without a network.
type smppDoor struct{ gateway *ussd.SMPP }

// sent is where a screen goes that answers a request with this context.
type sent struct{}

func newSMPPDoor(t *testing.T, o *office) *smppDoor {
	t.Helper()
	submit := func(ctx context.Context, m *smpp.Message, tlvs smpp.TLVs) (string, error) {
		text, err := smpp.DecodeText(m.Short, m.Coding)
		op, _ := tlvs.Byte(smpp.TagUSSDServiceOp)
		if screen, ok := ctx.Value(sent{}).(*smppScreen); ok {
			*screen = smppScreen{text: text, end: op == 17, to: m.Destination.Digits}
		}
		return "id", err
	}
	gateway, err := ussd.NewSMPP(ussd.SMPPConfig{Name: "smpp", Session: ussd.SessionByInfo}, submit, o.deps())
	if err != nil {
		t.Fatal(err)
	}
	return &smppDoor{gateway: gateway}
}

type smppScreen struct {
	text, to string
	end      bool
}

// say writes the request as the network does: the session is a number, and the
// start alone has an id that a copy shares.
func (d *smppDoor) say(t *testing.T, session, phone string, inputs []string) (string, bool) {
	t.Helper()
	op, text := byte(18), last(inputs)
	if len(inputs) == 0 {
		op, text = 1, "*1414#"
	}
	screen := d.handle(t, session, phone, op, text)
	if screen.to != phone {
		t.Errorf("%s was answered at %q", phone, screen.to)
	}
	return screen.text, screen.end
}

func (d *smppDoor) hangUp(t *testing.T, session, phone string) {
	t.Helper()
	if screen := d.handle(t, session, phone, 129, ""); screen != (smppScreen{}) {
		t.Errorf("the end was answered %+v", screen)
	}
}

func (d *smppDoor) handle(t *testing.T, session, phone string, op byte, text string) (screen smppScreen) {
	t.Helper()
	octets, err := smpp.EncodeText(text, smpp.CodingDefault)
	if err != nil {
		t.Error(err)
	}
	status, then := d.gateway.Handle(t.Context(), smpp.Delivery{
		ID: "link/" + session,
		Message: &smpp.Message{
			Source: smpp.Address{TON: 1, Digits: phone}, Destination: smpp.Address{Digits: "1414"}, Short: octets,
		},
		TLVs: smpp.TLVs{
			{Tag: smpp.TagUSSDServiceOp, Value: []byte{op}}, {Tag: smpp.TagSessionInfo, Value: []byte{session[len(session)-1], 2}},
		},
	})
	if status != smpp.StatusOK {
		t.Errorf("%q was answered %d", text, status)
		return screen
	}
	if then != nil {
		then(context.WithValue(t.Context(), sent{}, &screen))
	}
	return screen
}

// A whole dialogue, each request sent twice: the retry sees the same screen, and
// the effect happens once.
func TestDialogue(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, o *office, d door, _ bool) {
		for n, want := range screens {
			o.wait(2 * time.Second)
			text, end := d.say(t, "s1", phone, inputs[:n])
			again, endAgain := d.say(t, "s1", phone, inputs[:n])
			if !strings.Contains(text, want) || end != (n == len(inputs)) {
				t.Errorf("screen %d is %q, end %v; want %q", n, text, end, want)
			}
			if again != text || endAgain != end {
				t.Errorf("the retry of %d was answered %q, first %q", n, again, text)
			}
		}
		if runs, entries := o.written(); runs != 1 || entries != 1 || len(o.counted()) > 0 || len(o.abandoned()) > 0 {
			t.Errorf("%d runs left %d entries, refused %v, abandoned %v", runs, entries, o.counted(), o.abandoned())
		}
	})
}

// walk goes through the dialogue up to and with the n-th screen.
func walk(t *testing.T, o *office, d door, session, phone string, n int) (text string, end bool) {
	t.Helper()
	for i := range n {
		o.wait(2 * time.Second)
		if text, end = d.say(t, session, phone, inputs[:i]); !strings.Contains(text, screens[i]) {
			t.Errorf("screen %d of %s is %q, want %q", i, phone, text, screens[i])
		}
	}
	return text, end
}

// The request with the effect, sixteen times at once.
func TestDuplicatesAtOnce(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, o *office, d door, _ bool) {
		walk(t, o, d, "s1", phone, len(inputs))
		o.wait(2 * time.Second)
		var answers [16]string
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i], _ = d.say(t, "s1", phone, inputs) })
		}
		all.Wait()
		for i, answer := range answers {
			if answer != answers[0] || !strings.Contains(answer, screens[len(inputs)]) {
				t.Errorf("copy %d was answered %q, the first %q", i, answer, answers[0])
			}
		}
		if runs, entries := o.written(); runs != 1 || entries != 1 {
			t.Errorf("%d runs left %d entries", runs, entries)
		}
	})
}

// Callers at the same time, whose gateway even gives them one session id, see
// their own screens only.
func TestCallersApart(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, o *office, d door, _ bool) {
		callers := []string{phone, otherPhone, "996555000003", "996555000004"}
		var all sync.WaitGroup
		for _, caller := range callers {
			all.Go(func() {
				for n, want := range screens {
					o.wait(2 * time.Second)
					text, _ := d.say(t, "s1", caller, inputs[:n])
					if !strings.Contains(text, want) || (n > 0 && !strings.Contains(text, caller)) {
						t.Errorf("%s saw %q, want %q", caller, text, want)
					}
				}
			})
		}
		all.Wait()
		if runs, entries := o.written(); runs != len(callers) || entries != len(callers) {
			t.Errorf("%d runs left %d entries", runs, entries)
		}
	})
}

// A request that comes after later ones gets the last screen; one of a session
// that another took the place of, its end. Neither changes anything. Where
// requests have no identity, only the second can be told.
func TestLateRequests(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, o *office, d door, blind bool) {
		shown, _ := walk(t, o, d, "s1", phone, 4)
		o.wait(2 * time.Second)
		if !blind {
			for n := range 4 {
				if text, end := d.say(t, "s1", phone, inputs[:n]); text != shown || end {
					t.Errorf("request %d, late, was answered %q, want %q", n, text, shown)
				}
			}
		}
		redialled, _ := d.say(t, "s2", phone, nil)
		o.wait(2 * time.Second)
		if text, end := d.say(t, "s1", phone, inputs[:4]); !end || text != "This session is over. Please dial again." {
			t.Errorf("a request of the session before was answered %q, end %v", text, end)
		}
		if !strings.Contains(redialled, "Continue where you stopped?") {
			t.Errorf("redialled: %q", redialled)
		}
		if text, _ := d.say(t, "s2", phone, []string{"1"}); text != shown {
			t.Errorf("the conversation goes on with %q, want %q", text, shown)
		}
		if runs, _ := o.written(); runs != 0 {
			t.Errorf("%d runs", runs)
		}
	})
}

// A session that the network gave up counts as abandoned once, at the step where
// it was: however often that is told, and only when nobody can continue it.
func TestAbandonedOnce(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, o *office, d door, _ bool) {
		walk(t, o, d, "s1", phone, 3)      // could be continued
		walk(t, o, d, "s1", otherPhone, 1) // the main menu: nothing to continue
		for range 2 {
			d.hangUp(t, "s1", phone)
			d.hangUp(t, "s1", otherPhone)
		}
		if got := o.abandoned(); !slices.Equal(got, []string{"menu.main"}) {
			t.Errorf("abandoned %v", got)
		}
		o.wait(time.Hour)
		for range 2 {
			if err := o.Sweep(t.Context(), o.now()); err != nil {
				t.Fatal(err)
			}
		}
		d.hangUp(t, "s1", phone)
		if got := o.abandoned(); !slices.Equal(got, []string{"menu.main", "desk.name"}) || len(o.counted()) > 0 {
			t.Errorf("abandoned %v, refused %v", got, o.counted())
		}
	})
}
