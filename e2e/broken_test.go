package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/platform/dialog/transcript"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// hangUp is the gateway's notice that the line broke.
func (c *call) hangUp() {
	c.d.t.Helper()
	c.d.post("/ussd/africastalking/end", url.Values{
		"sessionId": {c.id}, "phoneNumber": {c.phone}, "status": {"Incomplete"}, "input": {c.text},
	})
}

// TestBrokenLine: the line breaks in the middle of a conversation; on redial, and by SMS,
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
		d.both("clerk-bishkek", "", "staff", "release-number", bakyt)
		if _, first := d.ring(bakyt); strings.Contains(first, "Токтогон") || !strings.Contains(first, "Тил / Язык\n1") {
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

// slow makes the registers take that long, in milliseconds.
func (d *door) slow(delay int) {
	d.t.Helper()
	var faults map[string]map[string]any
	d.json(http.MethodGet, "/sandbox/faults", "", nil, &faults)
	for _, register := range []string{"safecity", "aimak"} {
		faults[register]["delay_ms"] = delay
	}
	d.json(http.MethodPut, "/sandbox/faults", "", faults, nil)
}

// TestOneMessageOfACertificate: it has a message of its own, and the answer to the
// step that ordered it comes by SMS too, where it was texted for or came late. The
// citizen gets one message, not two.
func TestOneMessageOfACertificate(t *testing.T) {
	t.Parallel()
	for name, order := range map[string]func(d *door){
		"texted": func(d *door) {
			d.replies(aigul, "МААЛЫМКАТ", "Маалымкаттар")
			d.replies(aigul, "1", "ПИН")
			d.replies(aigul, "11503198800011", "ID")
			d.replies(aigul, "ID1000001", "Жашаган жери")
			d.replies(aigul, "1", "ким жөнүндө")
			d.replies(aigul, "1", "Маалымкат даяр")
		},
		"late": func(d *door) {
			c, _ := d.dial(aigul)
			c.say("Маалымкаттар", "2")
			c.proves(c.say("", "1"), "11503198800011", "ID1000001")
			c.say("ким жөнүндө", "1")
			d.slow(1500)
			c.say("SMS", "1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, []string{"ESHIK_STEP_TIME=300ms"})
			token := d.signIn(aigul)
			proof := map[string]string{"personal_number": "11503198800011", "document_number": "ID1000001"}
			if status := d.json(http.MethodPost, "/v1/proofs", token, proof, nil); status != http.StatusNoContent {
				t.Fatalf("proof: %d", status)
			}
			d.replies(aigul, "салам", "Тил")
			d.replies(aigul, "1", "Эшик")
			order(d)
			number := transcript.Last(d.await(aigul, "Маалымкат даяр"), "{certificate}")
			time.Sleep(3 * time.Second) // a second message would come from the step or from its late answer
			d.replies(aigul, "ЖАРДАМ", "Эшик")
			n := 0
			for _, m := range d.inbox(aigul) {
				if strings.Contains(m.Text, number) {
					n++
				}
			}
			if number == "" || n != 1 {
				t.Errorf("the number %q came %d times: %+v", number, n, d.inbox(aigul))
			}
		})
	}
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

// TestUpgrade: a conversation begun on this build goes on in the next one; gone back to
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

// TestRedisIsLost: Redis is killed and comes back empty. Conversations begin and go on,
// look-ups over REST are answered, and the server says what is the matter.
func TestRedisIsLost(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	d := open(t, []string{"ESHIK_DATABASE=" + storetest.NewPostgres(t), "ESHIK_REDIS=redis://" + server.address})
	c, _ := d.dial(bakyt)
	c.say("Эшик", "1")
	server.kill()
	c.say("Эшик", "0") // its state is lost with Redis: it begins anew, politely
	again, _ := d.dial(bakyt)
	again.say("3 айып", "1", "01KG123ABC")
	if v := d.vehicle(d.token(elena), "01KG123ABC"); len(v.Fines) != 3 {
		t.Errorf("over REST: %+v", v)
	}
	if ready := d.ready(); !strings.Contains(ready, "ready") || !strings.Contains(ready, "Redis does not answer") {
		t.Errorf("without Redis the server says %q", ready)
	}
	d.kill() // it also starts without Redis
	again.say("Артка", "9")
	server.start()
	other, _ := d.dial(bakyt)
	other.say("3 айып", "1", "01KG123ABC")
}

// ready is what the operators' check says.
func (d *door) ready() string { d.t.Helper(); return d.operators("/readyz") }

// redisServer is a Redis of the test's own.
type redisServer struct {
	t       *testing.T
	address string
	command *exec.Cmd
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &redisServer{t: t, address: listener.Addr().String()}
	_ = listener.Close()
	r.start()
	t.Cleanup(r.kill)
	return r
}

func (r *redisServer) start() {
	r.t.Helper()
	program := os.Getenv("ESHIK_TEST_REDIS_SERVER")
	if program == "" {
		r.t.Fatal("ESHIK_TEST_REDIS_SERVER is not set: run the tests with `make test`")
	}
	_, port, _ := strings.Cut(r.address, ":")
	r.command = exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", r.t.TempDir())
	if err := r.command.Start(); err != nil {
		r.t.Fatal(err)
	}
	ours := fmt.Sprintf("process_id:%d\r", r.command.Process.Pid)
	client := redis.NewClient(&redis.Options{Addr: r.address})
	defer func() { _ = client.Close() }()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if info, err := client.Info(r.t.Context(), "server").Result(); err == nil && strings.Contains(info, ours) {
			return
		}
	}
	r.t.Fatal("Redis does not start")
}

func (r *redisServer) kill() {
	_ = r.command.Process.Kill() // it may be dead
	_ = r.command.Wait()
}
