package testworld

import (
	"errors"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
)

// OK ends the test on an error.
func OK(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Refused wants the problem with a key.
func Refused(t testing.TB, err error, key string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Key != key {
		t.Errorf("want the problem %s, got %v", key, err)
	}
}

// Eventually asks until ok, for half a minute.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}
