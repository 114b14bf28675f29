package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// maxConnections bounds what is open at once. With the bodies' bounds below it
// bounds the memory that strangers can make us take.
const maxConnections = 4096

// maxFromOne bounds the connections of one address, so that nobody takes all of
// them. It holds where clients reach us themselves: behind a reverse proxy all come
// from the proxy, which has such a bound of its own.
const maxFromOne = maxConnections / 2

// bodyBound is the longest body that addresses with a prefix take, in bytes.
type bodyBound struct {
	prefix string
	limit  int
	suffix string // that the address has, too; empty: any
	// known says that it is for who is signed in: a stranger's has strangersBody.
	known bool
}

func (b bodyBound) of(address []byte) bool {
	return bytes.HasPrefix(address, []byte(b.prefix)) && bytes.HasSuffix(address, []byte(b.suffix))
}

// bodyBounds are by address, the first that fits. They are judged by the header,
// before a byte of memory is taken for the body: fasthttp takes all of it for a Content-Length alone.
// A phone sends 182 characters (3GPP TS 23.038), 1 092 bytes percent-encoded, and
// earlier inputs may come along; a long text is 1 600 characters.
var bodyBounds = []bodyBound{
	{prefix: "/ussd/", limit: 16 << 10},
	{prefix: "/sms/", limit: 16 << 10},
	{prefix: "/partner/v1/reconciliations", limit: 512 << 10}, // a day's registry
	{prefix: "/partner/", limit: 8 << 10},
	{prefix: "/v1/verifications", limit: 32 << 10}, // a certificate's code: 4 096 characters, each perhaps escaped
	{prefix: "/v1/payments", limit: 16 << 10},      // 50 bills
	// 2 MiB of a photo or of scanned pages; who sends a little more is told the limit.
	{prefix: "/v1/fines/appeals/", limit: 2112 << 10, suffix: "/files", known: true},
	{prefix: "/v1/", limit: 8 << 10},
	{prefix: "/sandbox/", limit: 32 << 10}, // the invented world; in production too nobody knows yet that it is not there
}

// strangersBody is for addresses that take more of who is signed in.
const strangersBody = 8 << 10

// otherBody is for every other address: pages, which take no body.
const otherBody = 1 << 10

// bound gives the longest body that a request's address takes.
func (a *App) bound(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	address, _, _ := bytes.Cut(plainPath(header.RequestURI()), []byte("?"))
	for _, b := range bodyBounds {
		switch {
		case !b.of(address):
			continue
		case b.known && a.stranger(header) != nil:
			return fasthttp.RequestConfig{MaxRequestBodySize: strangersBody}
		}
		return fasthttp.RequestConfig{MaxRequestBodySize: b.limit}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: otherBody}
}

// stranger says why a request is of nobody who is signed in; nil: it is of somebody. It takes no
// longer than a moment: nothing else is read of the connection meanwhile.
func (a *App) stranger(header *fasthttp.RequestHeader) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, token, _ := strings.Cut(string(header.Peek(fiber.HeaderAuthorization)), " ")
	_, err := a.Identity.Authenticate(ctx, strings.TrimSpace(token))
	return err
}

// plainPath is the path that routes are found by: of an absolute address, without
// "..", doubled slashes and escapes. Nearly every address is one already.
func plainPath(address []byte) []byte {
	if bytes.HasPrefix(address, []byte("/")) && !bytes.Contains(address, []byte("..")) && !bytes.Contains(address, []byte("//")) &&
		!bytes.ContainsRune(address, '%') {
		return address
	}
	var u fasthttp.URI
	if u.Parse(nil, address) != nil {
		return nil
	}
	return bytes.Clone(u.Path())
}

// counted adds a body that was too large to its gateway's refused callbacks. Where it is only too
// large for a stranger it says that: an app whose token is over is to get the next one.
func (a *App) counted(answer fiber.ErrorHandler) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		var failed *fiber.Error
		if errors.As(err, &failed) && failed.Code == http.StatusRequestEntityTooLarge {
			if of := slices.IndexFunc(bodyBounds, func(b bodyBound) bool { return b.of([]byte(c.Path())) }); of >= 0 && bodyBounds[of].known {
				err = cmp.Or(a.stranger(&c.Request().Header), err)
			}
			if gateway := a.gatewayAt(c.Path()); gateway != "" {
				a.metrics.refuse(gateway)("too_large")
			}
		}
		return answer(c, err)
	}
}

// gatewayAt names the gateway that an address belongs to, as its refusals are
// counted; empty: none that we have.
func (a *App) gatewayAt(path string) string {
	for _, g := range a.config.gateways.USSD {
		if strings.HasPrefix(path, "/ussd/"+g.Format) {
			return g.Format
		}
	}
	for _, t := range a.config.gateways.SMS {
		if _, has := providerKind(t.Provider); has && strings.HasPrefix(path, "/sms/"+t.Provider) {
			return refusedBy(t.Provider)
		}
	}
	return ""
}
