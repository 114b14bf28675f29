package ussd_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/ussd"
)

// conversation is conversations whose screens say what reached them. What is slow takes until
// held is closed.
type conversation struct {
	conversations
	held chan struct{}
}

func (f *conversation) Turn(_ context.Context, turn session.Turn) (session.Answer, error) {
	if turn.Text == "slow" {
		<-f.held
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turns = append(f.turns, turn)
	if strings.HasSuffix(turn.Text, "again") {
		return session.Answer{}, fmt.Errorf("planned: %w", session.ErrReplayed)
	}
	return session.Answer{Text: shown(turn), End: turn.Text == "finish", Node: "fake.screen"}, nil
}

// shown is the screen of a turn.
func shown(turn session.Turn) string {
	return fmt.Sprintf("%s %s start=%v [%s]", turn.Phone, turn.Operator, turn.Start, turn.Text)
}

// bench is one gateway's application, without a socket.
type bench struct {
	*conversation
	t       testing.TB
	app     *fiber.App
	mu      sync.Mutex
	refused []string
	closed  []ussd.Closing
	log     bytes.Buffer
}

func newBench(t testing.TB, name string, auth ussd.Auth) *bench {
	t.Helper()
	b := &bench{conversation: &conversation{}, t: t, app: fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 2 << 20})}
	g, err := ussd.New(name, ussd.Config{Auth: auth}, ussd.Deps{
		Conversations: b.conversation, Texts: sentences{}, Now: time.Now, Log: slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{ReplaceAttr: timeless})),
		Refused: func(reason string) { b.mu.Lock(); defer b.mu.Unlock(); b.refused = append(b.refused, reason) },
		Closed:  func(c ussd.Closing) { b.mu.Lock(); defer b.mu.Unlock(); b.closed = append(b.closed, c) },
	})
	if err != nil {
		t.Fatal(err)
	}
	g.Register(b.app)
	return b
}

// timeless leaves the moment out of a line, so that it is always the same.
func timeless(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

const secretWord = "a-gateway-secret-0001"

func (b *bench) send(method, path, contentType, body string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.app.Test(request, -1)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(response.Body); err != nil {
		b.t.Fatal(err)
	}
	return response, answer.String()
}

// TestFixtures holds every gateway to what it is recorded to send, and to the
// exact answer.
func TestFixtures(t *testing.T) {
	t.Parallel()
	for _, g := range gateways {
		for _, f := range fixtures(t, g.name) {
			t.Run(g.name+"/"+f.file, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, g.name, ussd.Auth{Secret: secretWord})
				response, answer := b.send(f.method, f.path, f.contentType, f.body, ussd.SecretHeader, secretWord)
				if response.StatusCode != f.status || answer != f.answer {
					t.Errorf("answered %d %q, want %d %q", response.StatusCode, answer, f.status, f.answer)
				}
				for _, line := range f.headers {
					name, value, _ := strings.Cut(line, ": ")
					if got := response.Header.Get(name); got != value {
						t.Errorf("header %s is %q, want %q", name, got, value)
					}
				}
			})
		}
	}
}

// eachGateway runs test on every gateway.
func eachGateway(t *testing.T, auth ussd.Auth, test func(t *testing.T, b *bench, base string, turn func(n int, phone, text string) (string, string, string))) {
	t.Helper()
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			test(t, newBench(t, g.name, auth), "/ussd/"+g.name, g.turn)
		})
	}
}

const phone = "996555000001"

func TestNobodyElseIsLetIn(t *testing.T) {
	t.Parallel()
	eachGateway(t, ussd.Auth{Secret: secretWord}, func(t *testing.T, b *bench, base string, turn func(int, string, string) (string, string, string)) {
		path, kind, body := turn(1, phone, "")
		for _, headers := range [][]string{nil, {ussd.SecretHeader, ""}, {ussd.SecretHeader, secretWord + "x"}, {ussd.SecretHeader, secretWord[1:]}} {
			if response, _ := b.send("POST", base+path, kind, body, headers...); response.StatusCode != http.StatusForbidden {
				t.Errorf("%v was answered %d", headers, response.StatusCode)
			}
		}
		if response, _ := b.send("POST", base+"/wrong"+path, kind, body); response.StatusCode != http.StatusForbidden {
			t.Errorf("a wrong secret in the path was answered %d", response.StatusCode)
		}
		if len(b.taken()) != 0 || len(b.refused) != 5 {
			t.Errorf("%d turns, refused %v", len(b.taken()), b.refused)
		}
		if response, _ := b.send("POST", base+"/"+secretWord+path, kind, body); response.StatusCode != http.StatusOK {
			t.Errorf("the secret in the path was answered %d", response.StatusCode)
		}
	})
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	const old, key = "the-key-before-0123456789", "the-key-from-now-0123456789"
	eachGateway(t, ussd.Auth{HMACKeys: []string{key, old}}, func(t *testing.T, b *bench, base string, turn func(int, string, string) (string, string, string)) {
		path, kind, body := turn(1, phone, "")
		send := func(key string, at time.Time, signedPath, signedBody string) int {
			stamp := strconv.FormatInt(at.Unix(), 10)
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte(stamp + ".POST." + signedPath + "." + signedBody))
			response, _ := b.send("POST", base+path, kind, body,
				ussd.TimestampHeader, stamp, ussd.SignatureHeader, "v1="+hex.EncodeToString(mac.Sum(nil)))
			return response.StatusCode
		}
		now := time.Now()
		for name, c := range map[string]struct{ got, want int }{
			"right":           {send(key, now, base+path, body), 200},
			"again":           {send(key, now, base+path, body), 200}, // a gateway's retry: the session's matter
			"the old key":     {send(old, now, base+path, body), 200},
			"another key":     {send("somebody-else's-key-0123", now, base+path, body), 403},
			"another body":    {send(key, now, base+path, body+" "), 403},
			"another path":    {send(key, now, base+path+"/end", body), 403},
			"replayed later":  {send(key, now.Add(-6*time.Minute), base+path, body), 403},
			"from the future": {send(key, now.Add(6*time.Minute), base+path, body), 403},
		} {
			if c.got != c.want {
				t.Errorf("%s: %d, want %d", name, c.got, c.want)
			}
		}
		for _, headers := range [][]string{nil, {ussd.TimestampHeader, "x"}, {ussd.TimestampHeader, strconv.FormatInt(now.Unix(), 10), ussd.SignatureHeader, "v1="}} {
			if response, _ := b.send("POST", base+path, kind, body, headers...); response.StatusCode != http.StatusForbidden {
				t.Errorf("%v was answered %d", headers, response.StatusCode)
			}
		}
		if len(b.taken()) != 3 || len(b.refused) != 8 {
			t.Errorf("%d turns, refused %v", len(b.taken()), b.refused)
		}
		signatures := map[session.Signature]int{}
		for _, turn := range b.taken() {
			signatures[turn.Signature]++
			if turn.Signature.MAC == "" || !turn.Signature.Until.Equal(time.Unix(now.Unix(), 0).Add(5*time.Minute)) {
				t.Errorf("the signature is %x until %v", turn.Signature.MAC, turn.Signature.Until)
			}
		}
		if len(signatures) != 2 { // one key signed twice, the other once
			t.Errorf("the signatures are %v", signatures)
		}
	})
}

func TestRubbish(t *testing.T) {
	t.Parallel()
	const canary = "11503198800011"
	eachGateway(t, ussd.Auth{Secret: secretWord}, func(t *testing.T, b *bench, base string, turn func(int, string, string) (string, string, string)) {
		path, kind, _ := turn(2, phone, "1")
		long := strings.Repeat("x", 300)
		bodies := []string{
			"", "null", "[]", "{", `{"a":`, strings.Repeat("[", 100_000), "\x00\xff", canary, `"` + canary + `"`,
			"sessionId=%ZZ&phoneNumber=%", strings.Repeat("&", 1000), `{"Type":"Response","Mobile":1,"SessionId":{}}`,
			`{"msisdn":null,"text":` + canary + `}`, `{"phone":"` + canary + `","session":"` + long + `"}`,
		}
		for _, body := range bodies {
			if response, _ := b.send("POST", base+path, kind, body, ussd.SecretHeader, secretWord); response.StatusCode != http.StatusBadRequest {
				t.Errorf("%.40q was answered %d", body, response.StatusCode)
			}
		}
		if response, _ := b.send("POST", base+path, kind, strings.Repeat("x", 1<<20), ussd.SecretHeader, secretWord); response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("1 MB was answered %d", response.StatusCode)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(make([]byte, 64<<20)) // into memory
		_ = z.Close()
		if response, _ := b.send("POST", base+path, kind, packed.String(), ussd.SecretHeader, secretWord, "Content-Encoding", "gzip"); response.StatusCode != http.StatusBadRequest {
			t.Errorf("a packed body was answered %d", response.StatusCode)
		}
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			if response, _ := b.send(method, base+path, kind, "", ussd.SecretHeader, secretWord); response.StatusCode < 400 {
				t.Errorf("%s was answered %d", method, response.StatusCode)
			}
		}
		if len(b.taken()) != 0 || len(b.refused) != len(bodies)+2 || strings.Contains(b.log.String(), canary) {
			t.Errorf("%d turns, refused %v, log %s", len(b.taken()), b.refused, b.log.String())
		}
	})
}

// What a citizen types reaches the conversation as it is, and nothing else.
func TestInputArrives(t *testing.T) {
	t.Parallel()
	eachGateway(t, ussd.Auth{Secret: secretWord}, func(t *testing.T, b *bench, base string, turn func(int, string, string) (string, string, string)) {
		for i, text := range []string{"01KG123ABC", "Ысык-Көл", "😀", "٣"} {
			path, kind, body := turn(i+2, phone, text)
			response, answer := b.send("POST", base+path, kind, body, ussd.SecretHeader, secretWord)
			turns := b.taken()
			if response.StatusCode != http.StatusOK || len(turns) != i+1 || !strings.HasSuffix(turns[i].Text, text) || !strings.Contains(answer, text) {
				t.Errorf("%q: %d %q after %d turns", text, response.StatusCode, answer, len(turns))
			}
			for name, values := range response.Header {
				if strings.Contains(strings.Join(values, " "), text) {
					t.Errorf("header %s holds what was typed", name)
				}
			}
		}
		if strings.Contains(b.log.String(), "01KG123ABC") || len(b.refused) != 0 {
			t.Errorf("refused %v, log %s", b.refused, b.log.String())
		}
	})
}
