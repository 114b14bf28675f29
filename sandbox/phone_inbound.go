package sandbox

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf16"
)

// listMessages answers GET /sandbox/sms?phone=+996…: the messages that reached
// the phone, newest first; with thread=1 the ones it sent too.
func (p *Phones) listMessages(w http.ResponseWriter, r *http.Request) {
	phone := r.URL.Query().Get("phone")
	// "+" in a query means a space; people paste numbers unescaped.
	if phone != "" && phone[0] == ' ' {
		phone = "+" + phone[1:]
	}
	if !e164.MatchString(phone) {
		refuse(w, http.StatusBadRequest, "bad_request", "phone must be a number such as +996555000001")
		return
	}
	answer(w, http.StatusOK, p.inbox.list(phone, r.URL.Query().Get("thread") == "1"))
}

// text is an SMS that a citizen sends.
type text struct {
	From string `json:"from"`
	To   string `json:"to"`
	Text string `json:"text"`
}

// textService delivers a citizen's SMS to the application, as Twilio does: a
// signed form post, repeated once when the connection fails.
func (p *Phones) textService(w http.ResponseWriter, r *http.Request) {
	var sms text
	if !decode(w, r, &sms) {
		return
	}
	if sms.To == "" {
		sms.To = p.cfg.TwilioNumber
	}
	if !e164.MatchString(sms.From) || sms.Text == "" || len(utf16.Encode([]rune(sms.Text))) > longestBody {
		refuse(w, http.StatusBadRequest, "bad_request", "from must be a number, text from 1 to 1600 characters")
		return
	}
	if sms.To != p.cfg.TwilioNumber {
		refuse(w, http.StatusNotFound, "unknown_code", "the service's number is "+p.cfg.TwilioNumber)
		return
	}
	parts, encoding := smsParts(sms.Text)
	m := Message{
		At: p.cfg.Now().UTC(), From: sms.From, To: sms.To, Text: sms.Text,
		Parts: parts, Encoding: encoding, ID: "SM" + randomHex(), Sent: true,
	}
	if err := p.inbox.add(m); err != nil {
		p.cfg.Log.Error("the sandbox could not keep a message", "error", err)
		refuse(w, http.StatusInternalServerError, "not_kept", "the message could not be kept")
		return
	}
	p.deliverInbound(w, r, m)
}

// deliverInbound posts m to the application and answers the phone with it.
func (p *Phones) deliverInbound(w http.ResponseWriter, r *http.Request, m Message) {
	form := url.Values{
		"MessageSid": {m.ID}, "SmsMessageSid": {m.ID}, "SmsSid": {m.ID}, "AccountSid": {p.cfg.TwilioSID},
		"From": {m.From}, "To": {m.To}, "Body": {m.Text}, "NumSegments": {strconv.Itoa(m.Parts)},
		"NumMedia": {"0"}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"}, "FromCountry": {"KG"},
	}
	to := p.cfg.PublicURL() + "/sms/twilio"
	status, body, err := p.postSigned(r.Context(), to, form)
	if err != nil && r.Context().Err() == nil {
		status, body, err = p.postSigned(r.Context(), to, form)
	}
	switch {
	case err != nil:
		refuse(w, http.StatusGatewayTimeout, "app_unreachable", "the application does not answer")
	case status != http.StatusOK:
		refuse(w, http.StatusBadGateway, "app_answer", statusError(status).Error())
	default:
		p.keepReplies(body, m)
		answer(w, http.StatusOK, m)
	}
}

// twiml is the answer's document: replies may ride in it instead of being sent
// through the API.
type twiml struct {
	XMLName  xml.Name `xml:"Response"`
	Messages []struct {
		Text string `xml:",chardata"`
		Body string `xml:"Body"`
	} `xml:"Message"`
}

// keepReplies delivers the replies in the application's TwiML, if any.
func (p *Phones) keepReplies(body []byte, m Message) {
	var doc twiml
	if len(body) == 0 || xml.Unmarshal(body, &doc) != nil {
		return
	}
	for _, reply := range doc.Messages {
		said := reply.Body
		if said == "" {
			said = reply.Text
		}
		parts, encoding := smsParts(said)
		err := p.inbox.add(Message{
			At: p.cfg.Now().UTC(), From: m.To, To: m.From, Text: said,
			Parts: parts, Encoding: encoding, ID: "SM" + randomHex(),
		})
		if err != nil {
			p.cfg.Log.Error("the sandbox could not keep a message", "error", err)
		}
	}
}
