package identity_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/identity/esi"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/sandbox"
)

const (
	backURL = "http://127.0.0.1:1/national-sign-in"
)

// national is a world with the national sign-in over HTTP.
type national struct {
	*world
	sim *sandbox.World
	box *sandbox.ESI
	app string // the sign-in of the app: of device, where it was signed in
}

func newNational(t *testing.T, db *store.DB) *national {
	t.Helper()
	w := &national{world: newWorld(t, db), app: "a-sign-in"}
	var err error
	w.sim, err = sandbox.NewWorld("", w.Now)
	w.OK(err)
	t.Cleanup(func() { _ = w.sim.Close() })
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	w.box, err = w.sim.NewESI(sandbox.ESIConfig{
		Issuer: func() string { return server.URL + sandbox.ESIPath }, Pages: func() string { return server.URL + sandbox.ESIPages },
		Redirect: func() string { return backURL }, Interval: time.Second,
	})
	w.OK(err)
	mux := http.NewServeMux()
	mux.Handle(sandbox.ESIPath+"/", w.box.Handler())
	mux.Handle(sandbox.ESIPages+"/", w.box.PagesHandler())
	server.Config.Handler = mux
	client, err := esi.New(esi.Config{
		Issuer: server.URL + sandbox.ESIPath, ClientID: sandbox.ESIClient, ClientSecret: sandbox.ESISecret, RedirectURL: backURL,
		Timeout: time.Second, Now: w.Now,
	})
	w.OK(err)
	w.service.OfferNational(client, w.Queue)
	return w
}

// begin begins a browser's sign-in of a phone over REST.
func (w *national) begin(phone string) identity.National {
	w.T.Helper()
	begun, err := w.service.BeginNational(w.T.Context(), w.inApp(phone), w.app, false)
	w.OK(err)
	return begun
}

// approve signs a person in on the provider's page and gives what comes back.
func (w *national) approve(address string, form url.Values) url.Values {
	w.T.Helper()
	form = maps.Clone(form) // the same may be sent in two tests at once
	form.Set("decision", "approve")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(address, form)
	w.OK(err)
	_ = resp.Body.Close()
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		w.T.Fatalf("the page answers %d, %v", resp.StatusCode, err)
	}
	return to.Query()
}

// finish signs a person in and takes them back.
func (w *national) finish(begun identity.National, pin string) error {
	w.T.Helper()
	back := w.approve(begun.Address, url.Values{"person": {pin}})
	return w.service.FinishNational(w.T.Context(), back.Get("state"), back.Get("code"))
}

// inApp is the caller in the app that is signed in.
func (w *national) inApp(phone string) caller.Caller {
	c := w.in(phone, w.app)
	c.Channel = caller.REST
	return c
}

// proveInApp has Айгүл prove who she is there, by the numbers of her card.
func (w *national) proveInApp(phone string) identity.Citizen {
	w.T.Helper()
	who, err := w.service.Authenticate(w.T.Context(), w.world.device(phone, "Redmi 9A").Access)
	w.OK(err)
	w.app = who.SignIn
	citizen, err := w.service.Prove(w.T.Context(), w.inApp(phone), aigulPIN, aigulDocument)
	w.OK(err)
	return citizen
}

func (w *national) proof(phone string) identity.Citizen {
	w.T.Helper()
	c := w.in(phone, w.app)
	citizen, _, err := w.service.Proof(w.T.Context(), c)
	w.OK(err)
	return citizen
}

func (w *national) stands(phone, id, state string) identity.National {
	w.T.Helper()
	got, err := w.service.NationalOf(w.T.Context(), w.by(phone), w.app, id)
	if err != nil || got.State != state {
		w.T.Fatalf("it stands at %q, not %q: %v", got.State, state, err)
	}
	return got
}

// sound wants what fsck wants.
func (w *national) sound() {
	w.T.Helper()
	w.fsck("a national sign-in")
}

func eachNational(t *testing.T, test func(t *testing.T, w *national)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, newNational(t, db)) })
}

// TestNationalProves: nobody was proved; the state knows the phone as the person's, so that it is
// theirs as after any strong proof.
func TestNationalProves(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		begun := w.begin(aigul)
		back := w.approve(begun.Address, url.Values{"person": {aigulPIN}})
		if tail, err := w.service.NationalBack(t.Context(), back.Get("state"), back.Get("iss"), w.Now()); err != nil || tail != aigul[len(aigul)-4:] {
			t.Fatalf("the page names %q, %v", tail, err)
		}
		if got := w.proof(aigul); got.ID != "" {
			t.Fatal("the page alone proved somebody")
		}
		if _, err := w.service.NationalBack(t.Context(), back.Get("state"), "https://another.example", w.Now()); err == nil {
			t.Fatal("another issuer sent it back")
		}
		w.OK(w.service.FinishNational(t.Context(), back.Get("state"), back.Get("code")))
		if got := w.proof(aigul); got.Level != caller.LevelStrong || got.Called != "Айгүл А." {
			t.Fatalf("proved: %+v", got)
		}
		if got := w.stands(aigul, begun.ID, identity.NationalDone); !got.Enrolled || got.Address != "" {
			t.Fatalf("%+v", got)
		}
		w.Pass(identity.ProofLasts - time.Minute)
		if got := w.proof(aigul); got.Level != caller.LevelStrong {
			t.Fatal("the proof of a known phone is over")
		}
		w.sound()
		n := w.Number("SELECT COUNT(*) FROM identity_national_sign_ins WHERE length(secret_sealed) > 0 OR length(phone_sealed) > 0")
		if n != 0 {
			t.Fatal("a secret is kept of what is over")
		}
	})
}

// TestNationalOnAnotherPhone: whom the state does not know by this phone, or by none that it
// made sure of, is proved for an hour, and their phones hear of it.
func TestNationalOnAnotherPhone(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]url.Values{
		"another":    {"person": {aigulPIN}},
		"unverified": {"person": {bakytPIN}, "phone": {"unverified"}},
		"none":       {"person": {bakytPIN}, "phone": {"none"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachNational(t, func(t *testing.T, w *national) {
				w.prove(aigul)
				begun := w.begin(bakyt)
				back := w.approve(begun.Address, form)
				w.OK(w.service.FinishNational(t.Context(), back.Get("state"), back.Get("code")))
				if got := w.stands(bakyt, begun.ID, identity.NationalDone); got.Enrolled || w.proof(bakyt).Level != caller.LevelStrong {
					t.Fatalf("%+v", got)
				}
				list, err := w.Outbox.List(t.Context(), aigul)
				w.OK(err)
				if told := strings.Contains(list[0].Text, bakyt[len(bakyt)-4:]); told != (form.Get("person") == aigulPIN) {
					t.Fatalf("the owner's phone was told: %v", told)
				}
				w.refused(w.service.SetSecret(t.Context(), w.by(bakyt), "", "904417"), "secret_brief")
				w.changed("the audit log says of", "UPDATE identity_proofs SET expires_at = proved_at + 43200000000")
				w.Pass(identity.NationalProves)
				if got := w.proof(bakyt); got.ID != "" {
					t.Fatal("the proof outlives its hour")
				}
				w.sound()
			})
		})
	}
}

// TestNationalAfterWeak: it makes the proof of the same person strong, and of nobody else.
func TestNationalAfterWeak(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		weak := w.proveInApp(aigul)
		mac := w.document(aigul)
		other := w.begin(aigul)
		testworld.Refused(t, w.finish(other, bakytPIN), "problem.national_other")
		if got := w.proof(aigul); got.ID != weak.ID || got.Level != caller.LevelWeak {
			t.Fatalf("after another person: %+v", got)
		}
		if got := w.stands(aigul, other.ID, identity.NationalRefused); got.Why != "problem.national_other" {
			t.Fatalf("%+v", got)
		}
		if n := w.Number("SELECT COUNT(*) FROM identity_citizens"); n != 1 {
			t.Fatal("who was refused is kept")
		}
		w.OK(w.finish(w.begin(aigul), aigulPIN))
		if got := w.proof(aigul); got.ID != weak.ID || got.Level != caller.LevelStrong {
			t.Fatalf("%+v", got)
		}
		if w.document(aigul) != mac {
			t.Fatal("what is known of the phone's document is gone")
		}
		w.sound()
	})
}

func (w *national) document(phone string) (mac string) {
	w.T.Helper()
	w.OK(w.DB.Reader().QueryRowContext(w.T.Context(), "SELECT document_mac FROM identity_bindings ORDER BY bound_at LIMIT 1").Scan(&mac))
	_ = phone
	return mac
}

// TestNationalCutMeanwhile: whatever cuts the phone off, or has it forget, before the person
// comes back leaves nothing that could be proved.
func TestNationalCutMeanwhile(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(w *national, her string) error{
		"forgotten": func(w *national, _ string) error { return w.service.Forget(w.T.Context(), w.by(aigul)) },
		"undone": func(w *national, _ string) error {
			w.prove(second)
			if got := w.undo(second, ""); got != identity.UndoDone {
				w.T.Fatalf("undone: %s", got)
			}
			return nil
		},
		"released": func(w *national, _ string) error {
			return w.service.Release(w.T.Context(), staff.Act{Actor: "officer"}, aigul)
		},
		"erased": func(w *national, her string) error {
			return w.DB.InTx(w.T.Context(), func(tx *store.Tx) error {
				return w.service.Personal().Erase(w.T.Context(), tx, personal.Person{ID: her, Phone: aigul, Now: w.Now()})
			})
		},
		"resumed": func(w *national, _ string) error { return w.service.Resumed(w.T.Context(), w.by(aigul)) },
		"late":    func(w *national, _ string) error { w.Pass(identity.NationalLasts); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachNational(t, func(t *testing.T, w *national) {
				her := w.proveInApp(aigul).ID
				begun := w.begin(aigul)
				back := w.approve(begun.Address, url.Values{"person": {aigulPIN}})
				w.OK(cut(w, her))
				err := w.service.FinishNational(t.Context(), back.Get("state"), back.Get("code"))
				testworld.Refused(t, err, "problem.national_over")
				if got := w.proof(aigul); got.Level >= caller.LevelStrong {
					t.Fatalf("proved after all: %+v", got)
				}
				w.sound()
			})
		})
	}
}

// TestNationalCutAtTheExchange: the phone is cut off while the provider thinks.
func TestNationalCutAtTheExchange(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		begun := w.begin(aigul)
		back := w.approve(begun.Address, url.Values{"person": {aigulPIN}})
		w.OK(w.sim.SetFault(sandbox.SystemESI, sandbox.Fault{DelayMS: 300}))
		done := make(chan error, 1)
		go func() { done <- w.service.FinishNational(context.Background(), back.Get("state"), back.Get("code")) }()
		for w.Number("SELECT COUNT(*) FROM identity_national_sign_ins WHERE state = 'asking'") == 0 {
			time.Sleep(time.Millisecond)
		}
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "officer"}, aigul))
		testworld.Refused(t, <-done, "problem.national_over")
		if got := w.proof(aigul); got.ID != "" {
			t.Fatalf("the next holder is %+v", got)
		}
		w.stands(aigul, begun.ID, identity.NationalCut)
		w.sound()
	})
}

// TestNationalAtOnce: of 64 pages sent at once one proves, once.
func TestNationalAtOnce(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		begun := w.begin(aigul)
		back := w.approve(begun.Address, url.Values{"person": {aigulPIN}})
		var good atomic.Int64
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				err := w.service.FinishNational(context.Background(), back.Get("state"), back.Get("code"))
				switch {
				case err == nil:
					good.Add(1)
				case problem.From(err).Key != "problem.national_over":
					t.Errorf("refused by %v", err)
				}
			})
		}
		all.Wait()
		if n := w.Number("SELECT COUNT(*) FROM identity_proofs"); good.Load() != 1 || n != 1 {
			t.Fatalf("%d of 64 proved, %d proofs", good.Load(), n)
		}
		w.stands(aigul, begun.ID, identity.NationalDone)
	})
}

// TestNationalForeign: a state that nobody has, another phone's or sign-in's, and another's code.
func TestNationalForeign(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		hers, his := w.begin(aigul), w.begin(bakyt)
		for _, state := range []string{"", "invented", hers.ID} {
			testworld.Refused(t, w.service.FinishNational(t.Context(), state, "code"), "problem.national_over")
		}
		if _, err := w.service.NationalOf(t.Context(), w.by(bakyt), w.app, hers.ID); problem.From(err).Code != problem.NotFound {
			t.Errorf("another phone's: %v", err)
		}
		if _, err := w.service.NationalOf(t.Context(), w.by(aigul), "another", hers.ID); problem.From(err).Code != problem.NotFound {
			t.Errorf("another sign-in's: %v", err)
		}
		mine, theirs := w.approve(his.Address, url.Values{"person": {bakytPIN}}), w.approve(hers.Address, url.Values{"person": {aigulPIN}})
		err := w.service.FinishNational(t.Context(), theirs.Get("state"), mine.Get("code"))
		testworld.Refused(t, err, "problem.national_refused") // PKCE: the code is of another sign-in
		if w.proof(aigul).ID != "" || w.proof(bakyt).ID != "" {
			t.Error("somebody was proved")
		}
		w.stands(aigul, hers.ID, identity.NationalRefused)
	})
}

// TestNationalNotBelieved: forged tokens, a number that is none, and the same ID token twice.
func TestNationalNotBelieved(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		for _, how := range []sandbox.Forgery{sandbox.ForgeNonce, sandbox.ForgeHS256, sandbox.ForgeNone} {
			w.box.Forge(how)
			testworld.Refused(t, w.finish(w.begin(aigul), aigulPIN), "problem.national_refused")
		}
		w.box.Forge("")
		w.OK(w.finish(w.begin(aigul), aigulPIN)) // device tokens have no nonce: the next shows what else holds
		first, again := w.device(bakyt), w.device(bakyt)
		for _, d := range []identity.National{first, again} {
			w.approve(d.Address, url.Values{"user_code": {d.UserCode}, "person": {bakytPIN}})
		}
		w.OK(w.ask(first))
		w.stands(bakyt, first.ID, identity.NationalDone)
		w.box.Forge(sandbox.ForgeReplay)
		w.OK(w.ask(again))
		w.stands(bakyt, again.ID, identity.NationalRefused)
		if n := w.Number("SELECT COUNT(*) FROM identity_proofs"); n != 2 {
			t.Fatalf("%d proofs", n)
		}
		w.sound()
	})
}

// TestNationalDown: a provider that does not answer leaves the sign-in as it was.
func TestNationalDown(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		begun := w.begin(aigul)
		back := w.approve(begun.Address, url.Values{"person": {aigulPIN}})
		for _, fault := range []sandbox.Fault{{Outage: true}, {DelayMS: 3000}} {
			w.OK(w.sim.SetFault(sandbox.SystemESI, fault))
			testworld.Refused(t, w.service.FinishNational(t.Context(), back.Get("state"), back.Get("code")), "problem.national_down")
			w.stands(aigul, begun.ID, identity.NationalOpen)
		}
		w.OK(w.sim.SetFault(sandbox.SystemESI, sandbox.Fault{}))
		w.OK(w.service.FinishNational(t.Context(), back.Get("state"), back.Get("code")))
		w.stands(aigul, begun.ID, identity.NationalDone)
	})
}

// TestNationalMany: no phone begins more than the rule lets it, nor any without a number of ours.
func TestNationalMany(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		for range 5 {
			w.begin(aigul)
		}
		_, err := w.service.BeginNational(t.Context(), w.by(aigul), w.app, true)
		testworld.Refused(t, err, "problem.national_many")
		if _, err := w.service.BeginNational(t.Context(), w.by("+77011234567"), w.app, true); problem.From(err).Code != problem.Forbidden {
			t.Fatalf("a foreign phone: %v", err)
		}
		w.Pass(time.Hour)
		w.begin(aigul)
	})
}

// device begins the sign-in of a phone without a browser.
func (w *national) device(phone string) identity.National {
	w.T.Helper()
	begun, err := w.service.BeginNational(w.T.Context(), w.by(phone), w.app, true)
	w.OK(err)
	return begun
}

// ask does the job of a device's sign-in once; that it is done again is no error here.
func (w *national) ask(begun identity.National) error {
	return identity.AskNational(w.T.Context(), w.service, begun.ID)
}

// TestNationalDevice: the phone shows a code, is asked about as slowly as the provider wants, and
// is told when it is done.
func TestNationalDevice(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		w.prove(aigul)
		begun := w.device(aigul)
		if list, err := w.Outbox.List(t.Context(), aigul); err != nil || !strings.Contains(list[0].Text, begun.UserCode) {
			t.Fatalf("the code was not sent: %v", err)
		}
		pause := func() int { return w.Number("SELECT pause FROM identity_national_sign_ins") }
		_ = w.ask(begun)
		if got := pause(); got != 1 {
			t.Fatalf("asked every %d s", got)
		}
		_ = w.ask(begun)
		if got := pause(); got != 6 {
			t.Fatalf("told to slow down, asked every %d s", got)
		}
		w.stands(aigul, begun.ID, identity.NationalOpen)
		w.approve(begun.Address, url.Values{"user_code": {begun.UserCode}, "person": {aigulPIN}})
		w.OK(w.sim.SetFault(sandbox.SystemESI, sandbox.Fault{Outage: true}))
		_ = w.ask(begun)
		w.stands(aigul, begun.ID, identity.NationalOpen)
		w.OK(w.sim.SetFault(sandbox.SystemESI, sandbox.Fault{}))
		w.Pass(time.Minute)
		w.OK(w.ask(begun))
		w.OK(w.ask(begun)) // a job that is worked twice
		w.stands(aigul, begun.ID, identity.NationalDone)
		if got := w.proof(aigul); got.Level != caller.LevelStrong {
			t.Fatalf("%+v", got)
		}
		list, err := w.Outbox.List(t.Context(), aigul)
		if err != nil || !strings.Contains(list[0].Text, "вошли через ЕСИ") {
			t.Fatalf("the phone was told %q, %v", list[0].Text, err)
		}
		w.sound()
	})
}

// TestNationalDeviceWorked: the queue does all of it.
func TestNationalDeviceWorked(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		w.Work()
		begun := w.device(aigul)
		w.approve(begun.Address, url.Values{"user_code": {begun.UserCode}, "person": {aigulPIN}})
		testworld.Eventually(t, "somebody is proved", func() bool {
			w.Pass(20 * time.Millisecond)
			return w.proof(aigul).Level == caller.LevelStrong
		})
	})
}

// TestNationalDeviceEnds: no, and nothing.
func TestNationalDeviceEnds(t *testing.T) {
	t.Parallel()
	eachNational(t, func(t *testing.T, w *national) {
		denied := w.device(aigul)
		resp, err := http.PostForm(denied.Address, url.Values{"user_code": {denied.UserCode}, "decision": {"deny"}})
		w.OK(err)
		_ = resp.Body.Close()
		w.OK(w.ask(denied))
		w.stands(aigul, denied.ID, identity.NationalDenied)
		list, err := w.Outbox.List(t.Context(), aigul)
		if err != nil || !strings.Contains(list[0].Text, "не удался") {
			t.Fatalf("the phone was told %q, %v", list[0].Text, err)
		}
		expired := w.device(aigul)
		w.Pass(time.Hour)
		w.OK(w.ask(expired))
		w.stands(aigul, expired.ID, identity.NationalExpired)
		if got := w.proof(aigul); got.ID != "" {
			t.Fatalf("%+v", got)
		}
	})
}
