package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's signature is HMAC-SHA1
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// longestBody is Twilio's limit in characters. Source: error 21617.
const longestBody = 1600

// Twilio serves the part of Twilio's messaging API that sends an SMS:
// POST /2010-04-01/Accounts/{sid}/Messages.json. The message reaches the
// phone's inbox at once; signed status callbacks follow.
func (p *Phones) Twilio() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{sid}/Messages.json", p.createMessage)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		twilioError(w, http.StatusNotFound, 20404, "The requested resource was not found")
	})
	return loopbackOnly(mux)
}

func (p *Phones) createMessage(w http.ResponseWriter, r *http.Request) {
	if !p.authentic(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
		twilioError(w, http.StatusUnauthorized, 20003, "Authenticate")
		return
	}
	if err := r.ParseForm(); err != nil {
		twilioError(w, http.StatusBadRequest, 20001, "The form cannot be read")
		return
	}
	if code, sentence := p.unfit(r.PostForm); code != 0 {
		twilioError(w, http.StatusBadRequest, code, sentence)
		return
	}
	text := r.PostForm.Get("Body")
	parts, encoding := smsParts(text)
	m := Message{
		At: p.cfg.Now().UTC(), From: r.PostForm.Get("From"), To: r.PostForm.Get("To"), Text: text,
		Parts: parts, Encoding: encoding, ID: "SM" + randomHex(),
	}
	if err := p.inbox.add(m); err != nil {
		p.cfg.Log.Error("the sandbox could not keep a message", "error", err)
		twilioError(w, http.StatusInternalServerError, 20500, "Internal server error")
		return
	}
	if callback := r.PostForm.Get("StatusCallback"); callback != "" {
		p.background.Go(func() { p.reportStatus(m, callback) })
	}
	answer(w, http.StatusCreated, p.resource(m))
}

// authentic compares the account in constant time, in the path and in Basic.
func (p *Phones) authentic(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	return ok && same(user, p.cfg.TwilioSID) && same(password, p.cfg.TwilioToken) && same(r.PathValue("sid"), p.cfg.TwilioSID)
}

// unfit names what is wrong with a message by Twilio's error codes; 0: nothing.
func (p *Phones) unfit(form url.Values) (code int, sentence string) {
	switch to, from, body := form.Get("To"), form.Get("From"), form.Get("Body"); {
	case to == "":
		return 21604, "A 'To' phone number is required."
	case !e164.MatchString(to):
		return 21211, "The 'To' number is not a valid phone number."
	case from == "":
		return 21603, "A 'From' phone number is required."
	case from != p.cfg.TwilioNumber:
		return 21606, "The 'From' number is not a number of this account."
	case !p.ours(form.Get("StatusCallback")):
		return 21609, "The StatusCallback URL is not the application's."
	case body == "":
		return 21602, "Message body is required."
	case len(utf16.Encode([]rune(body))) > longestBody:
		return 21617, "The concatenated message body exceeds the 1600 character limit"
	}
	return 0, ""
}

// ours reports a callback to the one application this sandbox knows; the real
// provider would post anywhere.
func (p *Phones) ours(callback string) bool {
	return callback == "" || strings.HasPrefix(callback, strings.TrimRight(p.cfg.PublicURL(), "/")+"/")
}

// resource is the message as Twilio describes it. Source: Twilio's REST API
// 2010-04-01, Message resource.
func (p *Phones) resource(m Message) map[string]any {
	uri := "/2010-04-01/Accounts/" + p.cfg.TwilioSID + "/Messages/" + m.ID
	return map[string]any{
		"sid": m.ID, "account_sid": p.cfg.TwilioSID, "api_version": "2010-04-01", "body": m.Text,
		"from": m.From, "to": m.To, "status": "queued", "direction": "outbound-api",
		"num_segments": strconv.Itoa(m.Parts), "num_media": "0",
		"date_created": m.At.Format(time.RFC1123Z), "date_updated": m.At.Format(time.RFC1123Z), "date_sent": nil,
		"price": nil, "price_unit": "USD", "error_code": nil, "error_message": nil, "messaging_service_sid": nil,
		"uri": uri + ".json", "subresource_uris": map[string]string{"media": uri + "/Media.json"},
	}
}

func twilioError(w http.ResponseWriter, status, code int, sentence string) {
	answer(w, status, map[string]any{
		"code": code, "message": sentence, "status": status,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code),
	})
}

// reportStatus tells the application how the message fared. As Twilio, it tries
// each callback once more when the connection fails, and then leaves it.
func (p *Phones) reportStatus(m Message, callback string) {
	for _, status := range []string{"sent", "delivered"} {
		form := url.Values{
			"MessageSid": {m.ID}, "SmsSid": {m.ID}, "AccountSid": {p.cfg.TwilioSID}, "From": {m.From}, "To": {m.To},
			"MessageStatus": {status}, "SmsStatus": {status}, "ApiVersion": {"2010-04-01"},
		}
		if pause(p.ctx, p.cfg.DeliveryTime) != nil {
			return
		}
		_, _, err := p.postSigned(p.ctx, callback, form)
		if err != nil && p.ctx.Err() == nil {
			_, _, err = p.postSigned(p.ctx, callback, form)
		}
		if err != nil {
			p.cfg.Log.Warn("the sandbox's message status was not heard", "status", status, "error", err)
		}
	}
}

// postSigned posts a form with X-Twilio-Signature. The signature covers the
// public URL; the post goes to where the application really answers.
func (p *Phones) postSigned(ctx context.Context, public string, form url.Values) (status int, body []byte, err error) {
	target := public
	if rest, ok := strings.CutPrefix(public, p.cfg.PublicURL()); ok {
		target = p.cfg.BaseURL() + rest
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	// #nosec G704 -- the address is the application's: see ours
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, fmt.Errorf("make the provider's post: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	req.Header.Set("X-Twilio-Signature", twilioSignature(p.cfg.TwilioToken, public, form))
	resp, err := p.cfg.HTTP.Do(req) // #nosec G704 -- as above
	if err != nil {
		return 0, nil, fmt.Errorf("post to the application: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return 0, nil, fmt.Errorf("read the application's answer: %w", err)
	}
	return resp.StatusCode, body, nil
}

// twilioSignature is base64 of HMAC-SHA1 with the account's token over the URL
// followed by each parameter's name and value in the order of names. Source:
// Twilio, "Validating requests are coming from Twilio".
func twilioSignature(token, to string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	sort.Strings(names)
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, to)
	for _, name := range names {
		for _, value := range form[name] {
			_, _ = io.WriteString(mac, name+value)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
