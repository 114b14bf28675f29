package identity_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// named wants fsck to say that something was changed before a step of ours.
func (w *world) named(what string) {
	w.T.Helper()
	err := w.DB.Snapshot(w.T.Context(), func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	if err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "between the audit records ") {
		w.T.Errorf("%q is not in: %v", what, err)
	}
}

// TestAChangedSignInIsNotMadeRight: who changes a sign-in, which is then exchanged or ended, is
// named, though the row is what the newest record says.
func TestAChangedSignInIsNotMadeRight(t *testing.T) {
	t.Parallel()
	const hers = "(SELECT s.%s FROM identity_sign_ins s ORDER BY s.begun_at LIMIT 1)"
	of := func(column string) string { return column + " = " + strings.Replace(hers, "%s", column, 1) }
	const last = " WHERE id = (SELECT s.id FROM identity_sign_ins s ORDER BY s.begun_at DESC LIMIT 1)"
	refresh := func(w *world, tokens identity.Tokens) { w.refreshed(tokens.Refresh, "1") }
	for name, c := range map[string]struct {
		set   string
		step  func(w *world, tokens identity.Tokens)
		named string
	}{
		"another's phone, exchanged": {"UPDATE identity_sign_ins SET " + of("phone_index") + ", " + of("phone_sealed") + last, refresh, "the sign-in "},
		"longer, exchanged":          {"UPDATE identity_sign_ins SET begun_at = begun_at + 1" + last, refresh, "the sign-in "},
		"longer, ended": {"UPDATE identity_sign_ins SET expires_at = expires_at + 1" + last, func(w *world, tokens identity.Tokens) {
			who, err := w.service.Authenticate(w.T.Context(), tokens.Access)
			w.OK(err)
			w.OK(w.service.SignOut(w.T.Context(), w.by(bakyt), who.SignIn))
		}, "the sign-in "},
		"another's refresh token, exchanged": {
			"UPDATE identity_refresh_tokens SET sign_in_id = (SELECT s.id FROM identity_sign_ins s ORDER BY s.begun_at LIMIT 1)", refresh, "refresh token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.device(aigul, "Redmi 9A")
				w.Pass(time.Minute)
				tokens := w.device(bakyt, "another")
				w.fsck("signed in")
				w.exec(c.set)
				c.step(w, tokens)
				w.named(c.named)
			})
		})
	}
}

// TestAChangedBindingIsNotMadeRight: who changes, or drops, how a phone is bound, and has it
// proved, undone or cleared then, is named; so is who makes one person another.
func TestAChangedBindingIsNotMadeRight(t *testing.T) {
	t.Parallel()
	prove := func(w *world) { w.prove(aigul) }
	unblock := func(w *world) {
		w.OK(w.service.Unblock(w.T.Context(), staff.Act{Actor: "officer"}, aigul, aigulPIN))
	}
	undo := func(w *world) { w.undo(aigul, "") }
	swap := []string{
		"CREATE TABLE kept AS SELECT * FROM identity_citizens",
		"UPDATE identity_citizens SET pin_index = id",
		"UPDATE identity_citizens SET pin_index = (SELECT k.pin_index FROM kept k WHERE k.id <> identity_citizens.id), " +
			"pin_sealed = (SELECT k.pin_sealed FROM kept k WHERE k.id <> identity_citizens.id)",
	}
	for name, c := range map[string]struct {
		before func(w *world)
		change []string
		step   func(w *world)
		named  string
	}{
		"cleared, then proved":       {prove, []string{"UPDATE identity_bindings SET cleared_at = bound_at + 1"}, prove, "how the phone "},
		"bound earlier, then proved": {prove, []string{"UPDATE identity_bindings SET bound_at = bound_at - 1"}, prove, "how the phone "},
		"dropped, then proved":       {prove, []string{"DELETE FROM identity_bindings"}, prove, "how the phone "},
		"bound earlier, then undone": {func(w *world) { prove(w); w.prove(second) }, []string{"UPDATE identity_bindings SET bound_at = bound_at - 1"}, undo, "how the phone "},
		"bound earlier, then cleared": {func(w *world) { prove(w); w.prove(second); undo(w) },
			[]string{"UPDATE identity_bindings SET bound_at = bound_at - 1"}, unblock, "how the phone "},
		"another person, then proved": {func(w *world) {
			prove(w)
			w.verify(bakyt)
			_, err := w.service.Prove(w.T.Context(), w.by(bakyt), bakytPIN, bakytDocument)
			w.OK(err)
		}, swap, prove, "became another person"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				c.before(w)
				w.fsck("before")
				for _, statement := range c.change {
					w.exec(statement)
				}
				c.step(w)
				w.named(c.named)
			})
		})
	}
}
