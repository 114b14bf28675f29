package sandbox

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/clock"
)

// SMSPROAccount is what the simulated SMSPRO accepts and where it posts reports.
type SMSPROAccount struct {
	Login, Password, Sender string
	// ReportURL is the application's …/sms/smspro/<secret>/report; empty: only who
	// asks is told.
	ReportURL func() string
	// Money is what is left, in messages; a message costs its parts.
	Money int
}

// SMSPRO simulates SMSPRO's XML gateway: /api/message, /api/dr, /api/def and
// /api/info. Messages reach the phones' inboxes.
type SMSPRO struct {
	phones  *Phones
	account SMSPROAccount
	mu      sync.Mutex
	sent    map[string]Message // by the caller's id
	faults  map[string]SMSPROFault
	asked   map[string]int    // requests by address
	fates   map[string]int    // reports by phone, where not delivered
	ported  map[string]string // operators by phone, where not the prefix's
	heard   int               // reports that were answered with 200
}

// SMSPRO opens an account.
func (p *Phones) SMSPRO(account SMSPROAccount) *SMSPRO {
	return &SMSPRO{
		phones: p, account: account, sent: map[string]Message{}, faults: map[string]SMSPROFault{}, asked: map[string]int{},
		fates: map[string]int{}, ported: map[string]string{},
	}
}

// Handler serves the gateway to callers on this machine.
func (s *SMSPRO) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, answer := range map[string]http.HandlerFunc{"/api/message": s.message, "/api/dr": s.dr, "/api/def": s.def, "/api/info": s.info} {
		mux.HandleFunc("POST "+path, s.spoil(path, answer))
	}
	return loopbackOnly(mux)
}

// smsproRequest has the fields of every request.
type smsproRequest struct {
	XMLName xml.Name
	Login   string   `xml:"login"`
	Pwd     string   `xml:"pwd"`
	ID      string   `xml:"id"`
	Sender  string   `xml:"sender"`
	Text    string   `xml:"text"`
	Phone   string   `xml:"phone"`
	Phones  []string `xml:"phones>phone"`
	Test    string   `xml:"test"`
}

// read takes a request of a kind; status 1 is its form, 2 the account.
func (s *SMSPRO) read(r *http.Request, kind string) (in smsproRequest, status int) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil || xml.Unmarshal(body, &in) != nil || in.XMLName.Local != kind {
		return in, 1
	}
	if in.Login != s.account.Login || in.Pwd != s.account.Password {
		return in, 2
	}
	return in, 0
}

var smsproName = regexp.MustCompile(`^[A-Za-z0-9]{1,12}$`)

// message answers the statuses of SMSPRO's documentation.
func (s *SMSPRO) message(w http.ResponseWriter, r *http.Request) {
	in, status := s.read(r, "message")
	parts := 0
	if status == 0 {
		status, parts = s.take(in)
	}
	answerXML(w, "Message", fmt.Sprintf("<id>%s</id><status>%d</status><phones>%d</phones><smscnt>%d</smscnt>", in.ID, status, len(in.Phones), parts))
}

// take delivers a message once for each id.
func (s *SMSPRO) take(in smsproRequest) (status, parts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	phones := in.Phones
	parts, encoding := smsParts(in.Text)
	switch _, repeated := s.sent[in.ID]; {
	case !smsproName.MatchString(in.ID) || in.Text == "" || utf8.RuneCountInString(in.Text) > 800 || len(phones) != 1:
		return 1, 0
	case repeated:
		return 10, 0
	case in.Sender != s.account.Sender:
		return 5, 0
	case !e164.MatchString("+"+phones[0]) || !strings.HasPrefix(phones[0], "996") || len(phones[0]) != 12:
		return 7, 0
	case s.account.Money < parts:
		return 4, 0
	case in.Test != "":
		return 11, parts
	}
	m := Message{
		At: s.phones.cfg.Now().UTC(), From: in.Sender, To: "+" + phones[0], Text: in.Text, Parts: parts, Encoding: encoding, ID: in.ID,
	}
	if err := s.phones.inbox.add(m); err != nil {
		s.phones.cfg.Log.Error("the sandbox could not keep a message", "error", err)
		return 9, 0
	}
	s.sent[in.ID] = m
	s.account.Money -= parts
	s.phones.background.Go(func() { s.post(m) })
	return 0, parts
}

// bishkekTime is how SMSPRO writes a moment.
func bishkekTime(at time.Time) string { return at.In(clock.Bishkek).Format("20060102150405") }

// fate is a message's report: 3, delivered, unless another was planned.
func (s *SMSPRO) fate(m Message) string {
	s.mu.Lock()
	report, planned := s.fates[m.To]
	s.mu.Unlock()
	if !planned {
		report = 3
	}
	return fmt.Sprintf("<phone><number>%s</number><report>%d</report><sendTime>%s</sendTime><rcvTime>%s</rcvTime></phone>",
		strings.TrimPrefix(m.To, "+"), report, bishkekTime(m.At), bishkekTime(m.At))
}

// post reports a delivery, and tries three times more where it is not answered with
// 200; the real gateway waits ten minutes between.
func (s *SMSPRO) post(m Message) {
	if s.account.ReportURL == nil {
		return
	}
	body := `<?xml version="1.0" encoding="UTF-8"?><report xmlns="http://Giper.mobi/schema/Report"><dr><id>` + m.ID + "</id>" + s.fate(m) + "</dr></report>"
	for range 4 {
		if pause(s.phones.ctx, s.phones.cfg.DeliveryTime) != nil {
			return
		}
		// #nosec G704 -- the address is the application's
		request, err := http.NewRequestWithContext(s.phones.ctx, http.MethodPost, s.account.ReportURL(), bytes.NewReader([]byte(body)))
		if err != nil {
			return
		}
		request.Header.Set("Content-Type", "application/xml")
		response, err := s.phones.cfg.HTTP.Do(request) // #nosec G704 -- as above
		if err != nil {
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			s.mu.Lock()
			s.heard++
			s.mu.Unlock()
			return
		}
	}
	s.phones.cfg.Log.Warn("the sandbox's report of SMSPRO was not heard")
}

// dr tells what became of a message.
func (s *SMSPRO) dr(w http.ResponseWriter, r *http.Request) {
	in, status := s.read(r, "dr")
	s.mu.Lock()
	m, known := s.sent[in.ID]
	s.mu.Unlock()
	body := fmt.Sprintf("<status>%d</status>", status)
	if status == 0 && known {
		body += s.fate(m)
	}
	answerXML(w, "DR", body)
}

// def tells a number's operator: where it was ported to, or as its first holder's.
func (s *SMSPRO) def(w http.ResponseWriter, r *http.Request) {
	in, status := s.read(r, "def")
	operator := ""
	for _, p := range FixedPhones() {
		if strings.TrimPrefix(p.Number, "+") == in.Phone {
			operator = p.Operator
		}
	}
	s.mu.Lock()
	if ported, has := s.ported["+"+in.Phone]; has {
		operator = ported
	}
	s.mu.Unlock()
	answerXML(w, "PhoneDEF", fmt.Sprintf("<status>%d</status><region>Кыргызстан</region><operator>%s</operator><timezone>6</timezone>", status, operator))
}

// info tells what is left of the account.
func (s *SMSPRO) info(w http.ResponseWriter, r *http.Request) {
	_, status := s.read(r, "info")
	s.mu.Lock()
	money := s.account.Money
	s.mu.Unlock()
	answerXML(w, "Info", fmt.Sprintf("<status>%d</status><state>0</state><account>%d.00</account><smsprice>1</smsprice>", status, money))
}

func answerXML(w http.ResponseWriter, schema, body string) {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><response xmlns="http://Giper.mobi/schema/`+schema+`">`+body+"</response>")
}
