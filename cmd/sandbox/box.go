package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/sandbox"
	"github.com/eshik-kg/eshik/web"
)

// box is the sandbox's parts behind one handler.
type box struct {
	handler http.Handler
	phones  *sandbox.Phones
	world   *sandbox.World
}

func newBox(o options, log *slog.Logger) (*box, error) {
	if o.Public == "" {
		o.Public = o.App
	}
	fixed := func(s string) func() string { return func() string { return strings.TrimSuffix(s, "/") } }
	phones, err := sandbox.NewPhones(sandbox.PhonesConfig{
		BaseURL: fixed(o.App), PublicURL: fixed(o.Public),
		TwilioSID: o.TwilioSID, TwilioToken: o.TwilioToken, TwilioNumber: o.Number,
		PartnerID: o.PartnerID, PartnerSecret: func() string { return o.PartnerSecret },
		Dir: o.Data, Now: time.Now, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("start the phones: %w", err)
	}
	world, err := sandbox.NewWorld(o.Data, time.Now)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the registries: %w", err), phones.Close())
	}
	world.Passport = sandbox.Credentials{ClientID: o.PassportClient, Secret: o.PassportSecret}
	at, public := fixed("http://"+o.Listen), fixed(o.Public)
	esi, err := world.NewESI(sandbox.ESIConfig{
		Issuer: func() string { return at() + sandbox.ESIPath }, Pages: func() string { return at() + sandbox.ESIPages },
		Redirect: func() string { return public() + sandbox.ESIRedirect }, ClientID: o.ESIClient, ClientSecret: o.ESISecret,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the national sign-in: %w", err), phones.Close(), world.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/", world.SecurityServer())
	mux.Handle(sandbox.ESIPath+"/", esi.Handler())
	mux.Handle(sandbox.ESIPages+"/", esi.PagesHandler())
	mux.Handle("/sandbox/faults", world.FaultsHandler())
	mux.Handle("/sandbox/fines", world.FinesHandler())
	mux.Handle("/sandbox/", phones.Handler())
	mux.Handle("/2010-04-01/", phones.Twilio())
	b := &box{handler: mux, phones: phones, world: world}
	if err := addPages(mux, o, log); err != nil {
		return nil, errors.Join(err, b.close())
	}
	phones.Resume()
	return b, nil
}

// addPages serves the phone page where the sandbox is a process of its own.
func addPages(mux *http.ServeMux, o options, log *slog.Logger) error {
	texts, err := locales.Load()
	if err != nil {
		return fmt.Errorf("read the locale files: %w", err)
	}
	pages, err := web.New(web.Site{
		Texts: texts, Places: []web.Place{web.Phone}, ShortCode: "*" + o.Number + "#", SMSNumber: o.Number,
	})
	if err != nil {
		return err
	}
	var numbers []web.PhoneNumber
	for _, p := range sandbox.FixedPhones() {
		numbers = append(numbers, web.PhoneNumber(p))
	}
	mux.Handle("GET /static/", pages.Static())
	mux.HandleFunc("GET /phone", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", web.ScriptPolicy)
		if err := pages.Phone(w, web.Locale(r.URL.Query()), numbers); err != nil {
			log.Warn("the phone page was not written", "error", err)
		}
	})
	mux.Handle("GET /{$}", http.RedirectHandler("/phone", http.StatusSeeOther))
	return nil
}

func (b *box) close() error { return errors.Join(b.phones.Close(), b.world.Close()) }
