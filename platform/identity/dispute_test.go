package identity_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// returns notes who is told in whose place, and where somebody was proved strongly.
type returns struct{ moved, strong, forgot []string }

func (r *returns) Forgets(_ context.Context, _ *store.Tx, phone string, _ time.Time) error {
	r.forgot = append(r.forgot, phone)
	return nil
}

func (r *returns) ProvedStrongly(_ context.Context, _ *store.Tx, c caller.Caller) error {
	r.strong = append(r.strong, c.Subject+" "+c.Phone)
	return nil
}

func (*returns) CutPhone(context.Context, *store.Tx, string, time.Time) error { return nil }

func (r *returns) CutPerson(_ context.Context, _ *store.Tx, _, from, to string, _ time.Time) error {
	r.moved = append(r.moved, from+">"+to)
	return nil
}

// TestF1EitherPhoneMayUndo: a stranger who proves first, with a card that was printed,
// gains little by the word: it cuts the stranger off as well, whose phone is at most told
// until an operator clears the other, which has the last word.
func TestF1EitherPhoneMayUndo(t *testing.T) {
	for name, says := range map[string]string{"the owner": aigul, "the thief": second} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) { disputes(t, db, says) })
		})
	}
}

func disputes(t *testing.T, db *store.DB, says string) {
	const thief, owner = second, aigul
	w, tie := newWorld(t, db), &returns{}
	w.service.Tie(tie)
	thiefs, owners := w.token(thief), w.token(owner)
	w.prove(thief)
	w.Pass(time.Minute)
	w.prove(owner)
	if a, b := len(w.notices(owner)), len(w.notices(thief)); a != 1 || b != 1 {
		t.Fatalf("told: the owner %d, the thief %d times", a, b)
	}
	if got := w.undo(says, ""); got != identity.UndoDone {
		t.Fatalf("undone: %s", got)
	}
	for who, token := range map[string]identity.Tokens{thief: thiefs, owner: owners} {
		_, err := w.service.Authenticate(t.Context(), token.Access)
		w.refused(err, "token")
		if w.proved(who) {
			t.Errorf("%s is still proved", who)
		}
	}
	other := map[string]string{owner: thief, thief: owner}[says]
	if !slices.Equal(tie.moved, []string{other + ">"}) { // neither proved more than the card's numbers
		t.Errorf("told in whose place: %v", tie.moved)
	}
	for _, phone := range []string{thief, owner, third} { // nor a further phone of either
		w.verify(phone)
		_, err := w.service.Prove(t.Context(), w.by(phone), aigulPIN, aigulDocument)
		w.refused(err, "blocked")
		if got := w.undo(phone, ""); got != identity.UndoAlready && phone != third {
			t.Errorf("%s: again: %s", phone, got)
		}
	}
	clears(t, w, tie, thief, owner)
}

// clears has an operator end the dispute for the owner.
func clears(t *testing.T, w *world, tie *returns, thief, owner string) {
	t.Helper()
	list, err := w.service.Disputes(t.Context())
	if err != nil || len(list) != 2 || list[0].Person != list[1].Person || list[0].Phone == "" {
		t.Fatalf("the disputes: %+v, %v", list, err)
	}
	tie.moved = nil
	if err := w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, third, aigulPIN); !errors.Is(err, identity.ErrNoDispute) {
		t.Errorf("a phone in no dispute: %v", err)
	}
	w.OK(w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, owner, aigulPIN))
	if !slices.Equal(tie.moved, []string{thief + ">" + owner}) {
		t.Errorf("given back: %v", tie.moved)
	}
	for phone, want := range map[string]string{owner: "проверил ваш телефон", thief: "проверил другой телефон (…" + owner[9:] + ")", third: ""} {
		if told := w.toldCleared(phone); (len(told) == 1) != (want != "") || want != "" && !strings.Contains(told[0], want) {
			t.Errorf("%s is told of the clearing: %q", phone, told)
		}
	}
	if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'identity.unblock' AND actor = 'officer'"); n != 1 {
		t.Errorf("%d audit records", n)
	}
	before, told := len(w.notices(thief)), len(w.notices(owner))
	w.Pass(identity.CodesPer)
	w.prove(owner)
	if len(w.notices(owner)) != told {
		t.Error("the cleared phone is told of one that is shut out already")
	}
	w.Pass(identity.DisputeLasts) // the thief's block is over
	w.prove(thief)
	if got := w.undo(thief, ""); got == identity.UndoDone || len(w.notices(thief)) != before {
		t.Errorf("the thief may undo a cleared phone: %s", got)
	}
	w.prove(owner)
	if got := w.undo(owner, ""); got != identity.UndoOthers || w.proved(thief) || !w.proved(owner) {
		t.Errorf("the cleared phone's word: %s, the thief is proved: %v, the owner: %v", got, w.proved(thief), w.proved(owner))
	}
}

// Of a dispute hears who has the right document in hand: with the personal number alone it
// looks like any other wrong guess.
func TestADisputeIsToldToNoStranger(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for _, phone := range []string{aigul, second} {
			w.prove(phone)
			w.Pass(identity.CodesPer)
		}
		if got := w.undo(aigul, ""); got != identity.UndoDone {
			t.Fatalf("undone: %s", got)
		}
		for _, phone := range []string{bakyt, second} {
			w.verify(phone)
			_, err := w.service.Prove(t.Context(), w.by(phone), aigulPIN, bakytDocument)
			w.refused(err, "no_match")
			_, err = w.service.Prove(t.Context(), w.by(phone), aigulPIN, aigulDocument)
			w.refused(err, "blocked")
		}
		if n := w.Number("SELECT COUNT(*) FROM identity_attempts WHERE pin_sealed IS NOT NULL AND LENGTH(pin_sealed) > 0"); n != 0 {
			t.Errorf("%d attempts keep a number", n)
		}
	})
}

// toldCleared are the messages to a phone about one that an operator cleared.
func (w *world) toldCleared(phone string) (texts []string) {
	w.T.Helper()
	sent, err := w.Outbox.List(w.T.Context(), phone)
	w.OK(err)
	for _, m := range sent {
		if strings.Contains(m.Text, "оператор проверил") {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// proveHim proves Бакыт on a phone that is not his.
func (w *world) proveHim(phone string) {
	w.T.Helper()
	w.verify(phone)
	_, err := w.service.Prove(w.T.Context(), w.by(phone), bakytPIN, bakytDocument)
	w.OK(err)
}

// TestAPhoneIsClearedForOnePerson: a thief whose phone is disputed about his victim and about
// himself, and who shows his own card, is cleared for himself.
func TestAPhoneIsClearedForOnePerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		const thief = second
		w.prove(aigul)
		w.proveHim(third)
		w.Pass(identity.CodesPer)
		w.prove(thief)
		w.proveHim(thief)
		for _, phone := range []string{aigul, third} {
			if got := w.undo(phone, ""); got != identity.UndoDone {
				t.Fatalf("undone: %s", got)
			}
		}
		for pin, want := range map[string]error{"": identity.ErrNoPersonalNumber, "12912199900099": identity.ErrNoDispute} {
			if err := w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, thief, pin); !errors.Is(err, want) {
				t.Errorf("with the number %q: %v", pin, err)
			}
		}
		w.OK(w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, thief, bakytPIN+"\n"))
		if told := w.toldCleared(aigul); len(told) != 0 {
			t.Errorf("the victim is told %q", told)
		}
		if told := w.toldCleared(third); len(told) != 1 {
			t.Errorf("his other phone is told %q", told)
		}
		w.Pass(identity.CodesPer)
		w.verify(thief)
		_, err := w.service.Prove(t.Context(), w.by(thief), aigulPIN, aigulDocument)
		w.refused(err, "blocked")
		w.proveHim(thief)
		w.fsck("cleared for himself")
	})
}

// TestClearedPhonesAccuseEachOther: one of the two operators was deceived. Both phones are
// shut out, whose word it is hears so, and operators see both.
func TestClearedPhonesAccuseEachOther(t *testing.T) {
	t.Parallel()
	for name, numbered := range map[string]bool{"without a number": false, "with its number": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) { clearedBoth(t, db, numbered) })
		})
	}
}

// clearTwo has two phones accuse each other, an operator clear both for Айгүл, and both be
// proved again.
func (w *world) clearTwo() {
	w.T.Helper()
	w.prove(aigul)
	w.Pass(identity.CodesPer)
	w.prove(second)
	w.undo(aigul, "")
	for _, phone := range []string{aigul, second} {
		w.OK(w.service.Unblock(w.T.Context(), staff.Act{Actor: "officer"}, phone, aigulPIN))
	}
	w.Pass(identity.CodesPer)
	w.prove(aigul)
	w.prove(second)
}

func clearedBoth(t *testing.T, db *store.DB, numbered bool) {
	t.Helper()
	w, tie := newWorld(t, db), &returns{}
	w.service.Tie(tie)
	w.clearTwo()
	typed := ""
	if numbered {
		typed = noticeNumber.FindStringSubmatch(w.notices(aigul)[0])[1]
	}
	w.prove(third)
	tie.moved = nil
	if got := w.undo(aigul, typed); got != identity.UndoBoth {
		t.Fatalf("undone: %s", got)
	}
	for _, phone := range []string{aigul, second, third} {
		if w.proved(phone) {
			t.Errorf("%s is still proved", phone)
		}
	}
	if !slices.Equal(tie.moved, []string{second + ">", third + ">"}) {
		t.Errorf("told in whose place: %v", tie.moved)
	}
	if list, err := w.service.Disputes(t.Context()); err != nil || len(list) != 3 {
		t.Errorf("the disputes: %+v, %v", list, err)
	}
	w.fsck("undone")
	w.OK(w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, second, aigulPIN))
	w.Pass(identity.CodesPer)
	w.prove(second)
	w.verify(aigul)
	_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
	w.refused(err, "blocked")
	w.fsck("cleared again")
}

// TestAClearedPhoneStaysOpenToItsOther: the word against a phone that nobody cleared leaves
// another cleared one alone, and that one's notice open.
func TestAClearedPhoneStaysOpenToItsOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.clearTwo()
		ofSecond := noticeNumber.FindStringSubmatch(w.notices(aigul)[0])[1]
		w.Pass(time.Minute)
		w.prove(third)
		ofThird := noticeNumber.FindStringSubmatch(w.notices(aigul)[0])[1]
		if got := w.undo(aigul, ofThird); got != identity.UndoOthers || w.proved(third) || !w.proved(second) || !w.proved(aigul) {
			t.Errorf("undone: %s; proved: %v, %v, %v", got, w.proved(third), w.proved(second), w.proved(aigul))
		}
		if got := w.undo(aigul, ofSecond); got != identity.UndoBoth || w.proved(second) || w.proved(aigul) {
			t.Errorf("undone: %s; proved: %v, %v", got, w.proved(second), w.proved(aigul))
		}
	})
}
