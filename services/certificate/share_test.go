package certificate_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

// atBank is an opening with a code.
func atBank(s certificate.Share) certificate.Opening {
	return certificate.Opening{Number: certificate.ShowNumber(s.Number), Code: s.Code, Office: "bank"}
}

// other is a code that is not that one.
func other(code string) string {
	if code == "123456" {
		return "654321"
	}
	return "123456"
}

// consistent is what fsck says of the certificates.
func (h *world) consistent(t *testing.T) error {
	t.Helper()
	tx, err := h.DB.Reader().BeginTx(t.Context(), nil)
	testworld.OK(t, err)
	defer func() { _ = tx.Rollback() }()
	return h.look(tx)
}

func (h *world) revoke(t *testing.T, number string) {
	t.Helper()
	testworld.OK(t, h.Revoke(t.Context(), staff.Act{Actor: "officer", Reason: "an error"}, caller.Caller{Subject: "officer", Now: noon.Add(time.Minute)}, number))
}

func share(t *testing.T, h *world, c caller.Caller, number string) certificate.Share {
	t.Helper()
	return must[certificate.Share](t)(h.Share(t.Context(), c, number))
}

// TestAnOfficeSeesTheWhole: with number and code an office sees all that was signed and gets the
// document, the holder's phones are told once, and each opening is recorded.
func TestAnOfficeSeesTheWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		h.register.members = []certificate.Member{{Person: certificate.Person{Name: "Асанов Бакыт", Born: "1990-01-01"}, Relation: "spouse"}}
		made := share(t, h, aigul("t2"), request(t, h, "t1", certificate.Family).Number)
		if again := share(t, h, aigul("t3"), made.Number); again != made {
			t.Errorf("asking again gives %+v, not %+v", again, made)
		}
		signed := must[certificate.Signed](t)(h.OpenShared(t.Context(), anybody, atBank(made)))
		if signed.Record.Holder.Name != "Асанова Айгүл Бакытовна" || len(signed.Record.Members) != 1 || signed.Number != made.Number {
			t.Errorf("the bank sees %+v", signed)
		}
		pdf := must[[]byte](t)(h.SharedPDF(t.Context(), anybody, atBank(made)))
		if own := must[[]byte](t)(h.PDF(t.Context(), aigul("t4"), made.Number)); string(own) != string(pdf) {
			t.Error("the office's document is not the holder's")
		}
		if n := h.Number("SELECT COUNT(*) FROM notify_messages WHERE dedup LIKE 'certificate.opened:%'"); n != 2 {
			t.Errorf("%d messages of two phones", n)
		}
		if n := h.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'certificate.open'"); n != 2 {
			t.Errorf("%d openings are recorded", n)
		}
		if got := must[certificate.Share](t)(h.Shared(t.Context(), aigul("t5"), made.Number)); got.Opened != 2 {
			t.Errorf("the holder sees %d openings", got.Opened)
		}
		if err := h.consistent(t); err != nil {
			t.Error(err)
		}
	})
}

// TestACodeIsGuessedFiveTimes: also where all guesses come at once; then also the right one is
// refused, as is a code of another certificate, and the holder gets a new one.
func TestACodeIsGuessedFiveTimes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		made := share(t, h, aigul("t2"), request(t, h, "t1", certificate.Residential).Number)
		wrong := atBank(made)
		wrong.Code = other(made.Code)
		var all sync.WaitGroup
		for range 2 * certificate.ShareTries {
			all.Go(func() {
				_, err := h.OpenShared(t.Context(), anybody, wrong)
				testworld.Refused(t, err, "problem.certificate_share")
			})
		}
		all.Wait()
		if n := h.Number("SELECT tries FROM certificate_shares"); n != certificate.ShareTries {
			t.Errorf("%d tries are counted", n)
		}
		_, err := h.OpenShared(t.Context(), anybody, atBank(made))
		testworld.Refused(t, err, "problem.certificate_share")
		_, err = h.Shared(t.Context(), aigul("t3"), made.Number)
		testworld.Refused(t, err, "problem.certificate_share_none")
		fresh := share(t, h, aigul("t4"), made.Number)
		if fresh.Code == made.Code {
			t.Error("the new code is the old one")
		}
		must[certificate.Signed](t)(h.OpenShared(t.Context(), anybody, atBank(fresh)))
		testworld.OK(t, h.consistent(t))
	})
}

// TestACodeEnds by its time, by its openings, by its holder's word, with its phone and with its
// certificate.
func TestACodeEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(t *testing.T, h *world, made certificate.Share)
		want string
	}{
		"time": {func(_ *testing.T, h *world, _ certificate.Share) { h.Clock.Pass(certificate.ShareLasts) }, "problem.certificate_share"},
		"openings": {func(t *testing.T, h *world, made certificate.Share) {
			for range certificate.ShareOpenings {
				must[certificate.Signed](t)(h.OpenShared(t.Context(), anybody, atBank(made)))
			}
		}, "problem.certificate_share"},
		"the holder": {func(t *testing.T, h *world, made certificate.Share) {
			testworld.OK(t, h.Unshare(t.Context(), aigul("t9"), made.Number))
		}, "problem.certificate_share"},
		"another phone": {func(t *testing.T, h *world, made certificate.Share) {
			c := aigul("t9")
			c.Phone = testworld.Bakyt
			share(t, h, c, made.Number)
		}, "problem.certificate_share"},
		"the phone": {func(t *testing.T, h *world, _ certificate.Share) {
			testworld.OK(t, h.DB.InTx(t.Context(), func(tx *store.Tx) error { return h.CutPhone(t.Context(), tx, phone, h.Clock.Now()) }))
		}, "problem.certificate_share"},
		"the certificate": {func(t *testing.T, h *world, made certificate.Share) { h.revoke(t, made.Number) }, "problem.certificate_revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				h := newWorld(t, db)
				made := share(t, h, aigul("t2"), request(t, h, "t1", certificate.Residential).Number)
				c.end(t, h, made)
				at := anybody
				at.Now = h.Clock.Now()
				_, err := h.OpenShared(t.Context(), at, atBank(made))
				testworld.Refused(t, err, c.want)
				testworld.OK(t, h.consistent(t))
			})
		})
	}
}

// TestWhoMakesACode: nobody but the holder, strongly proved, of a certificate that stands.
func TestWhoMakesACode(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	number := request(t, h, "t1", certificate.Residential).Number
	weak, nobody, stranger := aigul("t2"), aigul("t3"), aigul("t4")
	weak.Level = caller.LevelWeak
	nobody.Subject = ""
	stranger.Subject = "01890000-0000-7000-8000-000000000002"
	for want, c := range map[string]caller.Caller{
		"problem.level_strong": weak, "problem.certificate_identify": nobody, "problem.certificate_not_found": stranger,
	} {
		_, err := h.Share(t.Context(), c, number)
		testworld.Refused(t, err, want)
		testworld.Refused(t, h.Unshare(t.Context(), c, number), want)
		_, err = h.Shared(t.Context(), c, number)
		testworld.Refused(t, err, want)
	}
	h.proofs.undone = true // cut off meanwhile
	_, err := h.Share(t.Context(), aigul("t5"), number)
	testworld.Refused(t, err, "problem.certificate_identify")
	h.proofs.undone = false
	h.revoke(t, number)
	_, err = h.Share(t.Context(), aigul("t6"), number)
	testworld.Refused(t, err, "problem.certificate_revoked")
}

// TestOpeningsThatAreNone: what is no number, code or office says which; what fits no certificate
// says nothing else, whether it is the number, the code or that there is none.
func TestOpeningsThatAreNone(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	made := share(t, h, aigul("t2"), request(t, h, "t1", certificate.Residential).Number)
	bare := asked(t, h, "t3", certificate.Family).Number
	for _, c := range []struct{ number, code, office, want string }{
		{"K7MN", made.Code, "bank", "problem.certificate_number"},
		{made.Number, made.Code[1:], "bank", "problem.certificate_share_code"},
		{made.Number, made.Code + "0", "bank", "problem.certificate_share_code"},
		{made.Number, "", "bank", "problem.certificate_share_code"},
		{made.Number, "12345x", "bank", "problem.certificate_share_code"},
		{made.Number, "١٢٣٤٥٦", "bank", "problem.certificate_share_code"},
		{made.Number, made.Code, "", "problem.certificate_office"},
		{made.Number, made.Code, "Bank of Evil http://x", "problem.certificate_office"},
		{certificate.AnyNumber(t), made.Code, "bank", "problem.certificate_share"},
		{bare, made.Code, "bank", "problem.certificate_share"},
	} {
		_, err := h.OpenShared(t.Context(), anybody, certificate.Opening{Number: c.number, Code: c.code, Office: c.office})
		testworld.Refused(t, err, c.want)
	}
	spaced := atBank(made)
	spaced.Code = made.Code[:3] + " " + made.Code[3:]
	must[certificate.Signed](t)(h.OpenShared(t.Context(), anybody, spaced))
}

// TestCodesAreBounded: 20 a day for a person, also where each is given again.
func TestCodesAreBounded(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	number := request(t, h, "t1", certificate.Residential).Number
	for i := range 20 {
		share(t, h, aigul(fmt.Sprint("s", i)), number)
	}
	_, err := h.Share(t.Context(), aigul("more"), number)
	testworld.Refused(t, err, "problem.certificate_shares_many")
}

// TestPlantedCodesAreNamed: a code that somebody wrote, revived or pointed at another certificate.
func TestPlantedCodesAreNamed(t *testing.T) {
	for name, planted := range map[string]string{
		"written": "INSERT INTO certificate_shares (id, certificate_id, phone_index, made_at, expires_at) " +
			"SELECT 'planted', certificate_id, phone_index, made_at, expires_at FROM certificate_shares",
		"revived": "UPDATE certificate_shares SET void_at = NULL",
		"longer":  "UPDATE certificate_shares SET expires_at = expires_at + 1",
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				h := newWorld(t, db)
				made := share(t, h, aigul("t2"), request(t, h, "t1", certificate.Residential).Number)
				testworld.OK(t, h.Unshare(t.Context(), aigul("t3"), made.Number))
				testworld.OK(t, h.consistent(t))
				testworld.OK(t, db.InTx(t.Context(), func(tx *store.Tx) error { _, err := tx.ExecContext(t.Context(), planted); return err }))
				if err := h.consistent(t); err == nil || !strings.Contains(err.Error(), "for offices") {
					t.Errorf("fsck says %v", err)
				}
				_, err := h.OpenShared(t.Context(), anybody, atBank(made))
				if name != "revived" {
					testworld.Refused(t, err, "problem.certificate_share")
				}
			})
		})
	}
}

// TestOldCodesAreForgotten after a month.
func TestOldCodesAreForgotten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		share(t, h, aigul("t2"), request(t, h, "t1", certificate.Residential).Number)
		for _, want := range []int{1, 0} {
			h.Clock.Pass(29 * 24 * time.Hour)
			testworld.OK(t, h.ForgetShares(t.Context()))
			if n := h.Number("SELECT COUNT(*) FROM certificate_shares"); n != want {
				t.Errorf("%d codes are kept, not %d", n, want)
			}
		}
		testworld.OK(t, h.consistent(t))
	})
}

var sixDigits = regexp.MustCompile(`(?m)[^0-9]([0-9]{6})$`)

// TestShareByDialling shows the code, the same again, and closes it.
func TestShareByDialling(t *testing.T) {
	t.Parallel()
	for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.KYLatn} {
		t.Run(string(loc), func(t *testing.T) {
			t.Parallel()
			h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
			k := newConversation(t, h, loc)
			k.start("")
			k.say("1")
			if got := k.say("3"); !strings.Contains(got, "1") {
				t.Errorf("without a certificate: %q", got)
			}
			number := request(t, h, "first", certificate.Residential).Number
			k = newConversation(t, h, loc)
			k.start("")
			k.say("1")
			k.say("3")
			got := k.say("1")
			code := sixDigits.FindStringSubmatch(got)
			if code == nil || !strings.Contains(got, certificate.ShowNumber(number)) {
				t.Fatalf("the code's screen is %q", got)
			}
			must[certificate.Signed](t)(h.OpenShared(t.Context(), anybody, certificate.Opening{Number: number, Code: code[1], Office: "okmotu"}))
			all := got
			for range 2 {
				all += k.say("9")
			}
			if !strings.Contains(all, "/verify") || !strings.Contains(all, "24.11.2026 12:00") {
				t.Errorf("where it is opened, and until when, is not said: %q", all)
			}
			k.say("1")
			_, err := h.OpenShared(t.Context(), anybody, certificate.Opening{Number: number, Code: code[1], Office: "okmotu"})
			testworld.Refused(t, err, "problem.certificate_share")
		})
	}
}
