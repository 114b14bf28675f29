package identity_test

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestABareWordOnASharedPhone: it shuts nobody out for what happened to another of those who share
// the phone, but asks of whom; the messages and the answer name them.
func TestABareWordOnASharedPhone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		his := func(phone string) {
			w.verify(phone)
			_, err := w.service.Prove(t.Context(), w.by(phone), bakytPIN, bakytDocument)
			w.OK(err)
		}
		w.prove(aigul)
		his(aigul)
		w.prove(second)
		his(third)
		told := w.notices(aigul)
		if len(told) != 2 || !strings.Contains(told[0], "Токтогулов") || !strings.Contains(told[1], "Айгүл А.") {
			t.Fatalf("the shared phone was told %q", told)
		}
		if alone := w.notices(second); len(alone) != 1 || strings.Contains(alone[0], "Айгүл") {
			t.Errorf("a phone of one person was told %q", alone)
		}
		if got := w.undo(aigul, ""); got != identity.UndoWhom || !w.proved(second) || !w.proved(third) {
			t.Fatalf("the bare word did %s", got)
		}
		k := newDialler(w, aigul)
		k.channel, k.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
		screen := k.turn(dialog.Input{Start: true, Text: "блок"})
		if !strings.Contains(screen, "Айгүл А.: "+noticeNumber.FindString(told[1])) {
			t.Fatalf("the word is answered %q", screen)
		}
		choice := "1"
		if strings.Contains(screen, "2 Токтогулов") {
			choice = "2"
		}
		k.say(choice, "Токтогулов\nВход закрыт")
		if w.proved(third) || !w.proved(second) {
			t.Error("another was shut out")
		}
		if got := w.undo(aigul, ""); got != identity.UndoDone || w.proved(second) { // one is left
			t.Errorf("then the bare word did %s", got)
		}
		w.fsck("undone")
	})
}
