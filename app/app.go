// Package app wires the program: one environment, the list of services, the listeners and
// the chores. It is the only place that names a service, once. Commands open an App or a
// Server and ask it; what they print is theirs.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/elqr"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/identity/esi"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/reseal"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/platform/webhook"
	"github.com/eshik-kg/eshik/services/certificate"
	"github.com/eshik-kg/eshik/services/fine"
	"github.com/eshik-kg/eshik/services/owndata"
	"github.com/eshik-kg/eshik/services/preschool"
	"github.com/eshik-kg/eshik/services/preschool/allocation/replay"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/web"
)

// App is everything wired together, without a listener. Its Env is what the services
// stand on, and what the operators' commands ask.
type App struct {
	module.Env
	Modules       []module.Module        // in the order of the menu
	Conversations *session.Conversations // the conversation that USSD and SMS share
	Partners      *partners.Service      // those who pay bills for citizens
	Events        *webhook.Events        // what becomes of their payments
	Webhooks      *webhook.Service       // where they have that sent
	Staff         *staff.Service         // those who serve

	config   *Config
	recorder *analytics.Recorder
	added    Added
	world    *outside // of Open, in the sandbox; nil: another has it
	pages    *web.Pages
	redis    redis.UniversalClient // nil: inside this process
	metrics  *metrics
	links    []*link
	router   *sms.Router
	credit   *sms.CreditWatch

	dataKeys    *seal.Keys
	reseal      *reseal.Service
	checkpoints *checkpoints
	inbound     *sms.Inbound   // set by newHTTP
	callbacks   []smsCallbacks // of the SMS providers that the gateways' file names
	unlink      func()         // ends the links
}

// Added is what is wired beside the product's own services: what proves or measures it
// adds services, and the texts that they say.
type Added struct {
	Services []module.Constructor
	Texts    []fs.FS // folders as locales has them
}

// build wires the app. The database is brought to this version.
func build(ctx context.Context, config *Config, log *slog.Logger, added Added) (*App, error) {
	texts, err := locales.Load(added.Texts...)
	if err != nil {
		return nil, fmt.Errorf("the locale files: %w", err)
	}
	a := &App{config: config, added: added, metrics: newMetrics(), Env: module.Env{Clock: time.Now, Random: rand.Reader, Texts: texts, Log: log}}
	for _, part := range []func(context.Context) error{a.buildStore, a.buildPlatform, a.buildServices, a.buildConversations, a.keepKeys} {
		if err := part(ctx); err != nil {
			return nil, errors.Join(err, a.close(ctx))
		}
	}
	return a, nil
}

// buildStore opens what holds the data.
func (a *App) buildStore(ctx context.Context) (err error) {
	if a.DB, _, err = openDatabase(ctx, a.config); err != nil {
		return err
	}
	if err := a.openKeys(ctx); err != nil {
		return err
	}
	a.Limiter = limit.NewMemory(a.Clock)
	if a.config.Redis == "" {
		return nil
	}
	if a.redis, err = openRedis(a.config.Redis); err != nil {
		return err
	}
	if a.redis.Ping(ctx).Err() != nil {
		a.Log.Warn("Redis does not answer: until it does, conversations are kept in the database and limits in this process")
	}
	a.Limiter = limit.NewFallback(limit.NewRedis(a.redis), a.Limiter, a.Clock, a.Log)
	return nil
}

// buildPlatform makes what every service stands on.
func (a *App) buildPlatform(ctx context.Context) (err error) {
	if a.Queue, err = job.New(a.DB, a.Log); err != nil {
		return err
	}
	a.recorder = analytics.NewRecorder(a.DB, a.Log)
	a.Audit = audit.New(a.DB, a.Sealer)
	if err := a.buildCheckpoints(ctx); err != nil {
		return err
	}
	if a.router, err = a.buildRouter(); err != nil {
		return err
	}
	a.credit = a.router.WatchCredit(a.Log)
	if err := a.metrics.registry.Register(newCreditFigures(a.credit)); err != nil {
		return fmt.Errorf("the figures of SMS accounts: %w", err)
	}
	quiet, err := notify.ParseQuiet(a.config.QuietHours, clock.Bishkek)
	if err != nil {
		return UsageError{fmt.Errorf("ESHIK_QUIET_HOURS: %w", err)}
	}
	a.Outbox = notify.New(a.DB, a.Queue, a.Sealer, a.router, quiet, a.Clock, a.Log)
	if a.Trail, err = trail.New(a.Audit, a.recorder, a.Outbox); err != nil {
		return err
	}
	if a.reseal, err = reseal.New(reseal.Deps{
		DB: a.DB, Keys: a.dataKeys, Trail: a.Trail, Columns: Sealed, Now: a.Clock, Log: a.Log,
	}); err != nil {
		return err
	}
	a.Staff, err = staff.New(staff.Deps{DB: a.DB, Sealer: a.Sealer, Trail: a.Trail, Now: a.Clock, Random: a.Random, Invented: a.config.invented})
	return err
}

// services are the citizen services, in the order of the menu. A new one is a line here.
var services = []module.Constructor{
	{Make: fine.Module, Staff: fine.Staff(), Limits: fine.Limits()},
	{Make: certificate.Module, Staff: certificate.Staff(), Limits: certificate.Limits()},
	{Make: preschool.Module, Staff: preschool.Staff(), Limits: preschool.Limits()},
	{Make: owndata.Module, Limits: owndata.Limits()},
}

// Tasks are what operators may have the services do from the command line.
func Tasks() []module.Task {
	var all []module.Task
	for _, s := range services {
		all = append(all, s.Staff...)
	}
	return all
}

// ReadTrust reads what CheckPaper checks by.
func ReadTrust(file []byte) (certificate.Trust, error) { return certificate.ReadTrust(string(file)) }

// CheckPaper checks a certificate in a file without network, database or setting.
func CheckPaper(trust certificate.Trust, file []byte, now time.Time) (certificate.Checked, error) {
	texts, err := locales.Load()
	if err != nil {
		return certificate.Checked{}, err
	}
	return certificate.CheckFile(texts, trust, file, now)
}

// Replayed is what a public file of an allocation was found to be.
type Replayed struct {
	Said   string // in plain words, by lines
	Same   bool   // nothing is otherwise than the file says
	SHA256 string // of all its lines but the last, hexadecimal
	// Own says how the wishes of the child with a key went.
	Own func(key string) string
}

// Replay computes an allocation anew from its public file, without network, database or setting.
func Replay(in io.Reader) (Replayed, error) {
	file, err := replay.Read(in)
	if err != nil {
		return Replayed{}, err
	}
	report, err := replay.Compare(file)
	if err != nil {
		return Replayed{}, err
	}
	return Replayed{Said: report.Say(file), Same: report.Same(), SHA256: file.Computed, Own: file.SayOwn}, nil
}

// buildServices makes the citizen services and what they share.
func (a *App) buildServices(ctx context.Context) error {
	var err error
	a.Registries, err = registry.NewClients(
		registry.Config{BaseURL: a.config.XRoadURL, Client: a.config.XRoadClient},
		registry.Services{
			SafeCity: a.config.XRoadSafeCity, Aimak: a.config.XRoadAimak,
			Kindergartens: a.config.XRoadKindergartens, SIM: a.config.XRoadSIM, Vehicles: a.config.XRoadVehicles, Fund: a.config.XRoadFund,
			Taxes: a.config.XRoadTaxes, Land: a.config.XRoadLand, Schools: a.config.XRoadSchools,
			Persons: registry.PersonsConfig{
				Passport: a.config.XRoadPassport, Civil: a.config.XRoadCivil,
				ClientID: a.config.PassportClient, Secret: a.config.PassportSecret,
			},
		})
	if err != nil {
		return UsageError{fmt.Errorf("X-Road: %w", err)}
	}
	var strong []identity.Provider
	if a.Registries.SIMs != nil {
		strong = append(strong, identity.BySIM{Register: a.Registries.SIMs})
	}
	if a.Identity, err = identity.New(identity.Deps{
		DB: a.DB, Sealer: a.Sealer, Trail: a.Trail, Limiter: a.Limiter, Registry: a.Registries.Persons, Strong: strong,
		Texts: a.Texts, Now: a.Clock, Random: a.Random, Log: a.Log, HeldBack: a.metrics.hold,
	}); err != nil {
		return err
	}
	if err := a.offerNational(); err != nil {
		return err
	}
	if a.Partners, err = partners.New(partners.Deps{
		DB: a.DB, Sealer: a.Sealer, Trail: a.Trail, Limiter: a.Limiter, Now: a.Clock, Random: a.Random,
		Signer: a.Identity, Issuer: a.config.PublicURL,
	}); err != nil {
		return err
	}
	if a.Events, err = webhook.NewEvents(webhook.Events{DB: a.DB, Now: a.Clock}); err != nil {
		return err
	}
	if a.Webhooks, err = webhook.New(webhook.Deps{
		DB: a.DB, Events: a.Events, Partners: a.Partners, Sealer: a.Sealer, Trail: a.Trail, Now: a.Clock, Random: a.Random, Log: a.Log, Loopback: !a.config.production(),
	}); err != nil {
		return err
	}
	if a.Payments, err = payment.New(payment.Deps{
		DB: a.DB, Phones: a.Identity, Queue: a.Queue, Sealer: a.Sealer, Trail: a.Trail, Events: a.Events, Texts: a.Texts, Now: a.Clock, Clock: a.DB.Clock, Random: a.Random, Log: a.Log,
	}); err != nil {
		return err
	}
	if err := a.payByELQR(); err != nil {
		return err
	}
	if err := a.metrics.registry.Register(newMoneyFigures(a.Payments, a.Clock, a.Log)); err != nil {
		return fmt.Errorf("the figures of payments: %w", err)
	}
	if err := a.metrics.registry.Register(newMessageFigures(a.Outbox, a.Log)); err != nil {
		return fmt.Errorf("the figures of messages: %w", err)
	}
	if a.Mandates, err = mandate.New(mandate.Deps{
		DB: a.DB, Queue: a.Queue, Identity: a.Identity, Sealer: a.Sealer, Trail: a.Trail, Limiter: a.Limiter, Texts: a.Texts, Random: a.Random, Now: a.Clock,
	}); err != nil {
		return err
	}
	a.Identity.Tie(a.Outbox, a.Payments, a.Mandates)
	if a.Keys, err = sign.Open(ctx, sign.Deps{DB: a.DB, Sealer: a.Sealer, Trail: a.Trail, Now: a.Clock, Log: a.Log}); err != nil {
		return err
	}
	if err := a.openDocuments(ctx); err != nil {
		return err
	}
	a.PublicURL, a.SMSNumber = a.config.PublicURL, a.config.SMSNumber
	a.Holders = &personal.Holders{}
	a.Holders.Add("messages", a.Outbox.Personal())
	a.Holders.Add("payment", a.Payments.Personal())
	a.Holders.Add(mandate.ServiceName, a.Mandates.Personal())
	a.Modules, err = module.Build(a.Env, slices.Concat(services, a.added.Services)...)
	a.Holders.Add(identity.ServiceName, a.Identity.Personal()) // last: the others' are found by the person's number
	return err
}

// sandboxELQR is nobody in the scheme.
const sandboxELQR = "fines.example.kg,fine,1000000000000000001,Eshik"

// payByELQR has payments shown as ELQR codes, where we are in the scheme.
func (a *App) payByELQR() error {
	text := a.config.ELQR
	if text == "" && !a.config.production() {
		text = sandboxELQR
	}
	if text == "" {
		return nil
	}
	recipient, err := elqr.ParseRecipient(text)
	if err != nil {
		return UsageError{fmt.Errorf("ESHIK_ELQR: %w", err)}
	}
	a.Payments.PayTo(recipient)
	return nil
}

// offerNational has people sign in by the national sign-in, where one is configured.
func (a *App) offerNational() error {
	if a.config.ESIIssuer == "" {
		return nil
	}
	client, err := esi.New(esi.Config{
		Issuer: a.config.ESIIssuer, ClientID: a.config.ESIClient, ClientSecret: a.config.ESISecret, ACR: a.config.ESIACR,
		RedirectURL: a.config.PublicURL + web.NationalPath, Now: a.Clock,
	})
	if err != nil {
		return UsageError{err}
	}
	a.Identity.OfferNational(client, a.Queue)
	return nil
}

// Conversation is the services' parts of it, in the order of the menu.
func (a *App) Conversation() []dialog.Flow {
	var all []dialog.Flow
	for _, m := range a.Modules {
		if m.Flow.Name != "" {
			all = append(all, m.Flow)
		}
	}
	return append(all, a.Mandates.Flow(), a.Identity.Flow())
}

// buildConversations makes the conversation that USSD and SMS share.
func (a *App) buildConversations(context.Context) error {
	engine, err := dialog.New(a.Texts, dialog.Options{Profiles: a.Identity, Log: a.Log, Resumed: a.Identity.Resumed}, a.Conversation()...)
	if err != nil {
		return err
	}
	var sessions session.Store = session.NewMemory()
	if a.redis != nil {
		shared, err := session.NewRedis(a.redis, "eshik")
		if err != nil {
			return err
		}
		sessions = session.NewFallback(shared, session.NewSQL(a.DB), a.Clock, a.Log)
	}
	a.Conversations, err = session.New(session.Deps{
		Engine: engine, Store: sessions, Profiles: a.Identity, Trail: a.recorder, Texts: a.Texts,
		Secret: []byte(a.Sealer.Index("session.secret", "v1")), Window: a.config.ResumeWindow, Now: a.Clock, Log: a.Log,
		Deferred: &session.Deferred{
			DB: a.DB, Queue: a.Queue, Outbox: a.Outbox, StepTime: a.config.StepTime, Budget: sms.Budget, Lifetime: sms.Lifetime,
		},
	})
	if err != nil {
		return err
	}
	a.Conversations.HandleDeferred()
	return a.carryUSSD()
}
