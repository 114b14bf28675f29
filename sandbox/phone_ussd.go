package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/gsm"
)

// What a USSD gateway holds itself to. Source: 3GPP TS 23.038 for the sizes,
// Africa's Talking's documentation for the times.
const (
	latinLimit    = 182 // GSM-7 characters in 160 octets
	cyrillicLimit = 80  // UCS-2 characters in 160 octets
	answerWithin  = 10 * time.Second
	sessionLasts  = 180 * time.Second
)

// Gateway is a USSD gateway that speaks Africa's Talking's protocol to the
// application: a form post for each turn with everything typed so far, and one
// when the session is over. It keeps sessions in memory, as a network does.
type Gateway struct {
	base      func() string
	shortCode string
	http      *http.Client
	now       func() time.Time

	mu       sync.Mutex
	sessions map[string]*ussdSession
}

// ussdSession is one dialled session. Its own lock makes turns follow each
// other, as a phone's do.
type ussdSession struct {
	mu      sync.Mutex
	id      string
	phone   string
	inputs  []string
	hops    int
	last    string
	started time.Time
	over    bool
}

// NewGateway makes a gateway that knows one code, "*1414#".
func NewGateway(base func() string, shortCode string, client *http.Client, now func() time.Time) *Gateway {
	return &Gateway{base: base, shortCode: shortCode, http: client, now: now, sessions: map[string]*ussdSession{}}
}

// ussdKeys is what a phone sends to the gateway: a dialled string, or input to
// a session, or its end; with the gateway's knobs for this turn.
type ussdKeys struct {
	Phone   string `json:"phone"`
	Dial    string `json:"dial"`
	Session string `json:"session"`
	Input   string `json:"input"`
	// Cancel ends the session from the phone.
	Cancel bool `json:"cancel"`
	// DelayMS holds the turn that long before it reaches the application.
	DelayMS int `json:"delay_ms"`
	// DropAnswer loses the application's answer; the gateway then delivers the
	// same post again and shows that answer.
	DropAnswer bool `json:"drop_answer"`
	// DropSession loses the session after the application has answered: the
	// screen never reaches the phone.
	DropSession bool `json:"drop_session"`
}

// ussdScreen is what the phone shows, with its size as the network counts it.
type ussdScreen struct {
	Session string `json:"session"`
	Text    string `json:"text"`
	End     bool   `json:"end"`
	// Units counts UTF-16 code units; Septets is 0 where the text is not GSM-7.
	Units    int    `json:"units"`
	Septets  int    `json:"septets"`
	Encoding string `json:"encoding"` // GSM-7 or UCS-2
	// Limit is what the encoding allows on one screen: 182 septets or 80 units.
	Limit int `json:"limit"`
	// Deliveries is how often the application was sent this turn.
	Deliveries int `json:"deliveries"`
}

// errAnswer is an answer that breaks the gateway's protocol.
var errAnswer = errors.New("the application's answer does not start with CON or END")

// ServeHTTP answers one press of the phone's send key.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var keys ussdKeys
	if !decode(w, r, &keys) {
		return
	}
	if keys.DelayMS < 0 || keys.DelayMS > 60_000 {
		refuse(w, http.StatusBadRequest, "bad_request", "delay_ms is from 0 to 60000")
		return
	}
	g.endExpired(r.Context())
	s, ok := g.find(w, keys)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		refuse(w, http.StatusGone, "no_session", "the session is over: dial again")
	case keys.Cancel:
		g.end(r.Context(), s, "Incomplete", "")
		answer(w, http.StatusOK, ussdScreen{Session: s.id, End: true, Encoding: "GSM-7", Limit: latinLimit})
	default:
		g.turn(w, r, s, keys)
	}
}

// find gives the session the keys belong to; a dialled code opens one.
func (g *Gateway) find(w http.ResponseWriter, keys ussdKeys) (*ussdSession, bool) {
	if keys.Session != "" {
		g.mu.Lock()
		s := g.sessions[keys.Session]
		g.mu.Unlock()
		if s == nil {
			refuse(w, http.StatusGone, "no_session", "no such session: dial again")
		}
		return s, s != nil
	}
	if !e164.MatchString(keys.Phone) {
		refuse(w, http.StatusBadRequest, "bad_request", "phone must be a number such as +996555000001")
		return nil, false
	}
	inputs, ok := g.dialled(keys.Dial)
	if !ok {
		refuse(w, http.StatusNotFound, "unknown_code", "the network knows "+g.shortCode+" only")
		return nil, false
	}
	s := &ussdSession{id: "ATUid_" + randomHex(), phone: keys.Phone, inputs: inputs, started: g.now()}
	g.mu.Lock()
	g.sessions[s.id] = s
	g.mu.Unlock()
	return s, true
}

// deepDial is the code with answers dialled in advance: *1414*2*1#.
var deepDial = regexp.MustCompile(`^(\*[0-9]+)((?:\*[0-9]+)*)#$`)

// dialled splits a dialled string into the answers that follow the short code.
func (g *Gateway) dialled(dial string) (inputs []string, ok bool) {
	m := deepDial.FindStringSubmatch(strings.TrimSpace(dial))
	if m == nil || m[1]+"#" != g.shortCode {
		return nil, false
	}
	if m[2] != "" {
		inputs = strings.Split(m[2][1:], "*")
	}
	return inputs, true
}

// turn sends the session's next post and shows the answer.
func (g *Gateway) turn(w http.ResponseWriter, r *http.Request, s *ussdSession, keys ussdKeys) {
	if keys.Session != "" {
		s.inputs = append(s.inputs, keys.Input)
	}
	s.hops++
	if err := pause(r.Context(), time.Duration(keys.DelayMS)*time.Millisecond); err != nil {
		g.end(context.WithoutCancel(r.Context()), s, "Failed", "the phone left")
		return
	}
	body, deliveries, err := g.deliver(r.Context(), s, keys.DropAnswer)
	if err != nil {
		g.fail(w, r, s, err)
		return
	}
	if keys.DropSession {
		g.end(r.Context(), s, "Failed", "the network lost the session")
		refuse(w, http.StatusGatewayTimeout, "dropped", "the network lost the session before the screen came")
		return
	}
	text, end, err := parseScreen(body)
	if err != nil {
		g.fail(w, r, s, err)
		return
	}
	s.last = body
	if end {
		g.end(r.Context(), s, "Success", "")
	}
	answer(w, http.StatusOK, measure(ussdScreen{Session: s.id, Text: text, End: end, Deliveries: deliveries}))
}

// deliver posts the turn. A lost answer, ours by the knob or the network's, is
// followed by the very same post once more.
func (g *Gateway) deliver(ctx context.Context, s *ussdSession, drop bool) (body string, times int, err error) {
	form := url.Values{
		"sessionId": {s.id}, "phoneNumber": {s.phone}, "networkCode": {networkCode(s.phone)},
		"serviceCode": {g.shortCode}, "text": {strings.Join(s.inputs, "*")},
	}
	for times = 1; ; times++ {
		body, err = g.post(ctx, "/ussd/africastalking", form)
		lost := (drop && err == nil) || isNetwork(err)
		if !lost || times == 2 {
			return body, times, err
		}
	}
}

// statusError is an answer with another status than 200.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("the application answered %d", int(e)) }

func isNetwork(err error) bool {
	var status statusError
	return err != nil && !errors.As(err, &status)
}

func (g *Gateway) post(ctx context.Context, path string, form url.Values) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.base()+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("make the gateway's post: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := g.http.Do(req)
	if err != nil {
		return "", fmt.Errorf("post to the application: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", fmt.Errorf("read the application's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", statusError(resp.StatusCode)
	}
	return string(body), nil
}

// fail ends the session as a network does when the application does not answer
// or answers what the protocol does not know.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, s *ussdSession, err error) {
	g.end(context.WithoutCancel(r.Context()), s, "Failed", "the application did not answer")
	var status statusError
	if errors.Is(err, errAnswer) || errors.As(err, &status) {
		refuse(w, http.StatusBadGateway, "app_answer", err.Error())
		return
	}
	refuse(w, http.StatusGatewayTimeout, "app_unreachable", "the application does not answer")
}

// end forgets the session and tells the application, which may be down: the
// notice is sent once, as the real gateway does.
func (g *Gateway) end(ctx context.Context, s *ussdSession, status, message string) {
	s.over = true
	g.mu.Lock()
	delete(g.sessions, s.id)
	g.mu.Unlock()
	now := g.now()
	form := url.Values{
		"date": {now.UTC().Format("2006-01-02 15:04:05")}, "sessionId": {s.id}, "serviceCode": {g.shortCode},
		"networkCode": {networkCode(s.phone)}, "phoneNumber": {s.phone}, "status": {status}, "cost": {"KGS 0.0000"},
		"durationInMillis": {strconv.FormatInt(now.Sub(s.started).Milliseconds(), 10)}, "hopsCount": {strconv.Itoa(s.hops)},
		"input": {strings.Join(s.inputs, "*")}, "lastAppResponse": {s.last},
	}
	if message != "" {
		form.Set("errorMessage", message)
	}
	_, _ = g.post(ctx, "/ussd/africastalking/end", form) // sent once, heard or not
}

// endExpired ends the sessions that outlived what a network allows. A session
// whose turn is under way is left to end by itself.
func (g *Gateway) endExpired(ctx context.Context) {
	limit := g.now().Add(-sessionLasts)
	var late []*ussdSession
	g.mu.Lock()
	for _, s := range g.sessions {
		if s.started.Before(limit) {
			late = append(late, s)
		}
	}
	g.mu.Unlock()
	for _, s := range late {
		if !s.mu.TryLock() {
			continue
		}
		if !s.over {
			g.end(ctx, s, "Incomplete", "session timeout")
		}
		s.mu.Unlock()
	}
}

func parseScreen(body string) (text string, end bool, err error) {
	if text, ok := strings.CutPrefix(body, "CON "); ok {
		return text, false, nil
	}
	if text, ok := strings.CutPrefix(body, "END "); ok {
		return text, true, nil
	}
	return "", false, errAnswer
}

// measure counts the screen's text against what its encoding allows.
func measure(s ussdScreen) ussdScreen {
	s.Units = gsm.Units(s.Text)
	septets, latin := gsm.Septets(s.Text)
	if latin {
		s.Septets, s.Encoding, s.Limit = septets, "GSM-7", latinLimit
		return s
	}
	s.Encoding, s.Limit = "UCS-2", cyrillicLimit
	return s
}

// networks are the mobile network codes of Kyrgyzstan (MCC 437) by prefix.
var networks = []struct{ prefix, code string }{
	{"+99655", "43705"}, {"+996755", "43705"}, {"+996880", "43705"}, {"+996888", "43705"}, {"+99699", "43705"}, // MegaCom
	{"+99677", "43701"}, {"+99622", "43701"}, {"+996600", "43701"}, // Beeline
	{"+99650", "43709"}, {"+99670", "43709"}, // O!
}

// networkCode is the code of the phone's network; 99999 is what Africa's
// Talking's own simulator sends for one it does not know.
func networkCode(phone string) string {
	for _, n := range networks {
		if strings.HasPrefix(phone, n.prefix) {
			return n.code
		}
	}
	return "99999"
}

// pause waits d unless the request is given up first.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// randomHex is 32 hexadecimal digits, as gateways and providers name things.
func randomHex() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // crypto/rand never fails
	return hex.EncodeToString(b)
}
