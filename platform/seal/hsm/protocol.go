// Package hsm is a master key that never leaves a hardware security module: a small program of its own
// (cmd/hsm, which needs C) holds the session with the module, and this process, which needs none,
// asks it over a socket of the machine to wrap and to unwrap. Both sides of what they say are here.
//
// One connection is one question: a line of JSON each way, as a key-management service may speak it too.
//
//	{"op":"wrap","key":"LABEL","place":"eshik key 1","data":"BASE64"}
//	{"data":"BASE64"}   or   {"fault":"refused","says":"…"}
package hsm

import (
	"errors"
	"regexp"
	"time"
)

const (
	// maxLine is the longest question or answer, in bytes.
	maxLine = 2048
	// takes is how long the whole of a question and its answer may take. It is less than a
	// process waits that has to read a key before it can seal.
	takes = 3 * time.Second
	// keySize is the length of a key that is wrapped, in bytes.
	keySize = 32
	// maxWrapped is the longest that a wrapped key may be: a nonce and a tag are 28 bytes of it.
	maxWrapped = 256
)

// What may be asked.
const (
	opWrap   = "wrap"
	opUnwrap = "unwrap"
	opReady  = "ready"
)

// Why something was not done.
const (
	faultAsked   = "asked"   // the question is none
	faultUnknown = "unknown" // no such key is served
	faultRefused = "refused" // the key does not open it
	faultAway    = "away"    // the module does not answer
)

// question is what a process asks.
type question struct {
	Op    string `json:"op"`
	Key   string `json:"key"` // the label of a key in the module
	Place string `json:"place,omitempty"`
	Data  []byte `json:"data,omitempty"`
}

// answer is what it is told: Data, or a Fault and in words why.
type answer struct {
	Data  []byte `json:"data,omitempty"`
	Fault string `json:"fault,omitempty"`
	Says  string `json:"says,omitempty"`
}

var (
	// ErrUnknown says that a module has no key of this label, or that it is not served.
	ErrUnknown = errors.New("no such key is served")
	// ErrRefused says that a key does not open what was given: it was changed, is of another
	// place, or was wrapped by another key.
	ErrRefused = errors.New("it was changed, or the module's key of this label is another one than wrapped it")
)

var (
	// labels are plain, as they stand in settings and in the database.
	labels = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	// places are those of the rows of seal_keys. Nothing else is wrapped: whoever reaches the
	// socket gets no cipher for what they like.
	places = regexp.MustCompile(`^eshik key [0-9]{1,10}$`)
)

// Label says whether a name can be that of a key here: Latin letters, digits and . _ -, 64 at most.
func Label(name string) bool { return labels.MatchString(name) }
