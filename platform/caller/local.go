package caller

import (
	"net"
	"strings"
)

// Origin is where an HTTP request came from, as far as it says how much to
// trust it.
type Origin struct {
	// Remote is the peer of the connection, never a header's word.
	Remote net.IP
	// Host, ForwardedFor and FetchSite are the headers Host, X-Forwarded-For
	// and Sec-Fetch-Site.
	Host, ForwardedFor, FetchSite string
}

// Local reports that the request came from a program on this machine: over
// loopback, not through a proxy, and not from a web page of another site that a
// browser here shows (which could otherwise post forms to it).
func (o Origin) Local() bool {
	if o.Remote == nil || !o.Remote.IsLoopback() || o.ForwardedFor != "" {
		return false
	}
	if o.FetchSite != "" && o.FetchSite != "same-origin" && o.FetchSite != "none" {
		return false
	}
	host := o.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}
