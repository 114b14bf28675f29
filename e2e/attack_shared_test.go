package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAttackAnotherIsProvedMeanwhile: while a screen names one person, an app on the same
// number proves another. The call goes on with its own: nothing is done for the other, and nothing
// of theirs is shown.
func TestAttackAnotherIsProvedMeanwhile(t *testing.T) {
	t.Parallel()
	d, shared := embedded(t), elena
	token := d.signIn(shared)
	c, screen := d.dial(shared)
	c.choose(screen, "Кыргызча", "Кабинет")
	proves := func(number, card string) {
		t.Helper()
		in := map[string]string{"personal_number": number, "document_number": card}
		if status := d.json(http.MethodPost, "/v1/proofs", token, in, nil); status != http.StatusNoContent {
			t.Fatalf("proofs: %d", status)
		}
	}
	for _, way := range []struct{ menu, first, chosen string }{
		{"Маалымкат", "Алуу", "ашаган"},
		{"Кабинет", "Өчүрүү", "өчүрүлсүн"},
	} {
		c, screen := d.dial(shared)
		screen = c.choose(screen, way.menu, "")
		screen = c.proves(c.choose(screen, way.first, ""), "10112199200033", "ID1000003")
		for !strings.Contains(screen, "Елена") && strings.Contains(screen, "\n9 ") {
			screen = c.say("", "9")
		}
		if !strings.Contains(screen, "Елена") {
			t.Fatalf("%q names nobody", screen)
		}
		proves("11503198800011", "ID1000001")
		if screen = c.choose(screen, way.chosen, ""); strings.Contains(screen, "Айгүл") || strings.Contains(screen, "Нурай") {
			t.Errorf("%q is of whom an app proved", screen)
		}
	}
	people, count := 0, 0
	row := d.sql().Reader().QueryRowContext(t.Context(),
		"SELECT COUNT(DISTINCT citizen_id), COUNT(*) FROM (SELECT citizen_id FROM certificates UNION ALL SELECT citizen_id FROM owndata_erasures) AS done")
	if err := row.Scan(&people, &count); err != nil || people != 1 || count == 0 {
		t.Errorf("%d certificates and erasures of %d people, %v", count, people, err)
	}
	d.fsck()
}

// slowly is how long the registers think in the tests of what changes meanwhile, in
// milliseconds: less than we wait for them, and more than two commands of staff take.
const slowly = 7000

// TestAttackANumberChangesHandsMeanwhile: an app, a text and a dialling phone wait for a
// register when the number is given to somebody else. Nothing that they asked is done for the
// next holder, or told to them.
func TestAttackANumberChangesHandsMeanwhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		token := d.signIn(elena)
		var car struct{ Fines []struct{ Ref string } }
		d.json(http.MethodGet, "/v1/fines?plate=B1234AB", token, nil, &car)
		if len(car.Fines) == 0 {
			t.Fatal("there is nothing to pay")
		}
		out, err := d.as("clerk-bishkek", "", "staff", "release-number", elena)
		found := proposal.FindStringSubmatch(out)
		if err != nil || found == nil {
			t.Fatalf("%v\n%s", err, out)
		}
		d.sits("inspector")
		d.slow(slowly)
		status := make(chan int)
		go func() {
			in := map[string]any{"service": "fine", "refs": []string{car.Fines[0].Ref}}
			status <- d.json(http.MethodPost, "/v1/payments", token, in, nil)
		}()
		d.json(http.MethodPost, "/sandbox/sms", "", map[string]string{"from": elena, "to": "1414", "text": "ШТРАФ B1234AB"}, nil)
		time.Sleep(time.Second) // both ask by now; where they do not, they are refused all the more
		if out, err := d.as("inspector", "", "staff", "approve", found[1]); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		released := time.Now()
		if got := <-status; got != http.StatusUnauthorized {
			t.Errorf("the former holder's app is answered %d", got)
		}
		time.Sleep(time.Until(released.Add(slowly*time.Millisecond + 2*time.Second)))
		d.slow(0)
		var payments []struct{ ID string }
		if d.json(http.MethodGet, "/v1/payments", d.signIn(elena), nil, &payments); len(payments) != 0 {
			t.Errorf("the next holder sees %+v", payments)
		}
		for _, m := range d.inbox(elena) {
			if strings.Contains(m.Text, "B1234AB") {
				t.Errorf("the next holder is told %q", m.Text)
			}
		}
		d.fsck()
	})
}

// TestAttackThePhoneForgetsMeanwhile: who shares the phone has it forget the person, whose
// fines are being asked for. They come neither to the screen nor behind it.
func TestAttackThePhoneForgetsMeanwhile(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	token := d.signIn(aigul)
	prove(t, d, token)
	c, screen := d.dial(aigul)
	screen = c.choose(screen, "Кыргызча", "")
	c.choose(screen, "Айып пулдар", "")
	c.proves(c.choose(c.say("", "01KG123ABC"), "Чоо-жайы", ""), "11503198800011", "ID1000001")
	c.choose(c.say("", "0"), "Айып пулдар", "")
	screen = c.say("", "01KG123ABC")
	d.slow(slowly)
	c.choose(screen, "Чоо-жайы", "SMS")
	d.text(aigul, "чыгуу", "эстебейт")
	d.await(aigul, "Жооп жөнөтүлгөн жок")
	for _, m := range d.inbox(aigul) {
		if strings.Contains(m.Text, "Жибек Жолу") || strings.Contains(m.Text, "көчөсү") {
			t.Errorf("the phone is told %q", m.Text)
		}
	}
}
