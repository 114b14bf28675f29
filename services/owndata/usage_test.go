package owndata_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/owndata"
)

// record writes what another part would of a person's data.
func (w *world) record(subject, actor, action string) {
	w.T.Helper()
	w.Pass(time.Minute)
	w.OK(w.DB.InTx(w.T.Context(), func(tx *store.Tx) error {
		return w.Audit.Record(w.T.Context(), tx, audit.Entry{At: w.Clock.Now(), Actor: actor, Action: action, Object: "o", Subject: subject, Purpose: "test"})
	}))
}

// usages lists what a person is shown, and how many there are.
func (w *world) usages(c caller.Caller, offset, limit int) (seen []string, total int) {
	w.T.Helper()
	c.Now = w.Clock.Now()
	list, total, err := w.Usages(w.T.Context(), c, offset, limit)
	w.OK(err)
	for _, u := range list {
		seen = append(seen, u.Code+" "+string(u.Receiver)+" "+u.System)
	}
	return seen, total
}

// TestWhoLooked: a person is shown every record of their data and nobody else's, the newest
// first, page by page; what is beyond the last is empty.
func TestWhoLooked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her, him := w.aigul(), w.bakyt()
		w.record(her.Subject, her.Subject, "fine.details")
		w.record(him.Subject, him.Subject, "certificate.download")
		w.record(her.Subject, "verifier", "certificate.verify")
		w.record(her.Subject, "system", "preschool.expire")
		w.record(her.Subject, "officer", "preschool.benefit")
		all := []string{
			"preschool.benefit staff preschool", "preschool.expire system preschool", "certificate.verify verifier certificate",
			"fine.details self fine", "identity.proof.done phone identity",
		}
		if got, n := w.usages(her, 0, 50); n != 5 || !slices.Equal(got, all) {
			t.Errorf("%d: %v", n, got)
		}
		all = append([]string{"owndata.usages self owndata"}, all...) // it was looked at
		for _, c := range []struct{ offset, limit, from, to int }{{0, 2, 0, 2}, {2, 3, 2, 5}, {5, 100, 5, 6}, {6, 10, 6, 6}, {100_000, 1, 6, 6}} {
			if got, n := w.usages(her, c.offset, c.limit); n != 6 || !slices.Equal(got, all[c.from:c.to]) {
				t.Errorf("%d after %d: %d, %v", c.limit, c.offset, n, got)
			}
		}
		if got, n := w.usages(him, 0, 50); n != 2 || got[0] != "certificate.download self certificate" {
			t.Errorf("another person is shown %v", got)
		}
	})
}

// TestLookingIsRecordedOnce: not for every screen, and again after a while.
func TestLookingIsRecordedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her := w.aigul()
		for range 5 {
			w.usages(her, 0, 3)
		}
		w.Pass(audit.Seldom + time.Second)
		w.usages(her, 0, 3)
		if got, _ := w.usages(her, 0, 50); len(got) != 3 || got[0] != got[1] || got[0] != "owndata.usages self owndata" {
			t.Errorf("%v", got)
		}
	})
}

// TestNobodyElseIsShown: who proved nothing, whose proof is over, and the next holder of a
// number, who has the earlier one's token.
func TestNobodyElseIsShown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her, him := w.aigul(), w.bakyt()
		swapped := her
		swapped.Phone = him.Phone
		strangers := []caller.Caller{{Phone: testworld.Aigul, Now: w.Clock.Now()}, swapped}
		for _, c := range strangers {
			_, _, err := w.Usages(t.Context(), c, 0, 50)
			testworld.Refused(t, err, "problem.owndata_prove")
		}
		w.OK(w.identity.Release(t.Context(), staff.Act{Actor: "staff:officer", Reason: "a new holder"}, testworld.Aigul))
		_, _, err := w.Usages(t.Context(), her, 0, 50)
		testworld.Refused(t, err, "problem.owndata_prove")
		w.prove(testworld.Aigul, testworld.BakytPIN, testworld.BakytDocument) // the number is his now
		if got, _ := w.usages(him, 0, 50); slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "owndata") }) {
			t.Errorf("the next holder is shown %v", got)
		}
	})
}

// TestWordsForEachLook: in the reader's language, and for an action of another version too.
func TestWordsForEachLook(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her := w.aigul()
		w.record(her.Subject, her.Subject, "fine.details")
		for loc, want := range map[locales.Locale]string{locales.KY: "айып пулдар каралды", locales.RU: "просмотр штрафов", locales.KYLatn: "aiyp puldar karaldy"} {
			her.Locale = loc
			list, _, err := w.Usages(t.Context(), her, 0, 50)
			w.OK(err)
			if !slices.ContainsFunc(list, func(u owndata.Usage) bool { return u.Action == want }) {
				t.Errorf("%s: nothing says %q: %v", loc, want, list)
			}
		}
		w.OK(w.DB.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE audit_records SET action = 'fine.before' WHERE action = 'fine.details'")
			return err
		}))
		list, _, err := w.Usages(t.Context(), her, 0, 50)
		w.OK(err)
		if !slices.ContainsFunc(list, func(u owndata.Usage) bool {
			return u.Code == "fine.before" && u.Action == w.Texts.Text(her.Locale, "owndata.other")
		}) {
			t.Errorf("an action of before: %v", list)
		}
		w.OK(w.DB.InTx(t.Context(), func(tx *store.Tx) error { // as it was: the world looks for texts of all
			_, err := tx.ExecContext(t.Context(), "UPDATE audit_records SET action = 'fine.details' WHERE action = 'fine.before'")
			return err
		}))
	})
}

// TestTheLastThreeByUSSD: a phone is told of the last three, with whose they are.
func TestTheLastThreeByUSSD(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	her := w.aigul()
	for _, action := range []string{"fine.details", "certificate.download", "preschool.children", "certificate.issue"} {
		w.record(her.Subject, her.Subject, action)
	}
	engine, err := dialog.New(w.Texts, dialog.Options{Profiles: w.identity, Log: slog.New(slog.DiscardHandler)}, w.Flow(), w.identity.Flow())
	w.OK(err)
	state := dialog.NewState(locales.KY)
	her.Subject, her.Now = "", w.Clock.Now()
	her.Channel = caller.SMS
	reply, err := engine.Next(t.Context(), her, state, dialog.Input{Start: true, Text: "ким көрдү", Budget: dialog.Budget{Septets: 459, Units: 201}})
	w.OK(err)
	want := "23.11.2026 12:04, өзүңүз: маалымкат берилди\n23.11.2026 12:03, өзүңүз: балдарыңыз реестрден суралды\n23.11.2026 12:02, өзүңүз: маалымкат жүктөлдү\nАйгүл А."
	if !strings.HasPrefix(reply.Text, want) {
		t.Errorf("%q", reply.Text)
	}
}
