package main

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- Twilio's signature
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// callers is how many requests are under way at once.
const callers = 64

// phones is how many numbers each caller has.
const phones = 200

// load sends requests to an address for a while, each after the answer to the
// one before, and prints how many were answered rightly per second. Any wrong
// answer fails it.
func load(args []string) error {
	kind, target := args[0], args[1]
	millis, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	client := &fasthttp.HostClient{Addr: strings.Split(strings.TrimPrefix(target, "http://"), "/")[0], MaxConns: callers}
	var answered atomic.Int64
	var fault atomic.Pointer[error]
	start := time.Now()
	end := start.Add(time.Duration(millis) * time.Millisecond)
	var all sync.WaitGroup
	for number := range callers {
		all.Go(func() {
			c := &caller{client: client, target: target, number: number, run: os.Getpid()}
			for n := 0; fault.Load() == nil && (kind == "language" && n < phones || kind != "language" && time.Now().Before(end)); n++ {
				done, err := c.conversation(kind, n)
				if err != nil {
					fault.Store(&err)
					return
				}
				answered.Add(int64(done))
			}
		})
	}
	all.Wait()
	if failed := fault.Load(); failed != nil {
		return *failed
	}
	return json.NewEncoder(os.Stdout).Encode(float64(answered.Load()) / time.Since(start).Seconds())
}

// caller is one of those who send at once.
type caller struct {
	client      *fasthttp.HostClient
	target      string
	number, run int
}

// conversation sends the requests of one session and says how many were answered.
func (c *caller) conversation(kind string, n int) (int, error) {
	phone := c.number*phones + n%phones
	serial := (c.run*callers+c.number)*1_000_000 + n
	switch kind {
	case "language":
		return c.each(phone, serial, []string{"", "1", "1*00"})
	case "sms":
		return 1, c.message(phone, serial)
	}
	return c.each(phone, serial, []string{"", "1", "1*0", "1*0*1", "1*0*1*0"})
}

func (c *caller) each(phone, serial int, texts []string) (int, error) {
	for _, text := range texts {
		answer, err := c.post(c.target, form(phone, serial, text), "")
		if err != nil {
			return 0, err
		}
		if !strings.HasPrefix(answer, "CON ") {
			return 0, errors.New("an answer is not a screen: " + answer)
		}
	}
	return len(texts), nil
}

// message sends one text as Twilio does, with its signature.
func (c *caller) message(phone, serial int) error {
	fields := url.Values{
		"MessageSid": {fmt.Sprintf("SM%032d", serial)}, "From": {fmt.Sprintf("+99655%07d", phone)},
		"To": {"1414"}, "Body": {"жардам"}, "NumSegments": {"1"},
	}
	signed := c.target
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		signed += name + fields.Get(name)
	}
	mac := hmac.New(sha1.New, []byte("sandboxtoken"))
	mac.Write([]byte(signed))
	answer, err := c.post(c.target, fields.Encode(), base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	if err == nil && !strings.Contains(answer, "<Response/>") {
		err = errors.New("a message was answered " + answer)
	}
	return err
}

func (c *caller) post(target, body, signature string) (string, error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.SetRequestURI(target)
	request.Header.SetContentType("application/x-www-form-urlencoded")
	if signature != "" {
		request.Header.Set("X-Twilio-Signature", signature)
	}
	request.SetBodyString(body)
	if err := c.client.Do(request, response); err != nil {
		return "", err
	}
	if response.StatusCode() != fasthttp.StatusOK {
		return "", fmt.Errorf("status %d: %s", response.StatusCode(), response.Body())
	}
	return string(response.Body()), nil
}
