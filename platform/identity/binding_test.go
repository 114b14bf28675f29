package identity_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

const (
	second = "+996777000009"
	third  = "+996222000008"
)

// prove proves Айгүл on a phone.
func (w *world) prove(phone string) identity.Citizen {
	w.T.Helper()
	w.verify(phone)
	citizen, err := w.service.Prove(w.T.Context(), w.by(phone), aigulPIN, aigulDocument)
	w.OK(err)
	return citizen
}

// notices are the messages to a phone that tell of another one, the newest first.
func (w *world) notices(phone string) []string {
	w.T.Helper()
	list, err := w.Outbox.List(w.T.Context(), phone)
	w.OK(err)
	var texts []string
	for _, m := range list {
		if strings.Contains(m.Text, "БЛОК") {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// proved reports that somebody is proved on a phone now.
func (w *world) proved(phone string) bool {
	w.T.Helper()
	_, ok, err := w.service.Proof(w.T.Context(), w.by(phone))
	w.OK(err)
	return ok
}

var noticeNumber = regexp.MustCompile(`БЛОК (\d{4})`)

func (w *world) undo(phone, typed string) identity.Undone {
	w.T.Helper()
	c := w.by(phone)
	c.Channel = caller.SMS
	outcome, err := w.service.Undo(w.T.Context(), c, typed)
	w.OK(err)
	return outcome
}

// TestS3EarlierPhonesAreTold: each phone that was proved for a person before hears of
// another one, with the end of its number and the word that undoes it.
func TestS3EarlierPhonesAreTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.prove(aigul)
		if n := w.notices(aigul); len(n) != 0 {
			t.Fatalf("the first phone hears of itself: %q", n)
		}
		w.Pass(time.Minute)
		w.prove(second)
		if n := w.notices(aigul); len(n) != 1 || !strings.Contains(n[0], "…0009") || !noticeNumber.MatchString(n[0]) {
			t.Fatalf("the first phone hears %q", n)
		}
		w.prove(second) // the proof lives: no news
		w.Pass(time.Minute)
		w.prove(third)
		if a, b := len(w.notices(aigul)), len(w.notices(second)); a != 2 || b != 2 { // the second was told of the first
			t.Errorf("of the third phone the others hear %d and %d messages", a, b)
		}
		// The owner's own phone, proved again, is no news to those that came later.
		w.Pass(identity.ProofLasts)
		w.prove(aigul)
		if n := len(w.notices(second)); n != 2 {
			t.Errorf("a later phone hears of the earlier one: %d", n)
		}
		w.prove(second) // a later one again is news to the earlier
		if n := len(w.notices(aigul)); n != 3 {
			t.Errorf("the first phone heard %d times", n)
		}
	})
}

// TestS3PhonesProvedAtOnceTellEachOther: one of two that come at once is later.
func TestS3PhonesProvedAtOnceTellEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.prove(aigul)
		w.Pass(time.Minute)
		w.verify(second)
		w.verify(third)
		var group sync.WaitGroup
		for _, phone := range []string{second, third} {
			group.Go(func() {
				if _, err := w.service.Prove(t.Context(), w.by(phone), aigulPIN, aigulDocument); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := len(w.notices(aigul)); n != 2 {
			t.Errorf("the first phone heard %d times", n)
		}
		if n := len(w.notices(second)) + len(w.notices(third)); n != 4 { // each of the first phone, and both of each other
			t.Errorf("of each other they heard %d times", n)
		}
	})
}

// TestS3Undo: the word ends the other phone's proof and tokens and blocks it for the
// person, with and without the number; wrong, twice and late answers are told so.
func TestS3Undo(t *testing.T) {
	for name, bare := range map[string]bool{"bare": true, "numbered": false} {
		t.Run(name, func(t *testing.T) { storetest.Each(t, func(t *testing.T, db *store.DB) { undoes(t, db, bare) }) })
	}
}

func undoes(t *testing.T, db *store.DB, bare bool) {
	w := newWorld(t, db)
	phone := map[bool]string{true: second, false: third}[bare]
	w.prove(aigul)
	w.Pass(time.Minute)
	token := w.token(phone)
	app, err := w.service.Authenticate(t.Context(), token.Access)
	w.OK(err)
	w.verify(phone)
	citizen, err := w.service.Prove(t.Context(), w.in(phone, app.SignIn), aigulPIN, aigulDocument)
	w.OK(err)
	number := noticeNumber.FindStringSubmatch(w.notices(aigul)[0])[1]
	wrongNumber := fmt.Sprintf("%04d", (int(number[0]-'0')+1)%10*1000)
	typed := map[bool]string{true: "", false: " " + number + "."}[bare]
	for who, want := range map[string]identity.Undone{bakyt: identity.UndoNothing} {
		if got := w.undo(who, typed); got != want {
			t.Fatalf("%s undid: %s", who, got)
		}
	}
	if got := w.undo(aigul, wrongNumber); wrongNumber != number && got != identity.UndoWrong {
		t.Errorf("a wrong number: %s", got)
	}
	if got := w.undo(aigul, "кайсы?"); got != identity.UndoWrong {
		t.Errorf("a word for a number: %s", got)
	}
	if who, err := w.service.Authenticate(t.Context(), token.Access); err != nil || who.CitizenID != citizen.ID {
		t.Fatalf("the thief's token before: %v, %v", who, err)
	}
	if got := w.undo(aigul, typed); got != identity.UndoDone {
		t.Fatalf("undone: %s", got)
	}
	_, err = w.service.Authenticate(t.Context(), token.Access)
	w.refused(err, "token")
	if w.proved(phone) || w.proved(aigul) { // F1: a dispute, in which nobody is believed
		t.Errorf("proved after: the thief %v, the owner %v", w.proved(phone), w.proved(aigul))
	}
	_, err = w.service.Prove(t.Context(), w.by(phone), aigulPIN, aigulDocument)
	w.refused(err, "code_needed")
	w.verify(phone)
	_, err = w.service.Prove(t.Context(), w.by(phone), aigulPIN, aigulDocument)
	w.refused(err, "blocked")
	if p := problem.From(err); p.RetryAfter <= identity.DisputeLasts-time.Hour {
		t.Errorf("blocked for %v", p.RetryAfter)
	}
	if got := w.undo(aigul, typed); got != identity.UndoAlready {
		t.Errorf("twice: %s", got)
	}
	w.Pass(identity.DisputeLasts)
	w.prove(phone) // the dispute is over, and the owner hears of it again
	if n := len(w.notices(aigul)); n < 2 {
		t.Errorf("heard %d times", n)
	}
	w.Pass(identity.UndoLasts)
	last := noticeNumber.FindStringSubmatch(w.notices(aigul)[0])[1]
	if got := w.undo(aigul, last); got != identity.UndoLate {
		t.Errorf("late: %s", got)
	}
	if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'identity.undo.done'"); n == 0 {
		t.Error("the audit log does not tell")
	}
}

// TestS3UndoNeedsThePhone: a token is no phone: over REST nobody undoes.
func TestS3UndoNeedsThePhone(t *testing.T) {
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	w.prove(aigul)
	w.Pass(time.Minute)
	w.prove(second)
	c := w.by(aigul)
	c.Channel = caller.REST
	if got, err := w.service.Undo(t.Context(), c, ""); err != nil || got != identity.UndoNothing || !w.proved(second) {
		t.Errorf("over REST: %s, %v", got, err)
	}
}

// TestS4TheOwnPhoneIsNotRefusedForStrangers: guesses from other phones, and its own
// slips, never keep the right document of a known phone out; of strangers the first
// guesses of each phone are taken, and GuessesByPIN in all.
func TestS4TheOwnPhoneIsNotRefusedForStrangers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.prove(aigul)
		w.Pass(identity.ProofLasts)
		asked := w.register.asked
		for i := range 4 { // 20 guesses from four phones
			phone := fmt.Sprintf("+9965550002%02d", i)
			w.verify(phone)
			for n := range identity.GuessesByPhone {
				_, _ = w.service.Prove(t.Context(), w.by(phone), aigulPIN, fmt.Sprintf("ID%07d", 5_000_000+n))
			}
		}
		if n, most := w.register.asked-asked, identity.GuessesByPIN+2*identity.GuessesFirst; n != most {
			t.Errorf("strangers asked the register %d times, want %d", n, most)
		}
		w.prove(aigul)
		w.Pass(identity.ProofLasts)
		w.verify(aigul)
		asked = w.register.asked
		for n := range identity.GuessesByPair + 4 { // her own slips
			_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, fmt.Sprintf("ID%07d", 6_000_000+n))
			w.refused(err, map[bool]string{true: "no_match", false: "guesses_many"}[n < identity.GuessesByPair])
		}
		if n := w.register.asked - asked; n != identity.GuessesByPair {
			t.Errorf("the known phone asked the register %d times", n)
		}
		_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
		w.OK(err)
	})
}

// TestS4AKnownPhoneIsBounded: whoever found a known phone tries GuessesByPairDay
// documents a day, and its guesses about others count as any stranger's.
func TestS4AKnownPhoneIsBounded(t *testing.T) {
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	w.prove(aigul)
	w.Pass(identity.ProofLasts)
	w.verify(aigul)
	asked := w.register.asked
	for n := range identity.GuessesByPairDay {
		_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, fmt.Sprintf("ID%07d", 6_000_000+n))
		if err == nil {
			t.Fatal("a wrong document was taken")
		}
	}
	_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
	w.refused(err, "guesses_many")
	if n := w.register.asked - asked; n != identity.GuessesByPair {
		t.Errorf("the register was asked %d times", n)
	}
	for n := range identity.GuessesByPhone + 1 {
		_, err := w.service.Prove(t.Context(), w.by(aigul), bakytPIN, fmt.Sprintf("ID%07d", 6_000_000+n))
		w.refused(err, map[bool]string{true: "no_match", false: "guesses_many"}[n < identity.GuessesByPhone])
	}
	w.Pass(24 * time.Hour)
	w.prove(aigul)
}

// TestF1GuessesKeepNoPhoneOutAfterADispute: a phone that was in a dispute is known
// still: whoever guesses elsewhere does not keep the owner out.
func TestF1GuessesKeepNoPhoneOutAfterADispute(t *testing.T) {
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	w.prove(aigul)
	w.Pass(time.Minute)
	w.prove(second)
	w.undo(second, "")
	w.Pass(identity.DisputeLasts)
	for i := range identity.GuessesByPIN {
		phone := fmt.Sprintf("+9965550003%02d", i)
		w.verify(phone)
		_, _ = w.service.Prove(t.Context(), w.by(phone), aigulPIN, "ID7654321")
	}
	w.prove(aigul)
}

// TestS7TheOwnCallGetsItsCode: what is asked for over REST costs the phone's own calls
// nothing, nor theirs REST; each is bounded by itself.
func TestS7TheOwnCallGetsItsCode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for own, channel := range map[string]caller.Channel{aigul: caller.USSD, bakyt: caller.SMS} {
			w := newWorld(t, db)
			stranger, owner := w.by(own), w.by(own)
			stranger.Channel, owner.Channel = caller.REST, channel
			for range 5 {
				w.OK(w.send(stranger))
			}
			for range identity.CodesAtMost {
				w.OK(w.send(owner))
			}
			w.refused(w.send(owner), "codes_many")
			w.OK(w.send(stranger))
		}
	})
}

// TestS2ReleaseCutsEveryTie: after the operator's word nothing of the earlier holder
// is left on the number, in one transaction, and the audit log tells.
func TestS2ReleaseCutsEveryTie(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.service.Tie(w.Outbox)
		token := w.token(aigul)
		w.prove(aigul)
		w.Pass(time.Minute)
		w.prove(second)
		w.OK(w.send(w.by(aigul)))
		if n := w.Number("SELECT COUNT(*) FROM notify_messages WHERE state = 'queued'"); n < 3 {
			t.Fatalf("%d messages wait", n)
		}
		before := w.Now()
		w.Pass(time.Second)
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "officer"}, aigul))
		_, err := w.service.Authenticate(t.Context(), token.Access)
		w.refused(err, "token")
		if w.proved(aigul) || !w.proved(second) {
			t.Error("the proof stayed, or another phone's went")
		}
		list, err := w.Outbox.List(t.Context(), aigul)
		w.OK(err)
		for _, m := range list {
			if m.State == "queued" || m.Text != "" {
				t.Errorf("a message is still %s: %q", m.State, m.Text)
			}
		}
		_, err = w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
		w.refused(err, "code_needed")
		if got := w.undo(aigul, ""); got != identity.UndoNothing {
			t.Errorf("the stranger undid: %s", got)
		}
		if kept, err := w.service.Kept(t.Context(), aigul, "", before); kept || err != nil {
			t.Errorf("kept: %v, %v", kept, err)
		}
		if kept, err := w.service.Kept(t.Context(), aigul, "", w.Now().Add(time.Second)); !kept || err != nil {
			t.Errorf("kept since the release: %v, %v", kept, err)
		}
		w.Pass(identity.ProofLasts)
		sent := len(list)
		w.prove(third) // the stranger hears nothing of the former holder's phones
		if list, _ := w.Outbox.List(t.Context(), aigul); len(list) != sent {
			t.Error("the stranger was told")
		}
		fresh := w.token(aigul) // the new holder's own
		if who, err := w.service.Authenticate(t.Context(), fresh.Access); err != nil || who.CitizenID != "" {
			t.Errorf("the new holder: %v, %v", who, err)
		}
		if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'identity.release'"); n != 1 {
			t.Errorf("%d audit records", n)
		}
	})
}

// TestNextHolderBeginsAnew: the next holder of a number has all guesses of a phone, at
// the person whom the earlier one guessed no more than there were; the codes that the
// number may be sent are what is left of them (F16).
func TestNextHolderBeginsAnew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.verify(aigul)
		guess := func(n int) error {
			_, err := w.service.Prove(t.Context(), w.by(aigul), bakytPIN, fmt.Sprintf("ID%07d", 7_000_000+n))
			return err
		}
		for n := range identity.GuessesByPhone {
			w.refused(guess(n), "no_match")
		}
		w.refused(guess(identity.GuessesByPhone), "guesses_many")
		w.Pass(time.Minute)
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "officer"}, aigul))
		w.Pass(time.Minute)
		w.verify(aigul)
		_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
		w.OK(err)
		for n := range identity.GuessesByPIN {
			switch err := guess(100 + n); {
			case n < identity.GuessesByPIN-identity.GuessesByPhone && n < identity.GuessesByPhone:
				w.refused(err, "no_match")
			default:
				w.refused(err, "guesses_many")
			}
		}
		sent := w.Number("SELECT count(*) FROM identity_codes")
		for range 20 {
			_, err = w.service.SendCode(t.Context(), w.by(aigul))
			if err != nil {
				break
			}
			sent++
		}
		w.refused(err, "codes_many")
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "officer"}, aigul))
		_, err = w.service.SendCode(t.Context(), w.by(aigul))
		w.refused(err, "codes_many")
		if n := w.Number("SELECT count(*) FROM identity_codes"); n != sent {
			t.Errorf("%d codes were sent, not %d", n, sent)
		}
	})
}
