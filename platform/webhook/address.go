package webhook

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
)

// errAddress is the one answer to every address that nothing is sent to: what resolves how
// here is not told.
var errAddress = problem.New(problem.Invalid, "problem.partner_webhook_address")

// mostURL is the longest address, in bytes.
const mostURL = 500

// reserved are addresses that netip's own words do not cover and that are no public host:
// RFC 6890 and what IPv6 carries of IPv4 inside (NAT64, 6to4, Teredo, the mapped ones).
var reserved = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// global are the only addresses of IPv6 that are given to public hosts.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, text := range list {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// public reports an address that a partner's server can have.
func public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Zone() != "" || ip.Is6() && !global.Contains(ip) {
		return false
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// may reports whether something may be sent to an address; in the sandbox this computer's
// own are good too.
func (s *Service) may(ip netip.Addr) bool {
	return public(ip) || s.Loopback && ip.Unmap().IsLoopback()
}

// parse reads an address that a partner gives: https, a host and nothing secret in it.
func (s *Service) parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > mostURL || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return nil, errAddress
	}
	if u.Scheme != "https" && !(s.Loopback && u.Scheme == "http") {
		return nil, errAddress
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, errAddress
		}
	}
	return u, nil
}

// resolves finds every address of the host, and refuses it where one is not public. The
// connection is judged again when it is made: names change.
func (s *Service) resolves(ctx context.Context, u *url.URL) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil || len(found) == 0 {
		return errAddress
	}
	for _, ip := range found {
		if !s.may(ip) {
			return errAddress
		}
		if u.Scheme == "http" && !ip.Unmap().IsLoopback() {
			return errAddress
		}
	}
	return nil
}

// client sends to public addresses only: what counts is the address that is dialled, whatever
// the name was when it was looked up. It follows no redirect and uses no proxy, both of which
// would dial for it.
func (s *Service) newClient() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !s.may(at.Addr()) {
			return fmt.Errorf("nothing is sent to this address: %w", errAddress)
		}
		return nil
	}}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 16 << 10, DisableCompression: true,
			MaxIdleConnsPerHost: inFlight, IdleConnTimeout: time.Minute, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		},
	}
}
