package session_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/eshik-kg/eshik/platform/session"
)

// How many take turns at once, and how many turns each.
const (
	crowd      = 64
	crowdTurns = 10_000
)

// In a crowd nobody ever sees another's screen. Half of the goroutines have a
// phone of their own; the others share one with a neighbour, both sending the
// same requests, as a gateway does that repeats itself.
func TestCrowd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.NewMemory())
	var all sync.WaitGroup
	for i := range crowd {
		number := i
		if i >= crowd/2 {
			number = i / 2 * 2
		}
		phone := "+99655510" + strconv.Itoa(1000 + number)[1:] + strconv.Itoa(number%10)
		all.Go(func() { w.march(t, phone) })
	}
	all.Wait()
	if len(w.engine.effects) > crowd*crowdTurns {
		t.Errorf("%d turns had %d effects", crowd*crowdTurns, len(w.engine.effects))
	}
}

// march takes the turns of one phone in sessions of a hundred turns.
func (w *world) march(t *testing.T, phone string) {
	mark := phone[len(phone)-1:]
	for n := range crowdTurns {
		turn := w.turn(phone, strconv.Itoa(n))
		turn.Session, turn.Cumulative, turn.ID = "gw/"+strconv.Itoa(n/100), false, strconv.Itoa(n)
		answer, err := w.Turn(t.Context(), turn)
		if err != nil {
			t.Error(err)
			return
		}
		late := answer.Text == "dialog.session_over" // the neighbour is in the next session already
		if !late && !strings.HasPrefix(answer.Text, mark) {
			t.Errorf("%s saw %q", phone, answer.Text)
			return
		}
	}
}
