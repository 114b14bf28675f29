package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// hangUp is the gateway's notice that the line broke.
func (c *call) hangUp() {
	c.d.t.Helper()
	c.d.post("/ussd/africastalking/end", url.Values{
		"sessionId": {c.id}, "phoneNumber": {c.phone}, "status": {"Incomplete"}, "input": {c.text},
	})
}

// TestBrokenLine: the line breaks in the middle of a talk; on redial, and by SMS,
// it goes on where it was, and not for another holder of the number.
func TestBrokenLine(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		c, _ := d.dial(bakyt)
		c.say("Эшик", "1")
		c.say("3 айып", "1", "01KG123ABC")
		c.hangUp()
		again, question := d.ring(bakyt)
		if !strings.Contains(question, "Токтогон жериңизден") {
			t.Fatalf("after a break: %q", question)
		}
		again.say("01KG123ABC", "1")
		again.hangUp()
		d.text(bakyt, "салам", "Токтогон жериңизден")
		d.text(bakyt, "1", "01KG123ABC")
		if out, err := d.run("staff", "release-number", bakyt); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if _, first := d.ring(bakyt); strings.Contains(first, "Токтогон") || !strings.Contains(first, "Язык") {
			t.Errorf("the new holder of the number sees %q", first)
		}
	})
}

// TestSlowRegistry: the answer that takes too long for the screen comes by SMS,
// once, also when the process is killed while the registry thinks.
func TestSlowRegistry(t *testing.T) {
	t.Parallel()
	for name, killed := range map[string]bool{"plain": false, "killed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, []string{"ESHIK_STEP_TIME=300ms"})
			c, _ := d.dial(bakyt)
			c.say("Эшик", "1")
			d.slow(3000)
			screen := c.say("SMS", "1", "01KG123ABC")
			if !strings.HasPrefix(screen, "END ") || c.send() != screen {
				t.Errorf("the screen is %q", screen)
			}
			if killed {
				d.kill()
			}
			d.slow(0)
			d.await(bakyt, "01KG123ABC")
			time.Sleep(3 * time.Second) // a second message would come from the step that was slow
			n := 0
			for _, m := range d.inbox(bakyt) {
				if strings.Contains(m.Text, "01KG123ABC") {
					n++
				}
			}
			if n != 1 {
				t.Errorf("the answer came %d times", n)
			}
		})
	}
}

// slow makes the register of fines take that long, in milliseconds.
func (d *door) slow(delay int) {
	d.t.Helper()
	var faults map[string]map[string]any
	d.json(http.MethodGet, "/sandbox/faults", "", nil, &faults)
	faults["safecity"]["delay_ms"] = delay
	d.json(http.MethodPut, "/sandbox/faults", "", faults, nil)
}

// nextBinary is the program of the release to come: it writes states that this
// one does not understand.
var nextBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(binary), "eshik-next")
	out, err := exec.Command("go", "build", "-tags", "eshik_next", "-o", path, "../cmd/eshik").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// TestUpgrade: a talk begun on this build goes on in the next one; gone back to
// this build, it restarts and says why.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	next, err := nextBinary()
	if err != nil {
		t.Fatal(err)
	}
	redis := os.Getenv("ESHIK_TEST_REDIS")
	if redis == "" {
		t.Fatal("ESHIK_TEST_REDIS is not set: run the tests with `make test`")
	}
	setup := []string{"ESHIK_DATABASE=" + storetest.NewPostgres(t), "ESHIK_REDIS=redis://" + redis + "/2"}
	d := open(t, setup)
	c, _ := d.dial(bakyt)
	c.say("Эшик", "1")
	c.say("номер", "1")
	d.program = next
	d.kill()
	c.say("01KG123ABC", "01KG123ABC")
	d.program = binary
	d.kill()
	c.say("Кызмат жаңыртылды", "0")
	c.say("номер", "1")
}
