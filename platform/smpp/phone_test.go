package smpp_test

import (
	"testing"

	"github.com/eshik-kg/eshik/platform/smpp"
)

// T8: a phone is read from its digits, whatever type of number stands beside them.
func TestPhoneOfAnAddress(t *testing.T) {
	t.Parallel()
	const aigul = "+996555000001"
	for _, test := range []struct {
		digits string
		tons   []byte
		want   string
	}{
		{"996555000001", []byte{0, 1, 2, 3, 4, 6}, aigul},
		{"+996555000001", []byte{0, 1, 2, 3}, aigul},
		{"00996555000001", []byte{0, 1, 2}, aigul},
		{"0555000001", []byte{0, 1, 2, 3, 4}, aigul},
		{"555000001", []byte{0, 2, 3, 4}, aigul},
		{" 996555000001 ", []byte{1}, aigul},
		{"77011234567", []byte{0, 1, 2}, "+77011234567"}, // Kazakhstan
		{"996555000001", []byte{5}, ""},
		{"ESHIK", []byte{0, 1, 5}, ""},
		{"1414", []byte{0, 1, 2, 3, 6}, ""},
		{"12345", []byte{0, 1, 3}, ""},
		{"103", []byte{0, 3}, ""},
		{"996055500000", []byte{0, 1}, ""},
		{"", []byte{0, 1}, ""},
	} {
		for _, ton := range test.tons {
			got, ok := smpp.Address{TON: ton, NPI: 1, Digits: test.digits}.Phone()
			if got != test.want || ok != (test.want != "") {
				t.Errorf("%q of type %d is %q, %v", test.digits, ton, got, ok)
			}
		}
	}
}
