//go:build !race

package session_test

// raceDetector says that this build counts allocations of its own.
const raceDetector = false
