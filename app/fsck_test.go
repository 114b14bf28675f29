package app

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestFsckNamesSigningKeys: a foreign key beside a sealed half of ours, and one over
// our public half, are named by their rows.
func TestFsckNamesSigningKeys(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.NewSQLite, "postgresql": storetest.NewPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := &Config{
				Mode: "sandbox", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Data: t.TempDir(), Database: dsn(t), ShortCode: "*1414#",
				XRoadClient: "central-server/GOV/70000099/eshik", StepTime: 3 * time.Second, ResumeWindow: 15 * time.Minute,
			}
			testworld.OK(t, config.ready())
			quiet := Progress{Records: func(int) {}, Replayed: func(audit.Tail, int) {}, Payments: func(int) {}}
			fsck := func() error {
				return Beside(t.Context(), config, slog.New(slog.DiscardHandler), func(a *App) error {
					return a.Fsck(t.Context(), quiet)
				})
			}
			db := storetest.Open(t, config.Database)
			testworld.OK(t, fsck()) // and the first key is made
			var kid string
			testworld.OK(t, db.Reader().QueryRowContext(t.Context(), "SELECT kid FROM sign_keys").Scan(&kid))
			for _, c := range []struct {
				named string
				do    []string
			}{
				{"00112233445566aa", []string{"INSERT INTO sign_keys (kid, generation, public, sealed, made_at) SELECT '00112233445566aa', 0, sealed, sealed, made_at FROM sign_keys"}},
				{kid, []string{"DELETE FROM sign_keys WHERE generation = 0", "UPDATE sign_keys SET public = sealed"}},
			} {
				for _, statement := range c.do {
					_, err := db.Writer().ExecContext(t.Context(), statement)
					testworld.OK(t, err)
				}
				err := fsck()
				if err == nil {
					t.Fatalf("%s: fsck finds nothing", c.do)
				}
				for line := range strings.SplitSeq(err.Error(), "\n") {
					if !strings.Contains(line, c.named) {
						t.Errorf("%s: fsck says of another row: %s", c.do, line)
					}
				}
			}
		})
	}
}
