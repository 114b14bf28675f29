// Package needstest tries that something is not made without what it stands on.
package needstest

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Each takes the exported fields out of whole, one at a time: without any but the optional
// ones build must fail and name the field, as needs.All does. Then it leaves all optional ones
// out, with which build must succeed.
func Each[D any](t *testing.T, whole D, build func(D) error, optional ...string) {
	t.Helper()
	least := whole
	for field, value := range reflect.ValueOf(&least).Elem().Fields() {
		if slices.Contains(optional, field.Name) {
			value.SetZero()
			continue
		}
		lacking := whole
		reflect.ValueOf(&lacking).Elem().FieldByIndex(field.Index).SetZero()
		if err := build(lacking); err == nil || !strings.HasSuffix(err.Error(), "there is no "+field.Name) {
			t.Errorf("without its %s: %v", field.Name, err)
		}
	}
	if err := build(least); err != nil {
		t.Errorf("without what it need not have: %v", err)
	}
}
