package web

import (
	"io"

	"github.com/eshik-kg/eshik/locales"
)

// PhoneNumber is one of the numbers the phone page can hold, and what its invented
// holder has to type.
type PhoneNumber struct {
	Number     string // E.164
	Name       string // whose it is
	Operator   string
	PIN        string // 14 digits
	Document   string // "ID1000001"
	Plate      string // "01KG123ABC"
	PlateAbout string // fines, clean or old: what the register has of it
}

// phoneScriptKeys are the sentences that the page's script says by itself.
var phoneScriptKeys = []string{
	"ended", "calling", "waiting", "error_bad_request", "error_unknown_code", "error_no_session",
	"error_dropped", "error_app_answer", "error_app_unreachable", "error_network", "redelivered",
	"sms_empty", "sms_new", "sms_sent", "wallet_paying", "wallet_paid", "wallet_refused", "wallet_going_on",
	"too_long", "bad_code",
}

// Phone writes the page at /phone in the language loc, which can hold the given
// numbers. The page talks to /sandbox/ussd, /sandbox/sms and
// /sandbox/wallet/payments of its own host.
func (p *Pages) Phone(w io.Writer, loc locales.Locale, numbers []PhoneNumber) error {
	return p.write(w, "phone.html", phoneData{frame: p.frame(loc, Phone, "phone"), Numbers: numbers})
}

// phoneData is what the page shows.
type phoneData struct {
	frame
	Numbers []PhoneNumber
}

// Said is what the script says, by key.
func (d phoneData) Said() map[string]string { return d.said(phoneScriptKeys) }
