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
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/ussd"
)

// gateways are all wire formats. A new one is a line here, its recorded
// fixtures in testdata/fixtures/<name>, and a way to write a turn.
var gateways = []struct {
	name string
	made func(ussd.Config, ussd.Deps) (*ussd.Gateway, error)
	// turn is a request of session s1: the n-th, from 1.
	turn func(n int, phone, text string) (path, contentType, body string)
}{
	{"africastalking", ussd.NewAfricasTalking, func(n int, phone, text string) (string, string, string) {
		return "", "application/x-www-form-urlencoded", "sessionId=s1&phoneNumber=%2B" + phone + "&text=" + strings.Repeat("1*", n-1) + text
	}},
	{"infobip", ussd.NewInfobip, func(n int, phone, text string) (string, string, string) {
		verb := map[bool]string{true: "/s1/start", false: "/s1/response"}[n == 1]
		return verb, "application/json", fmt.Sprintf(`{"msisdn":%q,"text":%q}`, phone, text)
	}},
	{"hubtel", ussd.NewHubtel, func(n int, phone, text string) (string, string, string) {
		kind := map[bool]string{true: "Initiation", false: "Response"}[n == 1]
		return "", "application/json", fmt.Sprintf(`{"Type":%q,"Mobile":%q,"SessionId":"s1","Message":%q,"Sequence":%d}`, kind, phone, text, n)
	}},
	{"plain", ussd.NewPlain, func(n int, phone, text string) (string, string, string) {
		return "", "application/json", fmt.Sprintf(`{"session":"s1","sequence":%d,"phone":%q,"text":%q,"begin":%v}`, n, phone, text, n == 1)
	}},
}

// conversation is talks whose screens say what reached them.
type conversation struct{ talks }

func (f *conversation) Turn(_ context.Context, turn session.Turn) (session.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turns = append(f.turns, turn)
	if strings.HasSuffix(turn.Text, "again") {
		return session.Answer{}, fmt.Errorf("planned: %w", session.ErrReplayed)
	}
	text := fmt.Sprintf("%s %s start=%v [%s]", turn.Phone, turn.Operator, turn.Start, turn.Text)
	return session.Answer{Text: text, End: turn.Text == "finish", Node: "fake.screen"}, nil
}

// bench is one gateway's application, without a socket.
type bench struct {
	*conversation
	t       testing.TB
	app     *fiber.App
	mu      sync.Mutex
	refused []string
	log     bytes.Buffer
}

func newBench(t testing.TB, made func(ussd.Config, ussd.Deps) (*ussd.Gateway, error), auth ussd.Auth) *bench {
	t.Helper()
	b := &bench{conversation: &conversation{}, t: t, app: fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 2 << 20})}
	g, err := made(ussd.Config{Auth: auth}, ussd.Deps{
		Talks: b.conversation, Sentences: sentences{}, Now: time.Now, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
		Refused: func(reason string) { b.mu.Lock(); defer b.mu.Unlock(); b.refused = append(b.refused, reason) },
	})
	if err != nil {
		t.Fatal(err)
	}
	g.Register(b.app)
	return b
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
		files, err := filepath.Glob("testdata/fixtures/" + g.name + "/*.http")
		if err != nil || len(files) < 4 {
			t.Fatalf("%s has %d fixtures, %v", g.name, len(files), err)
		}
		for _, file := range files {
			t.Run(g.name+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				sent, expected, _ := strings.Cut(string(data), "\n\n=====\n")
				head, body, _ := strings.Cut(sent, "\n\n")
				lines := strings.Split(head, "\n")
				method, path, _ := strings.Cut(lines[0], " ")
				b := newBench(t, g.made, ussd.Auth{Secret: secretWord})
				response, answer := b.send(method, path, strings.TrimPrefix(lines[1], "Content-Type: "), body, ussd.SecretHeader, secretWord)
				head, want, _ := strings.Cut(strings.TrimSuffix(expected, "\n"), "\n\n")
				lines = strings.Split(head, "\n")
				if strconv.Itoa(response.StatusCode) != lines[0] || answer != want {
					t.Errorf("answered %d %q, want %s %q", response.StatusCode, answer, lines[0], want)
				}
				for _, line := range lines[1:] {
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
			test(t, newBench(t, g.made, auth), "/ussd/"+g.name, g.turn)
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
		proofs := map[session.Proof]int{}
		for _, turn := range b.taken() {
			proofs[turn.Proof]++
			if turn.Proof.MAC == "" || !turn.Proof.Until.Equal(time.Unix(now.Unix(), 0).Add(5*time.Minute)) {
				t.Errorf("the proof is %x until %v", turn.Proof.MAC, turn.Proof.Until)
			}
		}
		if len(proofs) != 2 { // one key signed twice, the other once
			t.Errorf("the proofs are %v", proofs)
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

// What a citizen types reaches the talk as it is, and nothing else.
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

func fuzz(f *testing.F, name string) {
	for _, g := range gateways {
		if g.name != name {
			continue
		}
		path, kind, body := g.turn(2, phone, "1")
		f.Add(body)
		f.Add("{}")
		b := newBench(f, g.made, ussd.Auth{Secret: secretWord})
		f.Fuzz(func(t *testing.T, body string) {
			b.t, b.turns, b.refused = t, nil, nil
			response, answer := b.send("POST", "/ussd/"+name+path, kind, body, ussd.SecretHeader, secretWord)
			switch response.StatusCode {
			case http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			default:
				t.Errorf("answered %d %q", response.StatusCode, answer)
			}
		})
	}
}

func FuzzAfricasTalking(f *testing.F) { fuzz(f, "africastalking") }
func FuzzInfobip(f *testing.F)        { fuzz(f, "infobip") }
func FuzzHubtel(f *testing.F)         { fuzz(f, "hubtel") }
func FuzzPlain(f *testing.F)          { fuzz(f, "plain") }
