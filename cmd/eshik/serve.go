package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/sandbox"
)

type serveCommand struct{}

// Run serves until ctx ends.
func (serveCommand) Run(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Serve(ctx, config, log, app.Added{}, func(s *app.Server) { greet(out, config, s) })
}

// greet says where to go.
func greet(out io.Writer, config *app.Config, s *app.Server) {
	line := func(name, value string) { _, _ = fmt.Fprintf(out, "  %-12s %s\n", name, value) }
	_, _ = fmt.Fprintf(out, "Eshik is open (%s).\n", config.Mode)
	line("page", s.URL()+"/")
	secret, client, inside := s.Sandbox()
	if inside {
		line("phone", s.URL()+"/phone")
	}
	line("API", s.URL()+"/docs")
	line("verify", s.URL()+"/verify")
	line("health", s.Admin()+"/readyz")
	line("short code", config.ShortCode)
	line("SMS", config.SMSNumber)
	if !inside {
		return
	}
	for _, n := range sandbox.FixedPhones() {
		line("number", n.Number+" "+n.Name+" ("+n.Operator+")")
	}
	line("plates", "01KG123ABC (fines), 01KG777AAA (clean), B1234AB (old format)")
	line("documents", "personal number 11503198800011, ID-card ID1000001 (Айгүл; her child: 10905202300044)")
	line("", "22107197900022, ID1000002 (Бакыт) · 10112199200033, ID1000003 (Елена)")
	line("partner", app.DemoPartner)
	if secret != "" {
		line("secret", secret+"  (OSMP, shown this once)")
	}
	if client != "" {
		line("client", client+"  (OAuth secret, shown this once)")
	}
	for _, one := range s.Officers() {
		line("staff", fmt.Sprintf("%-18s %s  codes %s  (shown this once)", one.Name, one.Password, one.Secret))
	}
	line("", "eshik staff sign-in NAME; who there is: "+s.URL()+"/sandbox/staff")
}

type workerCommand struct{}

// Run works jobs until ctx ends.
func (workerCommand) Run(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Work(ctx, config, log, func() { _, _ = fmt.Fprintln(out, "Eshik works in the background.") })
}

type migrateCommand struct{}

// Run migrates and stops.
func (migrateCommand) Run(ctx context.Context, config *app.Config, out io.Writer) error {
	ran, err := app.Migrate(ctx, config)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d migrations ran; the database is at this version.\n", ran)
	return err
}
