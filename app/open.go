package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/sms"
)

// Open wires an app that answers nobody; who opens it closes it. In the sandbox it brings
// registries of its own, which hold the same invented people as any others.
func Open(ctx context.Context, config *Config, log *slog.Logger, added Added) (*App, error) {
	if err := config.ready(); err != nil {
		return nil, err
	}
	config.PublicURL = cmp.Or(config.PublicURL, "http://"+config.Listen)
	var world *outside
	if !config.production() && config.XRoadURL == "" {
		var err error
		if world, err = startOutside(config, "", config.PublicURL, log); err != nil {
			return nil, err
		}
	}
	a, err := build(ctx, config, log, added)
	if err != nil {
		world.leave()
		return nil, err
	}
	a.world = world
	return a, nil
}

// Beside opens an app for a command beside a running server, and closes it after work.
// A problem is told in the operators' words, after its code.
func Beside(ctx context.Context, config *Config, log *slog.Logger, work func(*App) error) error {
	if err := config.check(); err != nil {
		return err
	}
	if err := config.exists(); err != nil {
		return err
	}
	a, err := Open(ctx, config, log, Added{})
	if err != nil {
		return err
	}
	return errors.Join(a.sentence(work(a)), a.Close(ctx))
}

// exists refuses a database file that is not there: opening it would make one.
func (c *Config) exists() error {
	if file, lite := strings.CutPrefix(c.Database, "sqlite:"); lite {
		if _, err := os.Stat(file); err != nil {
			return UsageError{fmt.Errorf("there is no database at %s; --data names the folder that `eshik serve` uses", file)}
		}
	}
	return nil
}

// sentence says a problem in the operators' words, after its code as the guides have it.
func (a *App) sentence(err error) error {
	var p *problem.Error
	if !errors.As(err, &p) {
		return err
	}
	return UsageError{fmt.Errorf("%s: %s", p.Key, a.Texts.Text(locales.EN, p.Key, p.Args...))}
}

// Work does only the background work, without a listener, until ctx ends. It calls begun
// when it has begun.
func Work(ctx context.Context, config *Config, log *slog.Logger, begun func()) error {
	if err := config.ready(); err != nil {
		return err
	}
	if !config.production() && (config.XRoadURL == "" || config.TwilioURL == "") {
		return UsageError{errors.New("a worker needs ESHIK_XROAD_URL and ESHIK_TWILIO_URL: the sandbox of `eshik serve` is inside that process")}
	}
	config.sendOnly = true
	a, err := build(ctx, config, log, Added{})
	if err != nil {
		return err
	}
	a.unlink = a.startLinks(ctx)
	if err := a.Queue.Start(ctx); err != nil {
		return errors.Join(err, a.close(ctx))
	}
	idle := a.startHousekeeping(ctx)
	begun()
	<-ctx.Done()
	idle()
	last, cancel := context.WithTimeout(context.Background(), shutdown)
	defer cancel()
	return a.close(last)
}

// Migrate brings the database to this version; ran is how many migrations that took.
func Migrate(ctx context.Context, config *Config) (ran int, err error) {
	if err := config.ready(); err != nil {
		return 0, err
	}
	db, ran, err := openDatabase(ctx, config)
	if err != nil {
		return 0, err
	}
	return ran, db.Close()
}

// openDatabase opens and migrates the database; ran is how many migrations it
// took.
func openDatabase(ctx context.Context, config *Config) (db *store.DB, ran int, err error) {
	if db, err = store.Open(ctx, config.Database); err != nil {
		return nil, 0, UsageError{fmt.Errorf("the database cannot be used: %w", err)}
	}
	if ran, err = db.Migrate(ctx); err == nil {
		err = job.Migrate(ctx, db)
	}
	if err != nil {
		return nil, ran, errors.Join(err, db.Close())
	}
	return db, ran, nil
}

// Sandbox serves the entry points of the invented world that Open brought; nil: none.
func (a *App) Sandbox() http.Handler {
	if a.world == nil {
		return nil
	}
	return a.world.handler()
}

// Silenced are the phones that are or were not answered within a month, the latest first.
func (a *App) Silenced(ctx context.Context) ([]sms.Brake, error) {
	return sms.Brakes(ctx, a.DB, a.Sealer)
}

// Close gives everything back.
func (a *App) Close(ctx context.Context) error {
	defer a.world.leave()
	return a.close(ctx)
}

// close gives back what was wired, newest first.
func (a *App) close(ctx context.Context) error {
	var faults []error
	if a.Queue != nil {
		faults = append(faults, a.Queue.Stop(ctx))
	}
	if a.unlink != nil {
		a.unlink()
	}
	if a.inbound != nil {
		faults = append(faults, a.inbound.Wait(ctx))
	}
	if a.recorder != nil {
		a.recorder.Close()
	}
	if a.redis != nil {
		faults = append(faults, a.redis.Close())
	}
	if a.DB != nil {
		a.sealLast(ctx)
		faults = append(faults, a.DB.Close())
	}
	return errors.Join(faults...)
}

// lastSeal is how long what a process wrote may take to be sealed as it ends.
const lastSeal = 10 * time.Second

// sealLast seals what the process wrote: where no server runs, nobody else would before the
// next one starts. What the process did is done, whether it can be sealed or not.
func (a *App) sealLast(ctx context.Context) {
	if a.Audit == nil {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSeal)
	defer cancel()
	if err := a.Audit.SealOwn(last); err != nil {
		a.Log.ErrorContext(ctx, "the audit log could not be sealed: start a server, which does, and run `eshik fsck`", "error", err)
	}
}
