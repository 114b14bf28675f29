package caller_test

import (
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
)

func TestParsePhone(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"+996555000001":     "+996555000001",
		" 996555000001":     "+996555000001", // "+" sent unencoded in a form arrives as a space
		"996700000002":      "+996700000002",
		"00996770000003":    "+996770000003",
		"0555 000 001":      "+996555000001",
		"+996 (555) 000001": "+996555000001",
		"+77012345678":      "+77012345678",
		"+254711082300":     "+254711082300",
		"":                  "",
		"Eshik":             "",
		"1414":              "",
		// F14: letters and extensions, at any place
		"+996500000009x":       "",
		"+996500000009x5":      "",
		"+996500000009 ext. 5": "",
		"+99650000000о9":       "",
		"+996500000009;ext=5":  "",
		"+996500000009#5":      "",
		"0555 CALL 01":         "",
		"tel:+996555000001":    "",
		"+99655500000":         "",
		"+996055000001":        "",
		"٠٥٥٥٠٠٠٠٠١":           "+996555000001",
	} {
		got, ok := caller.ParsePhone(raw)
		if got != want || ok != (want != "") {
			t.Errorf("ParsePhone(%q) = %q, %v; want %q", raw, got, ok, want)
		}
	}
}

func TestOperator(t *testing.T) {
	t.Parallel()
	for phone, want := range map[string]string{
		"+996555000001": "MegaCom", "+996700000002": "O!", "+996770000003": "Beeline",
		"+996220000000": "Beeline", "+996312000000": "", "+77012345678": "", "": "",
	} {
		if got := caller.Operator(phone); got != want {
			t.Errorf("Operator(%q) = %q, want %q", phone, got, want)
		}
	}
}

func FuzzParsePhone(f *testing.F) {
	f.Add("+996555000001")
	f.Add("0555 000 001 ext 5")
	f.Fuzz(func(t *testing.T, raw string) {
		got, ok := caller.ParsePhone(raw)
		if !ok {
			return
		}
		if again, ok := caller.ParsePhone(got); !ok || again != got {
			t.Errorf("ParsePhone(%q) = %q, which reads as %q, %v", raw, got, again, ok)
		}
	})
}

func TestOperatorOf(t *testing.T) {
	t.Parallel()
	for network, want := range map[string]string{
		"43705": "MegaCom", "437-05": "MegaCom", "43709": "O!", "megacom": "MegaCom", "O!": "O!", "43799": "", "vodafone": "", "": "",
	} {
		if got := caller.OperatorOf(network); got != want {
			t.Errorf("%q is %q, want %q", network, got, want)
		}
	}
}

// TestS6WhatCountsAsOneClient: an IPv6 subscriber has a /64.
func TestS6WhatCountsAsOneClient(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"": "", "192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "no address": "no address",
		"2001:db8:0:1::1": "2001:db8:0:1::/64", "2001:DB8:0:1:ffff:ffff:ffff:ffff": "2001:db8:0:1::/64",
		"2001:db8:0:2::1": "2001:db8:0:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := (caller.Caller{Address: address}).Network(); got != want {
			t.Errorf("%q counts as %q, want %q", address, got, want)
		}
	}
}
