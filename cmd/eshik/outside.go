package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/sandbox"
	"github.com/eshik-kg/eshik/services/preschool"
)

// demoPartner is the payment partner that the sandbox's wallet belongs to.
const demoPartner = "demo-wallet"

// outside is the world around the server — registries, the SMS provider, the
// USSD gateway, a wallet — running in this process and spoken to over loopback.
type outside struct {
	world  *sandbox.World
	phones *sandbox.Phones
	server *http.Server
	secret string // the demo wallet's
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
		PartnerID: demoPartner, PartnerSecret: func() string { return o.secret },
		Dir: folder, Now: time.Now, Log: log,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox: %w", err), world.Close())
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox: %w", err), o.phones.Close(), world.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/2010-04-01/", o.phones.Twilio())
	mux.Handle("/", world.SecurityServer())
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := o.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the sandbox stopped", "error", err)
		}
	}()
	url := "http://" + listener.Addr().String()
	config.XRoadURL = cmp.Or(config.XRoadURL, url)
	config.TwilioURL = cmp.Or(config.TwilioURL, url)
	return o, nil
}

// handler serves the sandbox's entry points under /sandbox/.
func (o *outside) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/sandbox/faults", o.world.FaultsHandler())
	mux.Handle("/sandbox/", o.phones.Handler())
	return mux
}

// partner makes the demo wallet a partner the first time; its secret, which the
// server keeps only as a hash, stays with the sandbox. fresh says that it was
// made now, and is to be printed once.
func (o *outside) partner(ctx context.Context, partners *payment.Partners, folder string) (fresh bool, err error) {
	path := filepath.Join(folder, "wallet.secret")
	if data, err := os.ReadFile(path); err == nil { // #nosec G304 -- the operator's own data folder
		o.secret = strings.TrimSpace(string(data))
		return false, nil
	}
	if o.secret, err = partners.CreatePartner(ctx, demoPartner); err != nil {
		return false, fmt.Errorf("make the demo partner: %w", err)
	}
	if err := os.WriteFile(path, []byte(o.secret+"\n"), 0o600); err != nil {
		return false, fmt.Errorf("keep the demo partner's secret: %w", err)
	}
	return true, nil
}

// waitingChildren is how many invented children stand in the sandbox's queue.
const waitingChildren = 400

// queue fills the preschool queue of a new sandbox, so that positions look real.
// The children are the same at every start: a second import does nothing.
func (o *outside) queue(ctx context.Context, service *preschool.Service) error {
	district, err := service.Districts(ctx)
	if err != nil {
		return fmt.Errorf("fill the sandbox's queue: %w", err)
	}
	var all []preschool.Kindergarten
	for _, d := range district {
		some, err := service.Kindergartens(ctx, d.Code)
		if err != nil {
			return fmt.Errorf("fill the sandbox's queue: %w", err)
		}
		all = append(all, some...)
	}
	if _, err := service.ImportWaiting(ctx, children(all)); err != nil {
		return fmt.Errorf("fill the sandbox's queue: %w", err)
	}
	return nil
}

// children are invented; their personal numbers end in 9 and a serial number.
func children(all []preschool.Kindergarten) []preschool.Waiting {
	random := rand.New(rand.NewPCG(1414, 996)) // #nosec G404 -- invented people, the same at every start
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rows := make([]preschool.Waiting, waitingChildren)
	for i := range rows {
		born := day.AddDate(-2-random.IntN(5), 0, -random.IntN(365))
		first := random.IntN(len(all))
		second := (first + 1 + random.IntN(len(all)-1)) % len(all)
		rows[i] = preschool.Waiting{
			Minor:  preschool.Minor{PIN: fmt.Sprintf("%d%s9%04d", 1+i%2, born.Format("02012006"), i), Name: "Бала", Born: born},
			Locale: locales.KY, Since: day.Add(-time.Duration(random.IntN(700*24)) * time.Hour),
			Choices: []string{all[first].Code, all[second].Code},
		}
		if random.IntN(12) == 0 {
			rows[i].Benefit = "large_family"
		}
	}
	return rows
}

func (o *outside) close(ctx context.Context) error {
	return errors.Join(o.server.Shutdown(ctx), o.phones.Close(), o.world.Close())
}
