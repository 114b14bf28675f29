package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/certificate"
	"github.com/eshik-kg/eshik/services/fine"
	"github.com/eshik-kg/eshik/services/preschool"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/web"
)

// app is everything wired together, without a listener.
type app struct {
	config *Config
	log    *slog.Logger
	now    func() time.Time

	texts    *locales.Catalogue
	pages    *web.Pages
	db       *store.DB
	redis    redis.UniversalClient // nil: inside this process
	sealer   *seal.Sealer
	queue    *job.Queue
	events   *analytics.Recorder
	audit    *audit.Log
	outbox   *notify.Outbox
	trail    *trail.Trail
	limiter  limit.Limiter
	metrics  *metrics
	links    []*link
	router   *sms.Router
	credit   *sms.CreditWatch
	identity *identity.Service

	payments     *payment.Service
	partners     *payment.Partners
	constructors []module.Constructor
	modules      []module.Module
	talks        *session.Talks
	inbound      *sms.Inbound // set by newHTTP
	// callbacks are those of the SMS providers that the gateways' file names.
	callbacks []smsCallbacks
	unlink    func() // ends the links
}

// build wires the app. The database is brought to this version.
func build(ctx context.Context, config *Config, log *slog.Logger) (*app, error) {
	texts, err := locales.Load()
	if err != nil {
		return nil, fmt.Errorf("the locale files: %w", err)
	}
	return buildOf(ctx, config, log, texts, services...)
}

// buildOf wires an app of some services.
func buildOf(ctx context.Context, config *Config, log *slog.Logger, texts *locales.Catalogue, services ...module.Constructor) (*app, error) {
	a := &app{config: config, log: log, now: time.Now, metrics: newMetrics(), texts: texts, constructors: services}
	for _, part := range []func(context.Context) error{a.buildStore, a.buildPlatform, a.buildServices, a.buildTalks} {
		if err := part(ctx); err != nil {
			return nil, errors.Join(err, a.close(ctx))
		}
	}
	return a, nil
}

// buildStore opens what holds the data.
func (a *app) buildStore(ctx context.Context) (err error) {
	key, err := a.config.key()
	if err != nil {
		return usageError{err}
	}
	if a.sealer, err = seal.New(key); err != nil {
		return err
	}
	if a.db, _, err = openDatabase(ctx, a.config); err != nil {
		return err
	}
	a.limiter = limit.NewMemory(a.now)
	if a.config.Redis == "" {
		return nil
	}
	if a.redis, err = openRedis(a.config.Redis); err != nil {
		return err
	}
	if a.redis.Ping(ctx).Err() != nil {
		a.log.Warn("Redis does not answer: until it does, talks are kept in the database and limits in this process")
	}
	a.limiter = limit.NewFallback(limit.NewRedis(a.redis), a.limiter, a.now, a.log)
	return nil
}

// openDatabase opens and migrates the database; ran is how many migrations it
// took.
func openDatabase(ctx context.Context, config *Config) (db *store.DB, ran int, err error) {
	if db, err = store.Open(ctx, config.Database); err != nil {
		return nil, 0, usageError{fmt.Errorf("the database cannot be used: %w", err)}
	}
	if ran, err = db.Migrate(ctx); err == nil {
		err = job.Migrate(ctx, db)
	}
	if err != nil {
		return nil, ran, errors.Join(err, db.Close())
	}
	return db, ran, nil
}

// buildPlatform makes what every service stands on.
func (a *app) buildPlatform(ctx context.Context) (err error) {
	if a.queue, err = job.New(a.db, a.log); err != nil {
		return err
	}
	a.events = analytics.NewRecorder(a.db, a.log)
	a.audit = audit.New(a.db, a.sealer)
	if a.router, err = a.buildRouter(); err != nil {
		return err
	}
	a.credit = a.router.WatchCredit(a.log)
	if err := a.metrics.registry.Register(newCreditFigures(a.credit)); err != nil {
		return fmt.Errorf("the figures of SMS accounts: %w", err)
	}
	quiet, err := notify.ParseQuiet(a.config.QuietHours, clock.Bishkek)
	if err != nil {
		return usageError{fmt.Errorf("ESHIK_QUIET_HOURS: %w", err)}
	}
	a.outbox = notify.New(a.db, a.queue, a.sealer, a.router, quiet, a.now, a.log)
	if a.trail, err = trail.New(a.audit, a.events, a.outbox); err != nil {
		return err
	}
	a.partners = payment.NewPartners(a.db, a.sealer, a.limiter, a.now, rand.Reader)
	return nil
}

// services are the citizen services, in the order of the menu. A new one is a line here.
var services = []module.Constructor{fine.Module, certificate.Module, preschool.Module}

// buildServices makes the citizen services and what they share.
func (a *app) buildServices(ctx context.Context) error {
	registries, err := registry.NewClients(
		registry.Config{BaseURL: a.config.XRoadURL, Client: a.config.XRoadClient},
		registry.Services{
			SafeCity: a.config.XRoadSafeCity, Aimak: a.config.XRoadAimak,
			Persons: a.config.XRoadPersons, Kindergartens: a.config.XRoadKindergartens,
		})
	if err != nil {
		return usageError{fmt.Errorf("X-Road: %w", err)}
	}
	if a.identity, err = identity.New(identity.Deps{
		DB: a.db, Sealer: a.sealer, Outbox: a.outbox, Audit: a.audit, Limiter: a.limiter, Registry: registries.Persons,
		Recorder: a.events, Catalogue: a.texts, Now: a.now, Rand: rand.Reader, Log: a.log, HeldBack: a.metrics.hold,
	}); err != nil {
		return err
	}
	a.payments = payment.New(payment.Deps{
		DB: a.db, Queue: a.queue, Sealer: a.sealer, Trail: a.trail, Texts: a.texts, Now: a.now, Random: rand.Reader, Log: a.log,
	})
	if err := a.metrics.registry.Register(newMoneyFigures(a.payments, a.now, a.log)); err != nil {
		return fmt.Errorf("the figures of payments: %w", err)
	}
	a.identity.Tie(a.outbox, a.payments)
	keys, err := sign.Open(ctx, a.db, a.sealer, a.now, a.log)
	if err != nil {
		return err
	}
	a.modules, err = module.Build(module.Env{
		DB: a.db, Queue: a.queue, Clock: a.now, Random: rand.Reader, Texts: a.texts, Sealer: a.sealer, Keys: keys, Outbox: a.outbox, Audit: a.audit,
		Trail: a.trail, Analytics: a.events, Limiter: a.limiter, Identity: a.identity, Payments: a.payments, Registries: registries, Log: a.log,
		PublicURL: a.config.PublicURL, SMSNumber: a.config.SMSNumber,
	}, a.constructors...)
	return err
}

// spoken are the services' parts of the conversation, in the order of the menu.
func (a *app) spoken() []dialog.Service {
	var all []dialog.Service
	for _, m := range a.modules {
		if m.Talk.Name != "" {
			all = append(all, m.Talk)
		}
	}
	return append(all, a.identity.Talk())
}

// buildTalks makes the conversation that USSD and SMS share.
func (a *app) buildTalks(context.Context) error { return a.converse(a.spoken()...) }

// converse has the channels hold the conversation of these services.
func (a *app) converse(services ...dialog.Service) error {
	engine, err := dialog.New(a.texts, dialog.Options{Profiles: a.identity, Log: a.log, Lapse: a.identity.Lapse}, services...)
	if err != nil {
		return err
	}
	var sessions session.Store = session.NewMemory()
	if a.redis != nil {
		shared, err := session.NewRedis(a.redis, "eshik")
		if err != nil {
			return err
		}
		sessions = session.NewFallback(shared, session.NewSQL(a.db), a.now, a.log)
	}
	a.talks, err = session.NewTalks(session.Deps{
		Engine: engine, Store: sessions, Profiles: a.identity, Recorder: a.events, Sentences: a.texts,
		Secret: []byte(a.sealer.Index("session.secret", "v1")), Window: a.config.ResumeWindow, Now: a.now, Log: a.log,
		Later: &session.Later{
			DB: a.db, Outbox: a.outbox, StepTime: a.config.StepTime, Budget: sms.Budget, Lifetime: sms.TalkLifetime,
		},
	})
	a.carryTalks()
	return err
}

// close gives everything back, newest first.
func (a *app) close(ctx context.Context) error {
	var faults []error
	if a.queue != nil {
		faults = append(faults, a.queue.Stop(ctx))
	}
	if a.unlink != nil {
		a.unlink()
	}
	if a.inbound != nil {
		faults = append(faults, a.inbound.Wait(ctx))
	}
	if a.events != nil {
		a.events.Close()
	}
	if a.redis != nil {
		faults = append(faults, a.redis.Close())
	}
	if a.db != nil {
		faults = append(faults, a.db.Close())
	}
	return errors.Join(faults...)
}
