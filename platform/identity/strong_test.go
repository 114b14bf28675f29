package identity_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// sims is a register of subscribers that counts what it is asked.
type sims struct {
	mu    sync.Mutex
	asked int
	sim   registry.SIM
	gone  bool // the number is unknown
	err   error
}

func (s *sims) Holder(context.Context, registry.Call, string, string) (registry.SIM, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.sim, !s.gone, s.err
}

// strong is a world where a register of subscribers is asked.
func newStrong(t *testing.T, db *store.DB) (*world, *sims) {
	t.Helper()
	w := newWorld(t, db)
	register := &sims{sim: registry.SIM{Held: true, ChangedAt: w.Now().Add(-73 * time.Hour)}}
	w.deps.Strong = []identity.Provider{identity.BySIM{Register: register}}
	w.rebuild()
	return w, register
}

// TestStepUp: only a number that is the person's, whose SIM card is not new, makes a weak
// proof strong; a register that does not answer makes nothing.
func TestStepUp(t *testing.T) {
	t.Parallel()
	old := -72 * time.Hour
	for name, c := range map[string]struct {
		held, gone bool
		changed    time.Duration // before the moment
		err        error
		key        string
	}{
		"held":            {held: true, changed: old},
		"a new card":      {held: true, changed: old + time.Second, key: "problem.level_sim_new"},
		"a card of later": {held: true, changed: time.Hour, key: "problem.level_sim_new"},
		"another's":       {changed: old, key: "problem.level_sim_other"},
		"unknown":         {gone: true, changed: old, key: "problem.level_sim_down"},
		"down":            {held: true, changed: old, err: errors.New("no answer"), key: "problem.level_sim_down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w, register := newStrong(t, db)
				if _, err := w.service.StepUp(t.Context(), w.by(aigul)); problem.From(err).Code != problem.Unproven {
					t.Errorf("before the proof: %v", err)
				}
				if got := w.prove(aigul); got.Level != caller.LevelWeak || register.asked != 0 {
					t.Fatalf("proved at %s, the register was asked %d times", got.Level, register.asked)
				}
				register.sim, register.gone, register.err = registry.SIM{Held: c.held, ChangedAt: w.Now().Add(c.changed)}, c.gone, c.err
				want := caller.LevelStrong
				_, err := w.service.StepUp(t.Context(), w.by(aigul))
				if c.key != "" {
					want = caller.LevelWeak
					if testworld.Refused(t, err, c.key); problem.From(err).Code != problem.Weak {
						t.Errorf("%v", err)
					}
				} else if err != nil {
					t.Error(err)
				}
				found, _, err := w.service.Proof(t.Context(), w.by(aigul))
				if w.OK(err); found.Level != want {
					t.Errorf("at %s, want %s", found.Level, want)
				}
				w.fsck(name)
			})
		})
	}
}

// TestAStrongProofIsAskedForOnce: who is proved strongly costs no question, and the register
// is not asked without end about who is not.
func TestAStrongProofIsAskedForOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, register := newStrong(t, db)
		w.prove(aigul)
		for range 3 {
			_, err := w.service.StepUp(t.Context(), w.by(aigul))
			w.OK(err)
		}
		if register.asked != 1 {
			t.Errorf("asked %d times", register.asked)
		}
		register.sim.Held = false
		w.prove(aigul) // again, by the numbers of the card: that takes nothing away
		citizen, err := w.service.StepUp(t.Context(), w.by(aigul))
		if w.OK(err); citizen.Level != caller.LevelStrong || register.asked != 1 {
			t.Errorf("proved again at the level %s, and asked %d times", citizen.Level, register.asked)
		}
		w.OK(w.service.Forget(t.Context(), w.by(aigul)))
		w.prove(aigul)
		for range 12 {
			_, err = w.service.StepUp(t.Context(), w.by(aigul))
		}
		if testworld.Refused(t, err, "problem.level_many"); register.asked != 11 {
			t.Errorf("asked %d times", register.asked)
		}
	})
}

// TestWithoutAProvider nobody is proved strongly, and the sentence says what to do.
func TestWithoutAProvider(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.prove(aigul)
		_, err := w.service.StepUp(t.Context(), w.by(aigul))
		testworld.Refused(t, err, "problem.level_strong")
	})
}

// TestHoldingAProofHoldsItsLevel: a weak proof holds nothing that needs a strong one.
func TestHoldingAProofHoldsItsLevel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, _ := newStrong(t, db)
		c := w.by(aigul)
		c.Subject, c.Level = w.prove(aigul).ID, caller.LevelStrong
		held := func() (held bool) {
			w.OK(db.InTx(t.Context(), func(tx *store.Tx) (err error) { held, err = w.service.HoldProof(t.Context(), tx, c); return err }))
			return held
		}
		if held() {
			t.Error("a weak proof is held as a strong one")
		}
		_, err := w.service.StepUp(t.Context(), c)
		if w.OK(err); !held() {
			t.Error("a strong proof is not held")
		}
		storetest.Planted(t, db, []storetest.Plant{{
			Name: "a level", Named: []string{"is of the level 2, the audit log says of 3"}, Statements: []string{"UPDATE identity_proofs SET level = 2"},
		}}, func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}

// TestTheDialogueStepsUp: in the middle of what needs it; who passes sees no screen more, who
// does not hears why, and passes later.
func TestTheDialogueStepsUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, register := newStrong(t, db)
		flow := dialog.Flow{
			Name:  "trial",
			Entry: dialog.Option{Label: dialog.Say("identity.again"), Next: dialog.Call(identity.NodeStrong, "trial.end")},
			Nodes: []dialog.Node{{ID: "trial.end", Show: func(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
				citizen, _, err := w.service.Proof(ctx, t.Caller)
				return dialog.Screen{Body: []dialog.Message{dialog.Raw("title", citizen.Level.String())}, End: true}, err
			}}},
		}
		register.err = errors.New("no answer")
		k := newDiallerOf(w, aigul, flow)
		k.dial()
		k.say("1", "код")
		k.say(w.code(aigul), "ПИН")
		k.say(aigulPIN, "ID-карты")
		k.say(aigulDocument, "не отвечает")
		k.say("9", "9 Ещё")
		k.say("9", "1 Повторить")
		register.err = nil
		k.say("1", "strong")
		again := newDiallerOf(w, aigul, flow)
		again.dial()
		again.say("1", "strong")
	})
}
