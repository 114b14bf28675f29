package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/sandbox"
)

// shutdown bounds how long requests under way may take to finish.
const shutdown = 10 * time.Second

// Server is a running server: its listeners and what answers there.
type Server struct {
	main, admin net.Listener
	scheme      string // of the main listener's address
	config      *Config
	app         *App
	world       *outside // nil in production
	fresh       bool     // the demo partner was made now
	officers    bool     // and so were the accounts of staff
	http        *fiber.App
	operators   *http.Server
	idle        func()
}

// Serve runs the server until ctx ends or a listener fails. It calls open when
// everything stands, before anybody is answered.
func Serve(ctx context.Context, config *Config, log *slog.Logger, added Added, open func(*Server)) error {
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
	if err := s.assemble(ctx, config, log, added); err != nil {
		return errors.Join(err, s.stop())
	}
	open(s)
	return s.serve(ctx)
}

// newServer takes the ports first, so that a mistake shows at once.
func newServer(config *Config) (*Server, error) {
	s := &Server{scheme: "http://", config: config}
	var err error
	if s.main, err = listen(config.Listen); err != nil {
		return nil, UsageError{fmt.Errorf("cannot listen on %s: %s; choose another with --listen", config.Listen, reason(err))}
	}
	if s.admin, err = net.Listen("tcp", config.Admin); err != nil {
		_ = s.main.Close()
		return nil, UsageError{fmt.Errorf("cannot listen on %s: %s; choose another with --admin", config.Admin, reason(err))}
	}
	if config.TLSCert != "" {
		if err := s.secure(config); err != nil {
			s.release()
			return nil, err
		}
	}
	config.PublicURL = cmp.Or(config.PublicURL, s.URL())
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
func (s *Server) secure(config *Config) error {
	pair, err := tls.LoadX509KeyPair(config.TLSCert, config.TLSKey)
	if err != nil {
		return UsageError{fmt.Errorf("ESHIK_TLS_CERT and ESHIK_TLS_KEY cannot be used: %w", err)}
	}
	s.scheme = "https://"
	s.main = tls.NewListener(s.main, &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert,
	})
	return nil
}

// URL is where this machine reaches the channels, the API and the pages.
func (s *Server) URL() string { return s.scheme + s.main.Addr().String() }

// Admin is where this machine reaches what is for operators: /healthz, /readyz, /metrics.
func (s *Server) Admin() string { return "http://" + s.admin.Addr().String() }

// Sandbox reports whether the world around the server is an invented one, which has the
// payment partner DemoPartner; secret (of OSMP) and client (of OAuth) are the partner's
// where they were made now, else empty.
func (s *Server) Sandbox() (secret, client string, inside bool) {
	if s.world == nil {
		return "", "", false
	}
	if s.fresh {
		secret = s.world.secret
	}
	return secret, s.world.client, true
}

// Officers are the sandbox's accounts of staff if they were made now, with what they sign
// in with; none otherwise.
func (s *Server) Officers() []sandbox.Officer {
	if !s.officers {
		return nil
	}
	return s.world.staff
}

// release closes what serve did not take over.
func (s *Server) release() {
	_ = s.main.Close()
	_ = s.admin.Close()
}

// assemble starts the world outside, where there is a sandbox, and the app.
func (s *Server) assemble(ctx context.Context, config *Config, log *slog.Logger, added Added) (err error) {
	folder := filepath.Join(config.Data, "sandbox")
	if !config.production() {
		if s.world, err = startOutside(config, folder, s.URL(), log); err != nil {
			return UsageError{err}
		}
	}
	if s.app, err = build(ctx, config, log, added); err != nil {
		return err
	}
	if s.http, err = s.app.newHTTP(s.world); err != nil {
		return err
	}
	if s.world != nil {
		if s.fresh, err = s.world.partner(ctx, s.app.Partners, folder); err != nil {
			return err
		}
		if s.officers, err = s.world.officers(ctx, s.app.Staff, folder); err != nil {
			return err
		}
		if err := s.app.fillSandbox(ctx); err != nil {
			return err
		}
		s.world.phones.Resume() // the wallet's payments that a killed process left
	}
	s.app.warnOfInvented(ctx)
	s.operators = &http.Server{Handler: s.app.newAdmin(), ReadHeaderTimeout: 5 * time.Second}
	if err := s.app.Queue.Start(ctx); err != nil {
		return err
	}
	s.app.unlink = s.app.startLinks(ctx)
	s.idle = s.app.startHousekeeping(ctx)
	return nil
}

// serve answers until ctx ends or a listener fails, then lets what is under way
// finish.
func (s *Server) serve(ctx context.Context) error {
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
func (s *Server) stop() error {
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
