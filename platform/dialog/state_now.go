//go:build !eshik_next

package dialog

// StateVersion is the version of State that this build writes. It rises with
// every change that an older build would misread; Decode says what becomes of
// older states.
const StateVersion = 3
