package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestAttackStrangersCannotLockAPhoneOut: whoever knows a number can ask for its
// codes over REST and guess them away. The phone itself, which the network
// vouches for on USSD, must still get in.
func TestAttackStrangersCannotLockAPhoneOut(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	for range 3 {
		d.json(http.MethodPost, "/v1/codes", "", map[string]string{"phone": bakyt}, nil)
		for i := range 6 {
			in := map[string]string{"phone": bakyt, "code": fmt.Sprintf("%06d", i)}
			d.json(http.MethodPost, "/v1/tokens", "", in, nil)
		}
	}
	c, _ := d.dial(bakyt)
	before := len(d.inbox(bakyt))
	if screen := c.say("", "1", "2", "1"); strings.Contains(screen, "10 мүнөт") || len(d.inbox(bakyt)) < before {
		t.Errorf("the phone's owner gets no code: %q", screen)
	}
}
