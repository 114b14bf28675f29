package main

import "testing"

// T2: an operator is shown who is not answered, without the whole number.
func TestMaskedPhone(t *testing.T) {
	t.Parallel()
	for phone, want := range map[string]string{"+996555000001": "+99655…001", "+7701123": "…", "": "…"} {
		if got := masked(phone); got != want {
			t.Errorf("%q is shown as %q", phone, got)
		}
	}
}
