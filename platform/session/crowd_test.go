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

// marchers are a world with the turns that were answered, by their text.
type marchers struct {
	*world
	answered sync.Map
}

// In a crowd nobody ever sees another's screen. Half of the goroutines have a
// phone of their own; the others share one with a neighbour, both sending the
// same requests, as a gateway does that repeats itself.
func TestCrowd(t *testing.T) {
	t.Parallel()
	w := &marchers{world: newWorld(t, session.NewMemory())}
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
	// A request that came twice has the one effect of its turn.
	want := 0
	w.answered.Range(func(any, any) bool { want++; return true })
	if got := len(w.engine.effects); got != want || want < crowd*crowdTurns/2 {
		t.Errorf("%d turns had %d effects", want, got)
	}
}

// march takes the turns of one phone in sessions of a hundred turns.
func (w *marchers) march(t *testing.T, phone string) {
	for n := range crowdTurns {
		turn := w.turn(phone, phone[4:]+"/"+strconv.Itoa(n))
		turn.Session, turn.Cumulative, turn.ID = "gw/"+strconv.Itoa(n/100), false, strconv.Itoa(n)
		answer, err := w.Turn(t.Context(), turn)
		if err != nil {
			t.Error(err)
			return
		}
		if answer.Text == "dialog.session_over" { // the neighbour is in the next session already
			continue
		}
		w.answered.Store(turn.Text, true)
		// A late request gets the phone's newest screen; what is dialled is no answer.
		mark, said, _ := strings.Cut(answer.Text, " text=")
		if !strings.HasPrefix(mark, phone[len(phone)-1:]) || said != "" && !strings.HasPrefix(said, phone[4:]+"/") {
			t.Errorf("%s sent %q and saw %q", phone, turn.Text, answer.Text)
			return
		}
	}
}
