package ussd

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/session"
)

// Headers in which a gateway proves who it is.
const (
	// SecretHeader carries the gateway's secret where its path does not.
	SecretHeader = "X-Eshik-Secret"
	// TimestampHeader is when a request was signed, in Unix seconds.
	TimestampHeader = "X-Eshik-Timestamp"
	// SignatureHeader is "v1=" and the hexadecimal HMAC-SHA256 of
	// timestamp "." method "." path "." body.
	SignatureHeader = "X-Eshik-Signature"
)

// signatureWindow is how far a signature's timestamp may lie from our clock.
const signatureWindow = 5 * time.Minute

// minKey is the shortest HMAC key accepted, in bytes.
const minKey = 16

// Auth is how a gateway proves who it is: everything that is set must hold.
type Auth struct {
	// Secret is in the callback's path (/ussd/<name>/<secret>) or in
	// SecretHeader: for gateways that sign nothing.
	Secret string
	// HMACKeys verify SignatureHeader; several during a change of keys.
	HMACKeys []string
	// Certificates are SHA-256 fingerprints, in hexadecimal, of the client
	// certificates accepted on our own TLS listener.
	Certificates []string
	// Networks are the only addresses accepted. Behind a reverse proxy the Fiber
	// app must be told which proxies to trust.
	Networks []netip.Prefix
	// AllowLoopback accepts programs on this machine without anything: for the
	// sandbox only.
	AllowLoopback bool
}

// check refuses a configuration in which anybody, or nobody, could call. An
// address alone proves a gateway only where it is on its own line to us.
func (a Auth) check() error {
	if a.Secret == "" && len(a.HMACKeys) == 0 && len(a.Certificates) == 0 && len(a.Networks) == 0 && !a.AllowLoopback {
		return errors.New("a secret, an HMAC key, a client certificate or its networks are needed")
	}
	for _, key := range a.HMACKeys {
		if len(key) < minKey {
			return errors.New("an HMAC key needs 16 bytes or more")
		}
	}
	for _, print := range a.Certificates {
		if raw, err := hex.DecodeString(print); err != nil || len(raw) != sha256.Size {
			return errors.New("a certificate's fingerprint is 64 hexadecimal digits")
		}
	}
	return nil
}

// prove names what is wrong with a request's origin, "" when nothing is, and
// gives its signature.
func (a Auth) prove(c *fiber.Ctx, now time.Time) (signature session.Signature, refused string) {
	origin := caller.Origin{
		Remote: c.Context().RemoteIP(), Host: c.Hostname(),
		ForwardedFor: c.Get(fiber.HeaderXForwardedFor), FetchSite: c.Get("Sec-Fetch-Site"),
	}
	if a.AllowLoopback && origin.Local() {
		return signature, ""
	}
	nothing := a.Secret == "" && len(a.HMACKeys) == 0 && len(a.Certificates) == 0 && len(a.Networks) == 0
	if nothing || (a.Secret != "" && !a.secret(c)) {
		return signature, "secret"
	}
	if len(a.HMACKeys) > 0 {
		var ok bool
		if signature, ok = a.signed(c, now); !ok {
			return signature, "signature"
		}
	}
	switch {
	case len(a.Certificates) > 0 && !a.certified(c):
		return signature, "certificate"
	case len(a.Networks) > 0 && !a.fromNetwork(c.IP()):
		return signature, "network"
	}
	return signature, ""
}

func (a Auth) secret(c *fiber.Ctx) bool {
	given := c.Get(SecretHeader)
	if given == "" {
		given = c.Params("secret")
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(a.Secret)) == 1
}

// signed verifies the signature over the bytes as they were sent: unpacking them
// for a caller who is not proved would let anybody fill the memory. The same
// request sent again within the window is the session's matter, which tells a
// retry from a replay; later it is refused here.
func (a Auth) signed(c *fiber.Ctx, now time.Time) (session.Signature, bool) {
	timestamp := c.Get(TimestampHeader)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	at := time.Unix(seconds, 0)
	if err != nil || now.Sub(at).Abs() > signatureWindow {
		return session.Signature{}, false
	}
	given, found := strings.CutPrefix(c.Get(SignatureHeader), "v1=")
	mac, err := hex.DecodeString(given)
	if err != nil || !found {
		return session.Signature{}, false
	}
	signed := append([]byte(timestamp+"."+c.Method()+"."+c.Path()+"."), c.Request().Body()...)
	ok := slices.ContainsFunc(a.HMACKeys, func(key string) bool {
		want := hmac.New(sha256.New, []byte(key))
		want.Write(signed)
		return hmac.Equal(mac, want.Sum(nil))
	})
	return session.Signature{MAC: string(mac), Until: at.Add(signatureWindow)}, ok
}

func (a Auth) certified(c *fiber.Ctx) bool {
	state := c.Context().TLSConnectionState()
	if state == nil || len(state.PeerCertificates) == 0 {
		return false
	}
	sum := sha256.Sum256(state.PeerCertificates[0].Raw)
	return slices.ContainsFunc(a.Certificates, func(print string) bool {
		return strings.EqualFold(print, hex.EncodeToString(sum[:]))
	})
}

func (a Auth) fromNetwork(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(a.Networks, func(n netip.Prefix) bool { return n.Contains(ip.Unmap()) })
}
