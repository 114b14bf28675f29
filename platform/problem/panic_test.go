package problem_test

import (
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/eshik-kg/eshik/platform/problem"
)

// TestFromPanic: a panic's error says where it happened, and nothing of its value.
func TestFromPanic(t *testing.T) {
	t.Parallel()
	const secret = "20101198877665"
	at := regexp.MustCompile(`^panicked with a (string|\*errors\.errorString|runtime\.boundsError|int) at panic_test\.go:\d+$`)
	for name, fail := range map[string]func(){
		"text":    func() { panic(secret) },
		"error":   func() { panic(errors.New(secret)) },
		"number":  func() { panic(len(secret)) },
		"runtime": func() { fmt.Print([]string{}[len(secret)]) },
	} {
		func() {
			defer func() {
				if err := problem.FromPanic(recover()); !at.MatchString(err.Error()) {
					t.Errorf("%s: %q", name, err)
				}
			}()
			fail()
		}()
	}
}
