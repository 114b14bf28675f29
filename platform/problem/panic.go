package problem

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// Guard runs do; a panic in it is its error (see FromPanic) and ends nothing else.
func Guard(do func() error) error {
	_, err := Guarded(func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// Guarded is Guard for what has a result.
func Guarded[T any](do func() (T, error)) (out T, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = FromPanic(fault)
		}
	}()
	return do()
}

// FromPanic is the error of a recovered panic, called where it was recovered: what
// kind of value and where, never the value, whose text may hold what was typed.
func FromPanic(fault any) error {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	panicked := false
	for {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "runtime."):
			panicked = true // what stands under the runtime's own functions
		case panicked:
			return fmt.Errorf("panicked with a %T at %s:%d", fault, path.Base(frame.File), frame.Line)
		}
		if !more {
			return fmt.Errorf("panicked with a %T", fault)
		}
	}
}
