package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/sandbox"
)

// shutdown bounds how long requests under way may take to finish.
const shutdown = 10 * time.Second

type serveCommand struct{}

// Run serves until ctx ends.
func (serveCommand) Run(ctx context.Context, config *Config, log *slog.Logger, out io.Writer) error {
	if err := config.ready(); err != nil {
		return err
	}
	unlock, err := lockData(config)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := newServer(config)
	if err != nil {
		return err
	}
	defer s.release()
	if err := s.assemble(ctx, config, log); err != nil {
		return errors.Join(err, s.stop())
	}
	s.greet(out)
	return s.serve(ctx)
}

// server is a running `eshik serve`.
type server struct {
	main, admin net.Listener
	scheme      string // of the main listener's address
	config      *Config
	app         *app
	world       *outside // nil in production
	fresh       bool     // the demo partner was made now
	http        *fiber.App
	operators   *http.Server
	idle        func()
}

// newServer takes the ports first, so that a mistake shows at once.
func newServer(config *Config) (*server, error) {
	s := &server{scheme: "http://", config: config}
	var err error
	if s.main, err = listen(config.Listen); err != nil {
		return nil, usageError{fmt.Errorf("cannot listen on %s: %s; choose another with --listen", config.Listen, reason(err))}
	}
	if s.admin, err = net.Listen("tcp", config.Admin); err != nil {
		_ = s.main.Close()
		return nil, usageError{fmt.Errorf("cannot listen on %s: %s; choose another with --admin", config.Admin, reason(err))}
	}
	if config.TLSCert != "" {
		if err := s.secure(config); err != nil {
			s.release()
			return nil, err
		}
	}
	config.PublicURL = cmp.Or(config.PublicURL, s.url())
	return s, nil
}

func reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}

// secure serves TLS. Clients may show a certificate: which gateway must, and
// which it accepts, is the gateway's setting.
func (s *server) secure(config *Config) error {
	pair, err := tls.LoadX509KeyPair(config.TLSCert, config.TLSKey)
	if err != nil {
		return usageError{fmt.Errorf("ESHIK_TLS_CERT and ESHIK_TLS_KEY cannot be used: %w", err)}
	}
	s.scheme = "https://"
	s.main = tls.NewListener(s.main, &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert,
	})
	return nil
}

// url is where this machine reaches the server.
func (s *server) url() string { return s.scheme + s.main.Addr().String() }

// release closes what serve did not take over.
func (s *server) release() {
	_ = s.main.Close()
	_ = s.admin.Close()
}

// assemble starts the world outside, where there is a sandbox, and the app.
func (s *server) assemble(ctx context.Context, config *Config, log *slog.Logger) (err error) {
	folder := filepath.Join(config.Data, "sandbox")
	if !config.production() {
		if s.world, err = startOutside(config, folder, s.url(), log); err != nil {
			return usageError{err}
		}
	}
	if s.app, err = build(ctx, config, log); err != nil {
		return err
	}
	if s.http, err = s.app.newHTTP(s.world); err != nil {
		return err
	}
	if s.world != nil {
		if s.fresh, err = s.world.partner(ctx, s.app.partners, folder); err != nil {
			return err
		}
		if err := s.app.fillSandbox(ctx); err != nil {
			return err
		}
		s.world.phones.Resume() // the wallet's payments that a killed process left
	}
	s.operators = &http.Server{Handler: s.app.newAdmin(), ReadHeaderTimeout: 5 * time.Second}
	if err := s.app.queue.Start(ctx); err != nil {
		return err
	}
	s.app.unlink = s.app.startLinks(ctx)
	s.idle = s.app.startHousekeeping(ctx)
	return nil
}

// serve answers until ctx ends or a listener fails, then lets what is under way
// finish.
func (s *server) serve(ctx context.Context) error {
	failed := make(chan error, 2)
	go func() { failed <- s.http.Listener(s.main) }()
	go func() { failed <- s.operators.Serve(s.admin) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	if closed(err) {
		err = nil
	}
	return errors.Join(err, s.stop())
}

// stop ends everything, the listeners first.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdown)
	defer cancel()
	var faults []error
	if s.http != nil {
		faults = append(faults, s.http.ShutdownWithContext(ctx))
	}
	if s.operators != nil {
		faults = append(faults, s.operators.Shutdown(ctx))
	}
	if s.idle != nil {
		s.idle()
	}
	if s.app != nil {
		faults = append(faults, s.app.close(ctx))
	}
	if s.world != nil {
		faults = append(faults, s.world.close(ctx))
	}
	return errors.Join(faults...)
}

// greet says where to go.
func (s *server) greet(out io.Writer) {
	line := func(name, value string) { _, _ = fmt.Fprintf(out, "  %-12s %s\n", name, value) }
	_, _ = fmt.Fprintf(out, "Eshik is open (%s).\n", s.config.Mode)
	line("page", s.url()+"/")
	if s.world != nil {
		line("phone", s.url()+"/phone")
	}
	line("API", s.url()+"/docs")
	line("verify", s.url()+"/verify")
	line("health", "http://"+s.admin.Addr().String()+"/readyz")
	line("short code", s.config.ShortCode)
	line("SMS", s.config.SMSNumber)
	if s.world == nil {
		return
	}
	for _, n := range sandbox.FixedPhones() {
		line("number", n.Number+" "+n.Name+" ("+n.Operator+")")
	}
	line("plates", "01KG123ABC (fines), 01KG777AAA (clean), B1234AB (old format)")
	line("documents", "personal number 11503198800011, ID-card ID1000001 (Айгүл; her child: 10905202300044)")
	line("", "22107197900022, ID1000002 (Бакыт) · 10112199200033, ID1000003 (Елена)")
	line("partner", demoPartner)
	if s.fresh {
		line("secret", s.world.secret+"  (shown this once)")
	}
}

// chores are the process's own and the services'. A worker takes no texts.
func (a *app) chores() []module.Chore {
	list := []module.Chore{
		{Name: "seal the audit log", Do: func(ctx context.Context) error { _, err := a.audit.Seal(ctx); return err }},
		{Name: "count abandoned talks", Do: func(ctx context.Context) error { return a.talks.Sweep(ctx, a.now()) }},
		{Name: "settle payments", Do: a.payments.Sweep},
		{Name: "close codes of paid bills", Do: a.payments.CloseOvertaken},
		{Name: "keep promises", Do: a.talks.KeepPromises},
		{Name: "ask for delivery reports", Do: func(ctx context.Context) error { return a.router.AskReports(ctx, a.outbox) }},
		{Name: "watch the money of SMS accounts", Do: a.credit.Check},
		{Name: "balance SMS providers", Do: func(ctx context.Context) error { return a.router.Balance(ctx, a.outbox) }},
	}
	if a.inbound != nil {
		list = append(list, module.Chore{Name: "answer interrupted texts", Do: a.inbound.Resume})
	}
	for _, m := range a.modules {
		list = append(list, m.Chores...)
	}
	return list
}

// fillSandbox has the services fill what a new sandbox lacks.
func (a *app) fillSandbox(ctx context.Context) error {
	for _, m := range a.modules {
		if m.Sandbox == nil {
			continue
		}
		if err := m.Sandbox(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startHousekeeping does the chores every two seconds until the returned function
// is called. Each goes by itself: one that waits for a registry delays no other.
func (a *app) startHousekeeping(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	for _, c := range a.chores() {
		all.Go(func() { a.keepDoing(ctx, c) })
	}
	return func() { cancel(); all.Wait() }
}

func (a *app) keepDoing(ctx context.Context, c module.Chore) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		err := problem.Guard(func() error { return c.Do(ctx) })
		if err != nil && ctx.Err() == nil {
			a.log.Error("periodic work failed", "work", c.Name, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// authenticate turns a bearer token into who it stands for.
func (a *app) authenticate(ctx context.Context, bearer string) (api.Principal, error) {
	p, err := a.identity.Authenticate(ctx, bearer)
	return api.Principal{Phone: p.Phone, Subject: p.CitizenID}, err
}
