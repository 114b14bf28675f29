package app

import (
	"bytes"
	"errors"
	"net/http"
	"strings"

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
}

// bodyBounds are by address, the first that fits. They are judged by the header,
// before a byte of memory is taken for the body: Content-Length alone takes none.
// A phone sends 182 characters (3GPP TS 23.038), 1 092 bytes percent-encoded, and
// earlier inputs may come along; a long text is 1 600 characters.
var bodyBounds = []bodyBound{
	{prefix: "/ussd/", limit: 16 << 10},
	{prefix: "/sms/", limit: 16 << 10},
	{prefix: "/partner/v1/reconciliations", limit: 512 << 10}, // a day's registry
	{prefix: "/partner/", limit: 8 << 10},
	{prefix: "/v1/verifications", limit: 32 << 10},                      // a certificate's code: 4 096 characters, each perhaps escaped
	{prefix: "/v1/payments", limit: 16 << 10},                           // 50 bills
	{prefix: "/v1/fines/appeals/", limit: 2112 << 10, suffix: "/files"}, // 2 MiB of a photo or of scanned pages; who sends a little more is told the limit
	{prefix: "/v1/", limit: 8 << 10},
	{prefix: "/sandbox/", limit: 32 << 10}, // the invented world; in production too nobody knows yet that it is not there
}

// otherBody is for every other address: pages, which take no body.
const otherBody = 1 << 10

// bound gives the longest body that a request's address takes.
func bound(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	address, _, _ := bytes.Cut(plainPath(header.RequestURI()), []byte("?"))
	for _, b := range bodyBounds {
		if bytes.HasPrefix(address, []byte(b.prefix)) && bytes.HasSuffix(address, []byte(b.suffix)) {
			return fasthttp.RequestConfig{MaxRequestBodySize: b.limit}
		}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: otherBody}
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

// counted adds a body that was too large to its gateway's refused callbacks.
func (a *App) counted(answer fiber.ErrorHandler) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		var failed *fiber.Error
		if errors.As(err, &failed) && failed.Code == http.StatusRequestEntityTooLarge {
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
