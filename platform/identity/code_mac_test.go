package identity_test

import (
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestACodeIsOfItsPhone: who moves their own code to another's phone is not let in there, nor
// does a code live longer, or at another door, than it was made for.
func TestACodeIsOfItsPhone(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]string{
		"another's phone": "phone_index = (SELECT phone_index FROM identity_bindings LIMIT 1)",
		"longer":          "expires_at = expires_at + 1",
		"another door":    "door = 'open'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.prove(aigul)
				w.OK(w.send(w.by(bakyt)))
				code := w.code(bakyt)
				w.exec("UPDATE identity_codes SET " + set + " WHERE used_at IS NULL")
				as := w.by(bakyt)
				switch name {
				case "another's phone":
					as = w.by(aigul)
				case "another door":
					as.Channel = caller.REST
				}
				if err := w.check(as, code); err == nil {
					t.Error("the changed code is taken")
				}
			})
		})
	}
}

// TestAClerksCodeIsOfItsPerson: who changes whom a clerk's code proves, on which phone, with
// which document or until when is proved as nobody.
func TestAClerksCodeIsOfItsPerson(t *testing.T) {
	t.Parallel()
	for _, set := range []string{
		"citizen_id = (SELECT citizen_id FROM identity_bindings LIMIT 1)", "phone_index = (SELECT phone_index FROM identity_bindings LIMIT 1)",
		"document_mac = 'x'", "expires_at = expires_at + 1",
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.prove(aigul)
				made, err := w.service.Enrol(t.Context(), staff.Act{Actor: "staff:dinara"}, bakyt, bakytPIN, bakytDocument)
				w.OK(err)
				w.exec("UPDATE identity_enrolments SET " + set)
				for _, phone := range []string{aigul, bakyt} {
					if citizen, err := w.byCode(phone, made.Code); err == nil {
						t.Errorf("proved as %+v on %s", citizen, phone)
					}
				}
			})
		})
	}
}

// TestAReopenedCodeIsNoMore: what cut the phone off voids a clerk's code, whatever its row says
// afterwards.
func TestAReopenedCodeIsNoMore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		made, err := w.service.Enrol(t.Context(), staff.Act{Actor: "staff:dinara"}, bakyt, bakytPIN, bakytDocument)
		w.OK(err)
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "operator"}, bakyt))
		w.exec("UPDATE identity_enrolments SET void_at = NULL")
		if citizen, err := w.byCode(bakyt, made.Code); err == nil {
			t.Errorf("the next holder is %+v", citizen)
		}
	})
}
