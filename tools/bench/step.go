package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	party "github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/ussd"
)

// steps are the requests of one round; they are written before it begins.
const steps = 50_000

// What a step may cost.
const (
	maxMicroseconds = 10
	maxAllocations  = 30
)

// measureStep counts the CPU time, all threads and the garbage collector
// included, and the allocations of one request of the Africa's Talking gateway,
// from the form to CON: no socket, no registry, sessions in memory, the promise
// of a late answer armed. A conversation asks a menu, a question, and goes back, five
// requests to a session.
func measureStep(ctx context.Context, s settings) (row, error) {
	next, done, err := requests(ctx, s)
	if err != nil {
		return row{}, err
	}
	defer done()
	if err := next(steps); err != nil { // warms up
		return row{}, err
	}
	var micros, allocations []float64
	for range s.rounds {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := processorTime()
		if err := next(steps); err != nil {
			return row{}, err
		}
		micros = append(micros, float64((processorTime()-start).Microseconds())/steps)
		runtime.ReadMemStats(&after)
		allocations = append(allocations, float64(after.Mallocs-before.Mallocs)/steps)
	}
	value, count := median(micros), median(allocations)
	return row{
		Value: value, Unit: "µs CPU", Control: maxMicroseconds, Ratio: value / maxMicroseconds,
		Pass: value <= maxMicroseconds && count <= maxAllocations, Note: fmt.Sprintf("%.1f allocations", count),
	}, nil
}

// processorTime is what this process used of the processors.
func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// requests makes the gateway, and a function that sends it n requests.
func requests(ctx context.Context, s settings) (next func(n int) error, done func(), err error) {
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(s.folder, "step.db"))
	if err != nil {
		return nil, nil, err
	}
	if _, err := db.Migrate(ctx); err != nil {
		return nil, nil, err
	}
	texts, err := locales.Load()
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.DiscardHandler)
	engine, err := dialog.New(texts, dialog.Options{Log: log}, fines())
	if err != nil {
		return nil, nil, err
	}
	queue, err := job.New(db, log)
	if err != nil {
		return nil, nil, err
	}
	conversations, err := session.New(session.Deps{
		Engine: engine, Store: session.NewMemory(), Profiles: kyrgyz{}, Trail: nobody{}, Texts: texts,
		Secret: []byte("a secret of thirty-two bytes ...."), Window: session.DefaultWindow, Now: time.Now, Log: log,
		Deferred: &session.Deferred{DB: db, Queue: queue, Outbox: nobody{}, StepTime: session.DefaultStepTime, Budget: sms.Budget, Lifetime: time.Hour},
	})
	if err != nil {
		return nil, nil, err
	}
	gateway, err := ussd.New(ussd.Formats()[0], ussd.Config{Auth: ussd.Auth{Secret: gatewaySecret}}, ussd.Deps{
		Conversations: conversations, Texts: texts, Now: time.Now, Refused: func(string) {}, Log: log,
	})
	if err != nil {
		return nil, nil, err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	gateway.Register(app)
	return sender(app.Handler()), func() { _ = db.Close() }, nil
}

const gatewaySecret = "a-secret-of-the-gateway"

// sender sends n requests, of one phone after another.
func sender(handler fasthttp.RequestHandler) func(n int) error {
	texts := []string{"", "1", "1*0", "1*0*1", "1*0*1*0"}
	bodies := make([][]byte, 0, steps)
	for i := range steps {
		bodies = append(bodies, []byte(form(i/len(texts)%2000, i/len(texts), texts[i%len(texts)])))
	}
	round := 0
	var c fasthttp.RequestCtx
	c.Request.Header.SetMethod(fasthttp.MethodPost)
	c.Request.SetRequestURI("/ussd/africastalking")
	c.Request.Header.SetContentType(fiber.MIMEApplicationForm)
	c.Request.Header.Set(ussd.SecretHeader, gatewaySecret)
	return func(n int) error {
		round++ // a session id is never used twice; all have one length
		serial := fmt.Appendf(nil, "R%05d_", round)
		for _, body := range bodies[:n] {
			copy(body[bytes.Index(body, []byte("sessionId="))+len("sessionId="):], serial)
			c.Request.ResetBody()
			c.Request.SetBodyRaw(body)
			c.Response.Reset()
			handler(&c)
			if answer := c.Response.Body(); !bytes.HasPrefix(answer, []byte("CON ")) {
				return fmt.Errorf("an answer is not a screen: %s", answer)
			}
		}
		return nil
	}
}

// form is one request of a gateway.
func form(phone, serial int, text string) string {
	return url.Values{
		"sessionId": {fmt.Sprintf("ATUid_%d", 1_000_000+serial)}, "phoneNumber": {fmt.Sprintf("+99655%07d", phone)},
		"networkCode": {"43705"}, "serviceCode": {"*1414#"}, "text": {text},
	}.Encode()
}

// fines stands for a service: it asks as that of the fines does, and no registry.
func fines() dialog.Flow {
	return dialog.Flow{
		Name:  "fine",
		Entry: dialog.Option{Label: dialog.Say("fine.entry"), Next: dialog.Go("fine.plate")},
		Nodes: []dialog.Node{{
			ID: "fine.plate",
			Show: func(context.Context, *dialog.Turn) (dialog.Screen, error) {
				return dialog.Screen{Body: []dialog.Message{dialog.Say("fine.ask_plate")}, Ask: dialog.AskNumber}, nil
			},
			Answer: func(context.Context, *dialog.Turn, string) (dialog.Next, error) { return dialog.Next{}, nil },
		}},
	}
}

// kyrgyz is every phone's language; nobody wants messages or events.
type (
	kyrgyz struct{}
	nobody struct{}
)

// Profile implements session.Profiles.
func (kyrgyz) Holds(context.Context, party.Caller, string) (bool, error) { return true, nil }

func (kyrgyz) Profile(context.Context, string) (dialog.Profile, error) {
	return dialog.Profile{Locale: locales.KY}, nil
}

// Later implements session.Trail.
func (nobody) Later(analytics.Event) {}

// Send implements session.Outbox.
func (nobody) Send(context.Context, *store.Tx, notify.Message) error { return nil }

func (nobody) Told(context.Context, *store.Tx, string) (bool, error) { return false, nil }
