package sms_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/needs/needstest"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// untexted takes no texts: of providers that are given none in a test.
type untexted struct{}

func (untexted) Take(context.Context, sms.MO) error {
	return errors.New("nobody texts in this test")
}

func (untexted) Acknowledged(context.Context, string, string) error {
	return errors.New("nobody texts in this test")
}

// called is what a provider stands on that calls nobody back.
func called() sms.CallbackDeps {
	return sms.CallbackDeps{
		Deliveries: &reports{}, Receiver: untexted{}, Now: time.Now, Refused: func(string) {}, Log: slog.New(slog.DiscardHandler),
	}
}

// TestNothingIsMissing: neither a provider nor what takes texts is made without what it
// stands on. Who keeps no list of stops, no count of texts and no figures has all the same.
func TestNothingIsMissing(t *testing.T) {
	t.Parallel()
	account := sms.Account{
		Username: "a", APIKey: "b", Secret: callbackSecret, From: "ESHIK", URL: "https://provider.example", PublicURL: publicURL,
	}
	for _, kind := range sms.Kinds() {
		needstest.Each(t, called(), func(d sms.CallbackDeps) error { _, err := kind.Make(account, d); return err })
	}
	needstest.Each(t, called(), func(d sms.CallbackDeps) error {
		_, err := sms.NewSMPP(sms.SMPPConfig{Name: "megacom"}, nil, d)
		return err
	})
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		needstest.Each(t, newWorld(t, db, false).deps(), func(d sms.InboundDeps) error { _, err := sms.NewInbound(d); return err },
			"Stops", "Limiter", "Unanswered")
	})
}
