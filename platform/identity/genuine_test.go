package identity_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// found wants fsck to say what.
func (w *world) found(what string) {
	w.T.Helper()
	err := w.DB.Snapshot(w.T.Context(), func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	if err == nil || !strings.Contains(err.Error(), what) {
		w.T.Errorf("%q is not in: %v", what, err)
	}
}

// TestAChangedNoticeUndoesNothing: a stranger's phone that is written into a notice has no word,
// nor does a notice undo another phone, for another person, or longer.
func TestAChangedNoticeUndoesNothing(t *testing.T) {
	t.Parallel()
	for set, by := range map[string]string{
		"told_index = (SELECT c.phone_index FROM identity_codes c ORDER BY c.sent_at DESC LIMIT 1)": bakyt,
		"phone_index = told_index": aigul, "citizen_id = 'x'": aigul, "made_at = made_at + 1": aigul, "expires_at = expires_at + 1": aigul,
		"number = '0000x'": aigul, "id = id || 'x'": aigul, "mac = ''": aigul,
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.prove(aigul)
				w.prove(second)
				w.Pass(1)
				w.verify(bakyt)
				w.fsck("told")
				w.exec("UPDATE identity_notices SET " + set)
				if got := w.undo(by, ""); got != identity.UndoNothing {
					t.Errorf("undone: %s", got)
				}
				if !w.proved(aigul) || !w.proved(second) {
					t.Error("a phone is cut off")
				}
				if set != "mac = ''" {
					w.found("is otherwise than it was made")
				}
			})
		})
	}
}

// TestAChangedNationalSignInProvesNobody: who writes another phone, session or generation into
// a sign-in under way is proved as nobody, and so is the person who signs in.
func TestAChangedNationalSignInProvesNobody(t *testing.T) {
	t.Parallel()
	const his = "(SELECT n.%s FROM identity_national_sign_ins n WHERE n.id <> identity_national_sign_ins.id)"
	of := func(column string) string { return column + " = " + strings.ReplaceAll(his, "%s", column) }
	for _, set := range []string{
		of("phone_index") + ", " + of("phone_sealed"), of("phone_sealed"), of("phone_index"),
		"generation = generation + 1", "begun_in = 'x'", "channel = 'ussd'", "citizen_id = 'x'", "expires_at = expires_at + 1",
		of("secret_sealed"),
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			eachNational(t, func(t *testing.T, w *national) {
				begun := w.begin(aigul)
				w.begin(bakyt)
				w.sound()
				w.exec("UPDATE identity_national_sign_ins SET " + set + " WHERE id = '" + begun.ID + "'")
				if err := w.finish(begun, aigulPIN); err == nil {
					t.Error("the changed sign-in proves")
				}
				for _, phone := range []string{aigul, bakyt} {
					if citizen := w.proof(phone); citizen.ID != "" {
						t.Errorf("%s is proved as %+v", phone, citizen)
					}
				}
				if set != of("secret_sealed") { // which names what cannot be opened
					w.found("is otherwise than it was begun")
				}
			})
		})
	}
}
