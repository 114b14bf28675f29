package certificate_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

// A person who gave the citizen a mandate; the register of residents knows them.
const (
	giver    = "01890000-0000-7000-8000-000000000009"
	giverPIN = "22107197900022"
	given    = "019ad3a2-5b1c-7c3e-8a55-0c7c2b1f9e01"
)

// mandates are one, while it lasts.
type mandates struct {
	mu          sync.Mutex
	lasts       bool
	endsAtStore bool // it ends while the register is asked
	died        string
}

func (m *mandates) Use(_ context.Context, id, holder, service string, _ time.Time) (mandate.Mandate, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.lasts || id != given || holder != citizen || service != "certificate" {
		return mandate.Mandate{}, mandate.ErrAbsent
	}
	return mandate.Mandate{ID: given, Giver: giver, Called: "Бакыт Т."}, nil
}

func (m *mandates) Hold(ctx context.Context, _ *store.Tx, id, holder, service string, now time.Time) (mandate.Mandate, error) {
	if m.endsAtStore {
		return mandate.Mandate{}, mandate.ErrAbsent
	}
	return m.Use(ctx, id, holder, service, now)
}

func (m *mandates) Under(ctx context.Context, c caller.Caller, service string) ([]mandate.Mandate, error) {
	one, err := m.Use(ctx, given, c.Subject, service, c.Now)
	if err != nil {
		return nil, nil //nolint:nilerr // there is none
	}
	return []mandate.Mandate{one}, nil
}

func (m *mandates) Died(_ context.Context, who string, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.died, m.lasts = who, false
	return nil
}

// withMandate is a world whose person holds a mandate.
func withMandate(t testing.TB, db *store.DB) *world {
	t.Helper()
	h := newWorld(t, db)
	h.mandates.lasts = true
	h.register.neighbours = []certificate.Minor{minor(giverPIN, "Бакыт", "1979-07-21")}
	return h
}

// TestACertificateUnderAMandate: it is about the giver, the order is the representative's, and each sees
// who acted for whom; what was issued stays theirs when the mandate has ended, and nothing else is issued.
func TestACertificateUnderAMandate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := withMandate(t, db)
		h.Work()
		got := must[certificate.Certificate](t)(h.RequestUnder(t.Context(), rest("t1"), certificate.Residential, given))
		if got.Giver != "Бакыт Т." || got.Child != "" || got.State != certificate.Issued {
			t.Errorf("%+v", got)
		}
		if again := must[certificate.Certificate](t)(h.RequestUnder(t.Context(), rest("t1"), certificate.Residential, given)); again != got {
			t.Errorf("the same request gives %+v", again)
		}
		_, err := h.Request(t.Context(), rest("t1"), certificate.Residential)
		testworld.Refused(t, err, "problem.certificate_repeated")
		if text := testworld.PDFText(t, must[[]byte](t)(h.PDF(t.Context(), rest(""), got.Number))); !strings.Contains(text, "Бакыт") || strings.Contains(text, "Айгүл") {
			t.Errorf("the document says %q", text)
		}
		for action, actor := range map[string]string{
			"certificate.mandate.request": "representative:" + citizen, "certificate.mandate.issue": "representative:" + citizen,
			"certificate.mandate.download": "representative:" + citizen,
		} {
			if n := h.Number("SELECT count(*) FROM audit_records WHERE action = $1 AND actor = $2 AND subject = $3", action, actor, giver); n != 1 {
				t.Errorf("the giver sees %s %d times", action, n)
			}
		}
		if n := h.Number("SELECT count(*) FROM audit_records WHERE subject = $1 AND action = 'certificate.request.mandate'", citizen); n != 1 {
			t.Errorf("the representative sees %d of it", n)
		}
		testworld.Eventually(t, "the representative is told of whom it is", func() bool {
			return strings.Contains(strings.Join(h.Phones.Texts(), "\n"), "(Бакыт Т.)")
		})
		h.mandates.lasts = false
		for _, c := range []caller.Caller{rest("t2"), aigul("t3")} { // a call right after would be given the one before
			_, err = h.RequestUnder(t.Context(), c, certificate.Residential, given)
			testworld.Refused(t, err, "problem.mandate_absent")
		}
		if list := must[[]certificate.Certificate](t)(h.List(t.Context(), rest(""))); len(list) != 1 || list[0].Giver != "Бакыт Т." {
			t.Errorf("the list is %+v", list)
		}
		h.OK(db.Snapshot(t.Context(), h.look))
	})
}

// TestNoMandate: one that is absent, foreign, ended, or ends while the registers are asked, gives
// nothing, and the giver's death ends it.
func TestNoMandate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := withMandate(t, db)
		stranger := rest("t1")
		stranger.Subject = giver
		for i, c := range []struct {
			c      caller.Caller
			id     string
			before func()
		}{
			{rest("a"), "", func() {}},
			{rest("b"), "019ad3a2-5b1c-7c3e-8a55-0c7c2b1f9e02", func() {}},
			{stranger, given, func() {}},
			{rest("c"), given, func() { h.mandates.endsAtStore = true }},
			{rest("d"), given, func() { h.mandates.endsAtStore, h.register.barred = false, giverPIN }},
			{rest("e"), given, func() { h.register.barred = "" }},
		} {
			c.before()
			_, err := h.RequestUnder(t.Context(), c.c, certificate.Residential, c.id)
			testworld.Refused(t, err, "problem.mandate_absent")
			if n := h.Number("SELECT count(*) FROM certificates"); n != 0 {
				t.Fatalf("%d: %d certificates", i, n)
			}
		}
		if h.mandates.died != giver {
			t.Errorf("who died is %q", h.mandates.died)
		}
	})
}

// TestABlockedNumberIsNoDeathOfTheMandate: while the giver's number is blocked nothing is issued, and the mandate lasts.
func TestABlockedNumberIsNoDeathOfTheMandate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := withMandate(t, db)
		h.register.blocked = giverPIN
		_, err := h.RequestUnder(t.Context(), rest("t1"), certificate.Residential, given)
		testworld.Refused(t, err, "problem.mandate_absent")
		if h.mandates.died != "" || h.Number("SELECT count(*) FROM certificates") != 0 {
			t.Errorf("%q is taken for dead", h.mandates.died)
		}
		h.register.blocked = ""
		_, err = h.RequestUnder(t.Context(), rest("t2"), certificate.Residential, given)
		h.OK(err)
	})
}

// TestTheMandateEndsBeforeTheSignature: an intent that a crash left is not finished by a mandate that has
// ended.
func TestTheMandateEndsBeforeTheSignature(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := withMandate(t, db)
		h.signer.fails = true
		if _, err := h.RequestUnder(t.Context(), rest("t1"), certificate.Residential, given); err == nil {
			t.Fatal("issued without a signature")
		}
		h.signer.fails, h.mandates.lasts = false, false
		h.Work()
		testworld.Eventually(t, "it is dropped", func() bool { return h.Number("SELECT count(*) FROM certificates WHERE state = 'dropped'") == 1 })
		_, err := h.RequestUnder(t.Context(), rest("t1"), certificate.Residential, given)
		testworld.Refused(t, err, "problem.mandate_absent")
		h.OK(db.Snapshot(t.Context(), h.look))
	})
}

// TestForWhomByMandate: who holds one is asked for whom, on a dialled phone too.
func TestForWhomByMandate(t *testing.T) {
	t.Parallel()
	h := withMandate(t, storetest.Open(t, storetest.NewSQLite(t)))
	k := newConversation(t, h, locales.RU)
	k.start("")
	k.say("1")
	k.say("1")
	if got := k.say("2"); !strings.Contains(got, "Бакыт Т.") {
		t.Errorf("for whom: %q", got)
	}
	if got := k.say("2"); !strings.Contains(got, "Бакыт Т.") || shown.FindString(got) == "" {
		t.Errorf("the giver's: %q", got)
	}
	if n := h.Number("SELECT count(*) FROM certificates WHERE holder_id = $1", giver); n != 1 {
		t.Errorf("%d of the giver", n)
	}
	err := h.DB.InTx(t.Context(), func(tx *store.Tx) error {
		records, err := certificate.Holder(h.Service).Export(t.Context(), tx, personal.Person{ID: citizen, Now: noon})
		if text := fmt.Sprint(records); !strings.Contains(text, "mandate") || strings.Contains(text, "Чүй") {
			t.Errorf("the representative is given %s", text)
		}
		return err
	})
	h.OK(err)
}
