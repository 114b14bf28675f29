package app

import (
	"log/slog"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestACommandSealsWhatItWrote: a record that a command leaves has its place in the chain when
// the command has ended, with no server running; who takes it away then is named.
func TestACommandSealsWhatItWrote(t *testing.T) {
	t.Parallel()
	everyDatabase(t, func(t *testing.T, dsn string) {
		config := &Config{
			Mode: "sandbox", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Data: t.TempDir(), Database: dsn, ShortCode: "*1414#",
			XRoadClient: "central-server/GOV/70000099/eshik", StepTime: 3 * time.Second, ResumeWindow: 15 * time.Minute,
		}
		_, err := Migrate(t.Context(), config)
		testworld.OK(t, err)
		beside := func(work func(a *App) error) error {
			return Beside(t.Context(), config, slog.New(slog.DiscardHandler), work)
		}
		quiet := Progress{Records: func(int) {}, Replayed: func(audit.Tail, int) {}, Payments: func(int) {}}
		testworld.OK(t, beside(func(a *App) error {
			return a.DB.InTx(t.Context(), func(tx *store.Tx) error {
				return a.Audit.Record(t.Context(), tx, audit.Entry{At: time.Now(), Actor: "staff:asel", Action: "staff.disputes"})
			})
		}))
		testworld.OK(t, beside(func(a *App) error {
			var left int
			err := a.DB.Reader().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM audit_records WHERE n IS NULL").Scan(&left)
			if left != 0 {
				t.Errorf("%d records are not sealed", left)
			}
			return err
		}))
		if err := beside(func(a *App) error {
			_, err := a.DB.Writer().ExecContext(t.Context(), "DELETE FROM audit_records WHERE action = 'staff.disputes'")
			testworld.OK(t, err)
			return a.Fsck(t.Context(), quiet)
		}); err == nil {
			t.Error("who looked can be taken away")
		}
	})
}
