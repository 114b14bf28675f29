package app

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/transparency"
)

// checkpointEvery is how often the audit log is signed.
const checkpointEvery = 5 * time.Minute

// checkpoints signs how the audit log stands, and keeps it outside of the database.
type checkpoints struct {
	log     *audit.Log
	keeper  *transparency.Keeper
	figures *checkpointFigures
}

// buildCheckpoints opens the audit log's tree.
func (a *App) buildCheckpoints(ctx context.Context) error {
	tree, err := a.openTree(ctx)
	if errors.Is(err, transparency.ErrOrigin) {
		return UsageError{fmt.Errorf("ESHIK_AUDIT_ORIGIN: %w", err)}
	}
	if err != nil {
		return err
	}
	keeper := &transparency.Keeper{Tree: tree, Folder: a.config.checkpointFolder(), Now: a.Clock}
	if a.config.Witness != "" {
		if keeper.Witness, err = transparency.NewWitness(a.config.Witness, a.config.WitnessKey); err != nil {
			return UsageError{fmt.Errorf("ESHIK_WITNESS_KEY: %w", err)}
		}
	}
	a.checkpoints = &checkpoints{log: a.Audit, keeper: keeper, figures: newCheckpointFigures()}
	return a.metrics.registry.Register(a.checkpoints.figures)
}

func (a *App) openTree(ctx context.Context) (*transparency.Tree, error) {
	deps := transparency.Deps{DB: a.DB, Sealer: a.Sealer, Random: a.Random, Now: a.Clock}
	tree, err := transparency.Open(ctx, deps, audit.Tree, a.config.AuditOrigin)
	if errors.Is(err, transparency.ErrNoOrigin) { // it is begun now
		return transparency.Open(ctx, deps, audit.Tree, a.config.ownOrigin())
	}
	return tree, err
}

// ownOrigin is the origin of a log that nobody named: our own address, which should
// stay ours for good.
func (c *Config) ownOrigin() string {
	host := "localhost"
	if public, err := url.Parse(c.PublicURL); err == nil {
		host = cmp.Or(public.Host, host)
	}
	return host + "/audit"
}

func (c *Config) checkpointFolder() string {
	return cmp.Or(c.Checkpoints, filepath.Join(c.Data, "checkpoints"))
}

// sign is the chore.
func (c *checkpoints) sign(ctx context.Context) error {
	if err := c.log.Grow(ctx, c.keeper.Tree); err != nil {
		return err
	}
	kept, err := c.keeper.Keep(ctx)
	if err == nil || !errors.Is(err, transparency.ErrHistory) && kept.Note != nil {
		c.figures.kept.Store(c.keeper.Now().Unix())
		c.figures.records.Store(kept.Size)
	}
	if w := c.keeper.Witness; err == nil && w != nil {
		c.figures.cosigned.Store(c.keeper.Now().Unix())
	}
	return err
}

// check compares the log with the last checkpoint that was kept here, if there is one.
func (c *checkpoints) check(ctx context.Context, tx *sql.Tx) error {
	last, err := c.keeper.Latest()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return audit.CheckRecords(ctx, tx, last)
}

// AuditKey is the public key of the audit log's checkpoints, as a verifier key of
// c2sp.org/signed-note.
func (a *App) AuditKey() string { return a.checkpoints.keeper.Tree.Verifier() }

// VerifyCheckpoint compares the audit log of a database with a signed checkpoint of it.
// It needs no secret, and does not change the database.
func VerifyCheckpoint(ctx context.Context, config *Config, key string, signed []byte) (transparency.Checkpoint, error) {
	c, err := transparency.ParseCheckpoint(signed, key)
	if err != nil {
		return c, err
	}
	if err := config.check(); err != nil {
		return c, err
	}
	if err := config.exists(); err != nil {
		return c, err
	}
	db, err := store.Open(ctx, config.Database)
	if err != nil {
		return c, UsageError{fmt.Errorf("the database cannot be used: %w", err)}
	}
	return c, errors.Join(audit.VerifyCheckpoint(ctx, db, c), db.Close())
}

// checkpointFigures tell when the audit log was signed and cosigned last.
type checkpointFigures struct {
	kept, cosigned, records     atomic.Int64 // Unix seconds, the same, a count; nought: never
	keptAt, cosignedAt, howMany *prometheus.Desc
}

func newCheckpointFigures() *checkpointFigures {
	return &checkpointFigures{
		keptAt: prometheus.NewDesc("eshik_audit_checkpoint_timestamp_seconds",
			"When the audit log was signed last and that was kept outside of the database, in Unix seconds.", nil, nil),
		cosignedAt: prometheus.NewDesc("eshik_audit_cosigned_timestamp_seconds",
			"When the witness cosigned the audit log as it is last, in Unix seconds.", nil, nil),
		howMany: prometheus.NewDesc("eshik_audit_checkpoint_records", "How many records the last checkpoint of the audit log is of.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (f *checkpointFigures) Describe(ch chan<- *prometheus.Desc) {
	ch <- f.keptAt
	ch <- f.cosignedAt
	ch <- f.howMany
}

// Collect implements prometheus.Collector; what never was has no figure.
func (f *checkpointFigures) Collect(ch chan<- prometheus.Metric) {
	if at := f.kept.Load(); at > 0 {
		ch <- prometheus.MustNewConstMetric(f.keptAt, prometheus.GaugeValue, float64(at))
		ch <- prometheus.MustNewConstMetric(f.howMany, prometheus.GaugeValue, float64(f.records.Load()))
	}
	if at := f.cosigned.Load(); at > 0 {
		ch <- prometheus.MustNewConstMetric(f.cosignedAt, prometheus.GaugeValue, float64(at))
	}
}
