package identity_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// device signs a device of a phone in, under a name.
func (w *world) device(phone, name string) identity.Tokens {
	w.T.Helper()
	w.OK(w.send(w.by(phone)))
	tokens, err := w.service.IssueToken(w.T.Context(), w.by(phone), "", w.code(phone), name)
	w.OK(err)
	return tokens
}

// refresh exchanges a refresh token by a request with a key.
func (w *world) refresh(token, key string) (identity.Tokens, error) {
	c := w.by("")
	c.Key = key
	return w.service.Refresh(w.T.Context(), c, token)
}

func (w *world) refreshed(token, key string) identity.Tokens {
	w.T.Helper()
	tokens, err := w.refresh(token, key)
	w.OK(err)
	return tokens
}

func (w *world) goodFor(access string) bool {
	w.T.Helper()
	_, err := w.service.Authenticate(w.T.Context(), access)
	if err != nil {
		w.refused(err, "token")
	}
	return err == nil
}

// ended wants all of a sign-in's tokens refused, the refresh token by a problem.
func (w *world) ended(tokens identity.Tokens, key string) {
	w.T.Helper()
	if w.goodFor(tokens.Access) {
		w.T.Error("an access token of a sign-in that has ended is good")
	}
	_, err := w.refresh(tokens.Refresh, "ended")
	w.refused(err, key)
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first := w.device(aigul, "Redmi 9A")
		if want := testworld.Start.Add(identity.SignInIdles); !first.RefreshExpiresAt.Equal(want) || len(first.Refresh) != 64 {
			t.Errorf("a refresh token of %d characters expires at %v, want %v", len(first.Refresh), first.RefreshExpiresAt, want)
		}
		w.Pass(identity.TokenLasts)
		next := w.refreshed(first.Refresh, "1")
		if w.goodFor(first.Access) || !w.goodFor(next.Access) || next.Refresh == first.Refresh {
			t.Error("the tokens that follow are not in place of those before")
		}
		third := w.refreshed(next.Refresh, "2")
		for _, token := range []string{first.Refresh, next.Refresh, third.Refresh} { // what is kept is not what is sent
			if n := w.Number("SELECT COUNT(*) FROM identity_refresh_tokens WHERE token_mac = '" + token + "'"); n != 0 {
				t.Error("a refresh token is kept")
			}
		}
		for _, token := range []string{"", "x", strings.Repeat("0", 64), third.Refresh + "0", strings.ToUpper(third.Refresh)} {
			_, err := w.refresh(token, "3")
			w.refused(err, "refresh")
		}
		if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'identity.refresh.done'"); n != 2 {
			t.Errorf("%d records of exchanged tokens", n)
		}
		w.refreshed(third.Refresh, "3")
	})
}

// TestAUsedTokenEndsTheSignIn: whoever of the two has it, both are signed out.
func TestAUsedTokenEndsTheSignIn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first, other := w.device(aigul, ""), w.device(aigul, "")
		next := w.refreshed(first.Refresh, "owner")
		last := w.refreshed(next.Refresh, "owner again")
		_, err := w.refresh(first.Refresh, "thief")
		w.refused(err, "refresh_reused")
		w.ended(last, "refresh_reused") // the owner reads why
		w.ended(next, "refresh_reused")
		if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'identity.refresh.reused'"); n != 1 {
			t.Errorf("%d records of the theft", n)
		}
		if !w.goodFor(other.Access) {
			t.Error("another device was signed out")
		}
	})
}

// TestAReuseIsToldToThePhone: once, in the phone's own language, whatever the request's is,
// and not without the end of the sign-in.
func TestAReuseIsToldToThePhone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for loc, want := range map[locales.Locale]string{
			"":         "Эшик: колдонмого кирүү эки жерден колдонулду, жабылды. Кайра кириңиз.",
			locales.RU: "Эшик: входом в приложение пользуются двое, он закрыт. Войдите снова.",
		} {
			w := newWorld(t, db)
			phone := map[locales.Locale]string{"": aigul, locales.RU: bakyt}[loc]
			first, news := w.device(phone, ""), func() (n int) {
				list, err := w.Outbox.List(t.Context(), phone)
				w.OK(err)
				for _, m := range list {
					if m.Text == want {
						n++
					}
				}
				return n
			}
			if loc != "" {
				w.OK(w.service.SetLocale(t.Context(), phone, loc, ""))
			}
			next := w.refreshed(first.Refresh, "owner")
			w.deps.Trail = w.TrailBy(failing{w.Audit, "identity.refresh.reused"})
			w.rebuild()
			if _, err := w.refresh(first.Refresh, "thief"); err == nil || news() != 0 || !w.goodFor(next.Access) {
				t.Errorf("what cannot be recorded was done: %v", err)
			}
			w.deps.Trail = w.TrailBy(w.Audit)
			w.rebuild()
			for range 3 {
				_, err := w.refresh(first.Refresh, "thief")
				w.refused(err, "refresh_reused")
			}
			if n := news(); n != 1 {
				t.Errorf("the phone was told %d times", n)
			}
		}
	})
}

// TestALostAnswerIsNoTheft: the same request gives the same next token, until that was
// used or RefreshRetry is over.
func TestALostAnswerIsNoTheft(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first, late := w.device(aigul, ""), w.device(aigul, "")
		lost, lateLost := w.refreshed(first.Refresh, "request"), w.refreshed(late.Refresh, "request 2")
		w.Pass(identity.RefreshRetry - 1)
		again := w.refreshed(first.Refresh, "request")
		if again.Refresh != lost.Refresh || !w.goodFor(again.Access) {
			t.Error("the same request gives another token")
		}
		_, err := w.refresh(again.Refresh, "request") // one key for two requests could hide a theft
		w.refused(err, "refresh_key")
		next := w.refreshed(again.Refresh, "next")
		_, err = w.refresh(first.Refresh, "request")
		w.refused(err, "refresh_reused")
		w.ended(next, "refresh_reused")

		w.Pass(1)
		_, err = w.refresh(late.Refresh, "request 2")
		w.refused(err, "refresh_reused")
		w.ended(lateLost, "refresh_reused")
	})
}

// TestOneSuccessor: of requests at once one exchanges the token, and the same request is
// answered alike.
func TestOneSuccessor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for name, want := range map[string]int{"one request": 8, "many": 1} {
			tokens := w.device(aigul, name)
			var got [8]identity.Tokens
			var errs [8]error
			atOnce(len(got), func(i int) { got[i], errs[i] = w.refresh(tokens.Refresh, name+fmt.Sprint(i/want)) })
			var next []string
			for i := range got {
				if errs[i] == nil {
					next = append(next, got[i].Refresh)
				} else if problem.From(errs[i]).Key != "problem.identity_refresh_reused" {
					t.Fatal(errs[i])
				}
			}
			if len(next) != want || len(slices.Compact(next)) != 1 {
				t.Errorf("%s: %d were given tokens, want %d", name, len(next), want)
			}
		}
		if n := w.Number("SELECT COUNT(*) FROM identity_refresh_tokens WHERE used_at IS NULL"); n != 2 {
			t.Errorf("%d tokens follow two", n)
		}
	})
}

// failing is a log that takes no record of an action.
type failing struct {
	*audit.Log
	action string
}

var errLog = errors.New("the log takes nothing")

func (f failing) Record(ctx context.Context, tx *store.Tx, e audit.Entry) error {
	if e.Action == f.action {
		return errLog
	}
	return f.Log.Record(ctx, tx, e)
}

// TestNoStepWithoutItsRecord: where the audit log takes no record, nothing was done.
func TestNoStepWithoutItsRecord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		tokens := w.device(aigul, "")
		who, err := w.service.Authenticate(t.Context(), tokens.Access)
		w.OK(err)
		w.OK(w.send(w.by(bakyt)))
		for action, do := range map[string]func() error{
			"identity.sign_in.done": func() error {
				_, err := w.service.IssueToken(t.Context(), w.by(bakyt), "", w.code(bakyt), "")
				return err
			},
			"identity.refresh.done":  func() error { _, err := w.refresh(tokens.Refresh, "1"); return err },
			"identity.sign_out.done": func() error { return w.service.SignOut(t.Context(), w.by(aigul), who.SignIn) },
		} {
			w.deps.Trail = w.TrailBy(failing{w.Audit, action})
			w.rebuild()
			if err := do(); !errors.Is(err, errLog) {
				t.Fatalf("%s: %v", action, err)
			}
		}
		w.deps.Trail = w.TrailBy(w.Audit)
		w.rebuild()
		if !w.goodFor(tokens.Access) {
			t.Error("signed out")
		}
		w.refreshed(tokens.Refresh, "2")
		_, err = w.service.IssueToken(t.Context(), w.by(bakyt), "", w.code(bakyt), "") // the code was not used
		w.OK(err)
	})
}

// TestCutsEndSignIns: whatever cuts a phone off signs it out everywhere.
func TestCutsEndSignIns(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		stranger := w.device(bakyt, "")
		w.prove(aigul)
		released := w.device(aigul, "")
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "officer"}, aigul))
		w.ended(released, "refresh")

		w.Pass(time.Hour)
		w.prove(aigul)
		w.prove(second)
		mine, theirs := w.device(aigul, ""), w.device(second, "")
		if got := w.undo(aigul, ""); got != identity.UndoDone {
			t.Fatalf("undone: %s", got)
		}
		w.ended(mine, "refresh")
		w.ended(theirs, "refresh")

		w.Pass(time.Hour)
		mine, theirs = w.device(aigul, ""), w.device(second, "")
		w.OK(w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, aigul, aigulPIN))
		w.ended(theirs, "refresh")
		if fresh := w.refreshed(stranger.Refresh, "1"); !w.goodFor(mine.Access) || !w.goodFor(fresh.Access) {
			t.Error("another phone was signed out")
		}
	})
}

// TestACutIsSeenByItsGeneration: a sign-in that a cut did not find, as it began at the
// same time, ends by the phone's generation.
func TestACutIsSeenByItsGeneration(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		tokens := w.device(aigul, "")
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "officer"}, aigul))
		if _, err := db.Writer().ExecContext(t.Context(), "UPDATE identity_sign_ins SET ended_at = NULL, ended_by = ''"); err != nil {
			t.Fatal(err)
		}
		w.ended(tokens, "refresh")
		if list, err := w.service.SignIns(t.Context(), w.by(aigul), ""); err != nil || len(list) != 0 {
			t.Errorf("signed in: %v, %v", list, err)
		}
	})
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		old := w.device(aigul, "  Эски\u202e\n телефон ")
		w.Pass(time.Minute)
		own, foreign := w.device(aigul, ""), w.device(bakyt, "")
		who, err := w.service.Authenticate(t.Context(), own.Access)
		w.OK(err)
		list, err := w.service.SignIns(t.Context(), w.by(aigul), who.SignIn)
		w.OK(err)
		if len(list) != 2 || !list[0].Current || list[0].ID != who.SignIn || list[0].Device != "" || list[1].Current ||
			list[1].Device != "Эски телефон" || !list[1].BegunAt.Equal(testworld.Start) || !list[1].ExpiresAt.Equal(testworld.Start.Add(identity.SignInIdles)) {
			t.Fatalf("signed in: %+v", list)
		}
		w.OK(w.service.SignOut(t.Context(), w.by(aigul), list[1].ID))
		w.ended(old, "refresh")
		his, err := w.service.Authenticate(t.Context(), foreign.Access)
		w.OK(err)
		for _, id := range []string{list[1].ID, his.SignIn, "", "x"} {
			w.refused(w.service.SignOut(t.Context(), w.by(aigul), id), "sign_in_absent")
		}
		if !w.goodFor(own.Access) || !w.goodFor(foreign.Access) {
			t.Error("another device was signed out")
		}
		w.OK(w.service.SignOut(t.Context(), w.by(aigul), who.SignIn))
		w.ended(own, "refresh")
	})
}

// TestSignInsLapse: by themselves, and their rows go.
func TestSignInsLapse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		idle, used := w.device(aigul, ""), w.device(aigul, "")
		w.Pass(identity.SignInIdles - time.Hour)
		used = w.refreshed(used.Refresh, "1")
		w.Pass(time.Hour)
		w.ended(idle, "refresh")
		w.Pass(identity.SignInIdles - 2*time.Hour)
		used = w.refreshed(used.Refresh, "2")
		w.Pass(identity.SignInIdles - time.Hour)
		used = w.refreshed(used.Refresh, "3")
		if want := testworld.Start.Add(identity.SignInLasts); !used.RefreshExpiresAt.Equal(want) {
			t.Errorf("it lasts until %v, want %v", used.RefreshExpiresAt, want)
		}
		w.OK(w.service.ForgetSignIns(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM identity_sign_ins"); n != 1 {
			t.Errorf("%d sign-ins are kept", n)
		}
		w.Pass(3 * time.Hour)
		w.ended(used, "refresh")
		w.Pass(24 * time.Hour)
		w.OK(w.service.ForgetSignIns(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM identity_refresh_tokens"); n != 0 {
			t.Errorf("%d refresh tokens of no sign-in are kept", n)
		}
		w.ended(used, "refresh")
	})
}

// TestDevicesAreBounded: one more ends the one that was used least lately; so are the
// exchanges of one.
func TestDevicesAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		var all []identity.Tokens
		for range identity.SignInsAtMost + 1 {
			all = append(all, w.device(aigul, ""))
			w.Pass(10 * time.Minute)
			all[0] = w.refreshed(all[0].Refresh, fmt.Sprint(w.Now()))
		}
		w.ended(all[1], "refresh")
		for i, tokens := range all {
			if i != 1 {
				w.refreshed(tokens.Refresh, "last")
			}
		}
		var err error
		for n := 0; err == nil && n < 100; n++ {
			_, err = w.refresh(all[0].Refresh, "last") // counted, whatever comes of it
		}
		w.refused(err, "refresh_many")
	})
}

// TestPlantedSignIns: whoever takes the end of a sign-in back, or a used token's use, or
// changes whose it is, is found.
func TestPlantedSignIns(t *testing.T) {
	t.Parallel()
	tables := []string{"identity_sign_ins", "identity_refresh_tokens"}
	unsaid := map[string]string{
		"identity_sign_ins.id":            "the row's name, which its tokens refer to: one of another name is of no record",
		"identity_refresh_tokens.made_by": "the request that a token came by: it only keeps an app from using one key twice",
		"identity_refresh_tokens.used_by": "the request that used a token: for minutes it may come again",
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		live, out, stolen, replaced := w.device(aigul, "live"), w.device(second, "out"), w.device(third, "stolen"), w.device(bakyt, "")
		w.Pass(time.Minute)
		w.refreshed(live.Refresh, "1")
		ids := map[string]string{}
		for name, tokens := range map[string]identity.Tokens{"live": live, "out": out, "stolen": stolen, "replaced": replaced} {
			who, err := w.service.Authenticate(t.Context(), tokens.Access)
			w.OK(err)
			ids[name] = who.SignIn
		}
		w.OK(w.service.SignOut(t.Context(), w.by(second), ids["out"]))
		w.refreshed(stolen.Refresh, "owner")
		_, err := w.refresh(stolen.Refresh, "thief")
		w.refused(err, "refresh_reused")
		for range identity.SignInsAtMost {
			w.Pass(identity.CodesPer)
			w.device(bakyt, "")
		}
		w.device(second, "cut")
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "officer"}, second))
		if n := w.Number("SELECT COUNT(*) FROM identity_sign_ins WHERE ended_at IS NOT NULL"); n != 4 {
			t.Fatalf("%d sign-ins ended", n)
		}
		storetest.Covered(t, db, tables, signInPlants(ids), unsaid)
		storetest.Planted(t, db, signInPlants(ids), func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}

func signInPlants(ids map[string]string) (list []storetest.Plant) {
	add := func(named string, statements ...string) {
		list = append(list, storetest.Plant{Name: strings.Join(statements, "; "), Statements: statements, Named: []string{named}})
	}
	set := func(what, name string) string {
		return "UPDATE identity_sign_ins SET " + what + " WHERE id = '" + ids[name] + "'"
	}
	otherwise := func(name string) string { return "the sign-in " + ids[name] + " is otherwise than the audit record " }
	for _, name := range []string{"out", "stolen", "replaced"} {
		add(otherwise(name), set("ended_at = NULL", name))
		add(otherwise(name), set("ended_at = NULL, ended_by = ''", name))
		add(otherwise(name), set("ended_by = 'cut'", name))
		add(otherwise(name), set("ended_at = ended_at + 1", name))
	}
	for _, what := range []string{
		"phone_index = 'x'", "phone_sealed = label_sealed", "label_sealed = phone_sealed", "generation = generation + 1",
		"begun_at = begun_at - 1", "used_at = used_at + 1", "expires_at = expires_at + 1", "ended_by = 'signed_out'",
	} {
		add(otherwise("live"), set(what, "live"))
	}
	add("nothing of the sign-in x", "INSERT INTO identity_sign_ins SELECT 'x', phone_index, phone_sealed, label_sealed, generation, begun_at, used_at, expires_at, "+
		"ended_at, ended_by FROM identity_sign_ins WHERE id = '"+ids["live"]+"'")
	tokens := "the refresh tokens of the sign-in " + ids["live"] + " are others than the audit record "
	of := " WHERE sign_in_id = '" + ids["live"] + "'"
	add(tokens, "UPDATE identity_refresh_tokens SET used_at = NULL"+of+" AND used_at > 0")
	add(tokens, "UPDATE identity_refresh_tokens SET used_at = 1"+of+" AND used_at IS NULL")
	add(tokens, "UPDATE identity_refresh_tokens SET token_mac = 'x'"+of+" AND used_at IS NULL")
	add(tokens, "UPDATE identity_refresh_tokens SET sign_in_id = '"+ids["out"]+"'"+of)
	add(tokens, "DELETE FROM identity_refresh_tokens"+of+" AND used_at IS NULL")
	add(tokens, "INSERT INTO identity_refresh_tokens (token_mac, sign_in_id, made_by) VALUES ('x', '"+ids["live"]+"', '')")
	return list
}

// TestSignInsFromBefore: records that say nothing of a sign-in are counted, and no fault; it
// is compared from its next exchange on.
func TestSignInsFromBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.deps.Trail = w.TrailBy(testworld.Forgetful{Log: w.Audit})
		w.rebuild()
		first := w.refreshed(w.device(aigul, "").Refresh, "1")
		older := 0
		check := func(tx *sql.Tx) (err error) { older, err = w.look(tx); return err }
		if err := db.Snapshot(t.Context(), check); err != nil || older != 2 {
			t.Fatalf("%d records cannot be compared; %v", older, err)
		}
		w.deps.Trail = w.TrailBy(w.Audit)
		w.rebuild()
		w.refreshed(first.Refresh, "2")
		storetest.Planted(t, db, []storetest.Plant{
			{Name: "a sign-in", Named: []string{"is otherwise than the audit record "}, Statements: []string{"UPDATE identity_sign_ins SET expires_at = expires_at + 1"}},
			{Name: "a token", Named: []string{"are others than the audit record "}, Statements: []string{"UPDATE identity_refresh_tokens SET used_at = NULL WHERE used_at > 0"}},
		}, check)
	})
}
