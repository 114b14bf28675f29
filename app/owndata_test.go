package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
	"github.com/eshik-kg/eshik/services/owndata"
	"github.com/eshik-kg/eshik/services/preschool"
)

// household is an app of the sandbox in which Айгүл proved who she is, has a certificate of
// her family, and a child that was registered.
type household struct {
	*testing.T
	app    *App
	her    caller.Caller
	number string // of the registration
	paper  string // of the certificate
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// openSandbox opens an app of the sandbox on a database; empty: SQLite of its own.
func openSandbox(t *testing.T, dsn string) *App {
	t.Helper()
	config := &Config{
		Mode: "sandbox", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Data: t.TempDir(), Database: dsn, ShortCode: "*1414#",
		XRoadClient: "central-server/GOV/70000099/eshik", StepTime: 3 * time.Second, ResumeWindow: 15 * time.Minute,
	}
	a, err := Open(t.Context(), config, slog.New(slog.DiscardHandler), Added{})
	testworld.OK(t, err)
	t.Cleanup(func() { testworld.OK(t, a.Close(context.WithoutCancel(t.Context()))) })
	return a
}

func newHousehold(t *testing.T, dsn string) *household {
	t.Helper()
	a := openSandbox(t, dsn)
	h := &household{T: t, app: a}
	h.her = h.prove(testworld.Aigul, testworld.AigulPIN, testworld.AigulDocument)
	h.her.Key = "certificate"
	made, err := module.Of[*certificate.Service](a.Modules).Request(t.Context(), h.her, certificate.Family)
	testworld.OK(t, err)
	h.paper = made.Number
	queue := module.Of[*preschool.Service](a.Modules)
	children, err := queue.Children(t.Context(), h.her)
	testworld.OK(t, err)
	districts, err := queue.Districts(t.Context())
	testworld.OK(t, err)
	gardens, err := queue.Kindergartens(t.Context(), districts[0].Code)
	testworld.OK(t, err)
	h.her.Key = "registration"
	position, err := queue.Register(t.Context(), h.her, children[0].Ref, []string{gardens[0].Code})
	testworld.OK(t, err)
	h.number = position.Number
	return h
}

func (h *household) prove(phone, pin, document string) caller.Caller {
	h.Helper()
	c := caller.Caller{Phone: phone, Channel: caller.USSD, Locale: locales.RU, Now: time.Now()}
	_, err := h.app.Identity.SendCode(h.Context(), c)
	testworld.OK(h, err)
	list, err := h.app.Outbox.List(h.Context(), phone)
	testworld.OK(h, err)
	testworld.OK(h, h.app.Identity.CheckCode(h.Context(), c, "", sixDigits.FindString(list[0].Text)))
	_, err = h.app.Identity.Prove(h.Context(), c, pin, document)
	testworld.OK(h, err)
	citizen, err := h.app.Identity.StepUp(h.Context(), c)
	testworld.OK(h, err)
	c.Subject, c.Level = citizen.ID, citizen.Level
	return c
}

func (h *household) own() *owndata.Service { return module.Of[*owndata.Service](h.app.Modules) }

func (h *household) do(statement string, args ...any) {
	h.Helper()
	_, err := h.app.DB.Writer().ExecContext(h.Context(), statement, args...)
	testworld.OK(h, err)
}

func (h *household) count(query string, args ...any) (n int) {
	h.Helper()
	testworld.OK(h, h.app.DB.Reader().QueryRowContext(h.Context(), query, args...).Scan(&n))
	return n
}

// later has erasures done as if their days were over.
func (h *household) later() {
	h.own().Now = func() time.Time { return time.Now().Add(owndata.EraseAfter) }
}

// erase asks for an erasure and has it done as if its days were over, by two processes.
func (h *household) erase() {
	h.Helper()
	_, err := h.own().AskErasure(h.Context(), h.her)
	testworld.OK(h, err)
	testworld.OK(h, h.own().EraseDue(h.Context())) // too early
	if n := h.count("SELECT COUNT(*) FROM identity_citizens"); n != 1 {
		h.Fatal("erased before its time")
	}
	h.later()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { testworld.OK(h, h.own().EraseDue(h.Context())) })
	}
	both.Wait()
	if n := h.count("SELECT COUNT(*) FROM audit_records WHERE action = 'owndata.erased'"); n != 1 {
		h.Errorf("erased %d times", n)
	}
	quiet := Progress{Records: func(int) {}, Replayed: func(audit.Tail, int) {}, Payments: func(int) {}}
	if _, err := h.app.Audit.Seal(h.Context()); err != nil {
		h.Error(err)
	}
	if err := h.app.Fsck(h.Context(), quiet); err != nil {
		h.Errorf("fsck after an erasure: %v", err)
	}
}

// everyDatabase runs a test on both databases.
func everyDatabase(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.NewSQLite, "postgresql": storetest.NewPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, dsn(t))
		})
	}
}

// TestTheExportIsWholeAndNobodyElses: every part gives what it keeps; the family's other
// members, and the numbers in full, are not in it. The document says the same.
func TestTheExportIsWholeAndNobodyElses(t *testing.T) {
	t.Parallel()
	everyDatabase(t, func(t *testing.T, dsn string) {
		h := newHousehold(t, dsn)
		export, err := h.own().Export(t.Context(), h.her)
		testworld.OK(t, err)
		kinds := map[string]int{}
		for _, section := range export.Sections {
			for _, r := range section.Records {
				kinds[r.Kind]++
				if !h.app.Texts.Has("kept." + r.Kind) {
					t.Errorf("%s has no title", r.Kind)
				}
				for _, f := range r.Fields {
					if !h.app.Texts.Has("kept.field."+f.Name) || f.Key != "" && !h.app.Texts.Has(f.Key) {
						t.Errorf("the field %s of %s lacks a text (%s)", f.Name, r.Kind, f.Key)
					}
				}
			}
		}
		for _, kind := range []string{"person", "phone", "certificate", "registration", "message", "look"} {
			if kinds[kind] == 0 {
				t.Errorf("no %s: %v", kind, kinds)
			}
		}
		text, err := json.Marshal(export)
		testworld.OK(t, err)
		if !strings.Contains(string(text), h.number) || !strings.Contains(string(text), "**********0011") {
			t.Errorf("%s", text)
		}
		for _, hidden := range []string{testworld.AigulPIN, testworld.Aigul, testworld.Bakyt, testworld.BakytPIN, "Токтогулов"} {
			if strings.Contains(string(text), hidden) {
				t.Errorf("the export has %q", hidden)
			}
		}
		h.document()
	})
}

// document holds the PDF of the export in both languages.
func (h *household) document() {
	h.Helper()
	for loc, wants := range map[locales.Locale][]string{
		locales.KY: {"Сиз жөнүндө эмне сакталат", "Бала бакча кезеги", "жарактуу", "ким экениңиз ырасталды"},
		locales.RU: {"Что хранится о вас", "Очередь в детский сад", "действует", "подтверждение личности"},
	} {
		c := h.her
		c.Locale = loc
		pdf, err := h.own().PDF(h.Context(), c)
		testworld.OK(h, err)
		out := testworld.PDFText(h, pdf)
		for _, want := range append(wants, h.number) {
			if !strings.Contains(out, want) {
				h.Errorf("%s: the document does not say %q:\n%s", loc, want, out)
			}
		}
	}
}

// TestErasureLeavesWhatMustStay: a child in the queue keeps its place and its parent's
// number; the phones, the messages and who asked for a certificate are gone.
func TestErasureLeavesWhatMustStay(t *testing.T) {
	t.Parallel()
	everyDatabase(t, func(t *testing.T, dsn string) {
		h := newHousehold(t, dsn)
		e, err := h.own().Erasure(t.Context(), h.her)
		testworld.OK(t, err)
		var keys []string
		for _, k := range e.Keeps {
			keys = append(keys, k.Key)
		}
		if got := strings.Join(keys, " "); got != "kept.why_certificates kept.why_registrations kept.why_log" {
			t.Errorf("keeps %s", got)
		}
		h.erase()
		for query, want := range map[string]int{
			"SELECT COUNT(*) FROM identity_citizens": 1, "SELECT COUNT(*) FROM identity_bindings": 0, "SELECT COUNT(*) FROM identity_proofs": 0,
			"SELECT COUNT(*) FROM notify_messages WHERE about <> ''":                       0,
			"SELECT COUNT(*) FROM preschool_registrations WHERE citizen_id <> ''":          1,
			"SELECT COUNT(*) FROM owndata_erasures WHERE done_at > 0 AND phone_index = ''": 1,
		} {
			if n := h.count(query); n != want {
				t.Errorf("%s: %d, not %d", query, n, want)
			}
		}
		_, err = h.own().Export(t.Context(), h.her)
		testworld.Refused(t, err, "problem.owndata_prove")
		again := h.prove(testworld.Aigul, testworld.AigulPIN, testworld.AigulDocument)
		if again.Subject != h.her.Subject {
			t.Error("the parent is another person to the queue")
		}
		view, err := module.Of[*certificate.Service](h.app.Modules).Verify(t.Context(), again, h.paper)
		if err != nil || !view.Valid() || view.Initials == "" {
			t.Errorf("the certificate is verified as %+v, %v", view, err)
		}
	})
}

// TestErasureForgetsThePerson: with nothing that stands the number goes too, what is over in
// the queue names nobody, and who proves again is somebody new.
func TestErasureForgetsThePerson(t *testing.T) {
	t.Parallel()
	everyDatabase(t, func(t *testing.T, dsn string) {
		h := newHousehold(t, dsn)
		testworld.OK(t, module.Of[*preschool.Service](h.app.Modules).Withdraw(t.Context(), staff.Act{Actor: "staff:officer", Reason: "a mistake"}, h.number, false))
		h.erase()
		for _, table := range []string{"identity_citizens", "identity_bindings", "identity_proofs"} {
			if n := h.count("SELECT COUNT(*) FROM " + table); n != 0 {
				t.Errorf("%d of %s are left", n, table)
			}
		}
		if n := h.count("SELECT COUNT(*) FROM preschool_registrations WHERE child_index = '' AND citizen_id = '' AND phone_index = ''"); n != 1 {
			t.Error("the registration names somebody")
		}
		list, err := h.app.Outbox.List(t.Context(), testworld.Aigul)
		testworld.OK(t, err)
		if want := h.app.Texts.Text(locales.RU, "owndata.erased_sms"); list[0].Text != want {
			t.Errorf("told %q", list[0].Text)
		}
		again := h.prove(testworld.Aigul, testworld.AigulPIN, testworld.AigulDocument)
		if again.Subject == h.her.Subject {
			t.Error("the pseudonym is a person's again")
		}
		if looks, n, err := h.own().Usages(t.Context(), again, 0, 50); err != nil || n != 2 { // the proof, and what made it strong
			t.Errorf("is shown the looks of before: %v, %v", looks, err)
		}
	})
}

// TestWhoMayNotEraseOrExport: a person whose phones accuse each other; and what an undone phone asked for is
// not done.
func TestWhoMayNotEraseOrExport(t *testing.T) {
	t.Parallel()
	everyDatabase(t, func(t *testing.T, dsn string) {
		h := newHousehold(t, dsn)
		_, err := h.own().AskErasure(t.Context(), h.her)
		testworld.OK(t, err)
		h.do("INSERT INTO identity_bindings (citizen_id, phone_index, phone_sealed, locale, document_mac, bound_at, blocked_until_at) "+
			"SELECT citizen_id, 'her other phone', phone_sealed, locale, document_mac, bound_at, $1 FROM identity_bindings", time.Now().Add(owndata.EraseAfter+time.Hour).UnixMicro())
		_, err = h.own().Export(t.Context(), h.her)
		testworld.Refused(t, err, "problem.owndata_disputed")
		_, err = h.own().AskErasure(t.Context(), h.her)
		testworld.Refused(t, err, "problem.owndata_disputed")
		h.later()
		testworld.OK(t, h.own().EraseDue(t.Context()))
		if n := h.count("SELECT COUNT(*) FROM owndata_erasures WHERE open_citizen IS NOT NULL"); n != 1 {
			t.Error("what is disputed was done, or given up")
		}
		h.do("UPDATE identity_bindings SET blocked_until_at = NULL")
		testworld.OK(t, h.app.Identity.Release(t.Context(), staff.Act{Actor: "staff:officer", Reason: "a new holder"}, testworld.Aigul))
		testworld.OK(t, h.own().EraseDue(t.Context()))
		if n := h.count("SELECT COUNT(*) FROM owndata_erasures WHERE withdrawn_at > 0"); n != 1 || h.count("SELECT COUNT(*) FROM identity_citizens") != 1 {
			t.Error("a phone that is not the person's erased their data")
		}
	})
}

// TestExportsAreBounded: by the person, with until when; an erasure may be withdrawn, once.
func TestExportsAreBounded(t *testing.T) {
	t.Parallel()
	h := newHousehold(t, storetest.NewSQLite(t))
	var err error
	for n := 0; err == nil && n < 20; n++ {
		_, err = h.own().Export(t.Context(), h.her)
	}
	testworld.Refused(t, err, "problem.owndata_exports_many")
	if p := problem.From(err); p.RetryAfter < 23*time.Hour {
		t.Errorf("until %v", p.Args)
	}
	_, err = h.own().AskErasure(t.Context(), h.her)
	testworld.OK(t, err)
	testworld.OK(t, h.own().WithdrawErasure(t.Context(), h.her))
	testworld.Refused(t, h.own().WithdrawErasure(t.Context(), h.her), "problem.owndata_no_erasure")
	h.later()
	testworld.OK(t, h.own().EraseDue(t.Context()))
	if n := h.count("SELECT COUNT(*) FROM identity_bindings"); n != 1 {
		t.Error("what was withdrawn was erased")
	}
}
