package problem

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestFromFindsTheProblemInAChain(t *testing.T) {
	t.Parallel()
	p := New(NotFound, "problem.absent", "number", "11503198800011")
	if got := From(fmt.Errorf("look it up: %w", p)); got != p {
		t.Fatalf("got %v", got)
	}
	if got := From(errors.New("disk full")); got.Code != Internal || !strings.Contains(got.Error(), "disk full") {
		t.Fatalf("got %v", got)
	}
}

func TestAProblemInALogHoldsNoArguments(t *testing.T) {
	t.Parallel()
	p := New(Invalid, "problem.number", "number", "11503198800011").Because(errors.New("cause")).After(time.Second)
	if text := p.Error(); strings.Contains(text, "1150") || !strings.Contains(text, "cause") {
		t.Fatalf("got %q", text)
	}
	if !errors.Is(p, New(Invalid, "problem.number")) || errors.Is(p, New(Invalid, "problem.other")) {
		t.Fatal("problems are compared by key")
	}
}
