// Command sandbox is the outside world in a box, as its own process: the
// registries behind their security server, a USSD gateway, an SMS provider, the
// demo wallet, and the phone page. `eshik serve` embeds the same; this command
// is for an application that runs elsewhere, or is killed and started again.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// options are the command line; each has an environment variable.
type options struct {
	Listen         string `help:"Where the sandbox answers; this machine only." default:"127.0.0.1:8090" env:"ESHIK_SANDBOX_LISTEN"`
	App            string `help:"Where the application answers." default:"http://127.0.0.1:8080" env:"ESHIK_SANDBOX_APP"`
	Public         string `help:"The application's public address, which signatures cover (default: --app)." env:"ESHIK_SANDBOX_PUBLIC"`
	Data           string `help:"The folder that keeps messages and faults." default:"var/sandbox" env:"ESHIK_SANDBOX_DATA"`
	Number         string `help:"The service's SMS number; *number# is its USSD code." default:"1414" env:"ESHIK_SANDBOX_NUMBER"`
	TwilioSID      string `help:"The account of the SMS provider." default:"AC00000000000000000000000000001414" env:"ESHIK_TWILIO_SID"`
	TwilioToken    string `help:"The SMS provider's token, letters and digits." default:"sandbox1414" env:"ESHIK_TWILIO_TOKEN"`
	PassportClient string `help:"Who the application is to the register of passports." default:"eshik" env:"ESHIK_PASSPORT_CLIENT"`
	PassportSecret string `help:"Its secret there." default:"sandbox-passport" env:"ESHIK_PASSPORT_SECRET"`
	ESIClient      string `name:"esi-client" help:"Who the application is to the national sign-in." default:"eshik" env:"ESHIK_ESI_CLIENT"`
	ESISecret      string `name:"esi-secret" help:"Its secret there." default:"sandbox-esi" env:"ESHIK_ESI_SECRET"`
	PartnerID      string `help:"The demo wallet's partner id." default:"demo-wallet" env:"ESHIK_SANDBOX_PARTNER"`
	PartnerSecret  string `help:"The demo wallet's secret, as the application printed it." env:"ESHIK_SANDBOX_PARTNER_SECRET"`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("sandbox"), kong.Description("The outside world in a box: registries, gateways, a wallet and a phone."))
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, log); err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		stop()
		os.Exit(2)
	}
}

// run serves the sandbox until ctx ends.
func run(ctx context.Context, o options, log *slog.Logger) error {
	if err := check(o); err != nil {
		return err
	}
	box, err := newBox(o, log)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("cannot listen on %s: %w", o.Listen, err), box.close())
	}
	server := &http.Server{Handler: box.handler, ReadHeaderTimeout: 10 * time.Second}
	at := "http://" + listener.Addr().String()
	fmt.Printf("sandbox   %s\nphone     %s/phone\ncode      *%s#, SMS %s\napp       %s\n", at, at, o.Number, o.Number, o.App)
	gone := make(chan error, 1)
	go func() { gone <- server.Serve(listener) }()
	select {
	case err = <-gone:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = server.Shutdown(wait)
	}
	return errors.Join(err, box.close())
}

// check says in one line what cannot work.
func check(o options) error {
	for name, address := range map[string]string{"--app": o.App, "--public": o.Public} {
		u, err := url.Parse(address)
		optional := name == "--public" && address == ""
		if !optional && (err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http")) {
			return fmt.Errorf("%s must be an address such as http://127.0.0.1:8080, not %q", name, address)
		}
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("--listen must be host:port, not %q", o.Listen)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--listen must be on this machine (127.0.0.1:8090), not %q: the sandbox has no locks", o.Listen)
	}
	return nil
}
