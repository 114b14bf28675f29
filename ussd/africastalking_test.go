package ussd_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/ussd"
)

// conversations keeps the turns it is given, beyond the request they came in.
type conversations struct {
	mu    sync.Mutex
	turns []session.Turn
	ended []string
}

func (f *conversations) Turn(_ context.Context, turn session.Turn) (session.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turns = append(f.turns, turn)
	if turn.Text == "fail" {
		return session.Answer{}, errors.New("planned")
	}
	return session.Answer{Text: turn.Phone + " " + turn.Text, End: strings.HasSuffix(turn.Text, "end")}, nil
}

func (f *conversations) Ended(_ context.Context, session, phone string, _ time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = append(f.ended, session+" "+phone)
	return errors.New("planned: the gateway is not told")
}

func (f *conversations) taken() []session.Turn {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.turns)
}

func (f *conversations) over() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.ended)
}

type sentences struct{}

func (sentences) Text(loc locales.Locale, key string, _ ...any) string {
	return string(loc) + " " + key
}

// gateway is a server with the handler, reached over loopback.
type gateway struct {
	*conversations
	url     string
	mu      sync.Mutex
	refused []string
	closed  []ussd.Closing
}

func serve(t *testing.T, cfg ussd.Config) *gateway {
	t.Helper()
	g := &gateway{conversations: &conversations{}}
	count := func(reason string) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.refused = append(g.refused, reason)
	}
	hear := func(c ussd.Closing) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.closed = append(g.closed, c)
	}
	h, err := ussd.New("africastalking", cfg, ussd.Deps{
		Conversations: g.conversations, Texts: sentences{}, Now: time.Now, Refused: count, Closed: hear, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	h.Register(app)
	g.url = listen(t, app)
	return g
}

// listen serves app on a free port and gives its address.
func listen(t *testing.T, app *fiber.App) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		_ = app.Shutdown()
		<-served
	})
	return "http://" + listener.Addr().String()
}

func (g *gateway) counted() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.refused)
}

func (g *gateway) post(t *testing.T, path string, form url.Values, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, g.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func form(phone, text string) url.Values {
	return url.Values{
		"sessionId": {"ATUid_1"}, "phoneNumber": {phone}, "networkCode": {"43705"}, "serviceCode": {"*1414#"}, "text": {text},
	}
}

var open = ussd.Config{Auth: ussd.Auth{AllowLoopback: true}}

func TestTurn(t *testing.T) {
	t.Parallel()
	g := serve(t, open)
	for _, c := range []struct{ text, want string }{
		{"", "CON +996555000001 "},
		{"1", "CON +996555000001 1"},
		{"1*end", "END +996555000001 1*end"},
		{"fail", "END ky ussd.apology\nru ussd.apology"},
		{"😀 ٣ ы\x00", "CON +996555000001 😀 ٣ ы\x00"},
		{"bad \xff utf-8", "CON +996555000001 bad \uFFFD utf-8"},
		{strings.Repeat("ж", 10000), "CON +996555000001 " + strings.Repeat("ж", 10000)},
	} {
		status, body := g.post(t, "/ussd/africastalking", form("+996555000001", c.text))
		if status != http.StatusOK || body != c.want {
			t.Errorf("%.20q was answered %d %.60q", c.text, status, body)
		}
	}
	small := open
	small.Budgets.Default = dialog.Budget{Septets: 20, Units: 20}
	if _, body := serve(t, small).post(t, "/ussd/africastalking", form("+996555000001", "fail")); body != "END ky ussd.apology" {
		t.Errorf("on a small screen a failed turn is answered %q", body)
	}
	turn := g.taken()[1]
	if turn.Session != "africastalking/ATUid_1" || turn.Channel != caller.USSD || turn.Gateway != "africastalking" ||
		turn.Operator != "MegaCom" || !turn.Cumulative || turn.Budget != ussd.DefaultBudget || turn.Lifetime != ussd.DefaultLifetime {
		t.Errorf("the turn is %+v", turn)
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	g := serve(t, open)
	for _, bad := range []url.Values{
		{}, {"sessionId": {"1"}}, {"phoneNumber": {"+996555000001"}}, form("nobody", "1"),
		{"sessionId": {strings.Repeat("x", 300)}, "phoneNumber": {"+996555000001"}},
	} {
		for _, path := range []string{"/ussd/africastalking", "/ussd/africastalking/end"} {
			if status, _ := g.post(t, path, bad); status != http.StatusBadRequest {
				t.Errorf("%.80v to %s was answered %d", bad, path, status)
			}
		}
	}
	if status, _ := g.post(t, "/ussd/africastalking", form("+996555000001", strings.Repeat("x", 600<<10))); status != http.StatusRequestEntityTooLarge {
		t.Errorf("600 KiB were answered %d", status)
	}
	if len(g.taken()) != 0 || len(g.over()) != 0 || len(g.counted()) != 11 {
		t.Errorf("%d turns, %d ends, refused %v", len(g.taken()), len(g.over()), g.counted())
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	g := serve(t, open)
	notice := form("+996555000001", "")
	notice.Set("status", "Incomplete")
	notice.Set("input", "1*11503198800011")
	for range 2 {
		if status, _ := g.post(t, "/ussd/africastalking/end", notice); status != http.StatusOK {
			t.Errorf("the notice was answered %d", status)
		}
	}
	if len(g.over()) != 2 || g.over()[0] != "africastalking/ATUid_1 +996555000001" || len(g.taken()) != 0 {
		t.Errorf("ended %v, %d turns", g.over(), len(g.taken()))
	}
}

// Of the notice at the end the figures are counted, as far as they make sense.
func TestClosing(t *testing.T) {
	t.Parallel()
	g := serve(t, open)
	for _, c := range []struct {
		status, millis, hops, cost string
		want                       ussd.Closing
	}{
		{"Success", "51234", "4", "KGS 1.2500", ussd.Closing{Status: "success", Duration: 51234 * time.Millisecond, Hops: 4, Cost: 1.25}},
		{"Incomplete", "0", "0", "0", ussd.Closing{Status: "incomplete"}},
		{"FAILED", "3600000", "1000", "0.10", ussd.Closing{Status: "failed", Duration: time.Hour, Hops: 1000, Cost: 0.1}},
		{"", "", "", "", ussd.Closing{Status: "other", Duration: -1, Hops: -1, Cost: -1}},
		{"11503198800011", "-1", "-1", "KGS -1", ussd.Closing{Status: "other", Duration: -1, Hops: -1, Cost: -1}},
		{"Success ", "3600001", "1001", "1000001", ussd.Closing{Status: "other", Duration: -1, Hops: -1, Cost: -1}},
		{"success", "9223372036854775807", "1.5", "NaN", ussd.Closing{Status: "success", Duration: -1, Hops: -1, Cost: -1}},
		{"success", "1e3", "99999999999999999999", "+Inf", ussd.Closing{Status: "success", Duration: -1, Hops: -1, Cost: -1}},
		{"success", "5", "x", "KGS ", ussd.Closing{Status: "success", Duration: 5 * time.Millisecond, Hops: -1, Cost: -1}},
	} {
		notice := form("+996555000001", "")
		notice.Set("status", c.status)
		notice.Set("durationInMillis", c.millis)
		notice.Set("hopsCount", c.hops)
		notice.Set("cost", c.cost)
		if status, _ := g.post(t, "/ussd/africastalking/end", notice); status != http.StatusOK {
			t.Errorf("%+v was answered %d", c, status)
		}
		if got := g.closed[len(g.closed)-1]; got != c.want {
			t.Errorf("%q %q %q %q: %+v, want %+v", c.status, c.millis, c.hops, c.cost, got, c.want)
		}
	}
	g.post(t, "/ussd/africastalking", form("+996555000001", "1"))
	g.post(t, "/ussd/africastalking/end", url.Values{"status": {"Success"}})
	if len(g.closed) != 9 || len(g.over()) != 9 {
		t.Errorf("%d closings and %d ends of 9 notices", len(g.closed), len(g.over()))
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	const path = "/ussd/africastalking"
	secured := ussd.Config{Auth: ussd.Auth{Secret: "s3cret"}}
	fenced := secured
	fenced.Networks = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	allowed := secured
	allowed.Networks = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("127.0.0.0/8")}
	for _, c := range []struct {
		name    string
		cfg     ussd.Config
		path    string
		headers []string
		want    int
	}{
		{"no secret", secured, path, nil, 403},
		{"wrong in the path", secured, path + "/s3creT", nil, 403},
		{"wrong in the header", secured, path, []string{ussd.SecretHeader, "s3cre"}, 403},
		{"in the path", secured, path + "/s3cret", nil, 200},
		{"end, in the path", secured, path + "/s3cret/end", nil, 200},
		{"end, without", secured, path + "/end", nil, 403},
		{"in the header", secured, path, []string{ussd.SecretHeader, "s3cret"}, 200},
		{"a wrong header beats a right path", secured, path + "/s3cret", []string{ussd.SecretHeader, "x"}, 403},
		{"another network", fenced, path + "/s3cret", nil, 403},
		{"another network, forged", fenced, path + "/s3cret", []string{"X-Forwarded-For", "203.0.113.7"}, 403},
		{"the gateway's network", allowed, path + "/s3cret", nil, 200},
		{"loopback in the sandbox", open, path, nil, 200},
		{"through a proxy", open, path, []string{"X-Forwarded-For", "203.0.113.7"}, 403},
		{"from a web page elsewhere", open, path, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"by a rebound name", open, path, []string{"Host", "evil.example"}, 403},
		{"an empty secret is no secret", open, path, []string{"Host", "evil.example", ussd.SecretHeader, ""}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, c.cfg)
			status, _ := g.post(t, c.path, form("+996555000001", "1"), c.headers...)
			if status != c.want {
				t.Fatalf("answered %d, want %d", status, c.want)
			}
			if effects := len(g.taken()) + len(g.over()); effects != 1 && c.want == 200 || effects != 0 && c.want == 403 {
				t.Errorf("%d effects", effects)
			}
			if c.want == 403 && len(g.counted()) != 1 {
				t.Errorf("refused %v", g.counted())
			}
		})
	}
	if _, err := ussd.New("africastalking", ussd.Config{}, newOffice(t).deps()); err == nil || !strings.Contains(err.Error(), "secret") {
		t.Error("a gateway without a secret was made")
	}
}

// Fiber uses a request's memory again: what was kept of one must not change
// when others come over the same connection.
func TestFieldsOutliveTheRequest(t *testing.T) {
	t.Parallel()
	g := serve(t, open)
	var both sync.WaitGroup
	for _, phone := range []string{"+996555000001", "+996700000002"} {
		both.Go(func() {
			for range 100 {
				if _, body := g.post(t, "/ussd/africastalking", form(phone, phone)); body != "CON "+phone+" "+phone {
					t.Errorf("%s saw %q", phone, body)
				}
			}
		})
	}
	both.Wait()
	for _, turn := range g.taken() {
		if turn.Phone != turn.Text {
			t.Fatalf("a turn of %s became one of %s", turn.Text, turn.Phone)
		}
	}
}
