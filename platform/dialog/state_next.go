//go:build eshik_next

package dialog

// StateVersion of the build that stands in for the next release where a test
// upgrades a running service (e2e).
const StateVersion = 4
