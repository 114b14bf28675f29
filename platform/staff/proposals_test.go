package staff

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

const phone = "+996555000001"

// proposed is a clearing that dinara of the centre asks for.
func (w *world) proposed() Proposal {
	w.t.Helper()
	return w.propose("dinara", Request{
		Operation: "unblock", Reason: "case 7", Facts: "blocked", Offices: nil,
		Given: map[string]string{"phone": phone, "personal-number": "11503198800011"},
	})
}

func (w *world) propose(name string, r Request) Proposal {
	w.t.Helper()
	_, o := w.signIn(name)
	p, err := w.Propose(w.t.Context(), o, r)
	w.OK(err)
	return p
}

// do has an act's effect, which counts.
func (w *world) do(act Act, effects *atomic.Int64) error {
	return w.World.DB.InTx(w.t.Context(), func(tx *store.Tx) error {
		err := act.Record(w.t.Context(), tx)
		if err == nil {
			effects.Add(1)
		}
		return err
	})
}

// TestTwoPersons: what one proposes another approves, and it is done once, with both in the
// audit log; nothing that names a person is in a plain column.
func TestTwoPersons(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "dinara", "bolot")
		p := w.proposed()
		_, bolot := w.signIn("bolot")
		list, err := w.Proposals(t.Context(), bolot)
		if err != nil || len(list) != 1 || list[0].Given["phone"] != phone || list[0].ProposedBy.Login != "dinara" {
			t.Fatalf("waits: %+v %v", list, err)
		}
		var effects atomic.Int64
		act, err := w.Approve(t.Context(), bolot, list[0], "looked at the card", "blocked")
		w.OK(err)
		w.OK(w.do(act, &effects))
		if _, err := w.Proposal(t.Context(), bolot, p.ID); !errors.Is(err, ErrDecided) {
			t.Errorf("approved again: %v", err)
		}
		if err := w.do(act, &effects); !errors.Is(err, ErrDecided) || effects.Load() != 1 {
			t.Errorf("done again: %v, %d effects", err, effects.Load())
		}
		if w.recorded("staff.propose.unblock") != 1 || w.recorded("staff.approved.unblock") != 1 {
			t.Error("not recorded, or twice")
		}
		for _, secret := range []string{phone, "11503198800011"} {
			n := w.Number("SELECT COUNT(*) FROM audit_records WHERE actor || action || object || subject || purpose LIKE $1", "%"+secret[1:]+"%")
			if n != 0 {
				t.Errorf("%s is in the audit log", secret)
			}
		}
		if list, err := w.Proposals(t.Context(), bolot); err != nil || len(list) != 0 {
			t.Errorf("still waits: %+v %v", list, err)
		}
	})
}

// TestApprovedAtOnce: of many who approve and reject one proposal at the same moment, one
// decides, and there is one effect at most.
func TestApprovedAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "dinara", "bolot", "vera")
		p := w.proposed()
		_, bolot := w.signIn("bolot")
		_, vera := w.signIn("vera")
		var effects, decided atomic.Int64
		var all sync.WaitGroup
		for n := range 12 {
			o := bolot
			if n%2 == 0 {
				o = vera
			}
			all.Go(func() {
				act, err := w.Approve(context.Background(), o, p, "looked", "blocked")
				if err == nil {
					var done atomic.Int64
					err = w.do(act, &done)
				}
				switch {
				case err == nil:
					effects.Add(1)
				case errors.Is(err, ErrDecided):
					decided.Add(1)
				default:
					t.Errorf("approved: %v", err)
				}
			})
		}
		all.Wait()
		if effects.Load() != 1 || decided.Load() != 11 || w.recorded("staff.approved.unblock") != 1 {
			t.Errorf("%d effects, %d told that it is decided", effects.Load(), decided.Load())
		}
	})
}

// TestOneIsNotTwo: the same account, another account of the same person, one whose role or
// office may not, a proposer who was disabled, facts that changed, and too late.
func TestOneIsNotTwo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), "asel", "asel-too", "bolot", "k001", "root", "vera")
	p := w.propose("asel", Request{Operation: "unblock", Reason: "case 7", Facts: "blocked", Given: map[string]string{"phone": phone}})
	as := map[string]Officer{}
	for name := range w.keys {
		_, as[name] = w.signIn(name)
	}
	for name, want := range map[string]error{"asel": ErrSame, "asel-too": ErrSame, "bolot": nil, "vera": nil} {
		if _, err := w.Approve(t.Context(), as[name], p, "looked", "blocked"); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"k001", "root"} {
		if _, err := w.Proposal(t.Context(), as[name], p.ID); !errors.Is(err, ErrNoProposal) {
			t.Errorf("%s is shown it: %v", name, err)
		}
		var no Forbidden
		if _, err := w.Approve(t.Context(), as[name], p, "looked", "blocked"); !errors.As(err, &no) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Approve(t.Context(), as["bolot"], p, "looked", "cleared meanwhile"); !errors.Is(err, ErrFacts) {
		t.Errorf("facts that changed: %v", err)
	}
	late, err := w.Approve(t.Context(), as["bolot"], p, "looked", "blocked")
	w.OK(err)
	w.OK(w.Disable(t.Context(), w.By(as["root"], "disable", "case 8"), "asel"))
	if _, err := w.Approve(t.Context(), as["bolot"], p, "looked", "blocked"); !errors.Is(err, ErrProposer) {
		t.Errorf("of a disabled account: %v", err)
	}
	w.Pass(24*time.Hour + time.Minute)
	var effects atomic.Int64
	if err := w.do(late, &effects); !errors.Is(err, ErrDecided) || effects.Load() != 0 {
		t.Errorf("too late: %v", err)
	}
	if _, err := w.Proposal(t.Context(), as["bolot"], p.ID); !errors.Is(err, ErrExpired) {
		t.Errorf("expired: %v", err)
	}
}

// TestRejected: another person says no, or who proposed takes it back; then nobody approves.
func TestRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), "dinara", "bolot")
	_, bolot := w.signIn("bolot")
	for _, name := range []string{"bolot", "dinara"} {
		p := w.proposed()
		_, o := w.signIn(name)
		w.OK(w.Reject(t.Context(), o, p, "not the phone's holder"))
		var effects atomic.Int64
		act, err := w.Approve(t.Context(), bolot, p, "looked", "blocked")
		w.OK(err)
		if err := w.do(act, &effects); !errors.Is(err, ErrDecided) {
			t.Errorf("approved after %s rejected it: %v", name, err)
		}
	}
}

// TestAProposalIsSealed: what is approved is what was proposed, whoever writes to the
// database.
func TestAProposalIsSealed(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	w := newWorld(t, db, "dinara", "bolot")
	one, other := w.proposed(), w.proposed()
	_, bolot := w.signIn("bolot")
	_, err := db.Writer().ExecContext(t.Context(), "UPDATE staff_proposals SET sealed = (SELECT sealed FROM staff_proposals WHERE id = $1) WHERE id = $2", one.ID, other.ID)
	w.OK(err)
	if _, err := w.Proposal(t.Context(), bolot, other.ID); err == nil || errors.Is(err, ErrNoProposal) {
		t.Errorf("another's content: %v", err)
	}
}

// TestAProposalThatIsOpenedAgain: who puts a decided proposal back to what it was, or decides
// one, is named, also where it was decided anew meanwhile.
func TestAProposalThatIsOpenedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "dinara", "bolot")
		p, open := w.proposed(), w.proposed()
		_, bolot := w.signIn("bolot")
		w.OK(w.Reject(t.Context(), bolot, p, "not the phone's holder"))
		named := func(what, want string) {
			t.Helper()
			if err := w.compare(); err == nil || !strings.Contains(err.Error(), "the proposal "+want) {
				t.Errorf("%s: %q is not in %v", what, want, err)
			}
		}
		exec := func(query, id string) {
			t.Helper()
			_, err := db.Writer().ExecContext(t.Context(), query, id)
			w.OK(err)
		}
		w.OK(w.compare())
		exec("UPDATE staff_proposals SET outcome = 'rejected' WHERE id = $1", open.ID)
		named("decided by nobody", open.ID+" is rejected, the audit log says open")
		exec("UPDATE staff_proposals SET outcome = '' WHERE id = $1", open.ID)
		exec("UPDATE staff_proposals SET id = 'x' WHERE id = $1", open.ID)
		named("another name", "x")
		exec("UPDATE staff_proposals SET id = $1 WHERE id = 'x'", open.ID)
		exec("UPDATE staff_proposals SET outcome = '', decided_by = '', decided_at = NULL WHERE id = $1", p.ID)
		named("opened again", p.ID+" is open, the audit log says rejected")
		var effects atomic.Int64
		act, err := w.Approve(t.Context(), bolot, p, "looked", "blocked")
		w.OK(err)
		w.OK(w.do(act, &effects))
		named("approved after it was rejected", p.ID+" was rejected by the audit record ")
		exec("DELETE FROM staff_proposals WHERE id = $1", p.ID)
		named("gone", p.ID+", which was approved by the audit record ")
	})
}
