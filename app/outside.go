package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/sandbox"
)

// DemoPartner is the payment partner that the sandbox's wallet belongs to.
const DemoPartner = "demo-wallet"

// outside is the world around the server — registries, the SMS provider, the
// USSD gateway, a wallet — running in this process and spoken to over loopback.
type outside struct {
	staff  []sandbox.Officer // and what they sign in with
	world  *sandbox.World
	esi    *sandbox.ESI
	phones *sandbox.Phones
	server *http.Server
	secret string // the demo wallet's for OSMP
	client string // and for access tokens, if it was made now
}

// startOutside starts the sandbox. With an empty folder it keeps nothing.
func startOutside(config *Config, folder, appURL string, log *slog.Logger) (*outside, error) {
	world, err := sandbox.NewWorld(folder, time.Now)
	if err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	o := &outside{world: world}
	o.phones, err = sandbox.NewPhones(sandbox.PhonesConfig{
		BaseURL: func() string { return appURL }, PublicURL: func() string { return config.PublicURL },
		TwilioSID: config.TwilioSID, TwilioToken: config.TwilioToken, TwilioNumber: config.SMSNumber,
		PartnerID: DemoPartner, PartnerSecret: func() string { return o.secret },
		Dir: folder, Now: time.Now, Log: log,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox: %w", err), world.Close())
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox: %w", err), o.phones.Close(), world.Close())
	}
	url := "http://" + listener.Addr().String()
	o.esi, err = world.NewESI(sandbox.ESIConfig{
		Issuer: func() string { return url + sandbox.ESIPath }, Pages: func() string { return appURL + sandbox.ESIPages },
		Redirect: func() string { return config.PublicURL + sandbox.ESIRedirect },
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox: %w", err), listener.Close(), o.phones.Close(), world.Close())
	}
	mux := http.NewServeMux()
	mux.Handle(sandbox.ESIPath+"/", o.esi.Handler())
	mux.Handle("/2010-04-01/", o.phones.Twilio())
	mux.Handle("/", world.SecurityServer())
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := o.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the sandbox stopped", "error", err)
		}
	}()
	config.XRoadURL = cmp.Or(config.XRoadURL, url)
	config.TwilioURL = cmp.Or(config.TwilioURL, url)
	if config.ESIIssuer == "" {
		config.ESIIssuer, config.ESIClient, config.ESISecret = url+sandbox.ESIPath, sandbox.ESIClient, sandbox.ESISecret
	}
	config.PassportClient = cmp.Or(config.PassportClient, sandbox.PassportClient)
	config.PassportSecret = cmp.Or(config.PassportSecret, sandbox.PassportSecret)
	world.Passport = sandbox.Credentials{ClientID: config.PassportClient, Secret: config.PassportSecret}
	return o, nil
}

// handler serves the sandbox's entry points under /sandbox/.
func (o *outside) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/sandbox/faults", o.world.FaultsHandler())
	mux.Handle("/sandbox/fines", o.world.FinesHandler())
	mux.Handle(sandbox.ESIPages+"/", o.esi.PagesHandler())
	mux.Handle("/sandbox/staff", sandbox.StaffHandler(func() []sandbox.Officer { return o.staff }))
	mux.Handle("/sandbox/", o.phones.Handler())
	return mux
}

// partner makes the demo wallet a partner the first time; its secrets, which the server
// keeps only as hashes, stay with the sandbox. fresh says that it was made now, and is to
// be printed once.
func (o *outside) partner(ctx context.Context, known *partners.Service, folder string) (fresh bool, err error) {
	if o.secret, fresh, err = kept(filepath.Join(folder, "wallet.secret"), func() (partners.Secret, error) {
		made, err := known.Create(ctx, byItself, DemoPartner, partners.Terms{Scopes: partners.Operations}, partners.OSMP)
		if err != nil {
			return partners.Secret{}, err
		}
		return made[0], nil
	}); err != nil {
		return false, err
	}
	client, made, err := kept(filepath.Join(folder, "wallet-oauth.secret"), func() (partners.Secret, error) {
		return known.Rotate(ctx, byItself, DemoPartner, partners.OAuth, 0)
	})
	if made {
		o.client = client
	}
	return fresh, err
}

// byItself is who the audit log has for what the sandbox does.
const byItself = "sandbox"

// kept reads a secret of the demo wallet, or has it made and keeps it.
func kept(path string, draw func() (partners.Secret, error)) (text string, made bool, err error) {
	if data, err := os.ReadFile(path); err == nil { // #nosec G304 -- the operator's own data folder
		return strings.TrimSpace(string(data)), false, nil
	}
	secret, err := draw()
	if err != nil {
		return "", false, fmt.Errorf("make the demo partner: %w", err)
	}
	if err := os.WriteFile(path, []byte(secret.Text+"\n"), 0o600); err != nil {
		return "", false, fmt.Errorf("keep the demo partner's secret: %w", err)
	}
	return secret.Text, true, nil
}

// leave closes it after a command that prints: what it answered last is enough. It does
// nothing where there is none.
func (o *outside) leave() {
	if o == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = o.close(ctx)
}

func (o *outside) close(ctx context.Context) error {
	return errors.Join(o.server.Shutdown(ctx), o.phones.Close(), o.world.Close())
}
