package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// nextMaster is a master key beside the sandbox's own.
const nextMaster = "ESHIK_MASTER_KEY=ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

// TestKeysThatSeal: an operator rotates the data key, and the server is killed before it did
// anything about it. Started again it seals everything anew, while requests go on of which none
// is refused. Then the master key is replaced; the former one does not start the server any more.
func TestKeysThatSeal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		in := d.signInOn(elena)
		if out, err := d.as("administrator", "", "keys", "rotate", "data"); err != nil || !strings.HasPrefix(out, "Made: data key 2 ") {
			t.Fatalf("rotated: %v\n%s", err, out)
		}
		d.kill()
		if out, err := d.as("administrator", "", "keys", "rotate", "data"); err != nil || !strings.HasPrefix(out, "Under way already: ") {
			t.Errorf("rotated twice: %v\n%s", err, out)
		}
		d.sealedAnew(in.Access)
		d.fsck()

		setup := d.setup
		restart := func(with ...string) {
			t.Helper()
			d.stop()
			d.setup = append(append([]string{}, setup...), with...)
			d.start(strings.TrimPrefix(d.url, "http://"), strings.TrimPrefix(d.admin, "http://"))
		}
		if out, err := d.as("administrator", "", "keys", "rotate", "master"); err == nil || !strings.Contains(out, "ESHIK_MASTER_KEY_FORMER") {
			t.Errorf("without another master key: %v\n%s", err, out)
		}
		restart(nextMaster, "ESHIK_MASTER_KEY_FORMER=file:"+d.data+"/master.key")
		if out, err := d.as("administrator", "", "keys", "rotate", "master"); err != nil || !strings.HasPrefix(out, "Rewrapped: ") {
			t.Fatalf("rotated: %v\n%s", err, out)
		}
		restart(nextMaster)
		if status := d.json(http.MethodGet, "/v1/sign-ins", in.Access, nil, nil); status != http.StatusOK {
			t.Errorf("a request under the next master key: %d", status)
		}
		d.fsck()
		former := exec.CommandContext(t.Context(), binary, "keys", "list", "--data", d.data)
		former.Env = setup
		out, err := former.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "this is not the master key of this database") {
			t.Errorf("the former master key: %v\n%s", err, out)
		}
	})
}

// sealedAnew makes requests until everything is sealed by data key 2, and wants none refused.
func (d *door) sealedAnew(token string) {
	d.t.Helper()
	var requests, refused atomic.Int64
	stop := make(chan struct{})
	var apps sync.WaitGroup
	for range 2 {
		apps.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
				}
				requests.Add(1)
				if d.json(http.MethodGet, "/v1/sign-ins", token, nil, nil) != http.StatusOK {
					refused.Add(1)
				}
			}
		})
	}
	out := ""
	for until := time.Now().Add(2 * time.Minute); time.Now().Before(until); time.Sleep(time.Second) {
		var err error
		if out, err = d.run("keys", "list"); err != nil {
			d.t.Fatalf("the list: %v\n%s", err, out)
		}
		if strings.Contains(out, " seals ") && strings.Contains(out, "SEALED ANEW") && !strings.Contains(out, " no\n") && sealedByFirst(out) == "0" {
			break
		}
	}
	close(stop)
	apps.Wait()
	if sealedByFirst(out) != "0" || requests.Load() == 0 || refused.Load() != 0 {
		d.t.Fatalf("of %d requests %d were refused while the data key was rotated\n%s", requests.Load(), refused.Load(), out)
	}
}

// sealedByFirst is how many values data key 1 sealed, as the list says.
func sealedByFirst(list string) string {
	for line := range strings.Lines(list) {
		if cells := strings.Fields(line); len(cells) > 3 && cells[0] == "1" {
			return cells[3]
		}
	}
	return ""
}
