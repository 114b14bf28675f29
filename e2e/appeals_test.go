package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestAnAppealOutlivesAKill: the process is killed while the register is asked whose the fine is that
// a person just confirmed to appeal; the appeal is made once all the same, and its number comes by SMS.
func TestAnAppealOutlivesAKill(t *testing.T) {
	t.Parallel()
	d := open(t, nil)
	token := d.signIn(aigul)
	proveStrongly(t, d, token)
	c, _ := d.dial(aigul)
	c.say("Эшик", "1")
	c.proves(c.choose(c.say("01KG123ABC: 3", "1", "01KG123ABC"), "Чоо-жайы", ""), "11503198800011", "ID1000001")
	c.say("кайсы айып", "1")
	c.choose(c.say("Жол чырак", "2"), "Даттануу", "Эмне үчүн")
	c.say("жазыңыз", "4")
	asked := c.say("даттанасызбы", "Белги бактын артында калган")
	d.slow(15_000)
	if said := c.choose(asked, "Даттанам", "SMS"); !strings.HasPrefix(said, "END ") {
		t.Errorf("the screen is %q", said)
	}
	d.kill()
	d.slow(0)
	told := d.await(aigul, "даттануу")
	var made []struct{ Number, Ref, Text, State string }
	if status := d.json(http.MethodGet, "/v1/fines/appeals", token, nil, &made); status != http.StatusOK || len(made) != 1 {
		t.Fatalf("%d appeals are made (%d)", len(made), status)
	}
	if a := made[0]; !strings.Contains(told, a.Number) || a.Ref != "7900000000001" || a.Text != "Белги бактын артында калган" || a.State != "received" {
		t.Errorf("%+v, told %q", a, told)
	}
}
