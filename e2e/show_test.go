package e2e

import (
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	payCode    = regexp.MustCompile(`коду: (\d{9,10})`)
	registered = regexp.MustCompile(`№([0-9 -]{4,})`)
	doubted    = regexp.MustCompile(`(?m)^(\S+)\s+(\d+)\s+fine\s`)
)

// between runs after every step: in one test it does nothing, in the other it
// kills the server.
type between func(d *door)

func TestShow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) { show(d, func(*door) {}) })
}

func TestShowKilledBetweenSteps(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) { show(d, (*door).kill) })
}

// show is the whole mission as one story.
func show(d *door, then between) {
	d.t.Helper()
	first, _ := d.dial(aigul)
	first.say("Айып пулдар", "1")
	then(d)
	payFirstFine(d, then)
	then(d)
	number, _ := issueOverREST(d)
	then(d)
	verifyEverywhere(d, number)
	then(d)
	queueEverywhere(d, registerOverUSSD(d), then)
	usageShows(d)
	d.fsck()
}

// payFirstFine pays one of three fines; it is gone on every channel.
func payFirstFine(d *door, then between) {
	d.t.Helper()
	c, screen := d.dial(aigul)
	c.choose(screen, "Айып пулдар", "01KG123ABC")
	screen = c.say("3 айып", "01kg123авс") // Cyrillic look-alikes
	if retry := c.send(); retry != screen {
		d.t.Fatalf("a gateway's retry got another screen: %q, then %q", screen, retry)
	}
	screen = c.choose(screen, "1 500 с.", "Төлөө")
	screen = c.choose(screen, "Төлөө", "Төлөм коду")
	if retry := c.send(); retry != screen {
		d.t.Fatalf("a retried confirmation got another screen: %q, then %q", screen, retry)
	}
	code := payCode.FindStringSubmatch(screen)
	if code == nil {
		d.t.Fatalf("no payment code: %q", screen)
	}
	then(d)
	if p := d.wallet(code[1]); p.Result != 0 {
		d.t.Fatalf("the wallet could not pay: %+v", p)
	}
	then(d)
	d.receipt(aigul, "1 500 сом")
	then(d)
	c, screen = d.dial(aigul)
	c.choose(screen, "Айып пулдар", "01KG123ABC")
	c.say("2 айып", "01KG123ABC")
	d.text(aigul, "айып 01kg123abc", "2 айып")
	if v := d.vehicle(d.signIn(aigul), "01KG123ABC"); !v.Registered || len(v.Fines) != 2 {
		d.t.Fatalf("over REST: %+v", v)
	}
}

// receipt waits until a citizen has the receipt for a sum. Of a server that was killed
// between the register's taking the payment and its saying so nobody can tell whose the
// payment is (fine.Biller): the citizen is told so, and a clerk ends the doubt.
func (d *door) receipt(phone, sum string) {
	d.t.Helper()
	d.until("the payment is settled or in doubt", func() bool {
		return slices.ContainsFunc(d.inbox(phone), func(m message) bool {
			return strings.Contains(m.Text, "Төлөндү: "+sum) || strings.Contains(m.Text, "Төлөм текшерилүүдө: "+sum)
		})
	})
	out := d.staff("suspense")
	if found := doubted.FindStringSubmatch(out); found != nil {
		d.both("operator", "", "staff", "decide", found[1], found[2], "--settled", "--reference", "14-2/77")
	}
	d.await(phone, "Төлөндү: "+sum)
}

// A server killed between the register's taking a payment and its saying so leaves a doubt
// that the citizen hears of and a clerk ends.
func TestKilledBeforeTheRegisterAnswers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		_, code := d.quoted(elena, "7900000000003")
		d.faults(map[string]any{"delay_ms": 4000})
		d.pay(code)
		db := d.sql()
		d.until("the register is asked for the price", func() bool {
			return counted(t, db, "SELECT COUNT(*) FROM payments WHERE trying = TRUE") == 1
		})
		// Which answers are lost is settled when the question comes: the one for the price, which
		// follows at once, has to be there before, and the payment, 4 s later, not yet.
		time.Sleep(1500 * time.Millisecond)
		d.faults(map[string]any{"lose_answers": -1})
		d.until("the payment has left", func() bool {
			return counted(t, db, "SELECT COUNT(*) FROM payment_lines WHERE sent = TRUE") == 1
		})
		d.kill() // the sandbox's knobs go back to none with it
		d.receipt(elena, "1 000 сом")
		d.await(elena, "Төлөм текшерилүүдө: 1 000 сом")
		d.fsck()
	})
}

// vehicle is what REST says of a plate.
type vehicle struct {
	Registered bool
	Total      int64
	Fines      []struct {
		Ref string
		Due int64
	}
}

func (d *door) vehicle(token, plate string) (v vehicle) {
	d.t.Helper()
	if status := d.json(http.MethodGet, "/v1/fines?plate="+url.QueryEscape(plate), token, nil, &v); status != http.StatusOK {
		d.t.Fatalf("fines: %d", status)
	}
	return v
}

// appOfAigul gives the token of an app in which Айгүл proved who she is.
func appOfAigul(d *door) (token string) {
	d.t.Helper()
	token = d.signIn(aigul)
	proof := map[string]string{"personal_number": "11503198800011", "document_number": "ID1000001"}
	if status := d.json(http.MethodPost, "/v1/proofs", token, proof, nil); status != http.StatusNoContent {
		d.t.Fatalf("proofs: %d", status)
	}
	return token
}

func issueOverREST(d *door) (number, code string) {
	d.t.Helper()
	token := appOfAigul(d)
	var issued, again struct{ Number string }
	for _, out := range []any{&issued, &again} {
		status := d.json(http.MethodPost, "/v1/certificates", token, map[string]string{"kind": "RESIDENCE"}, out, "Idempotency-Key", "show-certificate-1")
		if status != http.StatusCreated {
			d.t.Fatalf("certificates: %d", status)
		}
	}
	if issued.Number == "" || issued != again {
		d.t.Fatalf("one key, two certificates: %+v, %+v", issued, again)
	}
	d.await(aigul, issued.Number)
	var pdf []byte
	status := d.json(http.MethodGet, "/v1/certificates/"+url.PathEscape(issued.Number)+"/document", token, nil, &pdf)
	if status != http.StatusOK || !strings.HasPrefix(string(pdf), "%PDF-") {
		d.t.Fatalf("document: %d, %d bytes", status, len(pdf))
	}
	return issued.Number, readByCode(d, pdf)
}

// verifyEverywhere asks for the number as somebody else, on every channel.
func verifyEverywhere(d *door, number string) {
	d.t.Helper()
	c, screen := d.dial(bakyt)
	if strings.Contains(screen, "Тил / Язык\n1") {
		screen = c.say("Эшик", "1")
	}
	screen = c.choose(screen, "Маалымкат", "Текшерүү")
	c.choose(screen, "Текшерүү", "номерин")
	c.say("Жарактуу", number)
	d.text(bakyt, "текшер "+number, "Жарактуу")
	var v struct {
		Status, Initials, Notice string
		TextChecked              bool       `json:"text_checked"`
		SignedText               []struct{} `json:"signed_text"`
	}
	if status := d.json(http.MethodGet, "/v1/verifications/"+url.PathEscape(number), "", nil, &v); status != http.StatusOK || v.Status != "valid" ||
		v.TextChecked || v.Notice == "" || v.SignedText != nil { // S1: the number cannot tell
		d.t.Fatalf("over REST: %d %+v", status, v)
	}
	var html []byte
	if d.json(http.MethodGet, "/verify/"+url.PathEscape(number)+"?lang=ru", "", nil, &html) != http.StatusOK || !strings.Contains(string(html), v.Initials) ||
		!strings.Contains(string(html), "Номер не показывает, изменён ли текст документа") {
		d.t.Fatalf("the page does not show %q: %s", v.Initials, html)
	}
}

// registerOverUSSD registers Айгүл's child; the code of the REST step holds, its proof does not.
func registerOverUSSD(d *door) string {
	d.t.Helper()
	c, screen := d.dial(aigul)
	screen = c.choose(screen, "Бала бакча", "Баланы каттоо")
	screen = c.proves(c.choose(screen, "Баланы каттоо", ""), "11503198800011", "ID1000001")
	screen = c.choose(screen, "Нурай", "Район")
	c.choose(screen, "Ленин", "(1/3)")
	screen = c.say("Дагы кошуу", "1")
	screen = c.choose(screen, "Дагы кошуу", "")
	c.choose(screen, "Ленин", "(2/3)")
	screen = c.say("Дагы кошуу", "2")
	screen = c.choose(screen, "Ырастоо", "Катталды")
	number := registered.FindStringSubmatch(screen)
	if number == nil {
		d.t.Fatalf("no registration number: %q", screen)
	}
	d.await(aigul, "КЕЗЕК")
	return strings.TrimSpace(number[1])
}

type position struct {
	Number, State string
	Places        []struct {
		Kindergarten string
		Position     int
	}
}

func (d *door) position(number string) (p position) {
	d.t.Helper()
	if status := d.json(http.MethodGet, "/v1/preschool/registrations/"+url.PathEscape(number), "", nil, &p); status != http.StatusOK {
		d.t.Fatalf("position: %d", status)
	}
	return p
}

var placeLine = regexp.MustCompile(`(?m): (\d+)$`)

// queueEverywhere reads the position on every channel, then answers an offer.
func queueEverywhere(d *door, number string, then between) {
	d.t.Helper()
	p := d.position(number)
	if len(p.Places) != 2 || p.Places[0].Position < 1 {
		d.t.Fatalf("position: %+v", p)
	}
	then(d)
	answer := d.text(aigul, "кезек "+number, "Кезектеги орду:")
	c, screen := d.dial(aigul)
	screen = c.choose(screen, "Бала бакча", "орду")
	c.choose(screen, "Кезектеги", "номерди")
	for _, shown := range []string{answer, c.say("Кезектеги орду:", number)} {
		if got := placeLine.FindStringSubmatch(shown); got == nil || got[1] != itoa(p.Places[0].Position) {
			d.t.Fatalf("REST says %d, another channel %q", p.Places[0].Position, shown)
		}
	}
	then(d)
	d.offer(number, p)
	d.await(aigul, "Жооп: КЕЗЕК")
	then(d)
	c, screen = d.dial(aigul)
	screen = c.choose(screen, "Бала бакча", "орун")
	screen = c.choose(screen, "Сунушталган", "№1")
	screen = c.choose(screen, "№1", "мөөнөтү")
	screen = c.choose(screen, "Кабыл алуу", "аласызбы")
	c.choose(screen, "Ырастоо", "кабыл алынды")
	if p := d.position(number); p.State != "placed" {
		d.t.Fatalf("after accepting: %+v", p)
	}
}

// usageShows: a dozen look-ups are published, a single step is suppressed.
func usageShows(d *door) {
	d.t.Helper()
	for range 12 {
		c, _ := d.dial(elena)
		c.say("", "2")
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		var csv []byte
		d.json(http.MethodGet, "/v1/statistics/usage.csv", "", nil, &csv)
		if regexp.MustCompile(`door,ussd,done,\d\d`).Match(csv) && strings.Contains(string(csv), ",<10") &&
			strings.Contains(string(csv), "fine,") && strings.Contains(string(csv), "preschool,") {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("the figures do not show what happened:\n%s", csv)
		}
	}
}

// run runs a command of the binary beside the server, on its database.
func (d *door) run(args ...string) (string, error) {
	d.t.Helper()
	return d.runWith("", args...)
}

// runWith runs a command of the binary, which is told something when it asks.
func (d *door) runWith(says string, args ...string) (string, error) {
	d.t.Helper()
	command := d.command(args...)
	command.Stdin = strings.NewReader(says)
	out, err := command.CombinedOutput()
	return string(out), err
}

// command is the program beside the server.
func (d *door) command(args ...string) *exec.Cmd {
	command := exec.CommandContext(d.t.Context(), binary, append(args, "--data", d.data)...)
	command.Env = d.setup
	return command
}

// offer has an operator offer a place in the kindergarten of the first choice.
func (d *door) offer(number string, p position) {
	d.t.Helper()
	garden := p.Places[0].Kindergarten
	out, err := d.as("operator", "", "staff", "offer", "--registration", number, "--kindergarten", garden)
	if err == nil || !strings.Contains(out, "problem.preschool_turn: ") {
		d.t.Fatalf("offered before its turn: %v\n%s", err, out)
	}
	out = d.offers("--registration", number, "--kindergarten", garden)
	if !regexp.MustCompile(`\(` + garden + `\), registration ` + number + `, to be answered by \d\d\.\d\d\.\d{4}\.`).MatchString(out) {
		d.t.Fatalf("offer: %s", out)
	}
	out, err = d.as("operator", "", "staff", "offer", "--out-of-turn", "--registration", number, "--kindergarten", garden)
	if err == nil || !strings.Contains(out, "problem.preschool_not_waiting: The child has an offer or a place already.") {
		d.t.Fatalf("offered twice: %v\n%s", err, out)
	}
}

// fsck checks ledger and audit log.
func (d *door) fsck() {
	d.t.Helper()
	if out, err := d.run("fsck"); err != nil || !strings.Contains(out, "balances") {
		d.t.Fatalf("fsck: %v\n%s", err, out)
	}
}

// TestOneFineTwoChannels pays one fine at once by two codes, one made over USSD
// and one over REST: it is settled once, and money is taken once.
func TestOneFineTwoChannels(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		token := d.signIn(elena)
		fines := d.vehicle(token, "B1234AB")
		if len(fines.Fines) != 1 {
			t.Fatalf("fines: %+v", fines)
		}
		var p struct{ ID, Code string }
		in := map[string]any{"service": "fine", "refs": []string{fines.Fines[0].Ref}}
		if status := d.json(http.MethodPost, "/v1/payments", token, in, &p); status != http.StatusCreated {
			t.Fatalf("payments: %d", status)
		}
		if status := d.json(http.MethodPut, "/v1/payments/"+p.ID+"/confirmation", token, nil, &p); status != http.StatusOK {
			t.Fatalf("confirmation: %d", status)
		}
		c, _ := d.dial(bakyt)
		screen := c.say("Айып пулдар", "1")
		c.choose(screen, "Айып пулдар", "01KG123ABC")
		screen = c.say("1 айып", "B1234AB")
		screen = c.choose(screen, " с.", "Төлөө")
		code := payCode.FindStringSubmatch(c.choose(screen, "Төлөө", "Төлөм коду"))

		results := make([]paid, 2)
		var both sync.WaitGroup
		for i, code := range []string{p.Code, code[1]} {
			both.Go(func() { results[i] = d.wallet(code) })
		}
		both.Wait()
		taken := 0
		for _, r := range results {
			if r.Result == 0 && r.State == "paid" {
				taken++
			}
		}
		if taken != 1 {
			t.Fatalf("money was taken %d times: %+v", taken, results)
		}
		for deadline := time.Now().Add(20 * time.Second); len(d.vehicle(token, "B1234AB").Fines) > 0; time.Sleep(300 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the fine was not settled")
			}
		}
		d.fsck()
	})
}

// TestNothingLeaks walks the identified flows and looks for what must not be in
// the log or the metrics.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		issueOverREST(d)
		metrics := d.metrics()
		codes := []string{"11503198800011", "ID1000001", aigul, "996555000001"}
		for _, m := range d.inbox(aigul) {
			codes = append(codes, sixDigits.FindAllString(m.Text, -1)...)
		}
		for _, secret := range codes {
			if strings.Contains(d.stderr.String(), secret) || strings.Contains(metrics, secret) {
				t.Errorf("%q leaked", secret)
			}
		}
		if !strings.Contains(metrics, "eshik_http_request_seconds") {
			t.Error("the metrics say nothing about requests")
		}
	})
}
