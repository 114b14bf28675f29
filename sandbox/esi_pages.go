package sandbox

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed esi.html
var esiPage string

// esiTemplate is the page on which people say who they are.
var esiTemplate = template.Must(template.New("esi").Parse(esiPage))

// esiView is what the page shows.
type esiView struct {
	Device bool // the code of a device is asked for
	Code   string
	Hidden map[string]string // what the form sends on
	People []FixedPhone
	Said   string // what became of it; then nothing is asked
}

// What the pages say.
const (
	esiUnknown = "Код белгисиз же мөөнөтү бүткөн. / Код неизвестен, или его время истекло."
	esiDone    = "Даяр. Телефонуңузга кайтыңыз. / Готово. Вернитесь к своему телефону."
	esiDenied  = "Баш тартылды. / Отказано."
	esiBad     = "Бул өтүнүч туура эмес. / Этот запрос неверен."
)

// PagesHandler serves the pages for people's browsers on this machine: /authorize and
// /device below ESIPages.
func (e *ESI) PagesHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", e.showAuthorize)
	mux.HandleFunc("POST /authorize", e.authorize)
	mux.HandleFunc("GET /device", func(w http.ResponseWriter, r *http.Request) {
		showESI(w, http.StatusOK, esiView{Device: true, Code: r.FormValue("user_code"), People: FixedPhones()})
	})
	mux.HandleFunc("POST /device", e.approveDevice)
	return loopbackOnly(http.StripPrefix(ESIPages, mux))
}

func showESI(w http.ResponseWriter, status int, view esiView) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action *; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_ = esiTemplate.Execute(w, view) // who went away reads nothing
}

// asked are the members of a request for authorization that the form sends on; nil: it is none.
func (e *ESI) asked(r *http.Request) map[string]string {
	hidden := map[string]string{}
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"} {
		hidden[name] = r.FormValue(name)
	}
	if hidden["client_id"] != e.cfg.ClientID || hidden["redirect_uri"] != e.cfg.Redirect() || hidden["response_type"] != "code" ||
		!strings.Contains(" "+hidden["scope"]+" ", " openid ") || hidden["code_challenge_method"] != "S256" || len(hidden["code_challenge"]) != 43 {
		return nil
	}
	return hidden
}

func (e *ESI) showAuthorize(w http.ResponseWriter, r *http.Request) {
	hidden := e.asked(r)
	if hidden == nil {
		showESI(w, http.StatusBadRequest, esiView{Said: esiBad})
		return
	}
	showESI(w, http.StatusOK, esiView{Hidden: hidden, People: FixedPhones()})
}

// authorize sends the browser back with a code, or with the user's refusal.
func (e *ESI) authorize(w http.ResponseWriter, r *http.Request) {
	asked := e.asked(r)
	user, known := e.user(r)
	if asked == nil || !known && r.FormValue("decision") == "approve" {
		showESI(w, http.StatusBadRequest, esiView{Said: esiBad})
		return
	}
	back := url.Values{"state": {asked["state"]}, "iss": {e.cfg.Issuer()}}
	if r.FormValue("decision") == "approve" {
		code := random()
		e.mu.Lock()
		if len(e.codes) >= esiKept {
			clear(e.codes)
		}
		e.codes[code] = &esiGrant{
			redirect: asked["redirect_uri"], challenge: asked["code_challenge"], nonce: asked["nonce"], user: user, until: e.world.now().Add(esiCodeLasts),
		}
		e.mu.Unlock()
		back.Set("code", code)
	} else {
		back.Set("error", "access_denied")
	}
	http.Redirect(w, r, asked["redirect_uri"]+"?"+back.Encode(), http.StatusSeeOther)
}

// approveDevice takes the code that a device shows.
func (e *ESI) approveDevice(w http.ResponseWriter, r *http.Request) {
	user, known := e.user(r)
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.device(r.FormValue("user_code"))
	approve := r.FormValue("decision") == "approve"
	switch {
	case d == nil || approve && !known:
		showESI(w, http.StatusBadRequest, esiView{Device: true, Said: esiUnknown})
	case approve:
		d.user = &user
		showESI(w, http.StatusOK, esiView{Device: true, Said: esiDone})
	default:
		d.denied = true
		showESI(w, http.StatusOK, esiView{Device: true, Said: esiDenied})
	}
}

// user is whom the form names, and what is told of their phone.
func (e *ESI) user(r *http.Request) (esiUser, bool) {
	c, known := e.world.citizen(r.FormValue("person"))
	user := esiUser{citizen: c, at: e.world.now()}
	for _, p := range FixedPhones() {
		if p.PIN == c.pin && r.FormValue("phone") != "none" {
			user.phone, user.verified = p.Number, r.FormValue("phone") != "unverified"
		}
	}
	return user, known
}
