package e2e

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/eshik-kg/eshik/sandbox"
)

// The audit log is signed beside the database and cosigned by a witness; whoever has a
// checkpoint and the public key finds a record that was changed, without the master key.
func TestCheckpointsOfTheAuditLog(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		d.wait("the first checkpoint", func() bool {
			_, err := os.Stat(filepath.Join(d.data, "checkpoints", "latest.note"))
			return err == nil
		})
		printed, err := d.run("audit", "key")
		if err != nil {
			t.Fatalf("audit key: %v\n%s", err, printed)
		}
		key := strings.TrimSpace(printed)
		skey, vkey, err := note.GenerateKey(rand.Reader, "witness.example.kg/w1")
		if err != nil {
			t.Fatal(err)
		}
		witness, err := sandbox.NewWitness(key, skey)
		if err != nil {
			t.Fatal(err)
		}
		outside := httptest.NewServer(witness)
		t.Cleanup(outside.Close)

		c, _ := d.dial(aigul)
		c.say("Эшик", "1")
		issueOverREST(d)
		sealed := int64(0)
		d.wait("the seal of the log", func() bool {
			open := int64(1)
			row := d.sql().Reader().QueryRowContext(t.Context(), "SELECT COUNT(*), COALESCE(SUM(CASE WHEN n IS NULL THEN 1 ELSE 0 END), 0) FROM audit_records")
			if err := row.Scan(&sealed, &open); err != nil {
				t.Fatal(err)
			}
			return open == 0 && sealed > 0
		})
		d.setup = append(d.setup, "ESHIK_WITNESS="+outside.URL, "ESHIK_WITNESS_KEY="+vkey)
		left := filepath.Join(d.data, "checkpoints", ".note271828182") // as a server leaves it that is killed while it writes
		if err := os.WriteFile(left, []byte("half a che"), 0o600); err != nil {
			t.Fatal(err)
		}
		d.kill()
		if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the unfinished checkpoint is still there: %v", err)
		}
		d.wait("the cosignature", func() bool { return witness.Newest() >= sealed })
		d.wait("the figures", func() bool { return strings.Contains(d.metrics(), "eshik_audit_cosigned_timestamp_seconds") })
		latest := filepath.Join(d.data, "checkpoints", "latest.note")
		signed, err := os.ReadFile(latest)
		if err != nil || !strings.Contains(string(signed), "— witness.example.kg/w1 ") {
			t.Errorf("the kept checkpoint is %q, %v", signed, err)
		}

		without := &door{t: t, program: d.program, data: d.data, setup: noMasterKey(d.setup)}
		if out, err := without.run("audit", "verify", "--key", key, latest); err != nil || !strings.Contains(out, "each as it was") {
			t.Errorf("verify: %v\n%s", err, out)
		}
		if out, err := without.run("audit", "verify", "--key", vkey, latest); err == nil || !strings.Contains(out, "no checkpoint of that log") {
			t.Errorf("verify with another key: %v\n%s", err, out)
		}
		d.fsck()
		d.change("UPDATE audit_records SET purpose = 'another' WHERE n = 1")
		for _, out := range []string{must(t, without, "audit", "verify", "--key", key, latest), must(t, d, "fsck")} {
			if !strings.Contains(out, "record 1 ") {
				t.Errorf("the changed record is not named: %s", out)
			}
		}
	})
}

// must is what a command says that has to fail.
func must(t *testing.T, d *door, args ...string) string {
	t.Helper()
	out, err := d.run(args...)
	if err == nil {
		t.Errorf("%v ends well: %s", args, out)
	}
	return out
}

// noMasterKey is a setup without the key that seals personal data.
func noMasterKey(setup []string) (left []string) {
	for _, setting := range setup {
		if !strings.HasPrefix(setting, "ESHIK_MASTER_KEY=") {
			left = append(left, setting)
		}
	}
	return left
}

// wait waits until something is so.
func (d *door) wait(what string, so func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("%s did not come; log: %s", what, d.stderr)
		}
	}
}
